//! `arrays_overlap(x, y)`: if the arrays have an element in common.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#arrays_overlap>.
//!
//! * NULL elements are never in common; if nothing else is and either array has one, NULL;
//! * either array NULL gives NULL.

use std::collections::HashSet;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::set_operations::TwoArrays;
use crate::functions::args::{Args, collect};
use crate::functions::nested::keys::is_null;
use crate::functions::nested::lists::match_two_arrays;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("arrays_overlap").form_matched(
        "array(E), array(E)",
        match_two_arrays,
        Returns::BOOLEAN,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let arrays = TwoArrays::of(args)?;
    let valid = |at: &usize| !is_null(&arrays.values, *at);
    collect(args.rows, |row| {
        let Some((left, right)) = arrays.ranges(row) else {
            return Ok(None);
        };
        let known: HashSet<_> = left.clone().filter(valid).map(|at| arrays.key(at)).collect();
        if right.clone().filter(valid).any(|at| known.contains(&arrays.key(at))) {
            return Ok(Some(true));
        }
        let nulls = left.chain(right).any(|at| !valid(&at));
        Ok(if nulls { None } else { Some(false) })
    })
}
