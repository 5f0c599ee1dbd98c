//! `tan(x)`: the tangent of an angle in radians, double.
//!
//! <https://trino.io/docs/current/functions/math.html#tan>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("tan").form(&[Param::Double], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.tan())))
}
