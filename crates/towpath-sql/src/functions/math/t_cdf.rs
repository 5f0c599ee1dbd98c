//! `t_cdf(x, df)`: the probability that a number of Student's t distribution with `df` degrees of
//! freedom is at most `x`.
//!
//! <https://trino.io/docs/current/functions/math.html#t_cdf>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::distribution;
use crate::functions::args::{Args, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("t_cdf").form(&[Param::Double, Param::Double], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: f64, freedom: f64| {
        if freedom.is_nan() || freedom <= 0.0 {
            return Err(invalid("df must be greater than 0"));
        }
        Ok(Some(distribution::t_cdf(x, freedom)))
    })
}
