//! `regexp_count(string, pattern)`: how many times the pattern matches, bigint.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_count>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::pattern::Patterns;
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("regexp_count").form(
        &[Param::Varchar, Param::Varchar],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    collect(args.rows, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)?) else {
            return Ok(None);
        };
        let mut count = 0_i64;
        pattern.each_match(text, 0, |_| {
            count += 1;
            Ok(true)
        })?;
        Ok(Some(count))
    })
}
