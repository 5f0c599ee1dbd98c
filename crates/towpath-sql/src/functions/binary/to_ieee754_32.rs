//! `to_ieee754_32(real)`: the four bytes of a real in IEEE 754 form, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_ieee754_32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_ieee754_32").form(&[Param::Real], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |value: f32| Ok(Some(value.to_be_bytes().to_vec())))
}
