//! `stddev_samp(x)`: the sample standard deviation; `stddev` is the same.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#stddev_samp>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::stddev::stddev_udaf;

use super::definition::{AggregateFunction, match_double, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("stddev_samp")
        .delegate("double", match_double, returns_double, stddev_udaf())
        .alias("stddev")
}
