//! `round(x)`, `round(x, d)`: rounded to the nearest integer, or to `d` decimals, half away from
//! zero. A negative `d` rounds to tens, hundreds and so on. Integers, real and double keep their
//! type; `round` of a `decimal(p, s)` has scale 0, `round` to decimals keeps `s`.
//!
//! <https://trino.io/docs/current/functions/math.html#round>

use arrow::array::ArrayRef;
use arrow::datatypes::{Decimal128Type, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::decimals::{
    DIGITS_MAX, argument_digits, collect_decimal, decimal_field, digits_of, map_decimal,
    power_of_ten, whole_type,
};
use crate::functions::args::{Args, map1, map2, out_of_range, primitives};
use crate::functions::integer_result::{map_integer, map_integers};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("round")
        .form(&[Param::AnyInteger], Returns::Same(0), integers)
        .form(&[Param::Decimal], Returns::Field(whole_type), decimals)
        .form(&[Param::Real], Returns::REAL, reals)
        .form(&[Param::Double], Returns::DOUBLE, doubles)
        .form(&[Param::AnyInteger, Param::Bigint], Returns::Same(0), integers_to)
        .form(&[Param::Decimal, Param::Bigint], Returns::Field(carried_type), decimals_to)
        .form(&[Param::Real, Param::Bigint], Returns::REAL, reals_to)
        .form(&[Param::Double, Param::Bigint], Returns::DOUBLE, doubles_to)
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    map_integer(args, Ok)
}

fn integers_to(args: &Args<'_>) -> Result<ArrayRef> {
    map_integers(args, |x, decimals| {
        if decimals >= 0 {
            return Ok(x);
        }
        let rounded = u32::try_from(decimals.unsigned_abs())
            .ok()
            .and_then(|places| 10_i64.checked_pow(places))
            .and_then(|unit| i64::try_from(round_to(i128::from(x), i128::from(unit))).ok());
        rounded.ok_or_else(|| out_of_range(format!("numerical overflow: {x}")))
    })
}

/// `value` rounded to a multiple of `unit`, half away from zero.
fn round_to(value: i128, unit: i128) -> i128 {
    let remainder = value % unit;
    let whole = value - remainder;
    if remainder.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) {
        whole.saturating_add(unit * value.signum())
    } else {
        whole
    }
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    map_decimal(args, |value, scale| {
        let unit = power_of_ten(u32::from(scale))?;
        Ok(if unit == 1 { value } else { round_to(value, unit) / unit })
    })
}

fn carried_type(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let (precision, scale) = argument_digits(args, 0);
    decimal_field((precision + 1).min(DIGITS_MAX), scale)
}

fn decimals_to(args: &Args<'_>) -> Result<ArrayRef> {
    let (precision, scale) = digits_of(&args.data_type(0)?);
    let values = primitives::<Decimal128Type>(args.value(0)?)?;
    let places = args.column::<i64>(1)?;
    collect_decimal(args, |row| {
        let (Some(value), Some(decimals)) = (values.get(row), places.get(row)) else {
            return Ok(None);
        };
        let dropped = i64::from(scale).saturating_sub(decimals);
        if dropped <= 0 {
            return Ok(Some(value));
        }
        if dropped > i64::from(precision) {
            return Ok(Some(0));
        }
        let unit = power_of_ten(u32::try_from(dropped).unwrap_or(u32::MAX))?;
        Ok(Some(round_to(value, unit)))
    })
}

fn reals(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f32| Ok(Some(x.round())))
}

fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: f64| Ok(Some(x.round())))
}

#[expect(clippy::cast_possible_truncation, reason = "a real is rounded as a double, as in Trino")]
fn reals_to(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: f32, decimals: i64| Ok(Some(round_double(f64::from(x), decimals) as f32)))
}

fn doubles_to(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: f64, decimals: i64| Ok(Some(round_double(x, decimals))))
}

fn round_double(x: f64, decimals: i64) -> f64 {
    let exponent =
        i32::try_from(decimals).unwrap_or(if decimals < 0 { i32::MIN } else { i32::MAX });
    let factor = 10_f64.powi(exponent);
    let scaled = x * factor;
    // So many decimals that all digits are kept, or so few that none is.
    if !scaled.is_finite() {
        return x;
    }
    if factor == 0.0 {
        return 0.0;
    }
    scaled.round() / factor
}

#[cfg(test)]
mod tests {
    use super::{round_double, round_to};

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(round_to(25, 10), 30);
        assert_eq!(round_to(-25, 10), -30);
        assert_eq!(round_to(24, 10), 20);
        assert_eq!(round_to(7, 1), 7);
    }

    #[test]
    fn doubles_keep_what_cannot_be_rounded() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(round_double(2.345, 2), 2.35);
        near(round_double(-2.5, 0), -3.0);
        near(round_double(1234.5, -2), 1200.0);
        near(round_double(1.5, 400), 1.5);
        near(round_double(1.5, -400), 0.0);
        assert!(round_double(f64::NAN, 2).is_nan());
        assert!(round_double(f64::INFINITY, 2).is_infinite());
    }
}
