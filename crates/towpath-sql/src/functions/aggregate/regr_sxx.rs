//! `regr_sxx(y, x)`: the sum of squares of x.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_sxx>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_sxx_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_sxx").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_sxx_udaf(),
    )
}
