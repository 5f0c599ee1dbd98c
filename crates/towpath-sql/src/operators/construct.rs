//! `ROW(…)` and `ARRAY[…]`, and text that is to be taken for JSON.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, StructArray, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat, interleave};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::{Operator, over_arrays};
use crate::data_type::{Type, unnamed_field};

pub(super) fn operators() -> Vec<Operator> {
    vec![
        Operator::new(
            "$as_json",
            |_| Ok(Arc::new(Type::Json.to_field(""))),
            |args| {
                over_arrays(args, |arrays| match arrays {
                    [text] => Ok(cast(text, &DataType::Utf8View)?),
                    _ => exec_err!("expected one text"),
                })
            },
        ),
        Operator::new("$row", row_field, |args| {
            let DataType::Struct(fields) = args.return_field.data_type().clone() else {
                return exec_err!("a row has fields");
            };
            over_arrays(args, |arrays| row(&fields, arrays))
        }),
        Operator::new("$array", array_field, |args| {
            let DataType::List(item) = args.return_field.data_type().clone() else {
                return exec_err!("an array has items");
            };
            if args.args.is_empty() {
                let rows = args.number_rows;
                let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(0, rows));
                let values = new_empty_array(item.data_type());
                let list = ListArray::try_new(item, offsets, values, None)?;
                return Ok(datafusion::logical_expr::ColumnarValue::Array(Arc::new(list)));
            }
            over_arrays(args, |arrays| array(&item, arrays))
        }),
    ]
}

fn row_field(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let fields: Fields = args
        .arg_fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            Arc::new(field.as_ref().clone().with_name(unnamed_field(at)).with_nullable(true))
        })
        .collect();
    Ok(Arc::new(Field::new("", DataType::Struct(fields), true)))
}

fn row(fields: &Fields, arrays: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(StructArray::try_new(fields.clone(), arrays.to_vec(), None)?))
}

fn array_field(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let item = match args.arg_fields.first() {
        Some(field) => field.as_ref().clone().with_name("item").with_nullable(true),
        None => Field::new("item", DataType::Null, true),
    };
    Ok(Arc::new(Field::new("", DataType::List(Arc::new(item)), true)))
}

/// Item `i` of row `r` is row `r` of argument `i`.
fn array(item: &FieldRef, arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = arrays.first().map_or(0, Array::len);
    let width = arrays.len();
    let sources: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let values = if rows == 1 {
        concat(&sources)?
    } else {
        let places: Vec<(usize, usize)> =
            (0..rows).flat_map(|row| (0..width).map(move |column| (column, row))).collect();
        interleave(&sources, &places)?
    };
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(width, rows));
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?))
}
