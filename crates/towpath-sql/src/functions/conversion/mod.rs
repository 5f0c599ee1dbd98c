//! Conversion functions: <https://trino.io/docs/current/functions/conversion.html>.

mod format;
mod format_moment;
mod format_number;
mod format_spec;
mod format_value;
mod java_number;
mod parse_data_size;
mod r#typeof;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(format::function());
    registry.scalar(format_number::function());
    registry.scalar(parse_data_size::function());
    registry.scalar(r#typeof::function());
}
