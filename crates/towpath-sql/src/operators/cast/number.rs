//! Casts between numbers, and between numbers and boolean.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, StringViewBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int64Type};
use datafusion::common::{DataFusionError, Result, exec_err};

use crate::data_type::Type;
use crate::functions::args::{Strings, invalid_cast, out_of_range};
use crate::functions::json_cast::text_column;

/// A number of any type.
#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Decimal(i128, u8),
    Real(f32),
    Double(f64),
}

/// Casts `value`, which is of a number type or boolean, to another.
pub(super) fn convert(value: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    let numbers = numbers(value, from)?;
    let each = || numbers.iter().copied();
    Ok(match to {
        Type::Boolean => Arc::new(each().map(|n| n.map(is_true)).collect::<BooleanArray>()),
        Type::TinyInt => Arc::new(
            each().map(|n| n.map(|n| whole(n, to)).transpose()).collect::<Result<Int8Array>>()?,
        ),
        Type::SmallInt => Arc::new(
            each().map(|n| n.map(|n| whole(n, to)).transpose()).collect::<Result<Int16Array>>()?,
        ),
        Type::Integer => Arc::new(
            each().map(|n| n.map(|n| whole(n, to)).transpose()).collect::<Result<Int32Array>>()?,
        ),
        Type::BigInt => Arc::new(
            each().map(|n| n.map(|n| whole(n, to)).transpose()).collect::<Result<Int64Array>>()?,
        ),
        Type::Real => Arc::new(each().map(|n| n.map(real)).collect::<Float32Array>()),
        Type::Double => Arc::new(each().map(|n| n.map(double)).collect::<Float64Array>()),
        Type::Decimal(p, s) => {
            let values = each().map(|n| n.map(|n| decimal(n, from, (*p, *s))).transpose());
            let values = values.collect::<Result<Decimal128Array>>()?;
            Arc::new(values.with_precision_and_scale(*p, s.cast_signed())?)
        }
        other => return exec_err!("Cannot cast {from} to {other}"),
    })
}

fn numbers(value: &ArrayRef, from: &Type) -> Result<Vec<Option<Number>>> {
    Ok(match from {
        Type::Boolean => {
            value.as_boolean().iter().map(|v| v.map(|v| Number::Whole(v.into()))).collect()
        }
        Type::Real => {
            let value = cast(value, &DataType::Float32)?;
            value.as_primitive::<Float32Type>().iter().map(|v| v.map(Number::Real)).collect()
        }
        Type::Double => {
            value.as_primitive::<Float64Type>().iter().map(|v| v.map(Number::Double)).collect()
        }
        Type::Decimal(..) => {
            let value = match value.data_type() {
                DataType::Decimal128(..) => Arc::clone(value),
                _ => cast(value, &from.to_arrow())?,
            };
            let decimals = value.as_primitive::<Decimal128Type>();
            let scale = decimals.scale().cast_unsigned();
            decimals.iter().map(|v| v.map(|v| Number::Decimal(v, scale))).collect()
        }
        _ => {
            let value = cast(value, &DataType::Int64)?;
            value.as_primitive::<Int64Type>().iter().map(|v| v.map(Number::Whole)).collect()
        }
    })
}

fn is_true(number: Number) -> bool {
    match number {
        Number::Whole(value) => value != 0,
        Number::Decimal(value, _) => value != 0,
        Number::Real(value) => value != 0.0,
        Number::Double(value) => value != 0.0,
    }
}

/// Rounds half away from zero, as Trino does.
fn whole<T: TryFrom<i128>>(number: Number, to: &Type) -> Result<T> {
    let value = match number {
        Number::Whole(value) => i128::from(value),
        Number::Decimal(value, scale) => rescaled(value, scale, 0).unwrap_or(i128::MAX),
        Number::Real(value) => rounded(f64::from(value), to)?,
        Number::Double(value) => rounded(value, to)?,
    };
    T::try_from(value).map_err(|_| match number {
        Number::Decimal(value, scale) => {
            let name = to.to_string().to_uppercase();
            invalid_cast(format!("Cannot cast '{}' to {name}", plain(value, scale)))
        }
        Number::Real(value) => {
            out_of_range(format!("Out of range for {to}: {}", java(f64::from(value))))
        }
        Number::Double(value) => out_of_range(format!("Out of range for {to}: {}", java(value))),
        Number::Whole(value) => out_of_range(format!("Out of range for {to}: {value}")),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked, NaN refused")]
fn rounded(value: f64, to: &Type) -> Result<i128> {
    if value.is_nan() {
        return Err(invalid_cast(format!("Cannot cast double NaN to {to}")));
    }
    if value.abs() > 1e30 {
        return Err(out_of_range(format!("Out of range for {to}: {}", java(value))));
    }
    Ok(value.round() as i128)
}

/// A double as Java prints it.
fn java(value: f64) -> String {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
    let text = text_column(&array, &Type::Double.to_field(""));
    let text = text.as_ref().map(|text| Strings::of_array(text.as_ref()));
    match text {
        Ok(Ok(text)) => text.get(0).map(str::to_owned).unwrap_or_default(),
        _ => value.to_string(),
    }
}

/// Reals and doubles as text: `1.0E0`, `-1.5E-3`, `NaN`.
pub(super) fn scientific(value: &ArrayRef) -> Result<ArrayRef> {
    let mut texts = StringViewBuilder::new();
    match value.data_type() {
        DataType::Float32 => {
            for value in value.as_primitive::<Float32Type>() {
                texts.append_option(
                    value.map(|v| exponential(v.is_finite(), &format!("{v:E}"), &v.to_string())),
                );
            }
        }
        _ => {
            let value = cast(value, &DataType::Float64)?;
            for value in value.as_primitive::<Float64Type>() {
                texts.append_option(
                    value.map(|v| exponential(v.is_finite(), &format!("{v:E}"), &v.to_string())),
                );
            }
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// Rust prints `1E0` where Java prints `1.0E0`, and `inf` for `Infinity`.
fn exponential(finite: bool, text: &str, plain: &str) -> String {
    if !finite {
        return plain.replace("inf", "Infinity");
    }
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text.to_owned(),
    }
}

/// Brings an unscaled decimal to another scale, rounding half away from zero.
fn rescaled(value: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return value.checked_mul(10_i128.checked_pow(u32::from(to - from))?);
    }
    let step = 10_i128.checked_pow(u32::from(from - to))?;
    let (quotient, rest) = (value / step, value % step);
    let up = rest.unsigned_abs() * 2 >= step.unsigned_abs();
    Some(if up { quotient + value.signum() } else { quotient })
}

#[expect(clippy::cast_precision_loss, reason = "Trino rounds to the nearest double too")]
fn double(number: Number) -> f64 {
    match number {
        Number::Whole(value) => value as f64,
        Number::Real(value) => f64::from(value),
        Number::Double(value) => value,
        // Through text, which rounds once.
        Number::Decimal(value, scale) => plain(value, scale).parse().unwrap_or(f64::NAN),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "Trino rounds to the nearest real too"
)]
fn real(number: Number) -> f32 {
    match number {
        Number::Whole(value) => value as f32,
        Number::Real(value) => value,
        Number::Double(value) => value as f32,
        Number::Decimal(value, scale) => plain(value, scale).parse().unwrap_or(f32::NAN),
    }
}

/// The digits of a decimal.
fn plain(value: i128, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn decimal(number: Number, from: &Type, (precision, scale): (u8, u8)) -> Result<i128> {
    let limit = 10_i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    let value = match number {
        Number::Whole(value) => rescaled(value.into(), 0, scale),
        Number::Decimal(value, from) => rescaled(value, from, scale),
        Number::Real(value) => from_float(f64::from(value), &value.to_string(), scale),
        Number::Double(value) => from_float(value, &format!("{value}"), scale),
    };
    value
        .filter(|value| value.abs() < limit)
        .ok_or_else(|| refused(number, from, &format!("DECIMAL({precision}, {scale})")))
}

/// The decimal nearest to the shortest text of a float, as Java's `BigDecimal.valueOf` has it.
fn from_float(value: f64, text: &str, scale: u8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    let negative = text.starts_with('-');
    let (whole, fraction) =
        text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
    let kept: String = fraction.chars().take(38).collect();
    let unscaled: i128 = format!("{whole}{kept}").parse().ok()?;
    let rescaled = rescaled(unscaled, u8::try_from(kept.len()).ok()?, scale)?;
    Some(if negative { -rescaled } else { rescaled })
}

fn refused(number: Number, from: &Type, to: &str) -> DataFusionError {
    let (name, text) = match (number, from) {
        (Number::Decimal(value, scale), Type::Decimal(p, s)) => {
            (format!("DECIMAL({p}, {s})"), plain(value, scale))
        }
        (Number::Whole(value), _) => (from.to_string().to_uppercase(), value.to_string()),
        (Number::Real(value), _) => ("REAL".to_owned(), java(f64::from(value))),
        (Number::Double(value), _) => ("DOUBLE".to_owned(), java(value)),
        (Number::Decimal(value, scale), _) => ("DECIMAL".to_owned(), plain(value, scale)),
    };
    invalid_cast(format!("Cannot cast {name} '{text}' to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_away_from_zero() {
        assert_eq!(rescaled(-249, 2, 0), Some(-2));
        assert_eq!(rescaled(-250, 2, 0), Some(-3));
        assert_eq!(rescaled(3141, 2, 0), Some(31));
        assert_eq!(plain(-5, 2), "-0.05");
        assert_eq!(from_float(-1_234_567_890.51, "-1234567890.51", 0), Some(-1_234_567_891));
    }
}
