//! `HyperLogLog` functions: <https://trino.io/docs/current/functions/hyperloglog.html>. Those that
//! aggregate are in the aggregate group.

mod cardinality;
mod empty_approx_set;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(cardinality::function());
    registry.scalar(empty_approx_set::function());
}
