//! `$json_input(text)`: the text as type JSON, without a look at it.
//!
//! What `FORMAT JSON` in the `PASSING` clause of the SQL/JSON functions is bound to; those say what
//! happens if it is not JSON.

use super::returns_json;
use crate::functions::args::map1;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$json_input").form(
        &[Param::Varchar],
        Returns::Field(returns_json),
        |args| map1(args, |text: &str| Ok(Some(text))),
    )
}
