//! `regr_r2(y, x)`: the square of the correlation coefficient.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_r2>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_r2_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_r2").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_r2_udaf(),
    )
}
