//! `sha1(binary)`: the SHA-1 hash, twenty bytes.
//!
//! <https://trino.io/docs/current/functions/binary.html#sha1>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use sha1::{Digest as _, Sha1};

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("sha1").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(Sha1::digest(bytes).to_vec())))
}
