//! `wilson_interval_upper(successes, trials, z)`: the upper bound of the Wilson score interval.
//!
//! <https://trino.io/docs/current/functions/math.html#wilson_interval_upper>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::wilson::interval;
use crate::functions::args::{Args, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("wilson_interval_upper").form(
        &[Param::Bigint, Param::Bigint, Param::Double],
        Returns::DOUBLE,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |successes: i64, trials: i64, z: f64| {
        interval(successes, trials, z).map(|(_, upper)| Some(upper))
    })
}
