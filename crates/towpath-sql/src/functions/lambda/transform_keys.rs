//! `transform_keys(map, (k, v) -> …)`: the map with each key replaced by what the lambda yields.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#transform_keys>. A key that comes out
//! NULL or twice is an error.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::Result;

use super::definition::{
    ArgFields, Elements, LambdaCall, LambdaFunction, lambda_field, one_entry, value_field,
};
use crate::functions::nested::maps::{build_maps, expect_entry_fields, map_of, match_map};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "transform_keys",
        parameters: "map(K1,V), function(K1, V, K2)",
        matcher: match_map,
        lambda_parameters: one_entry,
        returns,
        evaluate,
    }
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    let (_, value) = expect_entry_fields(value_field(fields, 0)?.data_type())?;
    Ok(Arc::new(Field::new("", map_of(lambda_field(fields, 1)?, value), true)))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let maps = call.maps(0)?;
    let elements = Elements::of(call.rows(), |row| maps.range(row));
    let (keys, values) = (elements.take(maps.keys())?, elements.take(maps.values())?);
    let keys = call.run(1, &[keys, Arc::clone(&values)], &elements.rows)?;
    build_maps(call.return_type(), &elements.lengths, keys, values, elements.nulls())
}
