//! `stddev_pop(x)`: the population standard deviation.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#stddev_pop>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::stddev::stddev_pop_udaf;

use super::definition::{AggregateFunction, match_double, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("stddev_pop").delegate(
        "double",
        match_double,
        returns_double,
        stddev_pop_udaf(),
    )
}
