//! `skewness(x)`: the Fisher moment coefficient of skewness; NULL for fewer than three values.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#skewness>.

use super::definition::{AggregateFunction, match_double, returns_double};
use super::moments::{MomentsAccumulator, state};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("skewness").own("double", match_double, returns_double, state, |_| {
        Ok(Box::new(MomentsAccumulator::new(
            |value| value,
            |moments| {
                let n = moments.count;
                (n > 2.0).then(|| n.sqrt() * moments.m3 / moments.m2.powf(1.5))
            },
        )))
    })
}
