//! `length(string)`: the number of code points, bigint. `length(binary)`: the number of bytes.
//!
//! <https://trino.io/docs/current/functions/string.html#length>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("length").form(&[Param::Varchar], Returns::BIGINT, characters).form(
        &[Param::Varbinary],
        Returns::BIGINT,
        bytes,
    )
}

fn characters(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(i64::try_from(text.chars().count()).ok()))
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(i64::try_from(bytes.len()).ok()))
}
