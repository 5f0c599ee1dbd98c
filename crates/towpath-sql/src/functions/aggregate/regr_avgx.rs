//! `regr_avgx(y, x)`: the average of x over pairs without NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_avgx>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_avgx_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_avgx").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_avgx_udaf(),
    )
}
