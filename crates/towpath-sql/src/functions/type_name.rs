//! Trino's name of a type, as `typeof` prints it and errors use it.
//!
//! <https://trino.io/docs/current/language/types.html>

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

/// Metadata key of Arrow extension types.
const EXTENSION_NAME: &str = "ARROW:extension:name";

/// Nesting of a type name past which `...` is printed. Types come from the statement, whose depth
/// is capped lower than this; it only guards a schema handed in from outside.
const DEPTH_MAX: usize = 64;

/// Trino's name for the type of `field`.
#[must_use]
pub fn type_name(field: &Field) -> String {
    name_of(field, DEPTH_MAX)
}

fn name_of(field: &Field, depth: usize) -> String {
    if depth == 0 {
        return "...".to_owned();
    }
    match field.metadata().get(EXTENSION_NAME).map(String::as_str) {
        Some("trino.json") => return "json".to_owned(),
        Some("trino.ipaddress") => return "ipaddress".to_owned(),
        Some("arrow.uuid") => return "uuid".to_owned(),
        _ => {}
    }
    match field.data_type() {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => format!("array({})", name_of(element, depth - 1)),
        DataType::Map(entries, _) => map_name(entries, depth),
        DataType::Struct(fields) => {
            let names: Vec<String> =
                fields.iter().map(|inner| row_field_name(inner, depth)).collect();
            format!("row({})", names.join(", "))
        }
        DataType::Dictionary(_, values) => {
            name_of(&Field::new("", values.as_ref().clone(), true), depth - 1)
        }
        other => leaf_name(other),
    }
}

fn map_name(entries: &Field, depth: usize) -> String {
    let DataType::Struct(fields) = entries.data_type() else { return "map".to_owned() };
    let names: Vec<String> = fields.iter().map(|inner| name_of(inner, depth - 1)).collect();
    format!("map({})", names.join(", "))
}

/// A field of a row: its name if it was given one. DataFusion calls unnamed ones `c0`, `c1`, ...
fn row_field_name(field: &Field, depth: usize) -> String {
    let inner = name_of(field, depth - 1);
    let unnamed = field
        .name()
        .strip_prefix('c')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if unnamed || field.name().is_empty() { inner } else { format!("{} {inner}", field.name()) }
}

fn leaf_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "unknown".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("decimal({p},{s})"),
        DataType::Timestamp(unit, None) => format!("timestamp({})", digits(*unit)),
        DataType::Timestamp(unit, Some(_)) => {
            format!("timestamp({}) with time zone", digits(*unit))
        }
        DataType::Time32(unit) | DataType::Time64(unit) => format!("time({})", digits(*unit)),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval day to second".to_owned(),
        DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => "bigint".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "varbinary".to_owned(),
        _ => "varchar".to_owned(),
    }
}

fn digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}
