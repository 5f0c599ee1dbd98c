//! `sign(x)`: -1, 0 or 1; of real and double in their type, where NaN stays, of a decimal as
//! `decimal(1, 0)`.
//!
//! <https://trino.io/docs/current/functions/math.html#sign>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::decimals::{decimal_field, map_decimal};
use crate::functions::args::{Args, map1};
use crate::functions::integer_result::map_integer;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("sign")
        .form(&[Param::AnyInteger], Returns::Same(0), integers)
        .form(&[Param::Decimal], Returns::Field(|_| decimal_field(1, 0)), decimals)
        .form(&[Param::Real], Returns::REAL, reals)
        .form(&[Param::Double], Returns::DOUBLE, doubles)
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    map_integer(args, |x| Ok(x.signum()))
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    map_decimal(args, |value, _| Ok(value.signum()))
}

fn reals(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f32| Ok(Some(if x.abs() > 0.0 { x.signum() } else { x })))
}

fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(if x.abs() > 0.0 { x.signum() } else { x })))
}
