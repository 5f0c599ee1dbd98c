//! Reading maps ([`Maps`]) and building them.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

use crate::functions::args::{Args, invalid};
use crate::functions::nested::keys::{is_null, keys};
use crate::functions::nested::lists::relabeled;

/// A column of maps; a constant one is kept once.
#[derive(Debug, Clone)]
pub(crate) struct Maps {
    array: MapArray,
    constant: bool,
}

impl Maps {
    /// Argument `index` as maps.
    pub(crate) fn of(args: &Args<'_>, index: usize) -> Result<Maps> {
        match args.value(index)? {
            ColumnarValue::Scalar(scalar) => {
                Ok(Maps { array: map_array(&scalar.to_array()?)?, constant: true })
            }
            ColumnarValue::Array(array) => Maps::of_array(array),
        }
    }

    /// Reads a map array; one of type Null counts as all NULL.
    pub(crate) fn of_array(array: &ArrayRef) -> Result<Maps> {
        Ok(Maps { array: map_array(array)?, constant: false })
    }

    /// Where the entries of `row` are in [`Maps::keys`] and [`Maps::values`], `None` for NULL.
    pub(crate) fn range(&self, row: usize) -> Option<Range<usize>> {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) {
            return None;
        }
        let offsets = self.array.value_offsets();
        let bound = |at: usize| offsets.get(at).and_then(|offset| usize::try_from(*offset).ok());
        Some(bound(row)?..bound(row + 1)?)
    }

    /// The keys of all rows.
    pub(crate) fn keys(&self) -> &ArrayRef {
        self.array.keys()
    }

    /// The values of all rows.
    pub(crate) fn values(&self) -> &ArrayRef {
        self.array.values()
    }
}

fn map_array(array: &ArrayRef) -> Result<MapArray> {
    match array.data_type() {
        DataType::Map(..) => Ok(array.as_map().clone()),
        DataType::Null => {
            let null = Arc::new(Field::new("", DataType::Null, true));
            Ok(new_null_array(&map_of(&null, &null), array.len()).as_map().clone())
        }
        other => exec_err!("expected map, got {other}"),
    }
}

/// The fields of the keys and values of a map type.
pub(crate) fn entry_fields(data_type: &DataType) -> Option<(&FieldRef, &FieldRef)> {
    let DataType::Map(entries, _) = data_type else {
        return None;
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return None;
    };
    match fields.iter().as_slice() {
        [key, value] => Some((key, value)),
        _ => None,
    }
}

/// The fields of the keys and values of a map type, or an error.
pub(crate) fn expect_entry_fields(data_type: &DataType) -> Result<(&FieldRef, &FieldRef)> {
    match entry_fields(data_type) {
        Some(fields) => Ok(fields),
        None => exec_err!("expected map, got {data_type}"),
    }
}

/// The map type with keys of `key`'s type and values of `value`'s, keeping their extension types.
pub(crate) fn map_of(key: &FieldRef, value: &FieldRef) -> DataType {
    let fields = Fields::from(vec![
        key.as_ref().clone().with_name("key").with_nullable(false),
        value.as_ref().clone().with_name("value").with_nullable(true),
    ]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

/// Builds maps of type `data_type`: `lengths` entries a row out of `keys` and `values`.
///
/// # Errors
///
/// `INVALID_FUNCTION_ARGUMENT` if a key is NULL or stands twice in one map.
pub(crate) fn build_maps(
    data_type: &DataType,
    lengths: &[usize],
    key_column: ArrayRef,
    values: ArrayRef,
    mut nulls: NullBufferBuilder,
) -> Result<ArrayRef> {
    let nulls = nulls.finish();
    check_keys(lengths, &key_column)?;
    build_checked_maps(data_type, lengths, key_column, values, nulls)
}

/// Like [`build_maps`] for keys known to be unique and not NULL.
pub(crate) fn build_checked_maps(
    data_type: &DataType,
    lengths: &[usize],
    key_column: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Map(entries, sorted) = data_type else {
        return exec_err!("expected map, got {data_type}");
    };
    let (key, value) = expect_entry_fields(data_type)?;
    let columns =
        vec![relabeled(key_column, key.data_type())?, relabeled(values, value.data_type())?];
    let length = columns.first().map_or(0, Array::len);
    let DataType::Struct(fields) = entries.data_type() else {
        return exec_err!("expected map, got {data_type}");
    };
    let inner = StructArray::try_new_with_length(fields.clone(), columns, None, length)?;
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, inner, nulls, *sorted)?))
}

fn check_keys(lengths: &[usize], key_column: &ArrayRef) -> Result<()> {
    if (0..key_column.len()).any(|row| is_null(key_column, row)) {
        return Err(invalid("map key cannot be null"));
    }
    for row in 0..key_column.len() {
        if is_indeterminate(key_column, row)? {
            let text = value_text(key_column, row);
            return Err(invalid(format!("map key cannot be indeterminate: {text}")));
        }
    }
    let all = keys(&[key_column])?;
    let Some(rows) = all.first() else {
        return Ok(());
    };
    let mut start = 0;
    let mut seen = HashSet::new();
    for length in lengths {
        seen.clear();
        for at in start..start + length {
            if !seen.insert(rows.row(at)) {
                return Err(duplicate_key(key_column, at));
            }
        }
        start += length;
    }
    Ok(())
}

/// The error of a key that stands twice.
pub(crate) fn duplicate_key(key_column: &ArrayRef, row: usize) -> DataFusionError {
    invalid(format!("Duplicate map keys ({}) are not allowed", value_text(key_column, row)))
}

/// True if a NULL stands anywhere inside the value at `row`.
fn is_indeterminate(column: &ArrayRef, row: usize) -> Result<bool> {
    match column.data_type() {
        DataType::List(_) => {
            let inner = column.as_list::<i32>().value(row);
            for at in 0..inner.len() {
                if is_null(&inner, at) || is_indeterminate(&inner, at)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        DataType::Struct(_) => {
            for inner in column.as_struct().columns() {
                if is_null(inner, row) || is_indeterminate(inner, row)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// The value at `row` as text for an error.
pub(crate) fn value_text(column: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default().with_null("null");
    match ArrayFormatter::try_new(column.as_ref(), &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(_) => "?".to_owned(),
    }
}

/// Matches one map.
pub(crate) fn match_map(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] => map_or_unknown(one).map(|map| vec![map]),
        _ => None,
    }
}

/// A map type as it is; NULL is a map of NULLs.
pub(crate) fn map_or_unknown(data_type: &DataType) -> Option<DataType> {
    if data_type == &DataType::Null {
        let unknown = Arc::new(Field::new("", DataType::Null, true));
        return Some(map_of(&unknown, &unknown));
    }
    entry_fields(data_type).map(|_| data_type.clone())
}

/// The map type with keys of type `key`.
pub(crate) fn with_key(map: &DataType, key: &DataType) -> Option<DataType> {
    let (own, value) = entry_fields(map)?;
    if own.data_type() == key {
        return Some(map.clone());
    }
    let own = Arc::new(own.as_ref().clone().with_data_type(key.clone()));
    Some(map_of(&own, value))
}
