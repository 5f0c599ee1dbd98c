//! Map functions: <https://trino.io/docs/current/functions/map.html>. Those that take lambdas are in
//! the lambda group, those that aggregate in the aggregate group.

mod cardinality;
mod element_at;
#[expect(clippy::module_inception, reason = "a file is named as users write its function")]
mod map;
mod map_concat;
mod map_entries;
mod map_from_entries;
mod map_keys;
mod map_values;
mod multimap_from_entries;
mod subscript;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(cardinality::function());
    registry.scalar(element_at::function());
    registry.scalar(map::function());
    registry.scalar(map_concat::function());
    registry.scalar(map_entries::function());
    registry.scalar(map_from_entries::function());
    registry.scalar(map_keys::function());
    registry.scalar(map_values::function());
    registry.scalar(multimap_from_entries::function());
    registry.scalar(subscript::function());
}
