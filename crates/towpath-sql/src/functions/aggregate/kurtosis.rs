//! `kurtosis(x)`: the excess kurtosis; NULL for fewer than four values.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#kurtosis>.

use super::definition::{AggregateFunction, match_double, returns_double};
use super::moments::{MomentsAccumulator, state};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("kurtosis").own("double", match_double, returns_double, state, |_| {
        Ok(Box::new(MomentsAccumulator::new(
            |value| value,
            |moments| {
                let n = moments.count;
                (n > 3.0).then(|| {
                    let variance = moments.m2 / (n - 1.0);
                    let weight = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0));
                    let bias = 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0));
                    weight * moments.m4 / variance.powi(2) - bias
                })
            },
        )))
    })
}
