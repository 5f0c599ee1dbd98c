//! `from_base64(string)`: the bytes of base64 text, padded or not. Takes a varbinary too.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_base64>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::base64_text::{Letters, codec, decode};
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_base64").form(&[Param::Varchar], Returns::VARBINARY, text).form(
        &[Param::Varbinary],
        Returns::VARBINARY,
        bytes,
    )
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    let codec = codec(Letters::Standard);
    map1(args, |text: &str| decode(&codec, text.as_bytes()).map(Some))
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    let codec = codec(Letters::Standard);
    map1(args, |text: &[u8]| decode(&codec, text).map(Some))
}
