//! `split(string, delimiter)`, `split(string, delimiter, limit)`: the parts between delimiters as
//! an array; with a limit the last part is all that remains.
//!
//! <https://trino.io/docs/current/functions/string.html#split>

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::{Args, VIEW_BYTES, add_bytes, array_type, invalid};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    let returns = || Returns::Type(array_type(DataType::Utf8View));
    ScalarFunction::new("split").form(&[Param::Varchar, Param::Varchar], returns(), evaluate).form(
        &[Param::Varchar, Param::Varchar, Param::Bigint],
        returns(),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, delimiters) = (args.column::<&str>(0)?, args.column::<&str>(1)?);
    let limits = if args.len() > 2 { Some(args.column::<i64>(2)?) } else { None };
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    let mut bytes = 0;
    for row in 0..args.rows {
        let limit = match &limits {
            Some(limits) => limits.get(row),
            None => Some(i64::from(i32::MAX)),
        };
        let (Some(text), Some(delimiter), Some(limit)) =
            (texts.get(row), delimiters.get(row), limit)
        else {
            lists.append(false);
            continue;
        };
        let limit = check(delimiter, limit)?;
        for part in text.splitn(limit, delimiter) {
            bytes = add_bytes(bytes, part.len() + VIEW_BYTES)?;
            lists.values().append_value(part);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn check(delimiter: &str, limit: i64) -> Result<usize> {
    if limit <= 0 {
        return Err(invalid("Limit must be positive"));
    }
    if limit > i64::from(i32::MAX) {
        return Err(invalid("Limit is too large"));
    }
    if delimiter.is_empty() {
        return Err(invalid("The delimiter may not be the empty string"));
    }
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
