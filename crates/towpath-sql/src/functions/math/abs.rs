//! `abs(x)`: the absolute value, of the type of `x`. The lowest integer of a type has none.
//!
//! <https://trino.io/docs/current/functions/math.html#abs>

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use datafusion::common::Result;

use super::decimals::map_decimal;
use crate::functions::args::{Args, map1, out_of_range};
use crate::functions::integer_result::{map_integer, width_of};
use crate::functions::scalar::{Param, Returns, ScalarFunction};
use crate::functions::type_name::type_name;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("abs")
        .form(&[Param::AnyInteger], Returns::Same(0), integers)
        .form(&[Param::Decimal], Returns::Same(0), decimals)
        .form(&[Param::Real], Returns::REAL, reals)
        .form(&[Param::Double], Returns::DOUBLE, doubles)
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    let data_type = args.data_type(0)?;
    let lowest = i64::MIN >> (64 - width_of(&data_type));
    let name = type_name(&Field::new("", data_type, true));
    map_integer(args, |x| {
        if x == lowest {
            return Err(out_of_range(format!("Value {x} is out of range for abs({name})")));
        }
        Ok(x.abs())
    })
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    map_decimal(args, |value, _| Ok(value.saturating_abs()))
}

fn reals(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f32| Ok(Some(x.abs())))
}

fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.abs())))
}
