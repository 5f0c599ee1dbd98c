//! `filter(array, x -> …)`: the elements for which the lambda yields true.
//!
//! Trino: <https://trino.io/docs/current/functions/lambda.html#filter>. NULL counts as false.

use arrow::array::{Array, ArrayRef};
use datafusion::common::Result;

use super::definition::{
    Elements, LambdaCall, LambdaFunction, match_array, one_item, same_as_first,
};
use crate::functions::nested::lists::Gather;

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "filter",
        parameters: "array(T), function(T, boolean)",
        matcher: match_array,
        lambda_parameters: one_item,
        returns: same_as_first,
        evaluate,
    }
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let elements = Elements::of(call.rows(), |row| lists.range(row));
    let values = elements.take(lists.values())?;
    let kept = call.run_predicate(1, &[std::sync::Arc::clone(&values)], &elements.rows)?;
    let mut gather = Gather::new(call.rows());
    for range in elements.ranges() {
        match range {
            Some(range) => {
                range
                    .filter(|at| kept.is_valid(*at) && kept.value(*at))
                    .for_each(|at| gather.push(at));
                gather.close_row();
            }
            None => gather.null_row(),
        }
    }
    gather.finish(call.return_type(), &values)
}
