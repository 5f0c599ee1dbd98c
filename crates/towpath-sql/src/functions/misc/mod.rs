//! IP address, UUID and session functions: <https://trino.io/docs/current/functions/ipaddress.html>.

mod contains;
mod uuid;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(contains::function());
    registry.scalar(uuid::function());
}
