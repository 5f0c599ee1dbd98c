//! `bitwise_or_agg(x)`: the bitwise OR of all values; NULL values are left out.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#bitwise_or_agg>. Computed by
//! DataFusion's `bit_or`, which means the same.

use datafusion::functions_aggregate::bit_and_or_xor::bit_or_udaf;

use super::definition::{AggregateFunction, returns_bigint};
use super::sum::match_bigint;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("bitwise_or_agg").delegate(
        "bigint",
        match_bigint,
        returns_bigint,
        bit_or_udaf(),
    )
}
