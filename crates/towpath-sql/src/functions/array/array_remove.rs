//! `array_remove(array, element)`: the array without the elements that equal `element`.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_remove>. NULL elements stay; a
//! NULL array or element gives NULL.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::contains::ElementSearch;
use crate::functions::args::Args;
use crate::functions::nested::lists::{Gather, match_array_and_element};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_remove").form_matched(
        "array(E), E",
        match_array_and_element,
        Returns::Same(0),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let search = ElementSearch::of(args)?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        match search.lists.range(row) {
            Some(range) if search.is_searchable(row) => {
                for at in range.filter(|at| !search.matches(*at, row)) {
                    gather.push(at);
                }
                gather.close_row();
            }
            _ => gather.null_row(),
        }
    }
    gather.finish(args.return_field.data_type(), search.lists.values())
}
