//! `log(b, x)`: the logarithm of `x` to base `b`, double.
//!
//! <https://trino.io/docs/current/functions/math.html#log>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("log").form(&[Param::Double, Param::Double], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |b: f64, x: f64| Ok(Some(x.ln() / b.ln())))
}
