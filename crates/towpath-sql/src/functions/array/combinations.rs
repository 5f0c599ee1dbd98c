//! `combinations(array, n)`: all sub-arrays of `n` elements, in the order of their positions.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#combinations>.
//!
//! `n` is 0 to 5, and at most [`COMBINATIONS_MAX`] are built, as in Trino.

use std::ops::Range;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::arrays_of_arrays::NestedGather;
use crate::functions::args::{Args, Value, invalid};
use crate::functions::nested::lists::{Lists, returns_array_of_arrays};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

/// Most combinations of one array. Trino's own bound.
const COMBINATIONS_MAX: usize = 100_000;

/// Most elements in a combination. Trino's own bound.
const COMBINATION_LENGTH_MAX: i64 = 5;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("combinations").form(
        &[Param::Array, Param::Integer],
        Returns::Field(returns_array_of_arrays),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let lengths = args.column::<i64>(1)?;
    let mut gather = NestedGather::new(args.rows);
    for row in 0..args.rows {
        let (Some(range), Some(length)) = (lists.range(row), i64::get(&lengths, row)) else {
            gather.null_row();
            continue;
        };
        if length < 0 {
            return Err(invalid(format!("combination size must not be negative: {length}")));
        }
        if length > COMBINATION_LENGTH_MAX {
            return Err(invalid(format!(
                "combination size must not exceed {COMBINATION_LENGTH_MAX}: {length}"
            )));
        }
        add_combinations(range, usize::try_from(length).unwrap_or(0), &mut gather)?;
        gather.close_row()?;
    }
    gather.finish(args.return_field.data_type(), lists.values())
}

/// Adds every choice of `length` positions out of `range`, the first position changing fastest, as
/// Trino's own enumeration does.
fn add_combinations(range: Range<usize>, length: usize, gather: &mut NestedGather) -> Result<()> {
    let count = range.len();
    if length > count {
        return Ok(());
    }
    let mut chosen: Vec<usize> = (0..length).collect();
    let mut built = 0;
    loop {
        built += 1;
        if built > COMBINATIONS_MAX {
            return Err(invalid(format!(
                "combinations exceed max size of {COMBINATIONS_MAX} elements"
            )));
        }
        gather.push(chosen.iter().map(|index| range.start + index));
        // The lowest position that can move up without meeting the next one moves; all below it
        // start again.
        let movable = (0..length).find(|at| {
            let next = chosen.get(at + 1).copied().unwrap_or(count);
            chosen.get(*at).is_some_and(|index| index + 1 < next)
        });
        let Some(movable) = movable else {
            return Ok(());
        };
        for (at, index) in chosen.iter_mut().enumerate().take(movable + 1) {
            *index = if at == movable { *index + 1 } else { at };
        }
    }
}
