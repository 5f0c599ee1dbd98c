//! `zip_with(array1, array2, (x, y) -> …)`: an array of what the lambda yields for paired elements.
//!
//! Trino: <https://trino.io/docs/current/functions/lambda.html#zip_with>. The shorter array is filled
//! up with NULL; a NULL array gives NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaParametersProgress;

use super::definition::{
    ArgFields, GivenFields, LambdaCall, LambdaFunction, item_parameter, lambda_field,
};
use crate::functions::array::zip::padded;
use crate::functions::nested::lists::{item_field, item_of, list_of, list_of_values};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "zip_with",
        parameters: "array(T), array(U), function(T, U, R)",
        matcher: |given| match given {
            [left, right] => Some(vec![item_of(left)?.1, item_of(right)?.1]),
            _ => None,
        },
        lambda_parameters,
        returns,
        evaluate,
    }
}

fn lambda_parameters(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    let pair = vec![item_parameter(fields, 0)?, item_parameter(fields, 1)?];
    Ok(LambdaParametersProgress::Complete(vec![pair]))
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    Ok(Arc::new(Field::new("", list_of(lambda_field(fields, 2)?), true)))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let lists = [call.lists(0)?, call.lists(1)?];
    let (columns, lengths, nulls) = padded(&lists, call.rows())?;
    let owners: Vec<u64> = lengths
        .iter()
        .enumerate()
        .flat_map(|(row, length)| std::iter::repeat_n(row as u64, *length))
        .collect();
    let results = call.run(2, &columns, &UInt64Array::from(owners))?;
    list_of_values(item_field(call.return_type())?, &lengths, results, nulls)
}
