//! `transform(array, x -> …)`: an array of what the lambda yields for each element.
//!
//! Trino: <https://trino.io/docs/current/functions/lambda.html#transform>.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::Result;

use super::definition::{
    ArgFields, Elements, LambdaCall, LambdaFunction, lambda_field, match_array, one_item,
};
use crate::functions::nested::lists::{item_field, list_of, list_of_values};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "transform",
        parameters: "array(T), function(T, U)",
        matcher: match_array,
        lambda_parameters: one_item,
        returns,
        evaluate,
    }
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    Ok(Arc::new(Field::new("", list_of(lambda_field(fields, 1)?), true)))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let elements = Elements::of(call.rows(), |row| lists.range(row));
    let results = call.run(1, &[elements.take(lists.values())?], &elements.rows)?;
    list_of_values(item_field(call.return_type())?, &elements.lengths, results, elements.nulls())
}
