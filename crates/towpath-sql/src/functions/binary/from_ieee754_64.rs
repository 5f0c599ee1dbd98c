//! `from_ieee754_64(binary)`: the double in eight bytes of IEEE 754 form, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_ieee754_64>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_ieee754_64").form(&[Param::Varbinary], Returns::DOUBLE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| match <[u8; 8]>::try_from(bytes) {
        Ok(eight) => Ok(Some(f64::from_be_bytes(eight))),
        Err(_) => Err(invalid("Input floating-point value must be exactly 8 bytes long")),
    })
}
