//! The type that Trino converts two types to without being asked.
//!
//! Trino: <https://trino.io/docs/current/language/types.html>; the rules are those of its
//! `TypeCoercion`: integers widen, integers become decimals, decimals become real or double, dates
//! become timestamps, and nested types follow their parts. Nothing becomes a varchar.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

/// The common type of `a` and `b`, or `None` if Trino has none.
pub(crate) fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(normalized(a));
    }
    match (normalized(a), normalized(b)) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other),
        (DataType::List(a), DataType::List(b)) => Some(DataType::List(common_field(&a, &b)?)),
        (DataType::Map(a, sorted), DataType::Map(b, _)) => {
            Some(DataType::Map(common_field(&a, &b)?, sorted))
        }
        (DataType::Struct(a), DataType::Struct(b)) if a.len() == b.len() => {
            let fields: Option<Fields> =
                a.iter().zip(b.iter()).map(|(a, b)| common_field(a, b)).collect();
            fields.map(DataType::Struct)
        }
        (a, b) => common_scalar(&a, &b),
    }
}

/// The type that all of `types` have in common.
pub(crate) fn common_type_of<'a>(
    types: impl IntoIterator<Item = &'a DataType>,
) -> Option<DataType> {
    types.into_iter().try_fold(DataType::Null, |common, data_type| common_type(&common, data_type))
}

fn common_field(a: &FieldRef, b: &FieldRef) -> Option<FieldRef> {
    let data_type = common_type(a.data_type(), b.data_type())?;
    let base = if a.data_type() == &DataType::Null { b } else { a };
    let nullable = a.is_nullable() || b.is_nullable();
    let field = Field::new(a.name(), data_type, nullable);
    Some(Arc::new(field.with_metadata(base.metadata().clone())))
}

/// The one of several Arrow types of a Trino type that functions work on.
pub(crate) fn normalized(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => DataType::List(Arc::clone(item)),
        DataType::Dictionary(_, values) => normalized(values),
        DataType::RunEndEncoded(_, values) => normalized(values.data_type()),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        other => other.clone(),
    }
}

fn common_scalar(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date32, Float32, Float64, Timestamp};
    if is_string(a) && is_string(b) {
        return Some(DataType::Utf8View);
    }
    if is_binary(a) && is_binary(b) {
        return Some(DataType::Binary);
    }
    if let (Some(a_rank), Some(b_rank)) = (integer_rank(a), integer_rank(b)) {
        return Some(if a_rank >= b_rank { a.clone() } else { b.clone() });
    }
    match (a, b) {
        (Float64, other) | (other, Float64) if is_number(other) => Some(Float64),
        (Float32, other) | (other, Float32) if is_number(other) => Some(Float32),
        (Date32, Timestamp(unit, zone)) | (Timestamp(unit, zone), Date32) => {
            Some(Timestamp(*unit, zone.clone()))
        }
        (Timestamp(a_unit, a_zone), Timestamp(b_unit, b_zone)) => {
            let zone = a_zone.clone().or_else(|| b_zone.clone());
            Some(Timestamp(finer(*a_unit, *b_unit), zone))
        }
        _ => common_decimal(a, b),
    }
}

fn common_decimal(a: &DataType, b: &DataType) -> Option<DataType> {
    let ((a_precision, a_scale), (b_precision, b_scale)) = (decimal(a)?, decimal(b)?);
    let scale = a_scale.max(b_scale);
    let whole = (i16::from(a_precision) - i16::from(a_scale))
        .max(i16::from(b_precision) - i16::from(b_scale));
    let precision = u8::try_from(whole + i16::from(scale)).ok()?.min(38);
    Some(DataType::Decimal128(precision, scale))
}

/// The decimal that a decimal or integer type is.
fn decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        DataType::Int8 => Some((3, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        _ => None,
    }
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let rank = |unit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

fn integer_rank(data_type: &DataType) -> Option<u8> {
    match data_type {
        DataType::Int8 => Some(0),
        DataType::Int16 => Some(1),
        DataType::Int32 => Some(2),
        DataType::Int64 => Some(3),
        _ => None,
    }
}

fn is_number(data_type: &DataType) -> bool {
    decimal(data_type).is_some() || matches!(data_type, DataType::Float32 | DataType::Float64)
}

/// True for the Arrow types of varchar.
pub(crate) fn is_string(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// True for the Arrow types of varbinary.
pub(crate) fn is_binary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, TimeUnit};

    use super::{common_type, common_type_of};

    #[test]
    fn numbers_widen_and_texts_do_not_become_numbers() {
        let cases = [
            (DataType::Int32, DataType::Int64, Some(DataType::Int64)),
            (DataType::Int32, DataType::Decimal128(4, 2), Some(DataType::Decimal128(12, 2))),
            (DataType::Decimal128(4, 2), DataType::Float64, Some(DataType::Float64)),
            (DataType::Float32, DataType::Int64, Some(DataType::Float32)),
            (DataType::Utf8, DataType::Utf8View, Some(DataType::Utf8View)),
            (DataType::Utf8, DataType::Int32, None),
            (DataType::Null, DataType::Boolean, Some(DataType::Boolean)),
            (
                DataType::Date32,
                DataType::Timestamp(TimeUnit::Millisecond, None),
                Some(DataType::Timestamp(TimeUnit::Millisecond, None)),
            ),
        ];
        for (a, b, expected) in cases {
            assert_eq!(common_type(&a, &b), expected, "{a} {b}");
            assert_eq!(common_type(&b, &a), expected, "{b} {a}");
        }
    }

    #[test]
    fn nested_types_follow_their_parts() {
        let list = |item| DataType::new_list(item, true);
        assert_eq!(
            common_type(&list(DataType::Int32), &list(DataType::Float64)),
            Some(list(DataType::Float64))
        );
        let row = |item| DataType::Struct(vec![Field::new("a", item, true)].into());
        assert_eq!(
            common_type_of(&[row(DataType::Null), row(DataType::Int8), row(DataType::Int16)]),
            Some(row(DataType::Int16))
        );
        assert_eq!(common_type(&list(DataType::Int32), &DataType::Int32), None);
    }
}
