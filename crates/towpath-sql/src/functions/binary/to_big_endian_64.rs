//! `to_big_endian_64(bigint)`: the eight bytes of a bigint, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_big_endian_64>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_big_endian_64").form(&[Param::Bigint], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |value: i64| Ok(Some(value.to_be_bytes().to_vec())))
}
