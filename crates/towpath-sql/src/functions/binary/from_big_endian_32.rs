//! `from_big_endian_32(binary)`: the integer in four bytes, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_big_endian_32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_big_endian_32").form(&[Param::Varbinary], Returns::INTEGER, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
        Ok(four) => Ok(Some(i32::from_be_bytes(four))),
        Err(_) => Err(invalid(format!("expected 4-byte input, but got instead: {}", bytes.len()))),
    })
}
