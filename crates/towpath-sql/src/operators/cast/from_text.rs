//! Casts from varchar and char.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanArray, Decimal128Array, FixedSizeBinaryBuilder,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::moment;
use crate::data_type::Type;
use crate::functions::args::{Strings, invalid_cast};
use crate::functions::json_cast::decimal_from_text;

pub(super) fn parse(value: &ArrayRef, to: &Type) -> Result<ArrayRef> {
    let texts = Strings::of_array(value.as_ref())?;
    let rows = 0..value.len();
    let each = |row: usize| texts.get(row);
    Ok(match to {
        Type::Boolean => Arc::new(
            rows.map(|r| each(r).map(boolean).transpose()).collect::<Result<BooleanArray>>()?,
        ),
        Type::TinyInt => Arc::new(
            rows.map(|r| each(r).map(|t| integer(t, "TINYINT")).transpose())
                .collect::<Result<Int8Array>>()?,
        ),
        Type::SmallInt => Arc::new(
            rows.map(|r| each(r).map(|t| integer(t, "SMALLINT")).transpose())
                .collect::<Result<Int16Array>>()?,
        ),
        Type::Integer => Arc::new(
            rows.map(|r| each(r).map(|t| integer(t, "INT")).transpose())
                .collect::<Result<Int32Array>>()?,
        ),
        Type::BigInt => Arc::new(
            rows.map(|r| each(r).map(|t| integer(t, "BIGINT")).transpose())
                .collect::<Result<Int64Array>>()?,
        ),
        Type::Real => Arc::new(
            rows.map(|r| each(r).map(|t| float(t, "REAL")).transpose())
                .collect::<Result<Float32Array>>()?,
        ),
        Type::Double => Arc::new(
            rows.map(|r| each(r).map(|t| float(t, "DOUBLE")).transpose())
                .collect::<Result<Float64Array>>()?,
        ),
        Type::Decimal(p, s) => {
            let values = rows.map(|r| each(r).map(|t| decimal(t, *p, *s)).transpose());
            let values = values.collect::<Result<Decimal128Array>>()?;
            Arc::new(values.with_precision_and_scale(*p, s.cast_signed())?)
        }
        Type::Date | Type::Time(_) | Type::Timestamp(_) | Type::TimestampTz(_) => {
            let values = rows.map(|r| each(r).map(|t| point(t, to)).transpose());
            moment::column(&values.collect::<Result<Vec<_>>>()?, to)?
        }
        Type::IpAddress => sixteen(rows.map(|r| each(r).map(ip_address).transpose()))?,
        Type::Uuid => sixteen(rows.map(|r| each(r).map(uuid).transpose()))?,
        Type::Varbinary => {
            let mut bytes = BinaryBuilder::new();
            rows.for_each(|r| bytes.append_option(each(r).map(str::as_bytes)));
            Arc::new(bytes.finish())
        }
        other => return exec_err!("Cannot cast varchar to {other}"),
    })
}

fn boolean(text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "1" => Ok(true),
        "f" | "false" | "0" => Ok(false),
        _ => Err(invalid_cast(format!("Cannot cast '{text}' to BOOLEAN"))),
    }
}

fn integer<T: TryFrom<i64>>(text: &str, name: &str) -> Result<T> {
    let value = text.trim().parse::<i64>().ok().and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| invalid_cast(format!("Cannot cast '{text}' to {name}")))
}

/// Java's spelling of numbers: `NaN` and `Infinity` by those names, a `d` or `f` may follow.
fn float<T: std::str::FromStr>(text: &str, name: &str) -> Result<T> {
    let trimmed = text.trim();
    let unsigned = trimmed.trim_start_matches(['+', '-']);
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let digits = if numeric { trimmed.trim_end_matches(['d', 'D', 'f', 'F']) } else { trimmed };
    let known = numeric || unsigned == "NaN" || unsigned == "Infinity";
    let value = if known { digits.parse().ok() } else { None };
    value.ok_or_else(|| invalid_cast(format!("Cannot cast '{text}' to {name}")))
}

fn decimal(text: &str, precision: u8, scale: u8) -> Result<i128> {
    decimal_from_text(text.trim(), precision, scale.cast_signed()).ok_or_else(|| {
        let numeric = text.trim().parse::<f64>().is_ok();
        let why = if numeric { "Value too large." } else { "Value is not a number." };
        invalid_cast(format!(
            "Cannot cast VARCHAR '{text}' to DECIMAL({precision}, {scale}). {why}"
        ))
    })
}

/// Nanoseconds of a date, time or timestamp, rounded to the type's precision.
fn point(text: &str, to: &Type) -> Result<i128> {
    let name = match to {
        Type::Date => "date",
        Type::Time(_) => "time",
        Type::TimestampTz(_) => "timestamp with time zone",
        _ => "timestamp",
    };
    let read = || match to {
        Type::Time(p) => {
            let (nanos, _, rest) = moment::read_time(text.trim())?;
            rest.trim().is_empty().then(|| moment::rounded(nanos, *p).rem_euclid(moment::DAY_NANOS))
        }
        Type::Date => {
            let written = moment::read(text)?;
            (!written.has_time && written.zone.is_none()).then_some(written.local)
        }
        Type::Timestamp(p) => Some(moment::rounded(moment::read(text)?.instant()?, *p)),
        Type::TimestampTz(p) => Some(moment::rounded(moment::read(text)?.instant()?, *p)),
        _ => None,
    };
    read().ok_or_else(|| invalid_cast(format!("Value cannot be cast to {name}: {text}")))
}

fn sixteen(values: impl Iterator<Item = Result<Option<[u8; 16]>>>) -> Result<ArrayRef> {
    let mut bytes = FixedSizeBinaryBuilder::new(16);
    for value in values {
        match value? {
            Some(value) => bytes.append_value(value)?,
            None => bytes.append_null(),
        }
    }
    Ok(Arc::new(bytes.finish()))
}

/// An IPv4 address is kept in its IPv6 form.
fn ip_address(text: &str) -> Result<[u8; 16]> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Ok(address.to_ipv6_mapped().octets()),
        Ok(IpAddr::V6(address)) => Ok(address.octets()),
        Err(_) => Err(invalid_cast(format!("Cannot cast value to IPADDRESS: {text}"))),
    }
}

fn uuid(text: &str) -> Result<[u8; 16]> {
    let parsed = (text.len() == 36).then(|| uuid::Uuid::parse_str(text).ok()).flatten();
    let parsed =
        parsed.ok_or_else(|| invalid_cast(format!("Cannot cast value to UUID: {text}")))?;
    Ok(*parsed.as_bytes())
}

/// Casts between varbinary and the types of sixteen bytes.
pub(super) fn sixteen_bytes(value: &ArrayRef, to: &Type) -> Result<ArrayRef> {
    let binary = arrow::compute::cast(value, &DataType::Binary)?;
    let binary = arrow::array::AsArray::as_binary::<i32>(&binary);
    if *to == Type::Varbinary {
        return Ok(Arc::new(binary.clone()));
    }
    let name = if *to == Type::Uuid { "UUID" } else { "IPADDRESS" };
    sixteen(binary.iter().map(|bytes| match bytes {
        None => Ok(None),
        Some(bytes) => {
            let four = <[u8; 4]>::try_from(bytes).ok().filter(|_| *to == Type::IpAddress);
            let sixteen = four
                .map(|four| Ipv4Addr::from(four).to_ipv6_mapped().octets())
                .or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|b| Ipv6Addr::from(b).octets()));
            let length = bytes.len();
            let fault = || invalid_cast(format!("Invalid {name} binary length: {length}"));
            sixteen.map(Some).ok_or_else(fault)
        }
    }))
}
