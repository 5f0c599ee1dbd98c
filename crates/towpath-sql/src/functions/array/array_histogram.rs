//! `array_histogram(array)`: a map from each element to how often it stands in the array.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_histogram>. NULL elements are
//! not counted.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{ArrayRef, Int64Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::Args;
use crate::functions::nested::keys::{is_null, keys};
use crate::functions::nested::lists::{Lists, returns_item};
use crate::functions::nested::maps::{build_checked_maps, map_of};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_histogram").form(&[Param::Array], Returns::Field(returns), evaluate)
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let count = Arc::new(Field::new("value", DataType::Int64, true));
    Ok(Arc::new(Field::new("", map_of(&returns_item(args)?, &count), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let Some(rows) = keys(&[lists.values()])?.pop() else {
        return exec_err!("no keys");
    };
    let (mut elements, mut counts): (Vec<u64>, Vec<i64>) = (Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(args.rows);
    let mut nulls = NullBufferBuilder::new(args.rows);
    let mut slots = HashMap::new();
    for row in 0..args.rows {
        let before = elements.len();
        slots.clear();
        let range = lists.range(row);
        nulls.append(range.is_some());
        for at in range.unwrap_or_default().filter(|at| !is_null(lists.values(), *at)) {
            let slot = *slots.entry(rows.row(at)).or_insert_with(|| {
                elements.push(at as u64);
                counts.push(0);
                counts.len() - 1
            });
            if let Some(count) = counts.get_mut(slot) {
                *count += 1;
            }
        }
        lengths.push(elements.len() - before);
    }
    let key_column = take(lists.values().as_ref(), &UInt64Array::from(elements), None)?;
    let counts: ArrayRef = Arc::new(Int64Array::from(counts));
    build_checked_maps(args.return_field.data_type(), &lengths, key_column, counts, nulls.finish())
}
