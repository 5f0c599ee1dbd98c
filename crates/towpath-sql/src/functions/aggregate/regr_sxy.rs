//! `regr_sxy(y, x)`: the sum of products of x and y.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_sxy>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_sxy_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_sxy").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_sxy_udaf(),
    )
}
