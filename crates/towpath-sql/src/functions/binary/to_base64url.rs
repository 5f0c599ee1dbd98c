//! `to_base64url(binary)`: encoded as base64 with padding, in the alphabet that is safe in URLs.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_base64url>

use arrow::array::ArrayRef;
use base64::Engine as _;
use datafusion::common::Result;

use super::base64_text::{Letters, codec};
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_base64url").form(&[Param::Varbinary], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let codec = codec(Letters::UrlSafe);
    map1(args, |bytes: &[u8]| Ok(Some(codec.encode(bytes))))
}
