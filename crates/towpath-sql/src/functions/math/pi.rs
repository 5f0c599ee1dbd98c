//! `pi()`: the constant Pi, double.
//!
//! <https://trino.io/docs/current/functions/math.html#pi>

use std::f64::consts::PI;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("pi").form(&[], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    collect(args.rows, |_| Ok(Some(PI)))
}
