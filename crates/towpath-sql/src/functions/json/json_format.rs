//! `json_format(json)`: a JSON value as text.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_format>.

use crate::functions::args::map1;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_format")
        .form(&[Param::Varchar], Returns::VARCHAR, |args| map1(args, |json: &str| Ok(Some(json))))
}
