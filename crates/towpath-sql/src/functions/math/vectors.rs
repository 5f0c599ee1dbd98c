//! Vectors for the functions that compare two of them: arrays of doubles of one length, or maps from
//! the name of a dimension to its value.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::{ArrayRef, MapArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::functions::args::{Args, Strings, collect, invalid, map_type, primitives};

/// The length of a vector.
pub(super) fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Takes two maps from varchar to numbers; their values become doubles.
pub(super) fn vector_type(given: &[DataType]) -> Option<Vec<DataType>> {
    let [left, right] = given else { return None };
    let fits = |one: &DataType| match one {
        DataType::Null => true,
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                matches!(
                    fields.first().map(|key| key.data_type()),
                    Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
                )
            }
            _ => false,
        },
        _ => false,
    };
    let to = || map_type(DataType::Utf8View, DataType::Float64);
    (fits(left) && fits(right)).then(|| vec![to(), to()])
}

/// Applies `f` to two arrays of one length; NULL if one of them or a value is NULL.
///
/// # Errors
///
/// If the lengths differ, and those of `f`.
pub(super) fn pairs(
    args: &Args<'_>,
    f: impl Fn(&[f64], &[f64]) -> Result<Option<f64>>,
) -> Result<ArrayRef> {
    let (left, right) = (args.array(0)?, args.array(1)?);
    let (Some(left), Some(right)) = (left.as_list_opt::<i32>(), right.as_list_opt::<i32>()) else {
        return Ok(args.nulls());
    };
    collect(args.rows, |row| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        if left.len() != right.len() {
            return Err(invalid("The arguments must have the same length"));
        }
        match (values(left)?, values(right)?) {
            (Some(left), Some(right)) => f(&left, &right),
            _ => Ok(None),
        }
    })
}

/// The doubles of an array, `None` if one is NULL.
fn values(array: ArrayRef) -> Result<Option<Vec<f64>>> {
    let length = array.len();
    let column = ColumnarValue::Array(array);
    let values = primitives::<Float64Type>(&column)?;
    Ok((0..length).map(|index| values.get(index)).collect())
}

/// Applies `f` to two maps; NULL if one of them or a value is NULL.
pub(super) fn map_vectors(
    args: &Args<'_>,
    f: impl Fn(&BTreeMap<String, f64>, &BTreeMap<String, f64>) -> Option<f64>,
) -> Result<ArrayRef> {
    let (left, right) = (args.array(0)?, args.array(1)?);
    let (Some(left), Some(right)) = (left.as_map_opt(), right.as_map_opt()) else {
        return Ok(args.nulls());
    };
    collect(args.rows, |row| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        let (left, right) = (entries(left, row)?, entries(right, row)?);
        Ok(left.zip(right).and_then(|(left, right)| f(&left, &right)))
    })
}

/// The entries of a map, `None` if a value is NULL.
fn entries(maps: &MapArray, row: usize) -> Result<Option<BTreeMap<String, f64>>> {
    let entries = maps.value(row);
    let keys = Strings::of_array(entries.column(0).as_ref())?;
    let column = ColumnarValue::Array(Arc::clone(entries.column(1)));
    let values = primitives::<Float64Type>(&column)?;
    Ok((0..entries.len())
        .map(|index| Some((keys.get(index)?.to_owned(), values.get(index)?)))
        .collect())
}
