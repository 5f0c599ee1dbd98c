//! `regr_count(y, x)`: how many pairs have no NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_count>. Computed by
//! DataFusion, which means the same.

use datafusion::functions_aggregate::regr::regr_count_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_bigint};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_count").delegate(
        "double, double",
        match_two_doubles,
        returns_bigint,
        regr_count_udaf(),
    )
}
