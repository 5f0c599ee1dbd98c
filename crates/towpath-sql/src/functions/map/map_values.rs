//! `map_values(map)`: the values as an array, in the order of the map.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map_values>.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::Args;
use crate::functions::nested::lists::{Gather, list_of};
use crate::functions::nested::maps::{Maps, expect_entry_fields, match_map};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("map_values").form_matched(
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
    let (_, value) = expect_entry_fields(map.data_type())?;
    Ok(Arc::new(Field::new("", list_of(value), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let maps = Maps::of(args, 0)?;
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
    gather.finish(args.return_field.data_type(), maps.values())
}
