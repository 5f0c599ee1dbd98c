//! Bitwise functions: <https://trino.io/docs/current/functions/bitwise.html>.

mod bit_count;
mod bitwise_and;
mod bitwise_left_shift;
mod bitwise_not;
mod bitwise_or;
mod bitwise_right_shift;
mod bitwise_right_shift_arithmetic;
mod bitwise_xor;
mod shift;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(bit_count::function());
    registry.scalar(bitwise_and::function());
    registry.scalar(bitwise_left_shift::function());
    registry.scalar(bitwise_not::function());
    registry.scalar(bitwise_or::function());
    registry.scalar(bitwise_right_shift::function());
    registry.scalar(bitwise_right_shift_arithmetic::function());
    registry.scalar(bitwise_xor::function());
}
