//! Trino's types and how Arrow represents them.
//!
//! | Trino | Arrow |
//! |---|---|
//! | `varchar`, `varchar(n)`, `char(n)` | `Utf8View` (`Utf8` and `LargeUtf8` are accepted) |
//! | `json` | `Utf8View` with the extension name `trino.json` |
//! | `ipaddress`, `uuid` | `FixedSizeBinary(16)` with `trino.ipaddress`, `arrow.uuid` |
//! | `varbinary` | `Binary` (`BinaryView`, `LargeBinary` accepted) |
//! | `timestamp(p)` | Timestamp without zone: s for 0, ms to 3, µs to 6, ns to 9 |
//! | `timestamp(p) with time zone` | Timestamp with zone; `UTC` unless a constant says otherwise |
//! | `time(p)` | Time64 µs to 6, ns to 9 |
//! | `interval year to month`, `interval day to second` | `Interval(YearMonth)`, `Duration(ms)` |
//! | `decimal(p, s)` | Decimal128 |
//! | `row`, `array`, `map` | Struct, List, Map |
//!
//! The binder tracks a [`Type`] beside each expression, so that what Arrow cannot say
//! (`varchar(3)`) is still known while planning.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit};

/// Field metadata key under which Arrow keeps extension type names.
pub(crate) const EXTENSION_KEY: &str = "ARROW:extension:name";
/// Extension name of JSON text.
pub(crate) const EXTENSION_JSON: &str = "trino.json";
/// Extension name of IP addresses, kept as 16 bytes in IPv6 form.
pub(crate) const EXTENSION_IPADDRESS: &str = "trino.ipaddress";
/// Extension name of UUIDs.
pub(crate) const EXTENSION_UUID: &str = "arrow.uuid";
/// Extension name of `HyperLogLog` sketches.
pub(crate) const EXTENSION_HYPERLOGLOG: &str = "trino.hyperloglog";

/// A type of Trino.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Type {
    /// The type of `NULL`.
    Unknown,
    /// `boolean`
    Boolean,
    /// `tinyint`
    TinyInt,
    /// `smallint`
    SmallInt,
    /// `integer`
    Integer,
    /// `bigint`
    BigInt,
    /// `real`
    Real,
    /// `double`
    Double,
    /// `decimal(precision, scale)`
    Decimal(u8, u8),
    /// `varchar`, or `varchar(n)`
    Varchar(Option<u32>),
    /// `char(n)`
    Char(u32),
    /// `varbinary`
    Varbinary,
    /// `json`
    Json,
    /// `date`
    Date,
    /// `time(p)`
    Time(u8),
    /// `timestamp(p)`
    Timestamp(u8),
    /// `timestamp(p) with time zone`
    TimestampTz(u8),
    /// `interval year to month`
    IntervalYearToMonth,
    /// `interval day to second`
    IntervalDayToSecond,
    /// `ipaddress`
    IpAddress,
    /// `uuid`
    Uuid,
    /// `HyperLogLog`
    HyperLogLog,
    /// `array(T)`
    Array(Box<Type>),
    /// `map(K, V)`
    Map(Box<Type>, Box<Type>),
    /// `row(name T, …)`
    Row(Vec<RowField>),
    /// An Arrow type that Trino has no name for; it can be selected and nothing else.
    Other(DataType),
}

/// A field of a row type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowField {
    /// Lower-case name, if it has one.
    pub name: Option<String>,
    /// Its type.
    pub data_type: Type,
}

/// Largest precision of a decimal.
pub(crate) const DECIMAL_PRECISION_MAX: u8 = 38;
/// Largest precision of times and timestamps; Trino goes to 12, Arrow to nanoseconds.
pub(crate) const TIME_PRECISION_MAX: u8 = 9;

impl Type {
    /// `varchar` without bound.
    pub const VARCHAR: Type = Type::Varchar(None);

    /// Returns the type that a field of Arrow stands for.
    pub fn of_field(field: &Field) -> Type {
        match field.metadata().get(EXTENSION_KEY).map(String::as_str) {
            Some(EXTENSION_JSON) => Type::Json,
            Some(EXTENSION_IPADDRESS) => Type::IpAddress,
            Some(EXTENSION_UUID) => Type::Uuid,
            Some(EXTENSION_HYPERLOGLOG) => Type::HyperLogLog,
            _ => Type::of_arrow(field.data_type()),
        }
    }

    /// Returns the type that a plain Arrow type stands for.
    pub fn of_arrow(data_type: &DataType) -> Type {
        match data_type {
            DataType::Null => Type::Unknown,
            DataType::Boolean => Type::Boolean,
            DataType::Int8 => Type::TinyInt,
            DataType::Int16 | DataType::UInt8 => Type::SmallInt,
            DataType::Int32 | DataType::UInt16 => Type::Integer,
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Type::BigInt,
            DataType::Float16 | DataType::Float32 => Type::Real,
            DataType::Float64 => Type::Double,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
                Type::Decimal(*p, u8::try_from(*s).unwrap_or(0))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Type::VARCHAR,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Type::Varbinary,
            DataType::Date32 | DataType::Date64 => Type::Date,
            DataType::Time32(TimeUnit::Second) => Type::Time(0),
            DataType::Time32(_) => Type::Time(3),
            DataType::Time64(TimeUnit::Nanosecond) => Type::Time(9),
            DataType::Time64(_) => Type::Time(6),
            DataType::Timestamp(unit, zone) => {
                let precision = unit_precision(*unit);
                if zone.is_some() {
                    Type::TimestampTz(precision)
                } else {
                    Type::Timestamp(precision)
                }
            }
            DataType::Interval(IntervalUnit::YearMonth) => Type::IntervalYearToMonth,
            DataType::Interval(_) | DataType::Duration(_) => Type::IntervalDayToSecond,
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => Type::Array(Box::new(Type::of_field(item))),
            DataType::Map(entries, _) => Type::of_entries(entries),
            DataType::Struct(fields) => {
                Type::Row(fields.iter().enumerate().map(|(at, f)| RowField::of(at, f)).collect())
            }
            DataType::Dictionary(_, value) => Type::of_arrow(value),
            other => Type::Other(other.clone()),
        }
    }

    fn of_entries(entries: &Field) -> Type {
        match entries.data_type() {
            DataType::Struct(fields) => match fields.iter().as_slice() {
                [key, value] => {
                    Type::Map(Box::new(Type::of_field(key)), Box::new(Type::of_field(value)))
                }
                _ => Type::Other(entries.data_type().clone()),
            },
            other => Type::Other(other.clone()),
        }
    }

    /// Returns the Arrow type that values of this type are made in.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Type::Unknown => DataType::Null,
            Type::Boolean => DataType::Boolean,
            Type::TinyInt => DataType::Int8,
            Type::SmallInt => DataType::Int16,
            Type::Integer => DataType::Int32,
            Type::BigInt => DataType::Int64,
            Type::Real => DataType::Float32,
            Type::Double => DataType::Float64,
            Type::Decimal(p, s) => DataType::Decimal128(*p, s.cast_signed()),
            Type::Varchar(_) | Type::Char(_) | Type::Json => DataType::Utf8View,
            Type::Varbinary | Type::HyperLogLog => DataType::Binary,
            Type::Date => DataType::Date32,
            Type::Time(p) if *p > 6 => DataType::Time64(TimeUnit::Nanosecond),
            Type::Time(_) => DataType::Time64(TimeUnit::Microsecond),
            Type::Timestamp(p) => DataType::Timestamp(precision_unit(*p), None),
            Type::TimestampTz(p) => DataType::Timestamp(precision_unit(*p), Some("UTC".into())),
            Type::IntervalYearToMonth => DataType::Interval(IntervalUnit::YearMonth),
            Type::IntervalDayToSecond => DataType::Duration(TimeUnit::Millisecond),
            Type::IpAddress | Type::Uuid => DataType::FixedSizeBinary(16),
            Type::Array(item) => DataType::List(Arc::new(item.to_field("item"))),
            Type::Map(key, value) => map_type(key, value),
            Type::Row(fields) => DataType::Struct(
                fields.iter().enumerate().map(|(at, f)| Arc::new(f.to_field(at))).collect(),
            ),
            Type::Other(data_type) => data_type.clone(),
        }
    }

    /// Returns a nullable field of this type, with the extension name it needs.
    pub fn to_field(&self, name: impl Into<String>) -> Field {
        let field = Field::new(name, self.to_arrow(), true);
        match self.extension() {
            Some(extension) => {
                let entry = (EXTENSION_KEY.to_owned(), extension.to_owned());
                field.with_metadata(HashMap::from([entry]))
            }
            None => field,
        }
    }

    pub(crate) fn extension(&self) -> Option<&'static str> {
        match self {
            Type::Json => Some(EXTENSION_JSON),
            Type::IpAddress => Some(EXTENSION_IPADDRESS),
            Type::Uuid => Some(EXTENSION_UUID),
            Type::HyperLogLog => Some(EXTENSION_HYPERLOGLOG),
            _ => None,
        }
    }

    /// Returns how many types this one is made of, itself included.
    pub(crate) fn parts(&self) -> usize {
        match self {
            Type::Array(item) => 1 + item.parts(),
            Type::Map(key, value) => 1 + key.parts() + value.parts(),
            Type::Row(fields) => 1 + fields.iter().map(|f| f.data_type.parts()).sum::<usize>(),
            _ => 1,
        }
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(self, Type::TinyInt | Type::SmallInt | Type::Integer | Type::BigInt)
    }

    pub(crate) fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, Type::Real | Type::Double | Type::Decimal(..))
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Type::Varchar(_) | Type::Char(_))
    }

    pub(crate) fn is_temporal(&self) -> bool {
        matches!(self, Type::Date | Type::Time(_) | Type::Timestamp(_) | Type::TimestampTz(_))
    }

    pub(crate) fn is_nested(&self) -> bool {
        matches!(self, Type::Array(_) | Type::Map(..) | Type::Row(_))
    }

    /// Returns the decimal an integer type fits in.
    pub(crate) fn integer_decimal(&self) -> Option<(u8, u8)> {
        match self {
            Type::TinyInt => Some((3, 0)),
            Type::SmallInt => Some((5, 0)),
            Type::Integer => Some((10, 0)),
            Type::BigInt => Some((19, 0)),
            Type::Decimal(p, s) => Some((*p, *s)),
            _ => None,
        }
    }
}

impl RowField {
    /// Returns a field without a name.
    pub fn unnamed(data_type: Type) -> RowField {
        RowField { name: None, data_type }
    }

    fn of(at: usize, field: &FieldRef) -> RowField {
        let name = (*field.name() != unnamed_field(at)).then(|| field.name().clone());
        RowField { name, data_type: Type::of_field(field) }
    }

    fn to_field(&self, at: usize) -> Field {
        self.data_type.to_field(self.arrow_name(at))
    }

    pub(crate) fn arrow_name(&self, at: usize) -> String {
        self.name.clone().unwrap_or_else(|| unnamed_field(at))
    }
}

/// The Arrow name of the unnamed row field at index `at`.
pub(crate) fn unnamed_field(at: usize) -> String {
    format!("field{at}")
}

fn map_type(key: &Type, value: &Type) -> DataType {
    let fields =
        Fields::from(vec![key.to_field("key").with_nullable(false), value.to_field("value")]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

pub(crate) fn unit_precision(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

pub(crate) fn precision_unit(precision: u8) -> TimeUnit {
    match precision {
        0 => TimeUnit::Second,
        1..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Unknown => f.write_str("unknown"),
            Type::Boolean => f.write_str("boolean"),
            Type::TinyInt => f.write_str("tinyint"),
            Type::SmallInt => f.write_str("smallint"),
            Type::Integer => f.write_str("integer"),
            Type::BigInt => f.write_str("bigint"),
            Type::Real => f.write_str("real"),
            Type::Double => f.write_str("double"),
            Type::Decimal(p, s) => write!(f, "decimal({p},{s})"),
            Type::Varchar(None) => f.write_str("varchar"),
            Type::Varchar(Some(n)) => write!(f, "varchar({n})"),
            Type::Char(n) => write!(f, "char({n})"),
            Type::Varbinary => f.write_str("varbinary"),
            Type::Json => f.write_str("json"),
            Type::Date => f.write_str("date"),
            Type::Time(p) => write!(f, "time({p})"),
            Type::Timestamp(p) => write!(f, "timestamp({p})"),
            Type::TimestampTz(p) => write!(f, "timestamp({p}) with time zone"),
            Type::IntervalYearToMonth => f.write_str("interval year to month"),
            Type::IntervalDayToSecond => f.write_str("interval day to second"),
            Type::IpAddress => f.write_str("ipaddress"),
            Type::Uuid => f.write_str("uuid"),
            Type::HyperLogLog => f.write_str("HyperLogLog"),
            Type::Array(item) => write!(f, "array({item})"),
            Type::Map(key, value) => write!(f, "map({key}, {value})"),
            Type::Row(fields) => display_row(f, fields),
            Type::Other(data_type) => write!(f, "{data_type}"),
        }
    }
}

fn display_row(f: &mut fmt::Formatter<'_>, fields: &[RowField]) -> fmt::Result {
    f.write_str("row(")?;
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        if let Some(name) = &field.name {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty();
            if plain {
                write!(f, "{name} ")?;
            } else {
                write!(f, "\"{}\" ", name.replace('"', "\"\""))?;
            }
        }
        write!(f, "{}", field.data_type)?;
    }
    f.write_str(")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_survive_the_way_through_arrow() {
        let row = Type::Row(vec![
            RowField { name: Some("a".into()), data_type: Type::Json },
            RowField::unnamed(Type::Map(Box::new(Type::VARCHAR), Box::new(Type::Uuid))),
        ]);
        for data_type in [row, Type::Array(Box::new(Type::IpAddress)), Type::TimestampTz(6)] {
            assert_eq!(Type::of_field(&data_type.to_field("x")), data_type);
        }
    }
}
