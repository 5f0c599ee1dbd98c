//! `json_extract_scalar(json, path)`: the scalar that a path leads to, as text.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_extract_scalar>.
//!
//! * a string gives its characters, a number its digits as they stand, a boolean `true` or `false`;
//! * an array, an object, a JSON `null`, nothing, and text that is not JSON give NULL.

use std::borrow::Cow;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::Paths;
use super::json_path::JsonPath;
use super::json_text::Scanner;
use crate::functions::args::{Args, Value, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_extract_scalar").form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let json = args.column::<&str>(0)?;
    let paths = Paths::of(args, 1)?;
    collect(args.rows, |row| {
        paths.with(row, |path| Ok(<&str>::get(&json, row).and_then(|json| scalar_at(json, path))))
    })
}

fn scalar_at<'a>(json: &'a str, path: &JsonPath) -> Option<Cow<'a, str>> {
    if path.has_wildcard() {
        return None;
    }
    let raw = path.first(json)?;
    match raw.as_bytes().first()? {
        b'"' => Scanner::new(raw).string().ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}
