//! What `all_match`, `any_match` and `none_match` share.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;

use super::definition::{ArgFields, Elements, LambdaCall};

/// A boolean.
pub(super) fn returns(_: &ArgFields) -> Result<FieldRef> {
    Ok(Arc::new(Field::new("", DataType::Boolean, true)))
}

/// For how many elements the lambda must yield true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Any,
    None,
}

/// Decides each array: by one element if that settles it, else NULL if the lambda yields NULL for any,
/// else as for no elements at all.
pub(super) fn evaluate(call: &LambdaCall, quantifier: Quantifier) -> Result<ArrayRef> {
    // What an element settles, and what is true of no elements.
    let (decisive, otherwise) = match quantifier {
        Quantifier::All => (false, true),
        Quantifier::Any => (true, false),
        Quantifier::None => (true, true),
    };
    let lists = call.lists(0)?;
    let elements = Elements::of(call.rows(), |row| lists.range(row));
    let results = call.run_predicate(1, &[elements.take(lists.values())?], &elements.rows)?;
    let decide = |range: Range<usize>| {
        if range.clone().any(|at| results.is_valid(at) && results.value(at) == decisive) {
            return Some(!otherwise);
        }
        if range.clone().any(|at| results.is_null(at)) { None } else { Some(otherwise) }
    };
    let matched: BooleanArray = elements.ranges().map(|range| range.and_then(decide)).collect();
    Ok(Arc::new(matched))
}
