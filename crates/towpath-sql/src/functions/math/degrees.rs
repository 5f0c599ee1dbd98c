//! `degrees(x)`: an angle in radians as degrees, double.
//!
//! <https://trino.io/docs/current/functions/math.html#degrees>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("degrees").form(&[Param::Double], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.to_degrees())))
}
