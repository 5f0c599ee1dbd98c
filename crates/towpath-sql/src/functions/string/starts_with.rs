//! `starts_with(string, substring)`: whether `string` begins with `substring`.
//!
//! <https://trino.io/docs/current/functions/string.html#starts_with>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("starts_with").form(
        &[Param::Varchar, Param::Varchar],
        Returns::BOOLEAN,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, prefix: &str| Ok(Some(text.starts_with(prefix))))
}
