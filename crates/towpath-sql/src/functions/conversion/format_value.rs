//! One argument of `format`, written as Java's formatter writes it.

use datafusion::common::Result;

use super::format_spec::{Spec, bad_format};
use super::java_number::{double_text, point_after, real_text, round_half_up, shortest_digits};
use crate::functions::args::check_bytes;

/// An argument.
#[derive(Clone, Debug)]
pub(super) enum FormatValue {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f32),
    Double(f64),
    /// Unscaled value and scale.
    Decimal(i128, u32),
    Text(String),
    /// A date or time: what `%s` writes, and what `%t` takes its parts from.
    Moment(Box<Moment>),
}

/// A date, a time, or both.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) text: String,
    /// Days since 1970, if it has a date.
    pub(super) days: Option<i64>,
    /// Nanoseconds of the day, if it has a time.
    pub(super) nanos: Option<i64>,
    /// Seconds ahead of UTC and the name of the zone, if it has one.
    pub(super) zone: Option<(i64, String)>,
}

impl FormatValue {
    /// Java's class, for errors.
    fn class(&self) -> &'static str {
        match self {
            FormatValue::Null => "null",
            FormatValue::Boolean(_) => "java.lang.Boolean",
            FormatValue::Integer(_) => "java.lang.Long",
            FormatValue::Real(_) => "java.lang.Float",
            FormatValue::Double(_) => "java.lang.Double",
            FormatValue::Decimal(..) => "java.math.BigDecimal",
            FormatValue::Text(_) => "java.lang.String",
            FormatValue::Moment(moment) => match (moment.days, moment.nanos, &moment.zone) {
                (Some(_), None, _) => "java.time.LocalDate",
                (None, _, _) => "java.time.LocalTime",
                (_, _, Some(_)) => "java.time.ZonedDateTime",
                _ => "java.time.LocalDateTime",
            },
        }
    }

    /// What `%s` writes.
    fn text(&self) -> String {
        match self {
            FormatValue::Null => "null".to_owned(),
            FormatValue::Boolean(value) => value.to_string(),
            FormatValue::Integer(value) => value.to_string(),
            FormatValue::Real(value) => real_text(*value),
            FormatValue::Double(value) => double_text(*value),
            FormatValue::Decimal(value, scale) => {
                let (digits, exponent) = decimal_digits(*value, *scale);
                let (whole, fraction) =
                    place_point(&digits, exponent, usize::try_from(*scale).unwrap_or(0));
                let sign = if *value < 0 { "-" } else { "" };
                if fraction.is_empty() {
                    format!("{sign}{whole}")
                } else {
                    format!("{sign}{whole}.{fraction}")
                }
            }
            FormatValue::Text(text) => text.clone(),
            FormatValue::Moment(moment) => moment.text.clone(),
        }
    }
}

/// Writes `value` as `spec` says; `format` is the whole format string, for errors.
///
/// # Errors
///
/// Trino's, for a conversion that is none for the type of the value.
pub(super) fn write(format: &str, spec: &Spec, value: &FormatValue) -> Result<String> {
    let mismatch = || {
        let cause = format!("IllegalFormatConversion: {} != {}", spec.conversion, value.class());
        bad_format(format, &cause)
    };
    let lower = spec.conversion.to_ascii_lowercase();
    let written = match (lower, value) {
        ('b', _) => {
            let truth = !matches!(value, FormatValue::Null | FormatValue::Boolean(false));
            cut(&truth.to_string(), spec)
        }
        ('s', _) => cut(&value.text(), spec),
        (_, FormatValue::Null) => cut("null", spec),
        ('h', FormatValue::Text(text)) => cut(&format!("{:x}", java_hash(text)), spec),
        ('d', FormatValue::Integer(number)) => {
            signed(*number < 0, &number.unsigned_abs().to_string(), None, spec)
        }
        ('x', FormatValue::Integer(number)) => zero_padded(&format!("{number:x}"), "0x", spec),
        ('o', FormatValue::Integer(number)) => zero_padded(&format!("{number:o}"), "0", spec),
        ('e' | 'f' | 'g', FormatValue::Real(number)) => float(f64::from(*number), lower, spec),
        ('e' | 'f' | 'g', FormatValue::Double(number)) => float(*number, lower, spec),
        ('e' | 'f' | 'g', FormatValue::Decimal(number, scale)) => {
            let (digits, exponent) = decimal_digits(*number, *scale);
            number_text(*number < 0, &digits, exponent, lower, spec)
        }
        ('t', FormatValue::Moment(moment)) => super::format_moment::write(format, spec, moment)?,
        _ => return Err(mismatch()),
    };
    let written =
        if spec.conversion.is_ascii_uppercase() { written.to_uppercase() } else { written };
    pad(written, spec)
}

/// Brings a text to the width of `spec`.
///
/// # Errors
///
/// `EXCEEDED_FUNCTION_MEMORY_LIMIT` past the longest string.
pub(super) fn pad(text: String, spec: &Spec) -> Result<String> {
    check_bytes(text.len())?;
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return Ok(text);
    }
    let spaces = " ".repeat(missing);
    Ok(if spec.has('-') { text + &spaces } else { spaces + &text })
}

/// A text cut to the precision.
fn cut(text: &str, spec: &Spec) -> String {
    text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect()
}

/// `String.hashCode`.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

fn zero_padded(digits: &str, prefix: &str, spec: &Spec) -> String {
    let prefix = if spec.has('#') { prefix } else { "" };
    let width = if spec.has('0') { spec.width.unwrap_or(0) } else { 0 };
    let zeros = width.saturating_sub(digits.len() + prefix.len());
    format!("{prefix}{}{digits}", "0".repeat(zeros))
}

/// Digits and exponent of a decimal: 1.23 is ("123", 0).
fn decimal_digits(value: i128, scale: u32) -> (String, i32) {
    let digits = value.unsigned_abs().to_string();
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    (digits, length - 1 - i32::try_from(scale).unwrap_or(0))
}

/// Whole part and exactly `decimals` decimals of a number that is not rounded any more.
fn place_point(digits: &str, exponent: i32, decimals: usize) -> (String, String) {
    let (whole, mut fraction) = point_after(digits, exponent);
    fraction.extend(std::iter::repeat_n('0', decimals.saturating_sub(fraction.len())));
    (whole, fraction)
}

fn float(value: f64, conversion: char, spec: &Spec) -> String {
    if !value.is_finite() {
        let sign = match (value.is_sign_negative(), spec.has('+')) {
            _ if value.is_nan() => "",
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        return format!("{sign}{}", if value.is_nan() { "NaN" } else { "Infinity" });
    }
    let (digits, exponent) = shortest_digits(value);
    number_text(value.is_sign_negative(), &digits, exponent, conversion, spec)
}

/// A number in one of the forms `e`, `f` and `g`, rounded half up.
fn number_text(
    negative: bool,
    digits: &str,
    exponent: i32,
    conversion: char,
    spec: &Spec,
) -> String {
    let precision = spec.precision.unwrap_or(6);
    match conversion {
        'e' => scientific(negative, digits, exponent, precision, spec),
        'f' => fixed(negative, digits, exponent, precision, spec),
        _ => {
            let precision = precision.max(1);
            let (_, carried) = round_half_up(digits, precision);
            let exponent_rounded = exponent + i32::from(carried);
            let most = i32::try_from(precision).unwrap_or(i32::MAX);
            let is_zero = digits.bytes().all(|digit| digit == b'0');
            if is_zero || (-4..most).contains(&exponent_rounded) {
                let shown = if is_zero { 0 } else { exponent_rounded };
                let decimals = usize::try_from(most - 1 - shown).unwrap_or(0);
                fixed(negative, digits, exponent, decimals, spec)
            } else {
                scientific(negative, digits, exponent, precision - 1, spec)
            }
        }
    }
}

fn fixed(negative: bool, digits: &str, exponent: i32, decimals: usize, spec: &Spec) -> String {
    // Digits up to the last decimal that is kept; with none, the first may still round up to it.
    let before_point = i64::from(exponent) + 1;
    let kept = before_point + i64::try_from(decimals).unwrap_or(i64::MAX / 2);
    let (rounded, exponent) = match usize::try_from(kept) {
        Ok(kept) => {
            let (rounded, carried) = round_half_up(digits, kept);
            (rounded, exponent + i32::from(carried))
        }
        Err(_) => (String::new(), exponent),
    };
    let (rounded, exponent) =
        if rounded.is_empty() { ("0".to_owned(), 0) } else { (rounded, exponent) };
    let (whole, fraction) = place_point(&rounded, exponent, decimals);
    let fraction = fraction.get(..decimals).unwrap_or(&fraction);
    signed(negative, &whole, (!fraction.is_empty()).then_some(fraction), spec)
}

fn scientific(negative: bool, digits: &str, exponent: i32, decimals: usize, spec: &Spec) -> String {
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    let (rounded, carried) = round_half_up(digits, decimals + 1);
    let exponent = if is_zero { 0 } else { exponent + i32::from(carried) };
    let (first, rest) = rounded.split_at_checked(1).unwrap_or(("0", ""));
    let mut fraction: String = rest.chars().take(decimals).collect();
    fraction.extend(std::iter::repeat_n('0', decimals.saturating_sub(fraction.len())));
    let sign = if exponent < 0 { '-' } else { '+' };
    let tail = format!("e{sign}{:02}", exponent.unsigned_abs());
    let fraction = if fraction.is_empty() { tail } else { fraction + &tail };
    let joined =
        if decimals == 0 { format!("{first}{fraction}") } else { format!("{first}.{fraction}") };
    with_sign(negative, &joined, spec)
}

/// A number of whole part and decimals, with grouping, sign and zeros.
fn signed(negative: bool, whole: &str, fraction: Option<&str>, spec: &Spec) -> String {
    let mut text = if spec.has(',') { grouped(whole) } else { whole.to_owned() };
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    with_sign(negative, &text, spec)
}

fn with_sign(negative: bool, number: &str, spec: &Spec) -> String {
    let (before, after) = match (negative, spec.has('(')) {
        (true, true) => ("(", ")"),
        (true, false) => ("-", ""),
        (false, _) if spec.has('+') => ("+", ""),
        (false, _) if spec.has(' ') => (" ", ""),
        (false, _) => ("", ""),
    };
    let width = if spec.has('0') { spec.width.unwrap_or(0) } else { 0 };
    let zeros = width.saturating_sub(before.len() + number.len() + after.len());
    format!("{before}{}{number}{after}", "0".repeat(zeros))
}

fn grouped(whole: &str) -> String {
    let mut text = String::with_capacity(whole.len() * 4 / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::conversion::format_spec::{Piece, parse};

    fn one(format: &str, value: &FormatValue) -> Option<String> {
        let pieces = parse(format).unwrap();
        let Some(Piece::Field(spec)) = pieces.first() else { panic!("{format}") };
        write(format, spec, value).ok()
    }

    #[test]
    fn numbers_are_written_as_in_java() {
        let double = FormatValue::Double;
        for (format, value, expected) in [
            ("%,.2f", double(1_234_567.89), "1,234,567.89"),
            ("%.2f", double(0.125), "0.13"),
            ("%.0f", double(0.5), "1"),
            ("%.0f", double(0.4), "0"),
            ("%.1f", double(0.04), "0.0"),
            ("%.1f", double(9.96), "10.0"),
            ("%08.2f", double(-3.145), "-0003.15"),
            ("%e", double(12345.678), "1.234568e+04"),
            ("%.0e", double(9.9), "1e+01"),
            ("%g", double(0.0001), "0.000100000"),
            ("%g", double(1_000_000.0), "1.00000e+06"),
            ("%f", double(f64::NAN), "NaN"),
            ("%f", FormatValue::Decimal(12345, 2), "123.450000"),
            ("%s", FormatValue::Decimal(-5, 2), "-0.05"),
            ("%s", FormatValue::Decimal(500, 2), "5.00"),
            ("%03d", FormatValue::Integer(8), "008"),
            ("%(,d", FormatValue::Integer(-1_234_567), "(1,234,567)"),
            ("%+d", FormatValue::Integer(5), "+5"),
            ("%x", FormatValue::Integer(-1), "ffffffffffffffff"),
            ("%#X", FormatValue::Integer(255), "0XFF"),
            ("%d", FormatValue::Integer(i64::MIN), "-9223372036854775808"),
            ("%-7s", FormatValue::Text("hello".into()), "hello  "),
            ("%7.2S", FormatValue::Text("hello".into()), "     HE"),
            ("%s", double(1.5), "1.5"),
            ("%b", FormatValue::Null, "false"),
            ("%d", FormatValue::Null, "null"),
            ("%h", FormatValue::Text("hello".into()), "5e918d2"),
        ] {
            assert_eq!(one(format, &value).as_deref(), Some(expected), "{format}");
        }
        assert_eq!(one("%d", &FormatValue::Decimal(1, 0)), None);
        assert_eq!(one("%f", &FormatValue::Integer(1)), None);
        assert_eq!(one("%tY", &FormatValue::Integer(1)), None);
    }
}
