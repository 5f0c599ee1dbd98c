//! Values of a result as Trino's text.
//!
//! The text is the one that Trino's own client prints, so that what people compare with earlier
//! answers stays equal: `2023-07-10 12:00:00.000`, `2023-07-10 12:00:00.000 UTC`, `1.0E10`,
//! `{key=value}`, `[a, b]`. `NULL` inside an array, a map or a row is `null`.

use std::fmt::{Debug, Display, LowerExp, Write};
use std::net::Ipv6Addr;

use arrow::array::cast::AsArray;
use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, DecimalType, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Field, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalUnit, IntervalYearMonthType, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};

/// Key of a field's metadata that holds the name of its Arrow extension type.
const EXTENSION_NAME: &str = "ARROW:extension:name";

/// Extension type of `UUID`, which is stored as 16 bytes.
const UUID: &str = "arrow.uuid";

/// Extension type of `IPADDRESS`, which is stored as the 16 bytes of an IPv6 address.
const IPADDRESS: &str = "trino.ipaddress";

/// Whether the value in `row` is `NULL`, for every kind of array.
pub fn is_null(array: &dyn Array, row: usize) -> bool {
    matches!(array.data_type(), DataType::Null) || array.is_null(row)
}

/// Appends the text of the value in `row`; `null` for `NULL`.
pub fn push_text(out: &mut String, array: &dyn Array, field: &Field, row: usize) {
    if is_null(array, row) {
        out.push_str("null");
        return;
    }
    match array.data_type() {
        DataType::Boolean => push(out, array.as_boolean().value(row)),
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Binary => push_bytes(out, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => push_bytes(out, array.as_binary::<i64>().value(row)),
        DataType::BinaryView => push_bytes(out, array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => {
            push_fixed_size(out, array.as_fixed_size_binary().value(row), field);
        }
        DataType::Float16 => {
            push_real(out, f32::from(array.as_primitive::<Float16Type>().value(row)));
        }
        DataType::Float32 => push_real(out, array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => push_double(out, array.as_primitive::<Float64Type>().value(row)),
        kind if kind.is_integer() => push_integer(out, array, row),
        kind if kind.is_decimal() => push_decimal(out, array, row),
        kind if kind.is_temporal() => push_temporal(out, array, row),
        DataType::Struct(_) => push_row(out, array.as_struct(), row),
        DataType::Map(_, _) => push_map(out, &array.as_map().value(row)),
        _ => push_other(out, array, field, row),
    }
}

/// Appends a value that is not `NULL` to a line of CSV, quoted as RFC 4180 says where it must be.
///
/// An empty string is quoted: nothing at all is `NULL`.
pub fn push_csv_field(line: &mut String, value: &str) {
    if value.is_empty() || value.contains([',', '"', '\n', '\r']) {
        line.push('"');
        line.push_str(&value.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(value);
    }
}

/// Appends what one value of an array, a dictionary or any other encoding holds.
fn push_other(out: &mut String, array: &dyn Array, field: &Field, row: usize) {
    if let Some(values) = list_values(array, row) {
        push_array(out, &values, element_field(field));
    } else if let Some(plain) = decoded(array, row) {
        push_text(out, &plain, field, 0);
    } else {
        push_as_arrow_does(out, array, row);
    }
}

/// The values of the list in `row`, or `None` if `array` holds no lists.
pub fn list_values(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::List(_) => Some(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(_, _) => Some(array.as_fixed_size_list().value(row)),
        DataType::ListView(_) => Some(array.as_list_view::<i32>().value(row)),
        DataType::LargeListView(_) => Some(array.as_list_view::<i64>().value(row)),
        _ => None,
    }
}

/// The field of a list's elements; the list's own field if it is none.
pub fn element_field(field: &Field) -> &Field {
    match field.data_type() {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => element,
        _ => field,
    }
}

/// The value in `row` without its dictionary or run-length encoding, as an array of one value.
pub fn decoded(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    let plain = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        DataType::RunEndEncoded(_, values) => values.data_type(),
        _ => return None,
    };
    cast(&array.slice(row, 1), plain).ok()
}

/// Unions and whatever Arrow may add: no Trino type maps to them, so Arrow's text has to do.
fn push_as_arrow_does(out: &mut String, array: &dyn Array, row: usize) {
    let options = FormatOptions::default();
    if let Ok(formatter) = ArrayFormatter::try_new(array, &options) {
        push(out, formatter.value(row));
    }
}

fn push_array(out: &mut String, values: &dyn Array, element: &Field) {
    out.push('[');
    for row in 0..values.len() {
        if row > 0 {
            out.push_str(", ");
        }
        push_text(out, values, element, row);
    }
    out.push(']');
}

fn push_map(out: &mut String, entries: &StructArray) {
    out.push('{');
    if let ([keys, values], [key, value]) = (entries.columns(), entries.fields().as_ref()) {
        for row in 0..entries.len() {
            if row > 0 {
                out.push_str(", ");
            }
            push_text(out, keys, key, row);
            out.push('=');
            push_text(out, values, value, row);
        }
    }
    out.push('}');
}

fn push_row(out: &mut String, array: &StructArray, row: usize) {
    out.push('{');
    for (index, (column, field)) in array.columns().iter().zip(array.fields()).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if !field.name().is_empty() {
            out.push_str(field.name());
            out.push('=');
        }
        push_text(out, column, field, row);
    }
    out.push('}');
}

/// Appends what `Display` gives; writing to a `String` cannot fail.
fn push(out: &mut String, value: impl Display) {
    let written = write!(out, "{value}");
    debug_assert!(written.is_ok(), "a String takes every text");
}

/// Bytes as Trino's client prints them: pairs of hexadecimal digits with a space between.
fn push_bytes(out: &mut String, bytes: &[u8]) {
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        push(out, format_args!("{byte:02x}"));
    }
}

fn push_fixed_size(out: &mut String, bytes: &[u8], field: &Field) {
    let extension = field.metadata().get(EXTENSION_NAME).map(String::as_str);
    match (extension, <[u8; 16]>::try_from(bytes)) {
        (Some(UUID), Ok(bytes)) => push_uuid(out, &bytes),
        (Some(IPADDRESS), Ok(bytes)) => {
            let address = Ipv6Addr::from(bytes);
            match address.to_ipv4_mapped() {
                Some(address) => push(out, address),
                None => push(out, address),
            }
        }
        _ => push_bytes(out, bytes),
    }
}

fn push_uuid(out: &mut String, bytes: &[u8; 16]) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        push(out, format_args!("{byte:02x}"));
    }
}

fn push_integer(out: &mut String, array: &dyn Array, row: usize) {
    match array.data_type() {
        DataType::Int8 => push(out, array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => push(out, array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => push(out, array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => push(out, array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => push(out, array.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => push(out, array.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => push(out, array.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => push(out, array.as_primitive::<UInt64Type>().value(row)),
        _ => push_as_arrow_does(out, array, row),
    }
}

fn push_decimal(out: &mut String, array: &dyn Array, row: usize) {
    fn text<T: DecimalType>(array: &dyn Array, row: usize) -> String {
        array.as_primitive::<T>().value_as_string(row)
    }
    match array.data_type() {
        DataType::Decimal32(_, _) => out.push_str(&text::<Decimal32Type>(array, row)),
        DataType::Decimal64(_, _) => out.push_str(&text::<Decimal64Type>(array, row)),
        DataType::Decimal128(_, _) => out.push_str(&text::<Decimal128Type>(array, row)),
        DataType::Decimal256(_, _) => out.push_str(&text::<Decimal256Type>(array, row)),
        _ => push_as_arrow_does(out, array, row),
    }
}

/// A double as Java prints it, which is how Trino's client does.
pub fn push_double(out: &mut String, value: f64) {
    let is_plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    push_float(out, value, is_plain);
}

fn push_real(out: &mut String, value: f32) {
    let is_plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    push_float(out, value, is_plain);
}

/// `1.5`, `1.0E10`, `NaN`, `-Infinity`: the shortest digits that read back as the same number.
fn push_float<F: LowerExp + Debug>(out: &mut String, value: F, is_plain: bool) {
    if is_plain {
        // `Debug`, unlike `Display`, keeps the `.0` of a whole number.
        push(out, format_args!("{value:?}"));
        return;
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            out.extend([mantissa, point, "E", exponent]);
        }
        None if scientific == "inf" => out.push_str("Infinity"),
        None if scientific == "-inf" => out.push_str("-Infinity"),
        None => out.push_str("NaN"),
    }
}

fn push_temporal(out: &mut String, array: &dyn Array, row: usize) {
    fn raw<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array, row: usize) -> i64 {
        array.as_primitive::<T>().value(row).into()
    }
    use DataType as D;
    use TimeUnit as U;
    match array.data_type() {
        D::Date32 => push_date(out, raw::<Date32Type>(array, row)),
        D::Date64 => push_date(out, raw::<Date64Type>(array, row).div_euclid(MILLIS_PER_DAY)),
        D::Time32(U::Second) => push_time(out, raw::<Time32SecondType>(array, row), U::Second),
        D::Time32(_) => push_time(out, raw::<Time32MillisecondType>(array, row), U::Millisecond),
        D::Time64(U::Microsecond) => {
            push_time(out, raw::<Time64MicrosecondType>(array, row), U::Microsecond);
        }
        D::Time64(_) => push_time(out, raw::<Time64NanosecondType>(array, row), U::Nanosecond),
        D::Timestamp(unit, zone) => {
            let value = match unit {
                U::Second => raw::<TimestampSecondType>(array, row),
                U::Millisecond => raw::<TimestampMillisecondType>(array, row),
                U::Microsecond => raw::<TimestampMicrosecondType>(array, row),
                U::Nanosecond => raw::<TimestampNanosecondType>(array, row),
            };
            push_timestamp(out, value, *unit, zone.as_deref());
        }
        D::Duration(unit) => push_day_time(
            out,
            match unit {
                U::Second => i128::from(raw::<DurationSecondType>(array, row)) * 1000,
                U::Millisecond => i128::from(raw::<DurationMillisecondType>(array, row)),
                U::Microsecond => i128::from(raw::<DurationMicrosecondType>(array, row)) / 1000,
                U::Nanosecond => i128::from(raw::<DurationNanosecondType>(array, row)) / 1_000_000,
            },
        ),
        D::Interval(unit) => push_interval(out, array, *unit, row),
        _ => push_as_arrow_does(out, array, row),
    }
}

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// Units of one second in `unit`, and the digits of its fraction.
fn per_second(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

fn push_date(out: &mut String, days: i64) {
    match TimeDelta::try_days(days).and_then(|span| NaiveDate::default().checked_add_signed(span)) {
        Some(date) => push(out, date.format("%Y-%m-%d")),
        // Beyond chrono's calendar of a quarter million years; the number is still exact.
        None => push(out, days),
    }
}

fn push_time(out: &mut String, value: i64, unit: TimeUnit) {
    let (per_second, digits) = per_second(unit);
    let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    match u32::try_from(seconds)
        .ok()
        .and_then(|s| NaiveTime::from_num_seconds_from_midnight_opt(s, 0))
    {
        Some(time) => {
            push(out, time.format("%H:%M:%S"));
            // Every TIME is held in microseconds; Trino's default precision is milliseconds.
            if unit == TimeUnit::Microsecond && fraction % 1_000 == 0 {
                push_fraction(out, fraction / 1_000, 3);
            } else {
                push_fraction(out, fraction, digits);
            }
        }
        None => push(out, value),
    }
}

fn push_fraction(out: &mut String, fraction: i64, digits: usize) {
    if digits > 0 {
        push(out, format_args!(".{fraction:0digits$}"));
    }
}

fn push_timestamp(out: &mut String, value: i64, unit: TimeUnit, zone: Option<&str>) {
    let (per_second, digits) = per_second(unit);
    let Some(utc) = DateTime::from_timestamp(value.div_euclid(per_second), 0) else {
        // Beyond chrono's calendar of a quarter million years; the number is still exact.
        push(out, value);
        return;
    };
    let (local, zone) = in_zone(utc.naive_utc(), zone);
    push(out, local.format("%Y-%m-%d %H:%M:%S"));
    push_fraction(out, value.rem_euclid(per_second), digits);
    if let Some(zone) = zone {
        out.push(' ');
        out.push_str(zone);
    }
}

/// The wall clock of `zone` at `utc`, and the zone as Trino names it.
fn in_zone(utc: NaiveDateTime, zone: Option<&str>) -> (NaiveDateTime, Option<&str>) {
    let Some(name) = zone else { return (utc, None) };
    if matches!(name, "UTC" | "Z" | "+00:00" | "-00:00") {
        return (utc, Some("UTC"));
    }
    let offset = name.parse::<Tz>().map(|zone| zone.offset_from_utc_datetime(&utc).fix());
    match offset.ok().and_then(|offset| utc.checked_add_offset(offset)) {
        Some(local) => (local, Some(name)),
        None => (utc, Some("UTC")),
    }
}

fn push_interval(out: &mut String, array: &dyn Array, unit: IntervalUnit, row: usize) {
    match unit {
        IntervalUnit::YearMonth => {
            push_year_month(out, array.as_primitive::<IntervalYearMonthType>().value(row));
        }
        IntervalUnit::DayTime => {
            let value = array.as_primitive::<IntervalDayTimeType>().value(row);
            push_day_time(out, in_millis(value.days, i128::from(value.milliseconds)));
        }
        IntervalUnit::MonthDayNano => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let millis = in_millis(value.days, i128::from(value.nanoseconds / 1_000_000));
            // Trino has no interval of both kinds, so at most one of them is there to print.
            if value.months != 0 {
                push_year_month(out, value.months);
            }
            if value.months != 0 && millis != 0 {
                out.push(' ');
            }
            if value.months == 0 || millis != 0 {
                push_day_time(out, millis);
            }
        }
    }
}

fn in_millis(days: i32, millis: i128) -> i128 {
    i128::from(days) * i128::from(MILLIS_PER_DAY) + millis
}

/// `1-2` is a year and two months.
fn push_year_month(out: &mut String, months: i32) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    push(out, format_args!("{sign}{}-{}", months / 12, months % 12));
}

/// `2 03:04:05.678` is two days and some hours.
fn push_day_time(out: &mut String, millis: i128) {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let (days, seconds) = (millis / 86_400_000, millis / 1_000 % 86_400);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    push(
        out,
        format_args!("{sign}{days} {hours:02}:{minutes:02}:{seconds:02}.{:03}", millis % 1_000),
    );
}

#[cfg(test)]
mod tests;
