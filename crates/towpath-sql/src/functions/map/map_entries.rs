//! `map_entries(map)`: an array of rows of key and value.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map_entries>.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::data_type::unnamed_field;
use crate::functions::args::Args;
use crate::functions::nested::lists::{Gather, item_field, relabeled};
use crate::functions::nested::maps::{Maps, expect_entry_fields, match_map};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("map_entries").form_matched(
        "map(K,V)",
        match_map,
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(map) = args.arg_fields.first() else {
        return exec_err!("expected map");
    };
    let (key, value) = expect_entry_fields(map.data_type())?;
    let fields = vec![
        key.as_ref().clone().with_name(unnamed_field(0)).with_nullable(true),
        value.as_ref().clone().with_name(unnamed_field(1)).with_nullable(true),
    ];
    let row = Field::new("item", DataType::Struct(fields.into()), true);
    Ok(Arc::new(Field::new("", DataType::List(Arc::new(row)), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let maps = Maps::of(args, 0)?;
    let item = item_field(args.return_field.data_type())?;
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("expected rows");
    };
    let columns: Result<Vec<ArrayRef>> = [maps.keys(), maps.values()]
        .into_iter()
        .zip(fields)
        .map(|(column, field)| relabeled(Arc::clone(column), field.data_type()))
        .collect();
    let length = maps.keys().len();
    let entries: ArrayRef =
        Arc::new(StructArray::try_new_with_length(fields.clone(), columns?, None, length)?);
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        match maps.range(row) {
            Some(range) => {
                gather.extend(range);
                gather.close_row();
            }
            None => gather.null_row(),
        }
    }
    gather.finish(args.return_field.data_type(), &entries)
}
