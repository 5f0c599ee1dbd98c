//! `json_extract(json, path)`: the value that a path leads to, as JSON.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_extract>.
//!
//! * takes JSON or varchar; text that is not JSON gives NULL;
//! * a path that leads nowhere gives NULL, a JSON `null` gives JSON `null`;
//! * `[*]` and `.*` give an array of all matches (Lake and Athena; stock Trino refuses them).

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::json_path::JsonPath;
use super::json_text::Scanner;
use super::{Paths, returns_json};
use crate::functions::args::{Args, Value, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_extract").form(
        &[Param::Varchar, Param::Varchar],
        Returns::Field(returns_json),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let json = args.column::<&str>(0)?;
    let paths = Paths::of(args, 1)?;
    collect(args.rows, |row| {
        paths.with(row, |path| Ok(<&str>::get(&json, row).and_then(|json| extract(json, path))))
    })
}

/// The value, or the array of values, that `path` leads to in `json`.
pub(super) fn extract(json: &str, path: &JsonPath) -> Option<String> {
    let mut out = String::new();
    if !path.has_wildcard() {
        Scanner::new(path.first(json)?).copy(&mut out).ok()?;
        return Some(out);
    }
    out.push('[');
    for (index, raw) in path.all(json)?.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        Scanner::new(raw).copy(&mut out).ok()?;
    }
    out.push(']');
    Some(out)
}
