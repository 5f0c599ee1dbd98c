//! `find_first(array[, start], x -> …)`: the first element for which the lambda yields true, NULL if
//! there is none.
//!
//! With `start` the search begins there, from 1, or from the end backwards if it is negative; 0 is
//! an error. Presto's, kept by Athena.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use datafusion::common::Result;

use super::definition::{ArgFields, LambdaCall, LambdaFunction, parameter, value_field};
use super::find_first_index::{find, lambda_on_items, match_array_and_start};
use crate::functions::array::element_at::pick;
use crate::functions::nested::lists::item_field;

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "find_first",
        parameters: "array(T), function(T, boolean)",
        matcher: match_array_and_start,
        lambda_parameters: lambda_on_items,
        returns,
        evaluate,
    }
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    Ok(parameter(item_field(value_field(fields, 0)?.data_type())?))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let found = find(call)?;
    pick(call.rows(), lists.values(), |row| {
        let offset = found.get(row).copied().flatten();
        Ok(lists.range(row).and_then(|range| offset.map(|offset| range.start + offset)))
    })
}
