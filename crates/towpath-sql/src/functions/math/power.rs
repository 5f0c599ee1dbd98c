//! `power(x, p)`: `x` raised to the power of `p`, double; also called `pow`.
//!
//! <https://trino.io/docs/current/functions/math.html#power>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("power").alias("pow").form(
        &[Param::Double, Param::Double],
        Returns::DOUBLE,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: f64, p: f64| Ok(Some(power(x, p))))
}

/// As in Java, ±1 raised to an infinite power, and 1 to NaN, is NaN.
fn power(x: f64, p: f64) -> f64 {
    if p.is_nan() || (p.is_infinite() && x.abs().to_bits() == 1_f64.to_bits()) {
        return f64::NAN;
    }
    x.powf(p)
}
