//! `json_array_length(json)`: how many elements a JSON array has; NULL for anything else.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_array_length>.

use super::array_length;
use super::json_text::Scanner;
use crate::functions::args::map1;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_array_length").form(&[Param::Varchar], Returns::BIGINT, |args| {
        map1(args, |json: &str| {
            let mut scanner = Scanner::new(json);
            Ok(if scanner.peek() == Some(b'[') { array_length(&mut scanner) } else { None })
        })
    })
}
