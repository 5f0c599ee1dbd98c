//! `regr_intercept(y, x)`: the intercept of the least-squares line.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_intercept>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_intercept_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_intercept").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_intercept_udaf(),
    )
}
