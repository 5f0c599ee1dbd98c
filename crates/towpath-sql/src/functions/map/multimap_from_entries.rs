//! `multimap_from_entries(array(row(K, V)))`: a map from each key to the array of its values.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#multimap_from_entries>. A NULL row and a
//! NULL key are errors.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::map_from_entries::{entry_row_fields, match_entries};
use crate::functions::args::{Args, invalid};
use crate::functions::nested::keys::{is_null, keys};
use crate::functions::nested::lists::{Gather, Lists, list_of};
use crate::functions::nested::maps::{build_checked_maps, expect_entry_fields, map_of};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("multimap_from_entries").form_matched(
        "array(row(K,V))",
        match_entries,
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let (key, value) = entry_row_fields(args)?;
    let values = Arc::new(Field::new("value", list_of(value), true));
    Ok(Arc::new(Field::new("", map_of(key, &values), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let entries = lists.values().as_struct();
    let key_column = entries.column(0);
    let Some(rows) = keys(&[key_column])?.pop() else {
        return exec_err!("no keys");
    };
    let mut first_at: Vec<u64> = Vec::new();
    let mut values = Gather::new(entries.len());
    let mut lengths = Vec::with_capacity(args.rows);
    let mut nulls = NullBufferBuilder::new(args.rows);
    for row in 0..args.rows {
        let range = lists.range(row);
        nulls.append(range.is_some());
        let mut slots = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in range.unwrap_or_default() {
            if entries.is_null(at) {
                return Err(invalid("map entry cannot be null"));
            }
            if is_null(key_column, at) {
                return Err(invalid("map key cannot be null"));
            }
            let slot = *slots.entry(rows.row(at)).or_insert_with(|| {
                first_at.push(at as u64);
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(slot) {
                group.push(at);
            }
        }
        lengths.push(groups.len());
        for group in groups {
            group.into_iter().for_each(|at| values.push(at));
            values.close_row();
        }
    }
    let data_type = args.return_field.data_type();
    let (_, value) = expect_entry_fields(data_type)?;
    let value_column = values.finish(value.data_type(), entries.column(1))?;
    let own_keys = take(key_column.as_ref(), &UInt64Array::from(first_at), None)?;
    build_checked_maps(data_type, &lengths, own_keys, value_column, nulls.finish())
}
