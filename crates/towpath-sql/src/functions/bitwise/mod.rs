//! Bitwise functions: <https://trino.io/docs/current/functions/bitwise.html>.

mod bitwise_and;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(bitwise_and::function());
}
