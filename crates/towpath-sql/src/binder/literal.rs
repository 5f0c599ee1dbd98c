//! Literals: numbers, typed strings, intervals, and the moments of the query's start.

use chrono::{DateTime, NaiveDateTime, TimeZone, Timelike, Utc};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr as DfExpr;

use super::{Bound, Planner};
use crate::data_type::{DECIMAL_PRECISION_MAX, Type, precision_unit};
use crate::error::{ErrorKind, Result, SqlError};
use crate::operators::cast;

fn literal(value: ScalarValue, data_type: Type) -> Bound {
    Bound::new(DfExpr::Literal(value, None), data_type)
}

pub(super) fn null() -> Bound {
    literal(ScalarValue::Null, Type::Unknown)
}

/// `1` is an integer if it fits, else a bigint.
pub(super) fn integer(digits: &str, negative: bool, at: usize) -> Result<Bound> {
    let value: Option<i128> = digits.parse().ok();
    let value = value.map(|value| if negative { -value } else { value });
    let Some(value) = value.and_then(|value| i64::try_from(value).ok()) else {
        let message = format!("Invalid numeric literal: {digits}");
        return Err(SqlError::at(ErrorKind::InvalidArgument, at, message));
    };
    Ok(match i32::try_from(value) {
        Ok(value) => literal(ScalarValue::Int32(Some(value)), Type::Integer),
        Err(_) => literal(ScalarValue::Int64(Some(value)), Type::BigInt),
    })
}

/// `1.50` is `decimal(3, 2)`.
pub(super) fn decimal(text: &str, at: usize) -> Result<Bound> {
    let fault = || {
        let message = format!("Invalid numeric literal: {text}");
        SqlError::at(ErrorKind::InvalidArgument, at, message)
    };
    let negative = text.trim_start().starts_with('-');
    let unsigned = text.trim().trim_start_matches(['-', '+']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (whole.is_empty() && fraction.is_empty()) {
        return Err(fault());
    }
    let precision = u8::try_from(digits.len().max(1)).map_err(|_| fault())?;
    let scale = u8::try_from(fraction.len()).map_err(|_| fault())?;
    if precision > DECIMAL_PRECISION_MAX {
        return Err(fault());
    }
    let value: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| fault())? };
    let value = if negative { -value } else { value };
    let scalar = ScalarValue::Decimal128(Some(value), precision, scale.cast_signed());
    Ok(literal(scalar, Type::Decimal(precision, scale)))
}

pub(super) fn double(value: f64) -> Bound {
    literal(ScalarValue::Float64(Some(value)), Type::Double)
}

pub(super) fn boolean(value: bool) -> Bound {
    Bound::boolean(value)
}

pub(super) fn binary(bytes: &[u8]) -> Bound {
    literal(ScalarValue::Binary(Some(bytes.to_vec())), Type::Varbinary)
}

pub(super) fn interval(months: Option<i32>, milliseconds: i64) -> Bound {
    match months {
        Some(months) => {
            literal(ScalarValue::IntervalYearMonth(Some(months)), Type::IntervalYearToMonth)
        }
        None => {
            literal(ScalarValue::DurationMillisecond(Some(milliseconds)), Type::IntervalDayToSecond)
        }
    }
}

impl Planner<'_> {
    /// `TYPE 'text'`: a cast made while planning.
    pub(super) fn typed_literal(&self, target: &Type, text: &str, at: usize) -> Result<Bound> {
        let target = match target {
            Type::Decimal(..) => return decimal(text, at),
            Type::Timestamp(_) | Type::TimestampTz(_) | Type::Time(_) => {
                cast::literal_type(target, text)
            }
            Type::Char(_) => Type::Char(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)),
            other => other.clone(),
        };
        if let Type::TimestampTz(precision) = target
            && let Some(scalar) = cast::zoned_timestamp(text, precision)
        {
            return Ok(constant(scalar, target));
        }
        let source = ScalarValue::Utf8View(Some(text.to_owned()));
        let scalar = cast::cast_scalar(&source, &Type::VARCHAR, &target).map_err(|_| {
            let message = match &target {
                Type::IntervalYearToMonth | Type::IntervalDayToSecond => {
                    format!("'{text}' is not a valid INTERVAL literal")
                }
                other => format!("'{text}' is not a valid {} literal", literal_name(other)),
            };
            SqlError::at(ErrorKind::InvalidArgument, at, message)
        })?;
        Ok(constant(scalar, target))
    }

    /// The query's start as `current_timestamp`, `current_date` and their kin see it.
    pub(super) fn now_literal(&self, name: &str, precision: Option<u8>) -> Option<Bound> {
        let precision = precision.unwrap_or(3).min(9);
        let zoned = Type::TimestampTz(precision);
        let start = self.now.naive_utc();
        Some(match name {
            "current_timestamp" | "now" => {
                let value = timestamp(start, precision, Some("UTC"))?;
                constant(value, zoned)
            }
            "localtimestamp" => {
                constant(timestamp(start, precision, None)?, Type::Timestamp(precision))
            }
            "current_date" => {
                let days = start.date().signed_duration_since(DateTime::UNIX_EPOCH.date_naive());
                let days = i32::try_from(days.num_days()).ok()?;
                constant(ScalarValue::Date32(Some(days)), Type::Date)
            }
            "current_time" | "localtime" => {
                let time = start.time();
                let micros = i64::from(time.num_seconds_from_midnight()) * 1_000_000
                    + i64::from(time.nanosecond() / 1_000_000) * 1_000;
                constant(ScalarValue::Time64Microsecond(Some(micros)), Type::Time(3))
            }
            "current_timezone" => Bound { data_type: Type::VARCHAR, ..Bound::text("UTC") },
            _ => return None,
        })
    }
}

/// A constant of any type, with its extension name.
pub(super) fn constant(scalar: ScalarValue, data_type: Type) -> Bound {
    use datafusion::common::metadata::FieldMetadata;
    let field = data_type.to_field("").with_data_type(scalar.data_type());
    let metadata = FieldMetadata::from(&field);
    let metadata = (!metadata.is_empty()).then_some(metadata);
    Bound { expr: DfExpr::Literal(scalar, metadata), field: field.into(), data_type }
}

/// A moment as a timestamp constant, cut off below its precision.
fn timestamp(moment: NaiveDateTime, precision: u8, zone: Option<&str>) -> Option<ScalarValue> {
    use arrow::datatypes::TimeUnit;
    let moment = Utc.from_utc_datetime(&moment);
    let zone = zone.map(Into::into);
    let step = 10_i64.checked_pow(9 - u32::from(precision))?;
    Some(match precision_unit(precision) {
        TimeUnit::Second => ScalarValue::TimestampSecond(Some(moment.timestamp()), zone),
        TimeUnit::Millisecond => {
            let value = moment.timestamp_millis();
            let step = (step / 1_000_000).max(1);
            ScalarValue::TimestampMillisecond(Some(value - value.rem_euclid(step)), zone)
        }
        TimeUnit::Microsecond => {
            let value = moment.timestamp_micros();
            let step = (step / 1_000).max(1);
            ScalarValue::TimestampMicrosecond(Some(value - value.rem_euclid(step)), zone)
        }
        TimeUnit::Nanosecond => {
            let value = moment.timestamp_nanos_opt()?;
            ScalarValue::TimestampNanosecond(Some(value - value.rem_euclid(step)), zone)
        }
    })
}

fn literal_name(data_type: &Type) -> String {
    let name = data_type.to_string();
    let name = name.split('(').next().unwrap_or_default();
    let name = if matches!(data_type, Type::TimestampTz(_)) { "timestamp" } else { name };
    name.to_uppercase()
}
