//! `reverse(string)`: the code points in reverse order; the bytes of a varbinary.
//!
//! <https://trino.io/docs/current/functions/string.html#reverse>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("reverse").form(&[Param::Varchar], Returns::VARCHAR, text).form(
        &[Param::Varbinary],
        Returns::VARBINARY,
        bytes,
    )
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(text.chars().rev().collect::<String>())))
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(bytes.iter().rev().copied().collect::<Vec<u8>>())))
}
