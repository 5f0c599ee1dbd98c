//! `regexp_extract_all(string, pattern)`, `regexp_extract_all(string, pattern, group)`: all matches,
//! or that group of each, NULL where it took no part, as an array.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_extract_all>

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::pattern::{Pattern, Patterns};
use crate::functions::args::{Args, VIEW_BYTES, add_bytes, array_type};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    let returns = || Returns::Type(array_type(DataType::Utf8View));
    ScalarFunction::new("regexp_extract_all")
        .form(&[Param::Varchar, Param::Varchar], returns(), evaluate)
        .form(&[Param::Varchar, Param::Varchar, Param::Bigint], returns(), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    let groups = if args.len() > 2 { Some(args.column::<i64>(2)?) } else { None };
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    let mut bytes = 0;
    for row in 0..args.rows {
        let group = groups.as_ref().map_or(Some(0), |groups| groups.get(row));
        let (Some(text), Some(pattern), Some(group)) = (texts.get(row), patterns.get(row)?, group)
        else {
            lists.append(false);
            continue;
        };
        extract(&pattern, text, group, |part| {
            // Every element costs its view, an empty one too.
            bytes = add_bytes(bytes, part.map_or(0, str::len) + VIEW_BYTES)?;
            lists.values().append_option(part);
            Ok(())
        })?;
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn extract<'t>(
    pattern: &Pattern,
    text: &'t str,
    group: i64,
    mut f: impl FnMut(Option<&'t str>) -> Result<()>,
) -> Result<()> {
    match pattern.check_group(group)? {
        0 => pattern.each_match(text, 0, |found| f(Some(found.as_str())).map(|()| true)),
        group => pattern
            .each_captures(text, |captures| f(captures.get(group).map(|found| found.as_str()))),
    }
}
