//! `map_concat(map1, map2, …)`: the entries of all maps; of a repeated key the last map's counts.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map_concat>. A NULL map gives NULL.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use crate::functions::args::Args;
use crate::functions::nested::common_type::common_type_of;
use crate::functions::nested::keys::keys;
use crate::functions::nested::lists::relabeled;
use crate::functions::nested::maps::{Maps, build_checked_maps, entry_fields, expect_entry_fields};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("map_concat").form_matched(
        "map(K,V), map(K,V), ...",
        |given| {
            let all_maps =
                given.iter().all(|one| entry_fields(one).is_some() || one == &DataType::Null);
            let some_map = given.iter().any(|one| entry_fields(one).is_some());
            if given.len() < 2 || !all_maps || !some_map {
                return None;
            }
            common_type_of(given).map(|common| vec![common; given.len()])
        },
        Returns::Same(0),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let maps: Result<Vec<Maps>> = (0..args.len()).map(|index| Maps::of(args, index)).collect();
    let maps = maps?;
    let (key, value) = expect_entry_fields(args.return_field.data_type())?;
    let all_keys = joined(maps.iter().map(Maps::keys), key.data_type())?;
    let all_values = joined(maps.iter().map(Maps::values), value.data_type())?;
    let Some(rows) = keys(&[&all_keys])?.pop() else {
        return exec_err!("no keys");
    };
    let mut chosen: Vec<u64> = Vec::new();
    let mut lengths = Vec::with_capacity(args.rows);
    let mut nulls = NullBufferBuilder::new(args.rows);
    let mut slots = HashMap::new();
    for row in 0..args.rows {
        let ranges: Option<Vec<_>> = maps.iter().map(|map| map.range(row)).collect();
        nulls.append(ranges.is_some());
        let before = chosen.len();
        slots.clear();
        let mut shift = 0;
        for (range, map) in ranges.unwrap_or_default().into_iter().zip(&maps) {
            for at in range.start + shift..range.end + shift {
                let slot = *slots.entry(rows.row(at)).or_insert(chosen.len());
                match chosen.get_mut(slot) {
                    Some(earlier) => *earlier = at as u64,
                    None => chosen.push(at as u64),
                }
            }
            shift += map.keys().len();
        }
        lengths.push(chosen.len() - before);
    }
    let chosen = UInt64Array::from(chosen);
    let key_column = take(all_keys.as_ref(), &chosen, None)?;
    let value_column = take(all_values.as_ref(), &chosen, None)?;
    let data_type = args.return_field.data_type();
    build_checked_maps(data_type, &lengths, key_column, value_column, nulls.finish())
}

fn joined<'a>(
    columns: impl Iterator<Item = &'a ArrayRef>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let same: Result<Vec<ArrayRef>> =
        columns.map(|column| relabeled(Arc::clone(column), data_type)).collect();
    let same = same?;
    let borrowed: Vec<&dyn Array> = same.iter().map(AsRef::as_ref).collect();
    Ok(concat(&borrowed)?)
}
