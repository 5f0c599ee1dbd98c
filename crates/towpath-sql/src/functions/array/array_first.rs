//! `array_first(array)`: the first element, NULL if there is none.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_first>.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::element_at::pick;
use crate::functions::args::Args;
use crate::functions::nested::lists::{Lists, returns_item};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_first").form(&[Param::Array], Returns::Field(returns_item), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    pick(args.rows, lists.values(), |row| Ok(lists.range(row).and_then(|mut range| range.next())))
}
