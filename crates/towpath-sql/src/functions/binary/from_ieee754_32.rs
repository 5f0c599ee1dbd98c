//! `from_ieee754_32(binary)`: the real in four bytes of IEEE 754 form, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_ieee754_32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_ieee754_32").form(&[Param::Varbinary], Returns::REAL, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
        Ok(four) => Ok(Some(f32::from_be_bytes(four))),
        Err(_) => Err(invalid("Input floating-point value must be exactly 4 bytes long")),
    })
}
