//! What `all_match`, `any_match` and `none_match` share.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;

use super::definition::{ArgFields, Elements, LambdaCall};

/// A boolean.
pub(super) fn returns(_: &ArgFields) -> Result<FieldRef> {
    Ok(Arc::new(Field::new("", DataType::Boolean, true)))
}

/// Decides each array by the elements for which the lambda yields `decisive`: `found` if there is
/// one, else NULL if it yields NULL for any, else the opposite of `found`.
pub(super) fn evaluate(call: &LambdaCall, decisive: bool, found: bool) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let elements = Elements::of(call.rows(), |row| lists.range(row));
    let results = call.run_predicate(1, &[elements.take(lists.values())?], &elements.rows)?;
    let decide = |range: std::ops::Range<usize>| {
        if range.clone().any(|at| results.is_valid(at) && results.value(at) == decisive) {
            return Some(found);
        }
        if range.clone().any(|at| results.is_null(at)) { None } else { Some(!found) }
    };
    let matched: BooleanArray = elements.ranges().map(|range| range.and_then(decide)).collect();
    Ok(Arc::new(matched))
}
