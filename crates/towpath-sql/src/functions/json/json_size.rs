//! `json_size(json, path)`: how many members or elements the value has that a path leads to.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_size>. A scalar has size 0; a
//! path that leads nowhere, and text that is not JSON, give NULL.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::json_path::JsonPath;
use super::json_text::Scanner;
use super::{Paths, array_length};
use crate::functions::args::{Args, Value, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_size").form(
        &[Param::Varchar, Param::Varchar],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let json = args.column::<&str>(0)?;
    let paths = Paths::of(args, 1)?;
    collect(args.rows, |row| {
        paths.with(row, |path| Ok(<&str>::get(&json, row).and_then(|json| size(json, path))))
    })
}

fn size(json: &str, path: &JsonPath) -> Option<i64> {
    if path.has_wildcard() {
        return path.all(json).map(|found| i64::try_from(found.len()).unwrap_or(i64::MAX));
    }
    let mut scanner = Scanner::new(path.first(json)?);
    match scanner.peek() {
        Some(b'[') => array_length(&mut scanner),
        Some(b'{') => {
            let mut count = 0;
            let counted = scanner.each(b'}', |scanner| {
                scanner.key()?;
                scanner.skip()?;
                count += 1;
                Ok(true)
            });
            counted.ok().map(|()| count)
        }
        _ => Some(0),
    }
}
