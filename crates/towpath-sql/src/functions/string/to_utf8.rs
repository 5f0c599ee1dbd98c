//! `to_utf8(string)`: the UTF-8 bytes of a string, varbinary.
//!
//! <https://trino.io/docs/current/functions/string.html#to_utf8>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_utf8").form(&[Param::Varchar], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(text.as_bytes())))
}
