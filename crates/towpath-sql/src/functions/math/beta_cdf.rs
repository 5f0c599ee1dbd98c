//! `beta_cdf(a, b, v)`: the probability that a number of that beta distribution is at most `v`.
//!
//! <https://trino.io/docs/current/functions/math.html#beta_cdf>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::distribution;
use crate::functions::args::{Args, invalid, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("beta_cdf").form(
        &[Param::Double, Param::Double, Param::Double],
        Returns::DOUBLE,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |a: f64, b: f64, value: f64| {
        if !(0.0..=1.0).contains(&value) {
            return Err(invalid("value must be 0 >= v >= 1"));
        }
        if a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 {
            return Err(invalid("a, b must be > 0"));
        }
        Ok(Some(distribution::beta_cdf(a, b, value)))
    })
}
