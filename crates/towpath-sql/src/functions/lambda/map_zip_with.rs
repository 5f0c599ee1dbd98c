//! `map_zip_with(map1, map2, (k, v1, v2) -> …)`: a map of all keys of both, each with what the lambda
//! yields for its values.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map_zip_with>. A value that one map does
//! not have is NULL; a NULL map gives NULL.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::LambdaParametersProgress;

use super::definition::{
    ArgFields, GivenFields, LambdaCall, LambdaFunction, entry_parameters, lambda_field, value_field,
};
use crate::functions::nested::common_type::common_type;
use crate::functions::nested::keys::keys;
use crate::functions::nested::lists::joined;
use crate::functions::nested::maps::{
    build_checked_maps, entry_fields, expect_entry_fields, map_of, with_key,
};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "map_zip_with",
        parameters: "map(K,V1), map(K,V2), function(K, V1, V2, V3)",
        matcher,
        lambda_parameters,
        returns,
        evaluate,
    }
}

fn matcher(given: &[DataType]) -> Option<Vec<DataType>> {
    let [left, right] = given else { return None };
    let (left_key, _) = entry_fields(left)?;
    let (right_key, _) = entry_fields(right)?;
    let key = common_type(left_key.data_type(), right_key.data_type())?;
    Some(vec![with_key(left, &key)?, with_key(right, &key)?])
}

fn lambda_parameters(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    let (key, left) = entry_parameters(fields, 0)?;
    let (_, right) = entry_parameters(fields, 1)?;
    Ok(LambdaParametersProgress::Complete(vec![vec![key, left, right]]))
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    let (key, _) = expect_entry_fields(value_field(fields, 0)?.data_type())?;
    Ok(Arc::new(Field::new("", map_of(key, lambda_field(fields, 2)?), true)))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let (left, right) = (call.maps(0)?, call.maps(1)?);
    let all_keys = joined(left.keys(), right.keys())?;
    let Some(rows) = keys(&[&all_keys])?.pop() else { return exec_err!("no keys") };
    let shift = left.keys().len();
    let mut entries: Vec<(u64, Option<u64>, Option<u64>)> = Vec::new();
    let mut owners: Vec<u64> = Vec::new();
    let mut lengths = Vec::with_capacity(call.rows());
    let mut nulls = NullBufferBuilder::new(call.rows());
    for row in 0..call.rows() {
        let before = entries.len();
        let ranges = left.range(row).zip(right.range(row));
        nulls.append(ranges.is_some());
        if let Some((left_range, right_range)) = ranges {
            let mut slots = HashMap::new();
            for at in left_range {
                slots.insert(rows.row(at), entries.len());
                entries.push((at as u64, Some(at as u64), None));
            }
            for at in right_range {
                let slot = slots.get(&rows.row(at + shift)).copied();
                match slot.and_then(|slot| entries.get_mut(slot)) {
                    Some((_, _, value)) => *value = Some(at as u64),
                    None => entries.push(((at + shift) as u64, None, Some(at as u64))),
                }
            }
        }
        lengths.push(entries.len() - before);
        owners.extend(std::iter::repeat_n(row as u64, entries.len() - before));
    }
    let key_at: UInt64Array = entries.iter().map(|(key, _, _)| Some(*key)).collect();
    let left_at: UInt64Array = entries.iter().map(|(_, left, _)| *left).collect();
    let right_at: UInt64Array = entries.iter().map(|(_, _, right)| *right).collect();
    let key_column = take(all_keys.as_ref(), &key_at, None)?;
    let parameters = [
        Arc::clone(&key_column),
        take(left.values().as_ref(), &left_at, None)?,
        take(right.values().as_ref(), &right_at, None)?,
    ];
    let values = call.run(2, &parameters, &UInt64Array::from(owners))?;
    build_checked_maps(call.return_type(), &lengths, key_column, values, nulls.finish())
}
