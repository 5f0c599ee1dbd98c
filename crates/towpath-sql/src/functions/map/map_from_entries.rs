//! `map_from_entries(array(row(K, V)))`: a map of the rows.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map_from_entries>. A NULL row, a NULL
//! key and a repeated key are errors.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, UInt64Builder};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::{Args, invalid};
use crate::functions::nested::lists::{Lists, item_field, item_of};
use crate::functions::nested::maps::{build_maps, map_of};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("map_from_entries").form_matched(
        "array(row(K,V))",
        match_entries,
        Returns::Field(returns),
        evaluate,
    )
}

/// Matches an array of rows of two fields.
pub(super) fn match_entries(given: &[DataType]) -> Option<Vec<DataType>> {
    let [one] = given else { return None };
    let (item, list) = item_of(one)?;
    match item {
        DataType::Struct(fields) if fields.len() == 2 => Some(vec![list]),
        _ => None,
    }
}

/// The fields of the key and the value of entries in the first argument.
pub(super) fn entry_row_fields<'a>(
    args: &'a ReturnFieldArgs<'_>,
) -> Result<(&'a FieldRef, &'a FieldRef)> {
    let Some(list) = args.arg_fields.first() else {
        return exec_err!("expected entries");
    };
    match item_field(list.data_type())?.data_type() {
        DataType::Struct(fields) => match fields.iter().as_slice() {
            [key, value] => Ok((key, value)),
            _ => exec_err!("expected rows of key and value"),
        },
        other => exec_err!("expected rows of key and value, got {other}"),
    }
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let (key, value) = entry_row_fields(args)?;
    Ok(Arc::new(Field::new("", map_of(key, value), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let entries = lists.values().as_struct();
    let mut positions = UInt64Builder::new();
    let mut lengths = Vec::with_capacity(args.rows);
    let mut nulls = NullBufferBuilder::new(args.rows);
    for row in 0..args.rows {
        let range = lists.range(row);
        nulls.append(range.is_some());
        let range = range.unwrap_or_default();
        lengths.push(range.len());
        for at in range {
            if entries.is_null(at) {
                return Err(invalid("map entry cannot be null"));
            }
            positions.append_value(at as u64);
        }
    }
    let positions = positions.finish();
    let key_column = take(entries.column(0).as_ref(), &positions, None)?;
    let value_column = take(entries.column(1).as_ref(), &positions, None)?;
    build_maps(args.return_field.data_type(), &lengths, key_column, value_column, nulls)
}
