//! `sha256(binary)`: the SHA-256 hash, 32 bytes.
//!
//! <https://trino.io/docs/current/functions/binary.html#sha256>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use sha2::{Digest as _, Sha256};

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("sha256").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(Sha256::digest(bytes).to_vec())))
}
