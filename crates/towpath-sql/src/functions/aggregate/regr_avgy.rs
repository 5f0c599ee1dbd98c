//! `regr_avgy(y, x)`: the average of y over pairs without NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_avgy>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_avgy_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_avgy").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_avgy_udaf(),
    )
}
