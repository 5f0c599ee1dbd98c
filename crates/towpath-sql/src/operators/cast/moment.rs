//! Dates, times and timestamps: read from text, and cast to one another.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use datafusion::common::{Result, ScalarValue, exec_err};

use super::zone;
use crate::data_type::{TIME_PRECISION_MAX, Type, precision_unit};
use crate::functions::args::out_of_range;

pub(super) const DAY_NANOS: i128 = 86_400_000_000_000;
const SECOND_NANOS: i128 = 1_000_000_000;

/// A moment as written.
pub(super) struct Written {
    /// Nanoseconds since 1970 of the local time.
    pub(super) local: i128,
    /// Digits of the fraction of a second.
    pub(super) digits: u8,
    /// Whether a time of day was written.
    pub(super) has_time: bool,
    /// The zone, by Arrow's name.
    pub(super) zone: Option<String>,
}

impl Written {
    /// Nanoseconds since 1970 in UTC; without a zone the session's, which is UTC, is meant.
    pub(super) fn instant(&self) -> Option<i128> {
        let Some(zone) = &self.zone else { return Some(self.local) };
        let offset = zone::offset_of_local(zone, naive(self.local)?)?;
        Some(self.local - i128::from(offset) * SECOND_NANOS)
    }
}

/// Reads `2024-01-31`, `2024-1-31 1:02`, `2024-01-31T01:02:03.456789Z`, `… America/New_York`.
pub(super) fn read(text: &str) -> Option<Written> {
    let text = text.trim();
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let date_end = unsigned.find([' ', 'T', 't']).unwrap_or(unsigned.len());
    let date = read_date(unsigned.get(..date_end)?, sign)?;
    let days = i128::from(date.signed_duration_since(NaiveDate::default()).num_days());
    let rest = unsigned.get(date_end..)?;
    let rest = rest.strip_prefix([' ', 'T', 't']).unwrap_or(rest).trim_start();
    let starts_with_digit = rest.starts_with(|c: char| c.is_ascii_digit());
    let (time, digits, zone) = if starts_with_digit { read_time(rest)? } else { (0, 0, rest) };
    let zone = match zone.trim() {
        "" => None,
        zone => Some(zone::arrow_name(zone)?),
    };
    Some(Written { local: days * DAY_NANOS + time, digits, has_time: starts_with_digit, zone })
}

fn number(text: &str, longest: usize) -> Option<u32> {
    let plain =
        !text.is_empty() && text.len() <= longest && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

pub(super) fn read_date(text: &str, sign: i32) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() < 4 {
        return None;
    }
    let year = i32::try_from(number(year, 6)?).ok()? * sign;
    NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?)
}

/// Returns nanoseconds of the day, digits of the fraction, and the text after the time.
pub(super) fn read_time(text: &str) -> Option<(i128, u8, &str)> {
    let end =
        text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(text.len());
    let (clock, rest) = (text.get(..end)?, text.get(end..)?);
    let mut parts = clock.split(':');
    let hours = number(parts.next()?, 2)?;
    let minutes = number(parts.next()?, 2)?;
    let (seconds, fraction) = match parts.next() {
        None => ("0", None),
        Some(part) => match part.split_once('.') {
            Some((seconds, fraction)) => (seconds, Some(fraction)),
            None => (part, None),
        },
    };
    let seconds = number(seconds, 2)?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let (nanos, digits) = match fraction {
        None => (0, 0),
        Some(fraction) => (fraction_nanos(fraction)?, u8::try_from(fraction.len()).ok()?),
    };
    let whole = i128::from(hours) * 3_600 + i128::from(minutes) * 60 + i128::from(seconds);
    Some((whole * SECOND_NANOS + nanos, digits, rest))
}

/// Up to twelve digits, rounded to nanoseconds.
fn fraction_nanos(fraction: &str) -> Option<i128> {
    let plain = (1..=12).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return None;
    }
    let picos: i128 = format!("{fraction:0<12}").parse().ok()?;
    Some((picos + 500) / 1_000)
}

/// The type of `TIMESTAMP '…'` or `TIME '…'`: as precise as its text, zoned if the text is.
pub(crate) fn literal_type(target: &Type, text: &str) -> Type {
    if let Type::Time(_) = target {
        let digits = read_time(text.trim()).map_or(0, |(_, digits, _)| digits);
        return Type::Time(digits.min(TIME_PRECISION_MAX));
    }
    match read(text) {
        Some(written) => {
            let precision = written.digits.min(TIME_PRECISION_MAX);
            if written.zone.is_some() {
                Type::TimestampTz(precision)
            } else {
                Type::Timestamp(precision)
            }
        }
        None => target.clone(),
    }
}

/// A text that is compared with a timestamp or a date, as the Lake reads it: a date alone, a time
/// after a space or `T`, fractions, `Z` or another zone. The value is as fine as the text needs
/// and else of the precision of `target`.
pub(crate) fn parse_moment(text: &str, target: &Type) -> Result<ScalarValue, String> {
    let name = if *target == Type::Date { "date" } else { "timestamp" };
    let fault = || format!("Value cannot be cast to {name}: {text}");
    let written = read(text).ok_or_else(fault)?;
    let nanos = written.instant().ok_or_else(fault)?;
    let precision = match target {
        Type::Date if nanos.rem_euclid(DAY_NANOS) == 0 => {
            let days = i32::try_from(nanos.div_euclid(DAY_NANOS)).map_err(|_| fault())?;
            return Ok(ScalarValue::Date32(Some(days)));
        }
        Type::Date => 3,
        Type::Timestamp(p) | Type::TimestampTz(p) => *p,
        _ => 9,
    };
    let units = [
        precision_unit(precision),
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ];
    for unit in units {
        let step = unit_nanos(unit);
        if nanos.rem_euclid(step) == 0
            && let Ok(value) = i64::try_from(nanos.div_euclid(step))
        {
            return Ok(timestamp_scalar(value, unit, None));
        }
    }
    Err(fault())
}

/// `TIMESTAMP '… America/New_York'`: a constant keeps the zone it was written with.
pub(crate) fn zoned_timestamp(text: &str, precision: u8) -> Option<ScalarValue> {
    let written = read(text)?;
    let nanos = rounded(written.instant()?, precision);
    let unit = precision_unit(precision);
    let value = i64::try_from(nanos.div_euclid(unit_nanos(unit))).ok()?;
    Some(timestamp_scalar(value, unit, written.zone.as_deref()))
}

pub(super) fn timestamp_scalar(value: i64, unit: TimeUnit, zone: Option<&str>) -> ScalarValue {
    let zone = zone.map(Into::into);
    match unit {
        TimeUnit::Second => ScalarValue::TimestampSecond(Some(value), zone),
        TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(value), zone),
        TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(value), zone),
        TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(value), zone),
    }
}

pub(super) fn unit_nanos(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => SECOND_NANOS,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn naive(nanos: i128) -> Option<NaiveDateTime> {
    let seconds = i64::try_from(nanos.div_euclid(SECOND_NANOS)).ok()?;
    let rest = u32::try_from(nanos.rem_euclid(SECOND_NANOS)).ok()?;
    DateTime::from_timestamp(seconds, rest).map(|moment| moment.naive_utc())
}

/// Rounds to a precision, half up, as Trino does.
pub(super) fn rounded(nanos: i128, precision: u8) -> i128 {
    let step = 10_i128.pow(9 - u32::from(precision.min(9)));
    (nanos + step / 2).div_euclid(step) * step
}

/// Puts nanoseconds into the Arrow form of a type.
pub(super) fn column(values: &[Option<i128>], to: &Type) -> Result<ArrayRef> {
    let overflow = || out_of_range(format!("value is out of range of {to}"));
    let scaled = |step: i128| -> Result<ArrayRef> {
        let values = values.iter().map(|value| {
            let value = value.map(|value| i64::try_from(value.div_euclid(step)));
            value.transpose().map_err(|_| overflow())
        });
        Ok(Arc::new(values.collect::<Result<Int64Array>>()?))
    };
    match to {
        Type::Date => {
            let days = values.iter().map(|value| {
                let days = value.map(|value| i32::try_from(value.div_euclid(DAY_NANOS)));
                days.transpose().map_err(|_| overflow())
            });
            Ok(Arc::new(days.collect::<Result<Date32Array>>()?))
        }
        Type::Time(p) => {
            let step = if *p > 6 { 1 } else { 1_000 };
            Ok(cast(&scaled(step)?, &to.to_arrow())?)
        }
        Type::Timestamp(p) | Type::TimestampTz(p) => {
            Ok(cast(&scaled(unit_nanos(precision_unit(*p)))?, &to.to_arrow())?)
        }
        other => exec_err!("{other} is no date or time"),
    }
}

/// Casts between dates, times and timestamps.
pub(super) fn convert(value: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    let points = points(value)?;
    let zone = match value.data_type() {
        DataType::Timestamp(_, Some(zone)) if zone.as_ref() != "UTC" => Some(zone.parse::<Tz>()?),
        _ => None,
    };
    // A zoned moment becomes the local time of its zone, unless it stays zoned.
    let local = |nanos: i128| match (zone, to) {
        (Some(_), Type::TimestampTz(_)) | (None, _) => Some(nanos),
        (Some(zone), _) => {
            let offset = zone::offset_of_utc(zone, naive(nanos)?);
            Some(nanos + i128::from(offset) * SECOND_NANOS)
        }
    };
    let converted = points.into_iter().map(|point| {
        let nanos = local(point?)?;
        Some(match (from, to) {
            (Type::Time(_), Type::Time(p)) => rounded(nanos, *p).rem_euclid(DAY_NANOS),
            (_, Type::Time(p)) => rounded(nanos.rem_euclid(DAY_NANOS), *p).rem_euclid(DAY_NANOS),
            (_, Type::Timestamp(p) | Type::TimestampTz(p)) => rounded(nanos, *p),
            _ => nanos,
        })
    });
    column(&converted.collect::<Vec<_>>(), to)
}

/// Nanoseconds since 1970, or since midnight for times.
fn points(value: &ArrayRef) -> Result<Vec<Option<i128>>> {
    let (step, raw) = match value.data_type() {
        DataType::Date32 => (DAY_NANOS, cast(&cast(value, &DataType::Int32)?, &DataType::Int64)?),
        DataType::Date64 => (1_000_000, cast(value, &DataType::Int64)?),
        DataType::Time32(unit) => {
            (unit_nanos(*unit), cast(&cast(value, &DataType::Int32)?, &DataType::Int64)?)
        }
        DataType::Time64(unit) | DataType::Timestamp(unit, _) => {
            (unit_nanos(*unit), cast(value, &DataType::Int64)?)
        }
        other => return exec_err!("{other} is no date or time"),
    };
    let raw = raw.as_primitive::<Int64Type>();
    Ok(raw.iter().map(|value| value.map(|value| i128::from(value) * step)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form_the_lake_takes() {
        let millis = |text: &str| parse_moment(text, &Type::Timestamp(3)).unwrap();
        let expected = ScalarValue::TimestampMillisecond(Some(1_672_926_660_000), None);
        for text in [
            "2023-01-05 13:51:00",
            "2023-01-05T13:51:00Z",
            "2023-01-05 13:51",
            "2023-01-05T13:51:00.000Z",
            "2023-01-05 15:51:00 +02:00",
            "2023-01-05T13:51:00+00:00",
            "2023-01-05 13:51:00 UTC",
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
        assert_eq!(
            millis("2023-01-05"),
            ScalarValue::TimestampMillisecond(Some(1_672_876_800_000), None)
        );
        let fine = ScalarValue::TimestampMicrosecond(Some(1_672_876_800_000_001), None);
        assert_eq!(millis("2023-01-05 00:00:00.000001"), fine);
        for text in
            ["", "2023-13-01", "2023-01-05 25:00:00", "x", "2023-01-05 13:51:00 Nowhere/Land"]
        {
            assert!(parse_moment(text, &Type::Timestamp(3)).is_err(), "{text}");
        }
    }
}
