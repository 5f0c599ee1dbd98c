//! Values as byte strings that compare as the values do.
//!
//! Arrays, rows and maps have no comparison of their own in Arrow; its row format gives every type
//! one. Zeros of both signs and NaNs of all bit patterns are made one first, as Trino has them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

use crate::functions::nested::lists::relabeled;

/// The keys of columns of one type. NULL is a key of its own, less than all others.
pub(crate) fn keys(columns: &[&ArrayRef]) -> Result<Vec<Rows>> {
    keys_sorted(columns, SortOptions { descending: false, nulls_first: true })
}

/// The keys of columns of one type, ordered by `options`.
pub(crate) fn keys_sorted(columns: &[&ArrayRef], options: SortOptions) -> Result<Vec<Rows>> {
    let Some(first) = columns.first() else {
        return Ok(Vec::new());
    };
    let data_type = first.data_type().clone();
    let field = SortField::new_with_options(data_type.clone(), options);
    let converter = RowConverter::new(vec![field])?;
    columns
        .iter()
        .map(|column| {
            let column = relabeled(Arc::clone(column), &data_type)?;
            Ok(converter.convert_columns(&[one_zero(column)])?)
        })
        .collect()
}

/// Makes -0.0 and 0.0, and all NaNs, one value each.
pub(crate) fn one_zero(column: ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => {
            let floats = column.as_primitive::<Float64Type>();
            let same: Float64Array =
                floats.unary(|value| if value.is_nan() { f64::NAN } else { value + 0.0 });
            Arc::new(same)
        }
        DataType::Float32 => {
            let floats = column.as_primitive::<Float32Type>();
            let same: Float32Array =
                floats.unary(|value| if value.is_nan() { f32::NAN } else { value + 0.0 });
            Arc::new(same)
        }
        _ => column,
    }
}

/// True if the value at `row` is NaN, which equals nothing in Trino.
pub(crate) fn is_nan(column: &ArrayRef, row: usize) -> bool {
    match column.data_type() {
        DataType::Float64 => {
            column.is_valid(row) && column.as_primitive::<Float64Type>().value(row).is_nan()
        }
        DataType::Float32 => {
            column.is_valid(row) && column.as_primitive::<Float32Type>().value(row).is_nan()
        }
        _ => false,
    }
}

/// True if the value at `row` is NULL; columns of type Null, which have no mask, are NULL throughout.
pub(crate) fn is_null(column: &ArrayRef, row: usize) -> bool {
    column.data_type() == &DataType::Null || column.is_null(row)
}
