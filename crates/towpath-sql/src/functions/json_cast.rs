//! Casts to and from JSON, and values as text.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#cast-to-json>,
//! <https://trino.io/docs/current/functions/json.html#cast-from-json>.
//!
//! * [`to_json`]: a NULL stays NULL at the top and is `null` inside; a row becomes an object with
//!   its field names, a map an object with sorted keys; NaN and infinities become strings.
//! * [`from_json`]: JSON `null` becomes NULL; numbers, strings and booleans convert as their own
//!   casts do; arrays, objects by name or position, and maps follow the type asked for.
//! * [`text_column`]: what `CAST(x AS varchar)` prints.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float32Array, Float64Array,
    Int64Array, ListArray, NullArray, StringArray, StringViewArray, StringViewBuilder, StructArray,
    new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, concat};
use arrow::datatypes::{
    DataType, DurationMillisecondType, Field, FieldRef, Fields, Float32Type, Float64Type,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use chrono::{DateTime, Utc};
use datafusion::common::{Result, exec_err};

use crate::data_type::{
    EXTENSION_IPADDRESS, EXTENSION_JSON, EXTENSION_KEY, EXTENSION_UUID, unit_precision,
    unnamed_field,
};
use crate::functions::args::{check_bytes, invalid_cast, out_of_range};
use crate::functions::json::json_text::{Json, is_integer, java_double, java_float, write_string};
use crate::functions::nested::common_type::is_string;
use crate::functions::nested::maps::{build_maps, entry_fields, expect_entry_fields};
use crate::functions::type_name::type_name;

/// What a cast does with a value that it cannot convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// `CAST`: the statement fails.
    Error,
    /// `TRY_CAST`: the value becomes NULL.
    #[cfg_attr(not(test), expect(dead_code, reason = "`$try_cast` retries row by row itself"))]
    Null,
}

/// Characters of a JSON value that an error repeats.
const EXCERPT_CHARACTERS_MAX: usize = 200;

fn extension(field: &Field) -> Option<&str> {
    field.metadata().get(EXTENSION_KEY).map(String::as_str)
}

/// `CAST(array AS JSON)`: `Utf8View` JSON text. `field` says what `array` is.
///
/// # Errors
///
/// If a type has no JSON form, or a result is too large.
pub(crate) fn to_json(array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    let writer = Writer::new(array, field)?;
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut out = String::new();
    for row in 0..array.len() {
        if writer.is_null(row) {
            builder.append_null();
            continue;
        }
        out.clear();
        writer.write(row, &mut out)?;
        check_bytes(out.len())?;
        builder.append_value(&out);
    }
    Ok(Arc::new(builder.finish()))
}

/// A column, ready for writing by row.
#[derive(Debug)]
struct Writer {
    nulls: Option<NullBuffer>,
    kind: WriterKind,
}

#[derive(Debug)]
enum WriterKind {
    Null,
    /// Text that is JSON as it is: JSON itself, numbers, booleans.
    Raw(StringViewArray),
    /// Text to be quoted.
    Text(StringViewArray),
    List(OffsetBuffer<i32>, Box<Writer>),
    Map(OffsetBuffer<i32>, StringViewArray, Box<Writer>),
    Row(Vec<(String, Writer)>),
}

impl Writer {
    fn new(array: &ArrayRef, field: &Field) -> Result<Writer> {
        let kind = match array.data_type() {
            DataType::Null => WriterKind::Null,
            DataType::List(item) => {
                let list = array.as_list::<i32>();
                let inner = Writer::new(list.values(), item)?;
                WriterKind::List(list.offsets().clone(), Box::new(inner))
            }
            DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => {
                let list = DataType::List(Arc::clone(item));
                return Writer::new(&cast(array, &list)?, &field.clone().with_data_type(list));
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (key, value) = expect_entry_fields(array.data_type())?;
                let keys = text_column(map.keys(), key)?.as_string_view().clone();
                let values = Writer::new(map.values(), value)?;
                WriterKind::Map(map.offsets().clone(), keys, Box::new(values))
            }
            DataType::Struct(fields) => {
                let row = array.as_struct();
                let mut members = Vec::with_capacity(fields.len());
                for (index, (field, column)) in fields.iter().zip(row.columns()).enumerate() {
                    let unnamed = *field.name() == unnamed_field(index);
                    let name = if unnamed { String::new() } else { field.name().clone() };
                    members.push((name, Writer::new(column, field)?));
                }
                WriterKind::Row(members)
            }
            other => {
                let text = text_column(array, field)?.as_string_view().clone();
                let raw = extension(field) == Some(EXTENSION_JSON)
                    || other == &DataType::Boolean
                    || other.is_integer()
                    || other.is_decimal();
                if other.is_floating() {
                    WriterKind::Raw(quoted_specials(&text))
                } else if raw {
                    WriterKind::Raw(text)
                } else {
                    WriterKind::Text(text)
                }
            }
        };
        Ok(Writer { nulls: array.logical_nulls(), kind })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    fn write(&self, row: usize, out: &mut String) -> Result<()> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match &self.kind {
            WriterKind::Null => out.push_str("null"),
            WriterKind::Raw(texts) => out.push_str(texts.value(row)),
            WriterKind::Text(texts) => write_string(texts.value(row), out),
            WriterKind::List(offsets, inner) => {
                out.push('[');
                let range = row_range(offsets, row);
                for at in range.clone() {
                    if at > range.start {
                        out.push(',');
                    }
                    inner.write(at, out)?;
                }
                out.push(']');
            }
            WriterKind::Map(offsets, keys, inner) => {
                let mut entries: Vec<usize> = row_range(offsets, row).collect();
                entries.sort_by_key(|at| keys.value(*at));
                write_members(out, entries.into_iter(), |at, out| {
                    write_string(keys.value(at), out);
                    out.push(':');
                    inner.write(at, out)
                })?;
            }
            WriterKind::Row(members) => {
                write_members(out, members.iter(), |(name, inner), out| {
                    write_string(name, out);
                    out.push(':');
                    inner.write(row, out)
                })?;
            }
        }
        check_bytes(out.len())
    }
}

fn write_members<T>(
    out: &mut String,
    members: impl Iterator<Item = T>,
    write: impl Fn(T, &mut String) -> Result<()>,
) -> Result<()> {
    out.push('{');
    for (index, member) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(member, out)?;
    }
    out.push('}');
    Ok(())
}

fn row_range(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    let bound = |at: usize| {
        offsets.get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default()
    };
    bound(row)..bound(row + 1)
}

/// NaN and infinities are no JSON numbers; they become strings.
fn quoted_specials(texts: &StringViewArray) -> StringViewArray {
    texts
        .iter()
        .map(|text| {
            text.map(|text| match text {
                "NaN" | "Infinity" | "-Infinity" => Cow::Owned(format!("\"{text}\"")),
                finite => Cow::Borrowed(finite),
            })
        })
        .collect()
}

/// What `CAST(x AS varchar)` prints, as `Utf8View`. Arrays, maps and rows, which Trino does not
/// cast, print as JSON. `field` says what `array` is.
///
/// # Errors
///
/// If a value is out of the calendar's range, or a type has no text form.
pub(crate) fn text_column(array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    let texts: StringViewArray = match array.data_type() {
        DataType::Utf8View => return Ok(Arc::clone(array)),
        DataType::Boolean => {
            let word = |value| if value { "true" } else { "false" };
            array.as_boolean().iter().map(|value| value.map(word)).collect()
        }
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().map(|value| value.map(java_double)).collect()
        }
        DataType::Float32 => {
            array.as_primitive::<Float32Type>().iter().map(|value| value.map(java_float)).collect()
        }
        DataType::Timestamp(unit, zone) => timestamp_texts(array, *unit, zone.as_deref())?,
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let ticks = cast(array, &DataType::Time64(TimeUnit::Nanosecond))?;
            let ticks = cast(&ticks, &DataType::Int64)?;
            let digits = usize::from(unit_precision(*unit));
            mapped(&ticks, |nanos| clock(nanos, digits))
        }
        DataType::Duration(_) => {
            let millis = cast(array, &DataType::Duration(TimeUnit::Millisecond))?;
            let millis = millis.as_primitive::<DurationMillisecondType>();
            millis.iter().map(|value| value.map(day_interval)).collect()
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let text = |value: arrow::datatypes::IntervalMonthDayNano| {
                day_interval(i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000)
            };
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            intervals.iter().map(|value| value.map(text)).collect()
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let text = |months: i32| {
                let sign = if months < 0 { "-" } else { "" };
                let months = months.unsigned_abs();
                format!("{sign}{}-{}", months / 12, months % 12)
            };
            let months = array.as_primitive::<IntervalYearMonthType>();
            months.iter().map(|value| value.map(text)).collect()
        }
        DataType::FixedSizeBinary(16) => {
            let bytes = array.as_fixed_size_binary();
            let text = match extension(field) {
                Some(EXTENSION_UUID) => uuid_text,
                Some(EXTENSION_IPADDRESS) => ip_text,
                _ => return exec_err!("cannot cast varbinary to varchar"),
            };
            bytes.iter().map(|value| value.map(text)).collect()
        }
        nested if nested.is_nested() => return to_json(array, field),
        // Integers, decimals, dates and strings print in Arrow as in Trino.
        _ => return Ok(cast(array, &DataType::Utf8View)?),
    };
    Ok(Arc::new(texts))
}

fn mapped(integers: &ArrayRef, text: impl Fn(i64) -> String) -> StringViewArray {
    let integers = integers.as_primitive::<arrow::datatypes::Int64Type>();
    integers.iter().map(|value| value.map(&text)).collect()
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        // Writing to a String cannot fail.
        let _infallible = write!(out, "{byte:02x}");
    }
    out
}

fn ip_text(bytes: &[u8]) -> String {
    match <[u8; 16]>::try_from(bytes) {
        Ok(octets) => match Ipv6Addr::from(octets).to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => address.to_string(),
        },
        Err(_) => String::new(),
    }
}

/// `2 03:04:05.678`
fn day_interval(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let clock = clock(i64::try_from(rest).unwrap_or(0) * 1_000_000, 3);
    format!("{sign}{days} {clock}")
}

/// `03:04:05.678`, with `digits` after the point.
fn clock(nanos: i64, digits: usize) -> String {
    let (seconds, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let mut out = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    push_fraction(fraction, digits, &mut out);
    out
}

fn push_fraction(nanos: i64, digits: usize, out: &mut String) {
    if digits > 0 {
        let text = format!("{nanos:09}");
        out.push('.');
        out.push_str(text.get(..digits).unwrap_or(&text));
    }
}

/// `2024-01-02 03:04:05.678`, in its zone and with the zone's name if it has one.
fn timestamp_texts(
    array: &ArrayRef,
    unit: TimeUnit,
    zone: Option<&str>,
) -> Result<StringViewArray> {
    let digits = usize::from(unit_precision(unit));
    let per_second = 10_i64.pow(u32::from(unit_precision(unit)));
    let ticks = cast(array, &DataType::Int64)?;
    let ticks = ticks.as_primitive::<arrow::datatypes::Int64Type>();
    let parsed = zone.map(str::parse::<Tz>).transpose()?;
    let mut builder = StringViewBuilder::with_capacity(array.len());
    for value in ticks {
        let Some(value) = value else {
            builder.append_null();
            continue;
        };
        let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
        let seconds = value.div_euclid(per_second);
        let Some(instant) = DateTime::<Utc>::from_timestamp(seconds, 0) else {
            return Err(out_of_range(format!("Timestamp out of range: {value}")));
        };
        let local = match parsed {
            Some(zone) => instant.with_timezone(&zone).naive_local(),
            None => instant.naive_utc(),
        };
        let mut text = local.format("%Y-%m-%d %H:%M:%S").to_string();
        push_fraction(nanos, digits, &mut text);
        if let Some(zone) = zone {
            text.push(' ');
            text.push_str(if zone == "+00:00" { "UTC" } else { zone });
        }
        builder.append_value(text);
    }
    Ok(builder.finish())
}

/// `CAST(json AS type)` for a column of JSON text; `to` says the type.
///
/// # Errors
///
/// `INVALID_CAST_ARGUMENT` for a value that does not convert, unless `on_failure` makes it NULL.
pub(crate) fn from_json(array: &ArrayRef, to: &Field, on_failure: OnFailure) -> Result<ArrayRef> {
    let texts = cast(array, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    match (from_texts(texts, to), on_failure) {
        (Ok(column), _) => Ok(column),
        (Err(error), OnFailure::Error) => Err(error),
        // Some value does not convert: one by one shows which.
        (Err(_), OnFailure::Null) => {
            let columns: Vec<ArrayRef> = (0..texts.len())
                .map(|row| {
                    from_texts(&texts.slice(row, 1), to)
                        .unwrap_or_else(|_| new_null_array(to.data_type(), 1))
                })
                .collect();
            let borrowed: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
            if borrowed.is_empty() {
                return Ok(new_null_array(to.data_type(), 0));
            }
            Ok(concat(&borrowed)?)
        }
    }
}

fn from_texts(texts: &StringViewArray, to: &Field) -> Result<ArrayRef> {
    let mut values = Vec::with_capacity(texts.len());
    for text in texts {
        values.push(match text {
            Some(text) => Some(Json::parse(text).map_err(|_| failure_of_text(text, to))?),
            None => None,
        });
    }
    let borrowed: Vec<Option<&Json<'_>>> = values.iter().map(Option::as_ref).collect();
    column_of(&borrowed, to)
}

/// One JSON value as a column of one row of `to`'s type.
///
/// # Errors
///
/// As [`from_json`] with [`OnFailure::Error`].
pub(crate) fn scalar_from_json(value: &Json<'_>, to: &Field) -> Result<ArrayRef> {
    column_of(&[Some(value)], to)
}

type Values<'a> = [Option<&'a Json<'a>>];

fn failure_of_text(text: &str, to: &Field) -> datafusion::common::DataFusionError {
    let excerpt: String = text.chars().take(EXCERPT_CHARACTERS_MAX).collect();
    invalid_cast(format!("Cannot cast '{excerpt}' to {}", type_name(to)))
}

fn failure(value: &Json<'_>, to: &Field) -> datafusion::common::DataFusionError {
    failure_of_text(&value.to_text(), to)
}

fn column_of(values: &Values<'_>, to: &Field) -> Result<ArrayRef> {
    match to.data_type() {
        DataType::Null => Ok(Arc::new(NullArray::new(values.len()))),
        DataType::Boolean => {
            let column: BooleanArray = collected(values, to, boolean_of)?;
            Ok(Arc::new(column))
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            integer_column(values, to)
        }
        DataType::Float64 => {
            let column: Float64Array = collected(values, to, double_of)?;
            Ok(Arc::new(column))
        }
        DataType::Float32 => {
            #[expect(clippy::cast_possible_truncation, reason = "a real is asked for")]
            let column: Float32Array =
                collected(values, to, |value| double_of(value).map(|double| double as f32))?;
            Ok(Arc::new(column))
        }
        DataType::Decimal128(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let column: Decimal128Array =
                collected(values, to, |value| decimal_of(value, precision, scale))?;
            Ok(Arc::new(column.with_precision_and_scale(precision, scale)?))
        }
        text if is_string(text) => text_or_json(values, to),
        DataType::List(item) => list_column(values, to, item),
        DataType::Map(..) => map_column(values, to),
        DataType::Struct(fields) => row_column(values, to, fields),
        other => {
            // Dates and times: Trino has no such cast; a string is converted as its own cast does.
            let strings: StringArray = collected(values, to, |value| match value {
                Json::String(text) => Some(text.to_string()),
                _ => None,
            })?;
            cast(&strings, other)
                .map_err(|_| invalid_cast(format!("Cannot cast JSON to {}", type_name(to))))
        }
    }
}

/// Converts each value that is not `null`; `None` from `convert` is an error.
fn collected<T, C: FromIterator<Option<T>>>(
    values: &Values<'_>,
    to: &Field,
    convert: impl Fn(&Json<'_>) -> Option<T>,
) -> Result<C> {
    values
        .iter()
        .map(|value| match value {
            None | Some(Json::Null) => Ok(None),
            Some(value) => match convert(value) {
                Some(converted) => Ok(Some(converted)),
                None => Err(failure(value, to)),
            },
        })
        .collect()
}

fn boolean_of(value: &Json<'_>) -> Option<bool> {
    match value {
        Json::Bool(value) => Some(*value),
        Json::Number(text) => text.parse::<f64>().ok().map(|number| number != 0.0),
        Json::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Some(true),
            "false" | "f" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn double_of(value: &Json<'_>) -> Option<f64> {
    match value {
        Json::Bool(value) => Some(f64::from(u8::from(*value))),
        Json::Number(text) => text.parse().ok(),
        Json::String(text) => match text.trim() {
            "NaN" => Some(f64::NAN),
            "Infinity" | "+Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            number if number.ends_with(|c: char| c.is_ascii_digit() || c == '.') => {
                number.parse().ok()
            }
            _ => None,
        },
        _ => None,
    }
}

fn integer_column(values: &Values<'_>, to: &Field) -> Result<ArrayRef> {
    let wide: Int64Array = collected(values, to, integer_of)?;
    let narrow = cast(&wide, to.data_type())?;
    if let Some(row) = (0..wide.len()).find(|row| wide.is_valid(*row) && narrow.is_null(*row)) {
        let name = type_name(to);
        return Err(out_of_range(format!("Out of range for {name}: {}", wide.value(row))));
    }
    Ok(narrow)
}

fn integer_of(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::Bool(value) => Some(i64::from(*value)),
        Json::Number(text) if is_integer(text) => text.parse().ok(),
        Json::Number(text) => {
            let rounded = round_half_up(text.parse().ok()?);
            // The bounds are exact powers of two, so the comparison is exact.
            #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
            (-(2_f64.powi(63))..2_f64.powi(63)).contains(&rounded).then_some(rounded as i64)
        }
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn round_half_up(value: f64) -> f64 {
    value.signum() * (value.abs() + 0.5).floor()
}

fn decimal_of(value: &Json<'_>, precision: u8, scale: i8) -> Option<i128> {
    let text = match value {
        Json::Number(text) | Json::String(text) => text.as_ref(),
        Json::Bool(true) => "1",
        Json::Bool(false) => "0",
        _ => return None,
    };
    decimal_from_text(text, precision, scale)
}

/// Exponents past this make any decimal zero or too large, whatever the digits.
const DECIMAL_EXPONENT_MAX: i64 = 1_000;

/// Reads `text` as a decimal of `precision` and `scale`, rounding half away from zero.
///
/// Digits are taken one by one, so no double comes in between. `None` if it is no number or does
/// not fit.
pub(crate) fn decimal_from_text(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i64>().ok()?),
        None => (text, 0),
    };
    if exponent.abs() > DECIMAL_EXPONENT_MAX {
        return None;
    }
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // How many digits, of whole and fraction together, stand before the decimal's last digit.
    let kept = i64::try_from(whole.len()).ok()? + exponent + i64::from(scale);
    let mut unscaled: i128 = 0;
    let mut round_up = false;
    let mut position: i64 = 0;
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = i128::from(digit.to_digit(10)?);
        if position < kept {
            unscaled = unscaled.checked_mul(10)?.checked_add(digit)?;
        } else if position == kept {
            round_up = digit >= 5;
        }
        position += 1;
    }
    while position < kept {
        if unscaled == 0 {
            break;
        }
        unscaled = unscaled.checked_mul(10)?;
        position += 1;
    }
    let unscaled = unscaled.checked_add(i128::from(round_up))?;
    let fits = unscaled < 10_i128.checked_pow(u32::from(precision))?;
    fits.then_some(if negative { -unscaled } else { unscaled })
}

/// JSON values as they are, or scalars as varchar.
fn text_or_json(values: &Values<'_>, to: &Field) -> Result<ArrayRef> {
    if extension(to) == Some(EXTENSION_JSON) {
        let texts: StringViewArray = values.iter().map(|value| value.map(Json::to_text)).collect();
        return Ok(Arc::new(texts));
    }
    let texts: StringViewArray = collected(values, to, |value| match value {
        Json::String(text) => Some(text.clone().into_owned()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_text()),
        _ => None,
    })?;
    let texts: ArrayRef = Arc::new(texts);
    if to.data_type() == &DataType::Utf8View {
        Ok(texts)
    } else {
        Ok(cast(&texts, to.data_type())?)
    }
}

fn list_column(values: &Values<'_>, to: &Field, item: &FieldRef) -> Result<ArrayRef> {
    let mut children = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    let mut nulls = NullBufferBuilder::new(values.len());
    for value in values {
        let before = children.len();
        match value {
            None | Some(Json::Null) => nulls.append_null(),
            Some(Json::Array(items)) => {
                children.extend(items.iter().map(Some));
                nulls.append_non_null();
            }
            Some(other) => return Err(failure(other, to)),
        }
        lengths.push(children.len() - before);
    }
    let column = column_of(&children, item)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, column, nulls.finish())?))
}

fn map_column(values: &Values<'_>, to: &Field) -> Result<ArrayRef> {
    let Some((key, value_field)) = entry_fields(to.data_type()) else {
        return exec_err!("expected map, got {}", to.data_type());
    };
    let (mut keys, mut children) = (Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(values.len());
    let mut nulls = NullBufferBuilder::new(values.len());
    for value in values {
        let before = keys.len();
        match value {
            None | Some(Json::Null) => nulls.append_null(),
            Some(Json::Object(members)) => {
                for (name, member) in members {
                    keys.push(Json::String(Cow::Borrowed(name.as_ref())));
                    children.push(Some(member));
                }
                nulls.append_non_null();
            }
            Some(other) => return Err(failure(other, to)),
        }
        lengths.push(keys.len() - before);
    }
    let borrowed: Vec<Option<&Json<'_>>> = keys.iter().map(Some).collect();
    let key_column = column_of(&borrowed, key)?;
    let column = column_of(&children, value_field)?;
    build_maps(to.data_type(), &lengths, key_column, column, nulls)
}

fn row_column(values: &Values<'_>, to: &Field, fields: &Fields) -> Result<ArrayRef> {
    let mut columns: Vec<Vec<Option<&Json<'_>>>> =
        fields.iter().map(|_| Vec::with_capacity(values.len())).collect();
    let mut nulls = NullBufferBuilder::new(values.len());
    for value in values {
        match value {
            None | Some(Json::Null) => {
                columns.iter_mut().for_each(|column| column.push(None));
                nulls.append_null();
            }
            Some(Json::Array(items)) if items.len() == fields.len() => {
                for (column, item) in columns.iter_mut().zip(items) {
                    column.push(Some(item));
                }
                nulls.append_non_null();
            }
            Some(Json::Object(members)) => {
                for (column, field) in columns.iter_mut().zip(fields) {
                    let found =
                        members.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.name()));
                    column.push(found.map(|(_, member)| member));
                }
                nulls.append_non_null();
            }
            Some(other) => return Err(failure(other, to)),
        }
    }
    let columns: Result<Vec<ArrayRef>> =
        columns.iter().zip(fields).map(|(column, field)| column_of(column, field)).collect();
    let (columns, length) = (columns?, values.len());
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls.finish(), length)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
    use arrow::datatypes::Int64Type;

    use super::{OnFailure, decimal_from_text, from_json, text_column, to_json};
    use crate::data_type::Type;

    #[test]
    fn decimals_round_half_away_from_zero_and_refuse_what_does_not_fit() {
        let cases = [
            ("12345.87654", Some(1_234_588)),
            ("-0.005", Some(-1)),
            ("1e2", Some(10_000)),
            ("1.5e-1", Some(15)),
            ("0.004", Some(0)),
            ("0e999", Some(0)),
            ("99999.995", None),
            ("1e400000", None),
            ("abc", None),
            ("", None),
            (".", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal_from_text(text, 7, 2), expected, "{text}");
        }
    }

    #[test]
    fn a_value_that_does_not_convert_is_null_only_if_asked_for() {
        let json: ArrayRef = Arc::new(StringViewArray::from(vec!["1", "[]", "null", "2.5"]));
        let to = Type::BigInt.to_field("");
        let error = from_json(&json, &to, OnFailure::Error).unwrap_err().to_string();
        assert!(error.contains("Cannot cast '[]' to bigint"), "{error}");
        let column = from_json(&json, &to, OnFailure::Null).unwrap();
        let values: Vec<Option<i64>> = column.as_primitive::<Int64Type>().iter().collect();
        assert_eq!(values, [Some(1), None, None, Some(3)]);
    }

    #[test]
    fn nested_values_come_back_from_json() {
        let field = Type::Map(
            Box::new(Type::VARCHAR),
            Box::new(Type::Array(Box::new(Type::Decimal(5, 2)))),
        )
        .to_field("");
        let json: ArrayRef =
            Arc::new(StringViewArray::from(vec![Some(r#"{"a":[1.005,null],"b":null}"#), None]));
        let column = from_json(&json, &field, OnFailure::Error).unwrap();
        assert_eq!(column.data_type(), field.data_type());
        let back = to_json(&column, &field).unwrap();
        assert_eq!(back.as_string_view().value(0), r#"{"a":[1.01,null],"b":null}"#);
        assert!(back.is_null(1));
        assert_eq!(text_column(&column, &field).unwrap().as_string_view(), back.as_string_view());
    }
}
