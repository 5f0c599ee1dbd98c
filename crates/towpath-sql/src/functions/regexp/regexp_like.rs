//! `regexp_like(string, pattern)`: whether the pattern matches anywhere in the string.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_like>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::pattern::Patterns;
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("regexp_like").form(
        &[Param::Varchar, Param::Varchar],
        Returns::BOOLEAN,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    collect(args.rows, |row| match (texts.get(row), patterns.get(row)?) {
        (Some(text), Some(pattern)) => pattern.is_match(text).map(Some),
        _ => Ok(None),
    })
}
