//! `find_first_index(array[, start], x -> …)`: where the first element stands for which the lambda
//! yields true, from 1; NULL if there is none.
//!
//! `start` is as in `find_first`. Presto's, kept by Athena.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaParametersProgress;

use super::definition::{
    ArgFields, Elements, GivenFields, LambdaCall, LambdaFunction, item_parameter,
};
use crate::functions::args::invalid;
use crate::functions::nested::lists::item_of;

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "find_first_index",
        parameters: "array(T), function(T, boolean)",
        matcher: match_array_and_start,
        lambda_parameters: lambda_on_items,
        returns,
        evaluate,
    }
}

fn returns(_: &ArgFields) -> Result<FieldRef> {
    Ok(Arc::new(Field::new("", DataType::Int64, true)))
}

/// Matches an array, and a bigint if there is one.
pub(super) fn match_array_and_start(given: &[DataType]) -> Option<Vec<DataType>> {
    let (array, start) = given.split_first()?;
    let mut types = vec![item_of(array)?.1];
    match start {
        [] => {}
        [one] if one.is_signed_integer() || one.is_null() => types.push(DataType::Int64),
        _ => return None,
    }
    Some(types)
}

/// The lambda takes the elements of the first argument.
pub(super) fn lambda_on_items(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    Ok(LambdaParametersProgress::Complete(vec![vec![item_parameter(fields, 0)?]]))
}

/// For each row the offset in its array of the element that was found.
pub(super) fn find(call: &LambdaCall) -> Result<Vec<Option<usize>>> {
    let lists = call.lists(0)?;
    let starts = if call.len() > 2 { Some(cast(&call.value(1)?, &DataType::Int64)?) } else { None };
    let elements = Elements::of(call.rows(), |row| lists.range(row));
    let values = elements.take(lists.values())?;
    let results = call.run_predicate(call.len() - 1, &[values], &elements.rows)?;
    let holds = |at: usize| results.is_valid(at) && results.value(at);
    let mut found = Vec::with_capacity(call.rows());
    for (row, range) in elements.ranges().enumerate() {
        let start = match &starts {
            Some(starts) => {
                starts.is_valid(row).then(|| starts.as_primitive::<Int64Type>().value(row))
            }
            None => Some(1),
        };
        let (Some(range), Some(start)) = (range, start) else {
            found.push(None);
            continue;
        };
        if start == 0 {
            return Err(invalid("SQL array indices start at 1"));
        }
        let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        let length = range.len();
        found.push(if start > 0 {
            (distance - 1..length).find(|offset| holds(range.start + offset))
        } else {
            let last = (length + 1).saturating_sub(distance);
            (0..last).rev().find(|offset| holds(range.start + offset))
        });
    }
    Ok(found)
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let indices: Int64Array = find(call)?
        .into_iter()
        .map(|offset| offset.and_then(|offset| i64::try_from(offset + 1).ok()))
        .collect();
    Ok(Arc::new(indices))
}
