//! `inverse_normal_cdf(mean, sd, p)`: the value that a number of that normal distribution is at most
//! with probability `p`.
//!
//! <https://trino.io/docs/current/functions/math.html#inverse_normal_cdf>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::distribution::standard_normal_quantile;
use crate::functions::args::{Args, invalid, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("inverse_normal_cdf").form(
        &[Param::Double, Param::Double, Param::Double],
        Returns::DOUBLE,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |mean: f64, deviation: f64, p: f64| {
        if p.is_nan() || p <= 0.0 || p >= 1.0 {
            return Err(invalid("p must be 0 > p > 1"));
        }
        if deviation.is_nan() || deviation <= 0.0 {
            return Err(invalid("sd must be > 0"));
        }
        Ok(Some(mean + deviation * standard_normal_quantile(p)))
    })
}
