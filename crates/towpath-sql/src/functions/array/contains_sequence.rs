//! `contains_sequence(array, sequence)`: if the sequence's elements stand in the array, one after
//! the other.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#contains_sequence>. An empty sequence
//! is in every array; NULL elements equal each other.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::set_operations::TwoArrays;
use crate::functions::args::{Args, collect};
use crate::functions::nested::lists::match_two_arrays;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("contains_sequence").form_matched(
        "array(E), array(E)",
        match_two_arrays,
        Returns::BOOLEAN,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let arrays = TwoArrays::of(args)?;
    collect(args.rows, |row| {
        let Some((whole, part)) = arrays.ranges(row) else {
            return Ok(None);
        };
        let Some(last) = whole.len().checked_sub(part.len()) else {
            return Ok(Some(false));
        };
        let stands_at = |offset: usize| {
            part.clone()
                .enumerate()
                .all(|(index, at)| arrays.key(whole.start + offset + index) == arrays.key(at))
        };
        Ok(Some((0..=last).any(stands_at)))
    })
}
