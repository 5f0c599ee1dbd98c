//! `atan2(y, x)`: the angle of the point (x, y), double.
//!
//! <https://trino.io/docs/current/functions/math.html#atan2>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("atan2").form(&[Param::Double, Param::Double], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |y: f64, x: f64| Ok(Some(y.atan2(x))))
}
