//! `covar_samp(y, x)`: the sample covariance.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#covar_samp>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::covariance::covar_samp_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("covar_samp").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        covar_samp_udaf(),
    )
}
