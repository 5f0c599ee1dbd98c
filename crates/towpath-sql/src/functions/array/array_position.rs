//! `array_position(array, element)`: where the element first stands, from 1; 0 if nowhere.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_position>. A NULL array or
//! element gives NULL.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::contains::ElementSearch;
use crate::functions::args::{Args, collect};
use crate::functions::nested::lists::match_array_and_element;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_position").form_matched(
        "array(E), E",
        match_array_and_element,
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let search = ElementSearch::of(args)?;
    collect(args.rows, |row| {
        let Some(mut range) = search.lists.range(row) else {
            return Ok(None);
        };
        if !search.is_searchable(row) {
            return Ok(None);
        }
        let found = range.position(|at| search.matches(at, row));
        Ok(Some(found.map_or(0, |index| i64::try_from(index + 1).unwrap_or(i64::MAX))))
    })
}
