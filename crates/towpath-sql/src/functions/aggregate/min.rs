//! `min(x)`: the smallest value; `min(x, n)`: an array of the n smallest, that one first.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#min>. NULL values are left out,
//! and NaN while there is anything else. But for doubles and reals the first form is DataFusion's.

use datafusion::functions_aggregate::min_max::min_udaf;

use super::definition::{AggregateFunction, returns_first};
use super::extremes;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("min")
        .delegate("T", extremes::match_no_float, returns_first, min_udaf())
        .own(
            "double",
            extremes::match_float,
            returns_first,
            |fields| extremes::state(fields, 0, 0),
            |args| extremes::accumulator(args, 0, 0, false),
        )
        .own(
            "T, bigint",
            extremes::match_value_and_count,
            extremes::returns_values,
            |fields| extremes::state(fields, 0, 0),
            |args| extremes::accumulator(args, 0, 0, false),
        )
}
