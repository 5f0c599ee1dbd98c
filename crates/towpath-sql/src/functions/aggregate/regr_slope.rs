//! `regr_slope(y, x)`: the slope of the least-squares line.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_slope>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_slope_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_slope").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_slope_udaf(),
    )
}
