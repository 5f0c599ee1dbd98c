//! `mod(n, m)`: the remainder of `n` divided by `m`, with the sign of `n`, of the wider of the two
//! types. Of decimals it has the larger scale and as many whole digits as the smaller number.
//!
//! <https://trino.io/docs/current/functions/math.html#mod>

use arrow::array::ArrayRef;
use arrow::datatypes::{Decimal128Type, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::decimals::{
    DIGITS_MAX, argument_digits, collect_decimal, decimal_field, digits_of, power_of_ten,
};
use crate::functions::args::{Args, division_by_zero, map2, out_of_range, primitives};
use crate::functions::integer_result::map_integers;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("mod")
        .form(&[Param::Tinyint, Param::Tinyint], Returns::Same(0), integers)
        .form(&[Param::Smallint, Param::Smallint], Returns::Same(0), integers)
        .form(&[Param::Integer, Param::Integer], Returns::Same(0), integers)
        .form(&[Param::Bigint, Param::Bigint], Returns::Same(0), integers)
        .form(&[Param::Decimal, Param::Decimal], Returns::Field(decimal_type), decimals)
        .form(&[Param::Real, Param::Real], Returns::REAL, reals)
        .form(&[Param::Double, Param::Double], Returns::DOUBLE, doubles)
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    map_integers(args, |n, m| if m == 0 { Err(division_by_zero()) } else { Ok(n.wrapping_rem(m)) })
}

fn decimal_type(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let ((p1, s1), (p2, s2)) = (argument_digits(args, 0), argument_digits(args, 1));
    let scale = s1.max(s2);
    let whole = p1.saturating_sub(s1).min(p2.saturating_sub(s2));
    decimal_field((whole + scale).min(DIGITS_MAX), scale)
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    let ((_, s1), (_, s2)) = (digits_of(&args.data_type(0)?), digits_of(&args.data_type(1)?));
    let scale = s1.max(s2);
    let (up1, up2) = (power_of_ten(u32::from(scale - s1))?, power_of_ten(u32::from(scale - s2))?);
    let n = primitives::<Decimal128Type>(args.value(0)?)?;
    let m = primitives::<Decimal128Type>(args.value(1)?)?;
    collect_decimal(args, |row| {
        let (Some(n), Some(m)) = (n.get(row), m.get(row)) else { return Ok(None) };
        if m == 0 {
            return Err(division_by_zero());
        }
        match (n.checked_mul(up1), m.checked_mul(up2)) {
            (Some(n), Some(m)) => Ok(Some(n % m)),
            // A divisor too wide to be scaled is larger than the dividend.
            (Some(n), None) => Ok(Some(n)),
            _ => Err(out_of_range("Decimal overflow")),
        }
    })
}

fn reals(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |n: f32, m: f32| Ok(Some(n % m)))
}

fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |n: f64, m: f64| Ok(Some(n % m)))
}
