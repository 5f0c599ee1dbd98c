//! `to_big_endian_32(integer)`: the four bytes of an integer, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_big_endian_32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_big_endian_32").form(&[Param::Integer], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |value: i64| match i32::try_from(value) {
        Ok(value) => Ok(Some(value.to_be_bytes().to_vec())),
        Err(_) => Err(invalid(format!("{value} is no integer"))),
    })
}
