//! `$cast(value, 'type', 'source type')` and `$try_cast`: Trino's casts.
//!
//! The target type is text, so that the function is one name however many types there are. A cast
//! whose Arrow form means the same never gets here: the binder emits Arrow's own.
//! <https://trino.io/docs/current/functions/conversion.html>

mod from_text;
mod moment;
mod nested;
mod number;
mod zone;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewBuilder, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

pub(crate) use moment::{literal_type, parse_moment, zoned_timestamp};

use super::try_call::is_caught;
use super::{Operator, constant_text, evaluated_text, over_arrays};
use crate::data_type::{Type, precision_unit, unit_precision};
use crate::functions::args::{Strings, invalid_cast};
use crate::functions::json_cast::{OnFailure, from_json, text_column, to_json};
use crate::parser::parse_type;

pub(super) fn operators() -> Vec<Operator> {
    vec![
        Operator::new("$cast", returns, |args| evaluate(args, false)),
        Operator::new("$try_cast", returns, |args| evaluate(args, true)),
        Operator::new("$moment", moment_field, evaluate_moment),
    ]
}

fn read_type(text: &str) -> Result<Type> {
    parse_type(text).map_err(|error| DataFusionError::Plan(error.to_string()))
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(Arc::new(read_type(&constant_text(args, 1)?)?.to_field("")))
}

fn evaluate(args: &ScalarFunctionArgs, safe: bool) -> Result<ColumnarValue> {
    let target = read_type(evaluated_text(args, 1)?)?;
    let source = read_type(evaluated_text(args, 2)?)?;
    over_arrays(args, |arrays| {
        let Some(value) = arrays.first() else { return exec_err!("a cast takes a value") };
        if safe {
            try_cast_array(value, &source, &target)
        } else {
            cast_array(value, &source, &target)
        }
    })
}

/// Casts a constant.
pub(crate) fn cast_scalar(value: &ScalarValue, from: &Type, to: &Type) -> Result<ScalarValue> {
    let array = cast_array(&value.to_array()?, from, to)?;
    ScalarValue::try_from_array(&array, 0)
}

/// Casts, with NULL for values that cannot be.
fn try_cast_array(value: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    match cast_array(value, from, to) {
        Ok(cast) => Ok(cast),
        Err(error) if !is_caught(&error) => Err(error),
        Err(_) if value.len() <= 1 => Ok(new_null_array(&to.to_arrow(), value.len())),
        Err(_) => {
            let half = value.len() / 2;
            let first = try_cast_array(&value.slice(0, half), from, to)?;
            let second = try_cast_array(&value.slice(half, value.len() - half), from, to)?;
            Ok(concat(&[first.as_ref(), second.as_ref()])?)
        }
    }
}

/// Casts an array whose values are `from`.
pub(crate) fn cast_array(value: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    let target = to.to_arrow();
    if from == to && *value.data_type() == target {
        return Ok(Arc::clone(value));
    }
    match (from, to) {
        (Type::Unknown, _) => Ok(new_null_array(&target, value.len())),
        (_, Type::Json) => to_json(value, &source_field(from, value)),
        (Type::Json, Type::Varchar(limit)) => {
            let text = from_json(value, &Type::VARCHAR.to_field(""), OnFailure::Error)?;
            fit_text(&text, *limit, true)
        }
        (Type::Json, _) => from_json(value, &to.to_field(""), OnFailure::Error),
        (_, Type::Varchar(limit)) => {
            let text = printed(value, from)?;
            fit_text(&text, *limit, from.is_text())
        }
        (_, Type::Char(length)) => pad_text(&printed(value, from)?, *length),
        (from, to) if from.is_text() => from_text::parse(value, to),
        (from, to) if from.is_nested() && to.is_nested() => nested::convert(value, from, to),
        (from, to) if is_numeric(from) && is_numeric(to) => number::convert(value, from, to),
        (from, to) if from.is_temporal() && to.is_temporal() => moment::convert(value, from, to),
        (Type::Varbinary, Type::Uuid | Type::IpAddress)
        | (Type::Uuid | Type::IpAddress, Type::Varbinary) => from_text::sixteen_bytes(value, to),
        _ => Ok(arrow::compute::cast(value, &target)?),
    }
}

fn is_numeric(data_type: &Type) -> bool {
    data_type.is_numeric() || *data_type == Type::Boolean
}

fn source_field(from: &Type, value: &ArrayRef) -> arrow::datatypes::Field {
    let field = from.to_field("");
    // The array may hold another Arrow form of the type; what is nested keeps its own fields.
    if from.is_nested() { field } else { field.with_data_type(value.data_type().clone()) }
}

/// The text of values, as Trino prints them.
fn printed(value: &ArrayRef, from: &Type) -> Result<ArrayRef> {
    match from {
        Type::Double | Type::Real => return number::scientific(value),
        _ => {}
    }
    let text = text_column(value, &source_field(from, value))?;
    let (digits, whole) = match from {
        Type::Timestamp(p) | Type::TimestampTz(p) => (*p, unit_precision(precision_unit(*p)) == *p),
        Type::Time(p) => (*p, matches!(*p, 6 | 9)),
        _ => return Ok(text),
    };
    if whole {
        return Ok(text);
    }
    let strings = Strings::of_array(text.as_ref())?;
    let mut cut = StringViewBuilder::new();
    for row in 0..text.len() {
        cut.append_option(strings.get(row).map(|text| shortened(text, digits)));
    }
    Ok(Arc::new(cut.finish()))
}

/// Leaves `digits` digits of the fraction of a second; a zone may follow them.
fn shortened(text: &str, digits: u8) -> String {
    let Some((before, after)) = text.split_once('.') else { return text.to_owned() };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let kept: String = after.chars().take(usize::from(digits).min(end)).collect();
    let rest = after.get(end..).unwrap_or_default();
    if kept.is_empty() { format!("{before}{rest}") } else { format!("{before}.{kept}{rest}") }
}

/// Texts are cut to the length of the type; the text of any other value must fit it.
fn fit_text(value: &ArrayRef, limit: Option<u32>, cuts: bool) -> Result<ArrayRef> {
    let Some(limit) = limit else {
        return Ok(arrow::compute::cast(value, &DataType::Utf8View)?);
    };
    let characters = usize::try_from(limit).unwrap_or(usize::MAX);
    let strings = Strings::of_array(value.as_ref())?;
    let mut fitted = StringViewBuilder::new();
    for row in 0..value.len() {
        let Some(text) = strings.get(row) else {
            fitted.append_null();
            continue;
        };
        match text.char_indices().nth(characters) {
            None => fitted.append_value(text),
            Some((end, _)) if cuts => fitted.append_value(text.get(..end).unwrap_or(text)),
            Some(_) => {
                let message = format!("Value {text} cannot be represented as varchar({limit})");
                return Err(invalid_cast(message));
            }
        }
    }
    Ok(Arc::new(fitted.finish()))
}

/// Texts of exactly `length` characters.
fn pad_text(value: &ArrayRef, length: u32) -> Result<ArrayRef> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let strings = Strings::of_array(value.as_ref())?;
    let mut padded = StringViewBuilder::new();
    for row in 0..value.len() {
        padded.append_option(strings.get(row).map(|text| {
            let cut: String = text.chars().take(length).collect();
            let missing = length - cut.chars().count();
            cut + &" ".repeat(missing)
        }));
    }
    Ok(Arc::new(padded.finish()))
}

/// Whether Trino has the cast. The Lake also prints arrays, maps and rows as text.
pub(crate) fn is_castable(from: &Type, to: &Type) -> bool {
    if from == to || *from == Type::Unknown {
        return true;
    }
    match (from, to) {
        (Type::HyperLogLog | Type::Other(_), _) | (_, Type::HyperLogLog | Type::Other(_)) => false,
        (Type::Json, to) => is_json_castable(to),
        (from, Type::Json) => is_json_castable(from),
        (Type::Varbinary, to) => matches!(to, Type::Uuid | Type::IpAddress | Type::Varchar(_)),
        (from, Type::Varbinary) => matches!(from, Type::Uuid | Type::IpAddress | Type::Varchar(_)),
        (_, Type::Varchar(_) | Type::Char(_)) => true,
        (from, to) if from.is_text() => {
            !to.is_nested() && !matches!(to, Type::IntervalDayToSecond | Type::IntervalYearToMonth)
        }
        (Type::Array(from), Type::Array(to)) => is_castable(from, to),
        (Type::Map(fk, fv), Type::Map(tk, tv)) => is_castable(fk, tk) && is_castable(fv, tv),
        (Type::Row(from), Type::Row(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(f, t)| is_castable(&f.data_type, &t.data_type))
        }
        (from, to) if is_numeric(from) && is_numeric(to) => true,
        (Type::Date, Type::Time(_)) | (Type::Time(_), Type::Date) => false,
        (from, to) => from.is_temporal() && to.is_temporal(),
    }
}

fn is_json_castable(data_type: &Type) -> bool {
    match data_type {
        Type::Array(item) => is_json_castable(item),
        Type::Map(key, value) => (key.is_text() || is_numeric(key)) && is_json_castable(value),
        Type::Row(fields) => fields.iter().all(|field| is_json_castable(&field.data_type)),
        other => !matches!(
            other,
            Type::Varbinary
                | Type::HyperLogLog
                | Type::IpAddress
                | Type::IntervalDayToSecond
                | Type::IntervalYearToMonth
        ),
    }
}

/// Whether a cast is an implicit conversion, which Arrow makes without loss.
pub(crate) fn is_lossless(from: &Type, to: &Type) -> bool {
    let widens = match (from, to) {
        (Type::Varchar(Some(from)), Type::Varchar(Some(to))) => from <= to,
        (Type::Varchar(None), Type::Varchar(Some(_))) => false,
        (Type::Char(_), _) | (_, Type::Char(_)) => false,
        (Type::Decimal(..), _) | (_, Type::Decimal(..)) => false,
        // A bigint may not fit a real or a double exactly, but Trino rounds as Arrow does.
        (from, Type::Real | Type::Double) => from.is_integer() || *from == Type::Real,
        // Timestamps of one Arrow unit differ in digits.
        (Type::Timestamp(from), Type::Timestamp(to) | Type::TimestampTz(to))
        | (Type::TimestampTz(from), Type::TimestampTz(to)) => {
            from <= to && matches!(*from, 0 | 3 | 6 | 9)
        }
        (Type::Time(from), Type::Time(to)) => from <= to,
        (Type::Row(_) | Type::Array(_) | Type::Map(..), _) => false,
        _ => true,
    };
    widens && crate::coercion::converts(from, to)
}

fn moment_field(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(Arc::new(read_type(&constant_text(args, 1)?)?.to_field("")))
}

/// `$moment(text, 'timestamp(9)')`: texts that are compared with dates and timestamps. What is no
/// date is NULL rather than an error, as the comparison then is.
fn evaluate_moment(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let target = read_type(evaluated_text(args, 1)?)?;
    over_arrays(args, |arrays| {
        let Some(value) = arrays.first() else { return exec_err!("a text is missing") };
        let strings = Strings::of_array(value.as_ref())?;
        let form = target.to_arrow();
        let moments = (0..value.len()).map(|row| match strings.get(row) {
            Some(text) => parse_moment(text, &target)
                .ok()
                .and_then(|scalar| scalar.cast_to(&form).ok())
                .map_or_else(|| ScalarValue::try_from(&form), Ok),
            None => ScalarValue::try_from(&form),
        });
        let moments = moments.collect::<Result<Vec<_>>>()?;
        if moments.is_empty() {
            return Ok(new_null_array(&form, 0));
        }
        ScalarValue::iter_to_array(moments)
    })
}
