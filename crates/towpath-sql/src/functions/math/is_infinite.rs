//! `is_infinite(x)`: whether `x` is infinite.
//!
//! <https://trino.io/docs/current/functions/math.html#is_infinite>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("is_infinite").form(&[Param::Double], Returns::BOOLEAN, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.is_infinite())))
}
