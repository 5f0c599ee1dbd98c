//! `json_parse(string)`: text as a JSON value.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_parse>.
//!
//! Members are sorted by key, of repeated keys the last counts, white space goes; text that is not
//! JSON is an error.

use super::json_text::Json;
use super::{quoted_text, returns_json};
use crate::functions::args::{invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_parse").form(
        &[Param::Varchar],
        Returns::Field(returns_json),
        |args| {
            map1(args, |text: &str| {
                let mut json = Json::parse(text).map_err(|_| {
                    invalid(format!("Cannot convert value to JSON: {}", quoted_text(text)))
                })?;
                json.sort_members();
                Ok(Some(json.to_text()))
            })
        },
    )
}
