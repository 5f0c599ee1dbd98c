//! Decimals as the whole numbers they are stored as, for functions that count in their digits.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Decimal128Builder;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::{Args, out_of_range, primitives};

/// Digits of the widest decimal.
pub(super) const DIGITS_MAX: u8 = 38;

/// Ten to the power of `exponent`.
///
/// # Errors
///
/// `NUMERIC_VALUE_OUT_OF_RANGE` if it is wider than any decimal.
pub(super) fn power_of_ten(exponent: u32) -> Result<i128> {
    10_i128.checked_pow(exponent).ok_or_else(|| out_of_range("Decimal overflow"))
}

/// Precision and scale of a decimal type.
pub(super) fn digits_of(data_type: &DataType) -> (u8, u8) {
    match data_type {
        DataType::Decimal128(precision, scale) => (*precision, u8::try_from(*scale).unwrap_or(0)),
        _ => (DIGITS_MAX, 0),
    }
}

/// Precision and scale of the decimal that argument `index` is.
pub(super) fn argument_digits(args: &ReturnFieldArgs<'_>, index: usize) -> (u8, u8) {
    args.arg_fields.get(index).map_or((DIGITS_MAX, 0), |field| digits_of(field.data_type()))
}

/// A nullable field of a decimal type.
pub(super) fn decimal_field(precision: u8, scale: u8) -> Result<FieldRef> {
    let scale = i8::try_from(scale).unwrap_or(0);
    let data_type = DataType::Decimal128(precision.clamp(1, DIGITS_MAX), scale);
    Ok(Arc::new(Field::new("decimal", data_type, true)))
}

/// The type of a decimal rounded to a whole number: a carry may take one more digit.
pub(super) fn whole_type(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let (precision, scale) = argument_digits(args, 0);
    decimal_field(precision.saturating_sub(scale) + scale.min(1), 0)
}

/// Applies `f` to the unscaled value and the scale of argument 0; NULL in, NULL out.
pub(super) fn map_decimal(
    args: &Args<'_>,
    f: impl Fn(i128, u8) -> Result<i128>,
) -> Result<ArrayRef> {
    let (_, scale) = digits_of(&args.data_type(0)?);
    let values = primitives::<Decimal128Type>(args.value(0)?)?;
    collect_decimal(args, |row| values.get(row).map(|value| f(value, scale)).transpose())
}

/// Builds a column of the decimal type the call returns from the unscaled values of `row`.
///
/// # Errors
///
/// `NUMERIC_VALUE_OUT_OF_RANGE` for a value of more digits than the type has.
pub(super) fn collect_decimal(
    args: &Args<'_>,
    row: impl Fn(usize) -> Result<Option<i128>>,
) -> Result<ArrayRef> {
    let data_type = args.return_field.data_type().clone();
    let (precision, _) = digits_of(&data_type);
    let bound = power_of_ten(u32::from(precision))?;
    let mut builder = Decimal128Builder::with_capacity(args.rows).with_data_type(data_type);
    for index in 0..args.rows {
        let value = row(index)?;
        if value.is_some_and(|value| value.unsigned_abs() >= bound.unsigned_abs()) {
            return Err(out_of_range("Decimal overflow"));
        }
        builder.append_option(value);
    }
    Ok(Arc::new(builder.finish()))
}
