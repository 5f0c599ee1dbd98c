//! `max(x)`: the largest value; `max(x, n)`: an array of the n largest, that one first.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#max>. NULL values are left out. The
//! first form is DataFusion's, which means the same.

use datafusion::functions_aggregate::min_max::max_udaf;

use super::definition::{AggregateFunction, match_any, returns_first};
use super::extremes;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("max").delegate("T", match_any, returns_first, max_udaf()).own(
        "T, bigint",
        extremes::match_value_and_count,
        extremes::returns_values,
        |fields| extremes::state(fields, 0, 0),
        |args| extremes::accumulator(args, 0, 0, true),
    )
}
