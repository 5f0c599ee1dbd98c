//! `truncate(x)`, `truncate(x, n)`: digits after the decimal point, or after the `n`-th, dropped. A
//! negative `n` clears digits before the point. The second form is for decimals.
//!
//! <https://trino.io/docs/current/functions/math.html#truncate>

use arrow::array::ArrayRef;
use arrow::datatypes::{Decimal128Type, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::decimals::{
    argument_digits, collect_decimal, decimal_field, digits_of, map_decimal, power_of_ten,
};
use crate::functions::args::{Args, map1, primitives};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("truncate")
        .form(&[Param::Decimal], Returns::Field(whole_type), decimals)
        .form(&[Param::Real], Returns::REAL, reals)
        .form(&[Param::Double], Returns::DOUBLE, doubles)
        .form(&[Param::Decimal, Param::Bigint], Returns::Same(0), decimals_to)
}

fn whole_type(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let (precision, scale) = argument_digits(args, 0);
    decimal_field(precision.saturating_sub(scale).max(1), 0)
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    map_decimal(args, |value, scale| Ok(value / power_of_ten(u32::from(scale))?))
}

fn reals(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f32| Ok(Some(x.trunc())))
}

fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.trunc())))
}

fn decimals_to(args: &Args<'_>) -> Result<ArrayRef> {
    let (precision, scale) = digits_of(&args.data_type(0)?);
    let values = primitives::<Decimal128Type>(args.value(0)?)?;
    let places = args.column::<i64>(1)?;
    collect_decimal(args, |row| {
        let (Some(value), Some(kept)) = (values.get(row), places.get(row)) else { return Ok(None) };
        let dropped = i64::from(scale).saturating_sub(kept);
        if dropped <= 0 {
            return Ok(Some(value));
        }
        if dropped >= i64::from(precision) {
            return Ok(Some(0));
        }
        Ok(Some(value - value % power_of_ten(u32::try_from(dropped).unwrap_or(u32::MAX))?))
    })
}
