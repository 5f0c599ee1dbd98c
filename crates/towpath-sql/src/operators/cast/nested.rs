//! Casts of arrays, maps and rows: of what is inside them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err};

use super::cast_array;
use crate::data_type::Type;
use crate::functions::args::invalid_cast;
use crate::operators::compare::Comparator;

pub(super) fn convert(value: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    match (from, to) {
        (Type::Array(from), Type::Array(to)) => array(value, from, to),
        (Type::Map(from_key, from_value), Type::Map(to_key, to_value)) => {
            map(value, (from_key, from_value), (to_key, to_value))
        }
        (Type::Row(from), Type::Row(to)) => {
            let rows = value.as_struct();
            let mut columns = Vec::with_capacity(to.len());
            for (column, (from, to)) in rows.columns().iter().zip(from.iter().zip(to)) {
                columns.push(cast_array(column, &from.data_type, &to.data_type)?);
            }
            let DataType::Struct(fields) = Type::Row(to.clone()).to_arrow() else {
                return exec_err!("a row has fields");
            };
            Ok(Arc::new(StructArray::try_new(fields, columns, rows.nulls().cloned())?))
        }
        _ => exec_err!("Cannot cast {from} to {to}"),
    }
}

fn array(value: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    let list = match value.data_type() {
        DataType::List(_) => Arc::clone(value),
        _ => arrow::compute::cast(value, &Type::Array(Box::new(from.clone())).to_arrow())?,
    };
    let list = list.as_list::<i32>();
    // Items of a slice's neighbours must not be cast: they may fail.
    let (first, last) = (list.value_offsets().first(), list.value_offsets().last());
    let bound = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    let (start, end) = (bound(first), bound(last));
    let items = cast_array(&list.values().slice(start, end - start), from, to)?;
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(list.offsets().lengths());
    let field = Arc::new(to.to_field("item"));
    Ok(Arc::new(ListArray::try_new(field, offsets, items, list.nulls().cloned())?))
}

fn map(
    value: &ArrayRef,
    (from_key, from_value): (&Type, &Type),
    (to_key, to_value): (&Type, &Type),
) -> Result<ArrayRef> {
    let map = value.as_map();
    let bound = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    let start = bound(map.value_offsets().first());
    let length = bound(map.value_offsets().last()) - start;
    let keys = cast_array(&map.keys().slice(start, length), from_key, to_key)?;
    if from_key != to_key {
        check_keys(&keys, map)?;
    }
    let values = cast_array(&map.values().slice(start, length), from_value, to_value)?;
    let target = Type::Map(Box::new(to_key.clone()), Box::new(to_value.clone())).to_arrow();
    let DataType::Map(entries_field, ordered) = target else {
        return exec_err!("a map has entries");
    };
    let DataType::Struct(fields) = entries_field.data_type() else {
        return exec_err!("a map has entries");
    };
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(map.offsets().lengths());
    let field: Arc<Field> = entries_field;
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, map.nulls().cloned(), ordered)?))
}

/// Keys that differed may be equal after a cast; a map must not have them twice.
fn check_keys(keys: &ArrayRef, map: &MapArray) -> Result<()> {
    let comparator = Comparator::new(keys, keys)?;
    let mut start = 0;
    for length in map.offsets().lengths() {
        for left in start..start + length {
            for right in left + 1..start + length {
                if comparator.equal(left, right) == Some(true) {
                    return Err(invalid_cast("duplicate keys"));
                }
            }
        }
        start += length;
    }
    Ok(())
}
