//! `to_ieee754_64(double)`: the eight bytes of a double in IEEE 754 form, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_ieee754_64>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_ieee754_64").form(&[Param::Double], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |value: f64| Ok(Some(value.to_be_bytes().to_vec())))
}
