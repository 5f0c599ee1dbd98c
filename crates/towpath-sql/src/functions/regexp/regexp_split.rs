//! `regexp_split(string, pattern)`: the parts between matches as an array.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_split>

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::pattern::Patterns;
use crate::functions::args::{Args, VIEW_BYTES, add_bytes, array_type};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("regexp_split").form(
        &[Param::Varchar, Param::Varchar],
        Returns::Type(array_type(DataType::Utf8View)),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    let mut bytes = 0;
    for row in 0..args.rows {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)?) else {
            lists.append(false);
            continue;
        };
        let mut last_end = 0;
        pattern.each_match(text, 0, |found| {
            let part = text.get(last_end..found.start()).unwrap_or("");
            bytes = add_bytes(bytes, part.len() + VIEW_BYTES)?;
            lists.values().append_value(part);
            last_end = found.end();
            Ok(true)
        })?;
        let rest = text.get(last_end..).unwrap_or("");
        bytes = add_bytes(bytes, rest.len() + VIEW_BYTES)?;
        lists.values().append_value(rest);
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}
