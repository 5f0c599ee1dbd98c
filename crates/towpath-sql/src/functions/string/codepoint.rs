//! `codepoint(string)`: the number of the only code point of `string`, integer.
//!
//! <https://trino.io/docs/current/functions/string.html#codepoint>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("codepoint").form(&[Param::Varchar], Returns::INTEGER, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) => Ok(i32::try_from(u32::from(one)).ok()),
            _ => Err(invalid("Input string must be a single character string")),
        }
    })
}
