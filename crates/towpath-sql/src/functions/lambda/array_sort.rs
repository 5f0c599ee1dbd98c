//! `array_sort(array, (x, y) -> …)`: the elements in the order of a comparison. The form without one
//! is in the array group.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_sort>.
//!
//! The lambda yields -1, 0 or 1 for less, equal or greater; anything else, NULL too, is an error.
//! Equal elements keep their order.
//!
//! A merge sort whose merges all go on side by side: each call of the lambda compares one pair of
//! every merge of the batch.

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaParametersProgress;

use super::definition::{
    Elements, GivenFields, LambdaCall, LambdaFunction, item_parameter, match_array, same_as_first,
};
use crate::functions::args::invalid;
use crate::functions::nested::lists::Gather;

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "array_sort",
        parameters: "array(T), function(T, T, integer)",
        matcher: match_array,
        lambda_parameters: two_items,
        returns: same_as_first,
        evaluate,
    }
}

fn two_items(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    let item = item_parameter(fields, 0)?;
    Ok(LambdaParametersProgress::Complete(vec![vec![std::sync::Arc::clone(&item), item]]))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let elements = Elements::of(call.rows(), |row| lists.range(row));
    let values = elements.take(lists.values())?;
    let mut runs: Vec<Vec<Vec<usize>>> = elements
        .ranges()
        .map(|range| range.into_iter().flatten().map(|at| vec![at]).collect())
        .collect();
    while runs.iter().any(|row| row.len() > 1) {
        runs = merge_pairs(call, &values, &elements.rows, runs)?;
    }
    let mut gather = Gather::new(call.rows());
    for (range, row) in elements.ranges().zip(runs) {
        row.into_iter().flatten().for_each(|at| gather.push(at));
        match range {
            Some(_) => gather.close_row(),
            None => gather.null_row(),
        }
    }
    gather.finish(call.return_type(), &values)
}

/// Two sorted runs becoming one.
struct Merge {
    left: std::iter::Peekable<std::vec::IntoIter<usize>>,
    right: std::iter::Peekable<std::vec::IntoIter<usize>>,
    merged: Vec<usize>,
}

impl Merge {
    fn pair(&mut self) -> Option<(usize, usize)> {
        Some((*self.left.peek()?, *self.right.peek()?))
    }
}

/// Merges the first run of each row with the second, the third with the fourth, and so on.
fn merge_pairs(
    call: &LambdaCall,
    values: &ArrayRef,
    owners: &UInt64Array,
    runs: Vec<Vec<Vec<usize>>>,
) -> Result<Vec<Vec<Vec<usize>>>> {
    let mut rows: Vec<Vec<Merge>> = Vec::with_capacity(runs.len());
    for row in runs {
        let mut merges = Vec::new();
        let mut row = row.into_iter();
        while let Some(left) = row.next() {
            let right = row.next().unwrap_or_default();
            let merged = Vec::with_capacity(left.len() + right.len());
            let (left, right) = (left.into_iter().peekable(), right.into_iter().peekable());
            merges.push(Merge { left, right, merged });
        }
        rows.push(merges);
    }
    loop {
        let mut active: Vec<&mut Merge> = Vec::new();
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for merge in rows.iter_mut().flatten() {
            if let Some((a, b)) = merge.pair() {
                left.push(a as u64);
                right.push(b as u64);
                active.push(merge);
            }
        }
        if active.is_empty() {
            break;
        }
        let orders = compare(call, values, owners, left.into(), &right.into())?;
        for (merge, order) in active.into_iter().zip(orders) {
            let next = if order > 0 { merge.right.next() } else { merge.left.next() };
            merge.merged.extend(next);
        }
    }
    let finish = |merge: Merge| -> Vec<usize> {
        merge.merged.into_iter().chain(merge.left).chain(merge.right).collect()
    };
    Ok(rows.into_iter().map(|merges| merges.into_iter().map(finish).collect()).collect())
}

fn compare(
    call: &LambdaCall,
    values: &ArrayRef,
    owners: &UInt64Array,
    left: UInt64Array,
    right: &UInt64Array,
) -> Result<Vec<i64>> {
    let rows = take(owners, &left, None)?;
    let pair = [take(values.as_ref(), &left, None)?, take(values.as_ref(), right, None)?];
    drop(left);
    let results = call.run(1, &pair, rows.as_primitive())?;
    let results = cast(&results, &DataType::Int64)?;
    let results = results.as_primitive::<Int64Type>();
    (0..results.len())
        .map(|at| match results.is_valid(at).then(|| results.value(at)) {
            Some(order @ -1..=1) => Ok(order),
            _ => Err(invalid("Lambda comparator must return either -1, 0, or 1")),
        })
        .collect()
}
