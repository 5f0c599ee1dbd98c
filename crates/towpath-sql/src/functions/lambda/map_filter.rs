//! `map_filter(map, (k, v) -> …)`: the entries for which the lambda yields true.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map_filter>. NULL counts as false.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::take;
use datafusion::common::Result;

use super::definition::{Elements, LambdaCall, LambdaFunction, one_entry, same_as_first};
use crate::functions::nested::maps::{build_checked_maps, match_map};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "map_filter",
        parameters: "map(K,V), function(K, V, boolean)",
        matcher: match_map,
        lambda_parameters: one_entry,
        returns: same_as_first,
        evaluate,
    }
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let maps = call.maps(0)?;
    let elements = Elements::of(call.rows(), |row| maps.range(row));
    let (keys, values) = (elements.take(maps.keys())?, elements.take(maps.values())?);
    let entry = [Arc::clone(&keys), Arc::clone(&values)];
    let kept = call.run_predicate(1, &entry, &elements.rows)?;
    let mut chosen: Vec<u64> = Vec::new();
    let mut lengths = Vec::with_capacity(call.rows());
    for range in elements.ranges() {
        let before = chosen.len();
        let range = range.unwrap_or_default();
        chosen.extend(range.filter(|at| kept.is_valid(*at) && kept.value(*at)).map(|at| at as u64));
        lengths.push(chosen.len() - before);
    }
    let chosen = UInt64Array::from(chosen);
    let keys = take(keys.as_ref(), &chosen, None)?;
    let values = take(values.as_ref(), &chosen, None)?;
    build_checked_maps(call.return_type(), &lengths, keys, values, elements.nulls().finish())
}
