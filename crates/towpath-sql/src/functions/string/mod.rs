//! String functions: <https://trino.io/docs/current/functions/string.html>.

mod length;
mod starts_with;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(length::function());
    registry.scalar(starts_with::function());
}
