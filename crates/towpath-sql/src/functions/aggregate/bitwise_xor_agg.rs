//! `bitwise_xor_agg(x)`: the bitwise XOR of all values; NULL values are left out.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#bitwise_xor_agg>. Computed by
//! DataFusion's `bit_xor`, which means the same.

use datafusion::functions_aggregate::bit_and_or_xor::bit_xor_udaf;

use super::definition::{AggregateFunction, returns_bigint};
use super::sum::match_bigint;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("bitwise_xor_agg").delegate(
        "bigint",
        match_bigint,
        returns_bigint,
        bit_xor_udaf(),
    )
}
