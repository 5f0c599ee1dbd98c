//! `regexp_extract(string, pattern)`, `regexp_extract(string, pattern, group)`: the first match, or
//! that group of it; NULL if there is none.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_extract>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::pattern::{Pattern, Patterns};
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("regexp_extract")
        .form(&[Param::Varchar, Param::Varchar], Returns::VARCHAR, whole)
        .form(&[Param::Varchar, Param::Varchar, Param::Bigint], Returns::VARCHAR, of_group)
}

fn whole(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    collect(args.rows, |row| match (texts.get(row), patterns.get(row)?) {
        (Some(text), Some(pattern)) => Ok(pattern.find(text)?.map(|found| found.as_str())),
        _ => Ok(None),
    })
}

fn of_group(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    let groups = args.column::<i64>(2)?;
    collect(args.rows, |row| match (texts.get(row), patterns.get(row)?, groups.get(row)) {
        (Some(text), Some(pattern), Some(group)) => extract(&pattern, text, group),
        _ => Ok(None),
    })
}

fn extract<'t>(pattern: &Pattern, text: &'t str, group: i64) -> Result<Option<&'t str>> {
    let group = pattern.check_group(group)?;
    if group == 0 {
        return Ok(pattern.find(text)?.map(|found| found.as_str()));
    }
    let captures = pattern.captures(text)?;
    Ok(captures.and_then(|captures| captures.get(group)).map(|found| found.as_str()))
}
