//! `transform_values(map, (k, v) -> …)`: the map with each value replaced by what the lambda yields.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#transform_values>.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::Result;

use super::definition::{
    ArgFields, Elements, LambdaCall, LambdaFunction, lambda_field, one_entry, value_field,
};
use crate::functions::nested::maps::{build_checked_maps, expect_entry_fields, map_of, match_map};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "transform_values",
        parameters: "map(K,V1), function(K, V1, V2)",
        matcher: match_map,
        lambda_parameters: one_entry,
        returns,
        evaluate,
    }
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    let (key, _) = expect_entry_fields(value_field(fields, 0)?.data_type())?;
    Ok(Arc::new(Field::new("", map_of(key, lambda_field(fields, 1)?), true)))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let maps = call.maps(0)?;
    let elements = Elements::of(call.rows(), |row| maps.range(row));
    let (keys, values) = (elements.take(maps.keys())?, elements.take(maps.values())?);
    let values = call.run(1, &[Arc::clone(&keys), values], &elements.rows)?;
    let nulls = elements.nulls().finish();
    build_checked_maps(call.return_type(), &elements.lengths, keys, values, nulls)
}
