//! Trino's name of a type, as errors use it.

use arrow::datatypes::Field;

use crate::data_type::Type;

/// Trino's name for the type of `field`.
#[must_use]
pub fn type_name(field: &Field) -> String {
    Type::of_field(field).to_string()
}
