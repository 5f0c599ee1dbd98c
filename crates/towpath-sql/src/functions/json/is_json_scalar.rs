//! `is_json_scalar(json)`: if a JSON value is a number, a string, a boolean or `null`.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#is_json_scalar>. Text that is not JSON
//! is an error.

use super::json_text::Scanner;
use super::text_excerpt;
use crate::functions::args::{invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("is_json_scalar").form(&[Param::Varchar], Returns::BOOLEAN, |args| {
        map1(args, |json: &str| {
            let mut scanner = Scanner::new(json);
            let scalar = !matches!(scanner.peek(), Some(b'[' | b'{'));
            match scanner.skip().and_then(|_| scanner.end()) {
                Ok(()) => Ok(Some(scalar)),
                Err(_) => Err(invalid(format!("Invalid JSON value: {}", text_excerpt(json)))),
            }
        })
    })
}
