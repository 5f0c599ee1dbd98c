//! `spooky_hash_v2_32(binary)`: 32 bits of `SpookyHash` V2, four bytes, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#spooky_hash_v2_32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::spooky::spooky;
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("spooky_hash_v2_32").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| {
        Ok(Some(spooky(bytes).to_be_bytes().into_iter().skip(4).collect::<Vec<u8>>()))
    })
}
