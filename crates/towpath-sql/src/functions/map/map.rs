//! `map()` and `map(array, array)`: a map of keys and values.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#map>.
//!
//! Arrays of different lengths, a NULL key, a key with a NULL inside and a repeated key are errors;
//! a NULL array gives NULL.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{ArrayRef, UInt64Builder, new_empty_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::{Args, invalid};
use crate::functions::nested::lists::{Lists, item_field};
use crate::functions::nested::maps::{build_maps, expect_entry_fields, map_of};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("map").form(&[], Returns::Field(returns_empty), evaluate_empty).form(
        &[Param::Array, Param::Array],
        Returns::Field(returns),
        evaluate,
    )
}

fn returns_empty(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let unknown = Arc::new(Field::new("", DataType::Null, true));
    Ok(Arc::new(Field::new("", map_of(&unknown, &unknown), true)))
}

fn evaluate_empty(args: &Args<'_>) -> Result<ArrayRef> {
    let data_type = args.return_field.data_type();
    let (key, value) = expect_entry_fields(data_type)?;
    let (keys, values) = (new_empty_array(key.data_type()), new_empty_array(value.data_type()));
    let mut nulls = NullBufferBuilder::new(args.rows);
    nulls.append_n_non_nulls(args.rows);
    build_maps(data_type, &vec![0; args.rows], keys, values, nulls)
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let [keys, values] = args.arg_fields else {
        return exec_err!("expected two arrays");
    };
    let data_type = map_of(item_field(keys.data_type())?, item_field(values.data_type())?);
    Ok(Arc::new(Field::new("", data_type, true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (keys, values) = (Lists::of(args, 0)?, Lists::of(args, 1)?);
    let (mut key_at, mut value_at) = (UInt64Builder::new(), UInt64Builder::new());
    let mut lengths = Vec::with_capacity(args.rows);
    let mut nulls = NullBufferBuilder::new(args.rows);
    for row in 0..args.rows {
        let (Some(key_range), Some(value_range)) = (keys.range(row), values.range(row)) else {
            lengths.push(0);
            nulls.append_null();
            continue;
        };
        if key_range.len() != value_range.len() {
            return Err(invalid("Key and value arrays must be the same length"));
        }
        lengths.push(key_range.len());
        nulls.append_non_null();
        key_range.for_each(|at| key_at.append_value(at as u64));
        value_range.for_each(|at| value_at.append_value(at as u64));
    }
    let key_column = take(keys.values().as_ref(), &key_at.finish(), None)?;
    let value_column = take(values.values().as_ref(), &value_at.finish(), None)?;
    build_maps(args.return_field.data_type(), &lengths, key_column, value_column, nulls)
}
