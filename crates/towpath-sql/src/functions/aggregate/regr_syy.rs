//! `regr_syy(y, x)`: the sum of squares of y.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#regr_syy>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::regr::regr_syy_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("regr_syy").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        regr_syy_udaf(),
    )
}
