//! Regular expression functions: <https://trino.io/docs/current/functions/regexp.html>.

mod java_syntax;
mod pattern;
mod regexp_count;
mod regexp_extract;
mod regexp_extract_all;
mod regexp_like;
mod regexp_position;
mod regexp_replace;
mod regexp_split;
mod replacement;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(regexp_count::function());
    registry.scalar(regexp_extract::function());
    registry.scalar(regexp_extract_all::function());
    registry.scalar(regexp_like::function());
    registry.scalar(regexp_position::function());
    registry.scalar(regexp_split::function());
    regexp_replace::register(registry);
}
