//! `min(x)`: the smallest value; `min(x, n)`: an array of the n smallest, that one first.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#min>. NULL values are left out. The
//! first form is DataFusion's, which means the same.

use datafusion::functions_aggregate::min_max::min_udaf;

use super::definition::{AggregateFunction, match_any, returns_first};
use super::extremes;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("min").delegate("T", match_any, returns_first, min_udaf()).own(
        "T, bigint",
        extremes::match_value_and_count,
        extremes::returns_values,
        |fields| extremes::state(fields, 0, 0),
        |args| extremes::accumulator(args, 0, 0, false),
    )
}
