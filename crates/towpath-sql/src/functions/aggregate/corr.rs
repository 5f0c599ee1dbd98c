//! `corr(y, x)`: the correlation coefficient.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#corr>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::correlation::corr_udaf;

use super::definition::{AggregateFunction, match_two_doubles, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("corr").delegate(
        "double, double",
        match_two_doubles,
        returns_double,
        corr_udaf(),
    )
}
