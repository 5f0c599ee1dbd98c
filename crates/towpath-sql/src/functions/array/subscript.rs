//! `$subscript(array, index)`: what `array[index]` means. The form for maps is in the map group.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#subscript-operator>.
//!
//! Counts from 1; an index that the array does not have is an error, a NULL index NULL.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::element_at::{match_array_and_index, pick};
use crate::functions::args::{Args, Value, invalid};
use crate::functions::nested::lists::{Lists, returns_item};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$subscript").form_matched(
        "array(E), bigint",
        match_array_and_index,
        Returns::Field(returns_item),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let indices = args.column::<i64>(1)?;
    pick(args.rows, lists.values(), |row| {
        let (Some(range), Some(index)) = (lists.range(row), i64::get(&indices, row)) else {
            return Ok(None);
        };
        match usize::try_from(index) {
            Ok(0) => Err(invalid("SQL array indices start at 1")),
            Ok(index) if index <= range.len() => Ok(Some(range.start + index - 1)),
            Ok(index) => Err(invalid(format!(
                "Array subscript must be less than or equal to array length: {index} > {}",
                range.len()
            ))),
            Err(_) => Err(invalid(format!("Array subscript is negative: {index}"))),
        }
    })
}
