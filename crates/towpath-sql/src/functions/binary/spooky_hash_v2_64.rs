//! `spooky_hash_v2_64(binary)`: 64 bits of `SpookyHash` V2, eight bytes, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#spooky_hash_v2_64>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::spooky::spooky;
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("spooky_hash_v2_64").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(spooky(bytes).to_be_bytes().to_vec())))
}
