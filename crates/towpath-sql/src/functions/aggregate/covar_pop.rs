//! `covar_pop(y, x)`: the population covariance.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#covar_pop>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::covariance::covar_pop_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("covar_pop").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        covar_pop_udaf(),
    )
}
