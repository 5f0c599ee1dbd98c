//! `sha512(binary)`: the SHA-512 hash, 64 bytes.
//!
//! <https://trino.io/docs/current/functions/binary.html#sha512>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use sha2::{Digest as _, Sha512};

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("sha512").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(Sha512::digest(bytes).to_vec())))
}
