//! `min_by(x, y)`: the x beside the smallest y; `min_by(x, y, n)`: an array of the x beside the n
//! smallest y.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#min_by>. Rows whose y is NULL are
//! left out; an x may be NULL.

use super::definition::{AggregateFunction, returns_first};
use super::extremes;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("min_by")
        .own(
            "V, K",
            extremes::match_pair,
            returns_first,
            |fields| extremes::state(fields, 0, 1),
            |args| extremes::accumulator(args, 0, 1, false),
        )
        .own(
            "V, K, bigint",
            extremes::match_pair_and_count,
            extremes::returns_values,
            |fields| extremes::state(fields, 0, 1),
            |args| extremes::accumulator(args, 0, 1, false),
        )
}
