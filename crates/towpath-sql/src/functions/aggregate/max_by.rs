//! `max_by(x, y)`: the x beside the largest y; `max_by(x, y, n)`: an array of the x beside the n
//! largest y.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#max_by>. Rows whose y is NULL are
//! left out; an x may be NULL.

use super::definition::{AggregateFunction, returns_first};
use super::extremes;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("max_by")
        .own(
            "V, K",
            extremes::match_pair,
            returns_first,
            |fields| extremes::state(fields, 0, 1),
            |args| extremes::accumulator(args, 0, 1, true),
        )
        .own(
            "V, K, bigint",
            extremes::match_pair_and_count,
            extremes::returns_values,
            |fields| extremes::state(fields, 0, 1),
            |args| extremes::accumulator(args, 0, 1, true),
        )
}
