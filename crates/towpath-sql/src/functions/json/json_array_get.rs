//! `json_array_get(json, index)`: an element of a JSON array.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_array_get>.
//!
//! * counts from 0, and from the end for a negative index; past either end is NULL;
//! * what is not a JSON array, and a JSON `null` element, give NULL;
//! * a string element gives its characters without quotes. Trino's reference calls that broken, for
//!   the result is no JSON, and keeps it; so do we.

use std::borrow::Cow;

use super::json_text::Scanner;
use super::{array_length, returns_json};
use crate::functions::args::map2;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_array_get").form(
        &[Param::Varchar, Param::Bigint],
        Returns::Field(returns_json),
        |args| map2(args, |json: &str, index: i64| Ok(element(json, index))),
    )
}

fn element(json: &str, index: i64) -> Option<Cow<'_, str>> {
    let mut scanner = Scanner::new(json);
    if scanner.peek() != Some(b'[') {
        return None;
    }
    let index =
        if index < 0 { index.checked_add(array_length(&mut scanner.clone())?)? } else { index };
    let mut position = 0;
    let mut found = None;
    scanner
        .each(b']', |scanner| {
            scanner.peek();
            let raw = scanner.skip()?;
            if position == index {
                found = Some(raw);
            }
            position += 1;
            Ok(found.is_none())
        })
        .ok()?;
    let raw = found?;
    match raw.as_bytes().first()? {
        b'n' => None,
        b'"' => Scanner::new(raw).string().ok(),
        b'{' | b'[' => {
            let mut out = String::new();
            Scanner::new(raw).copy(&mut out).ok()?;
            Some(Cow::Owned(out))
        }
        _ => Some(Cow::Borrowed(raw)),
    }
}
