//! `geometric_mean(x)`: the geometric mean; NULL values are left out.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#geometric_mean>.

use super::definition::{AggregateFunction, match_double, returns_double};
use super::moments::{MomentsAccumulator, state};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("geometric_mean").own(
        "double",
        match_double,
        returns_double,
        state,
        |_| {
            Ok(Box::new(MomentsAccumulator::new(f64::ln, |moments| {
                (moments.count > 0.0).then(|| moments.mean.exp())
            })))
        },
    )
}
