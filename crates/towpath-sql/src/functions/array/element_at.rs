//! `element_at(array, index)`; the form for maps is in the map group.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#element_at>.
//!
//! * counts from 1, and from the end for a negative index;
//! * past either end is NULL, where `array[index]` is an error;
//! * index 0 is an error;
//! * a NULL array or index gives NULL.

use arrow::array::{ArrayRef, UInt64Builder};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::{Args, Value, invalid};
use crate::functions::nested::lists::{Lists, item_of, returns_item};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("element_at").form_matched(
        "array(E), bigint",
        match_array_and_index,
        Returns::Field(returns_item),
        evaluate,
    )
}

/// Matches `(array(E), bigint)`.
pub(super) fn match_array_and_index(given: &[DataType]) -> Option<Vec<DataType>> {
    let [array, index] = given else { return None };
    if array == &DataType::Null {
        return None;
    }
    let (_, list) = item_of(array)?;
    match index {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            Some(vec![list, index.clone()])
        }
        DataType::Null | DataType::UInt64 => Some(vec![list, DataType::Int64]),
        _ => None,
    }
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let indices = args.column::<i64>(1)?;
    pick(args.rows, lists.values(), |row| {
        let (Some(range), Some(index)) = (lists.range(row), i64::get(&indices, row)) else {
            return Ok(None);
        };
        if index == 0 {
            return Err(invalid("SQL array indices start at 1"));
        }
        let Ok(distance) = usize::try_from(index.unsigned_abs()) else {
            return Ok(None);
        };
        if distance > range.len() {
            return Ok(None);
        }
        Ok(Some(if index > 0 { range.start + distance - 1 } else { range.end - distance }))
    })
}

/// The value of `values` that `position` names for each row, NULL where it names none.
pub(crate) fn pick(
    rows: usize,
    values: &ArrayRef,
    position: impl Fn(usize) -> Result<Option<usize>>,
) -> Result<ArrayRef> {
    let mut indices = UInt64Builder::with_capacity(rows);
    for row in 0..rows {
        indices.append_option(position(row)?.map(|at| at as u64));
    }
    Ok(take(values.as_ref(), &indices.finish(), None)?)
}
