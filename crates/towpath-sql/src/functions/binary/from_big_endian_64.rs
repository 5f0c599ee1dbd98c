//! `from_big_endian_64(binary)`: the bigint in eight bytes, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_big_endian_64>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_big_endian_64").form(&[Param::Varbinary], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| match <[u8; 8]>::try_from(bytes) {
        Ok(eight) => Ok(Some(i64::from_be_bytes(eight))),
        Err(_) => Err(invalid(format!("expected 8-byte input, but got instead: {}", bytes.len()))),
    })
}
