//! `inverse_beta_cdf(a, b, p)`: the value that a number of that beta distribution is at most with
//! probability `p`.
//!
//! <https://trino.io/docs/current/functions/math.html#inverse_beta_cdf>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::distribution::beta_quantile;
use crate::functions::args::{Args, invalid, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("inverse_beta_cdf").form(
        &[Param::Double, Param::Double, Param::Double],
        Returns::DOUBLE,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |a: f64, b: f64, p: f64| {
        if !(0.0..=1.0).contains(&p) {
            return Err(invalid("p must be 0 >= p >= 1"));
        }
        if a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 {
            return Err(invalid("a, b must be > 0"));
        }
        Ok(Some(beta_quantile(a, b, p)))
    })
}
