//! `normal_cdf(mean, sd, v)`: the probability that a number of that normal distribution is at most
//! `v`.
//!
//! <https://trino.io/docs/current/functions/math.html#normal_cdf>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::distribution::standard_normal_cdf;
use crate::functions::args::{Args, invalid, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("normal_cdf").form(
        &[Param::Double, Param::Double, Param::Double],
        Returns::DOUBLE,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |mean: f64, deviation: f64, value: f64| {
        if deviation.is_nan() || deviation <= 0.0 {
            return Err(invalid("standardDeviation must be > 0"));
        }
        Ok(Some(standard_normal_cdf((value - mean) / deviation)))
    })
}
