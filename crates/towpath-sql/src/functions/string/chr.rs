//! `chr(n)`: the string of one code point.
//!
//! <https://trino.io/docs/current/functions/string.html#chr>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("chr").form(&[Param::Bigint], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |number: i64| match u32::try_from(number).ok().and_then(char::from_u32) {
        Some(character) => Ok(Some(String::from(character))),
        None => Err(invalid(format!("Not a valid Unicode code point: {number}"))),
    })
}
