//! JSON functions: <https://trino.io/docs/current/functions/json.html>.
//!
//! A JSON value is `Utf8View` text with the extension name `trino.json`. Functions that take JSON
//! take varchar too, as Trino's own do for the most part.
//!
//! Those whose name begins with `$` are what the SQL/JSON clauses are bound to.

mod is_json_scalar;
mod json_array;
mod json_array_contains;
mod json_array_get;
mod json_array_length;
mod json_exists;
mod json_extract;
mod json_extract_scalar;
mod json_format;
mod json_input;
mod json_object;
mod json_parse;
pub(crate) mod json_path;
mod json_query;
mod json_size;
pub(crate) mod json_text;
mod json_value;
mod sql_json;
pub(crate) mod sql_json_path;
pub(crate) mod sql_json_path_eval;

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use self::json_path::JsonPath;
use self::json_text::Scanner;
use super::Registry;
use super::args::{Args, Strings};
use crate::data_type::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(is_json_scalar::function());
    registry.scalar(json_array::function());
    registry.scalar(json_array_contains::function());
    registry.scalar(json_array_get::function());
    registry.scalar(json_array_length::function());
    registry.scalar(json_exists::function());
    registry.scalar(json_extract::function());
    registry.scalar(json_extract_scalar::function());
    registry.scalar(json_format::function());
    registry.scalar(json_input::function());
    registry.scalar(json_object::function());
    registry.scalar(json_parse::function());
    registry.scalar(json_query::function());
    registry.scalar(json_size::function());
    registry.scalar(json_value::function());
}

/// `Returns::Field` of a function that gives JSON.
fn returns_json(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(Arc::new(Type::Json.to_field("")))
}

/// How many elements the array has that `scanner` stands at, `None` if it is malformed.
fn array_length(scanner: &mut Scanner<'_>) -> Option<i64> {
    let mut count = 0;
    let counted = scanner.each(b']', |scanner| {
        scanner.skip()?;
        count += 1;
        Ok(true)
    });
    counted.ok().map(|()| count)
}

/// Most characters of a value that an error repeats. A whole event would drown the message.
const EXCERPT_CHARACTERS_MAX: usize = 200;

/// The beginning of a value, for an error.
fn text_excerpt(text: &str) -> &str {
    match text.char_indices().nth(EXCERPT_CHARACTERS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// [`text_excerpt`] in single quotes.
fn quoted_text(text: &str) -> String {
    format!("'{}'", text_excerpt(text))
}

/// An argument of JSON paths; a constant one is parsed once.
enum Paths<'a> {
    Constant(Option<JsonPath>),
    Varying(Strings<'a>),
}

impl<'a> Paths<'a> {
    fn of(args: &Args<'a>, index: usize) -> Result<Paths<'a>> {
        match args.constant::<&str>(index)? {
            Some(path) => Ok(Paths::Constant(path.map(JsonPath::parse).transpose()?)),
            None => Ok(Paths::Varying(args.column::<&str>(index)?)),
        }
    }

    /// Calls `f` with the path of `row`, unless that is NULL.
    fn with<R>(
        &self,
        row: usize,
        f: impl FnOnce(&JsonPath) -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        match self {
            Paths::Constant(Some(path)) => f(path),
            Paths::Constant(None) => Ok(None),
            Paths::Varying(paths) => match paths.get(row) {
                Some(path) => f(&JsonPath::parse(path)?),
                None => Ok(None),
            },
        }
    }
}
