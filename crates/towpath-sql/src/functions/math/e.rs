//! `e()`: Euler's number, double.
//!
//! <https://trino.io/docs/current/functions/math.html#e>

use std::f64::consts::E;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("e").form(&[], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    collect(args.rows, |_| Ok(Some(E)))
}
