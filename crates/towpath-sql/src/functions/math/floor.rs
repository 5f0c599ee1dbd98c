//! `floor(x)`: rounded down to the nearest integer. Integers stay as they are, a
//! `decimal(p, s)` becomes a `decimal(p - s + min(s, 1), 0)`, real and double keep their type.
//!
//! <https://trino.io/docs/current/functions/math.html#floor>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::decimals::{map_decimal, power_of_ten, whole_type};
use crate::functions::args::{Args, map1};
use crate::functions::integer_result::map_integer;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("floor")
        .form(&[Param::AnyInteger], Returns::Same(0), integers)
        .form(&[Param::Decimal], Returns::Field(whole_type), decimals)
        .form(&[Param::Real], Returns::REAL, reals)
        .form(&[Param::Double], Returns::DOUBLE, doubles)
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    map_integer(args, Ok)
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    map_decimal(args, |value, scale| {
        let unit = power_of_ten(u32::from(scale))?;
        let remainder = value % unit;
        Ok(value / unit + if remainder < 0 { -1 } else { 0 })
    })
}

fn reals(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f32| Ok(Some(x.floor())))
}

fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.floor())))
}
