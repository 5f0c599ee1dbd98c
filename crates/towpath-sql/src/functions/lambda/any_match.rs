//! `any_match(array, x -> …)`: if the lambda yields true for an element.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#any_match>. An empty array gives false; NULL
//! if it yields NULL for an element and true for none.

use super::definition::{LambdaFunction, match_array, one_item};
use super::matches::{self, Quantifier};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "any_match",
        parameters: "array(T), function(T, boolean)",
        matcher: match_array,
        lambda_parameters: one_item,
        returns: matches::returns,
        evaluate: |call| matches::evaluate(call, Quantifier::Any),
    }
}
