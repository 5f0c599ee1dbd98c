//! `array_last(array)`: the last element, NULL if there is none.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_last>.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::element_at::pick;
use crate::functions::args::Args;
use crate::functions::nested::lists::{Lists, returns_item};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_last").form(&[Param::Array], Returns::Field(returns_item), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    pick(args.rows, lists.values(), |row| Ok(lists.range(row).and_then(Iterator::last)))
}
