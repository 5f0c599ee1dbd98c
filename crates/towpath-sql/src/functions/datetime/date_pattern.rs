//! Compiled patterns of dates and times, written and read as Joda-Time does. The `MySQL` patterns of
//! `date_format` and the Joda patterns of `format_datetime` are two spellings of these.

use std::fmt::Write as _;

use datafusion::common::{DataFusionError, Result};

use super::calendar::{day_of_year, iso_week, weekday};
use super::date_fields::{DateField, DateFields};
use super::moments::Local;
use super::zone::Zone;
use crate::functions::args::invalid;

/// English names of the months.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// English names of the days of the week, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HALFDAYS: [&str; 2] = ["AM", "PM"];
const ERAS: [&str; 2] = ["BC", "AD"];

/// Names of zones that Joda reads where a pattern has `z`, and their minutes from UTC.
const ZONE_NAMES: [(&str, i64); 11] = [
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
];

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// A number of at least `least` digits when written and at most `most` when read.
    Number { field: DateField, least: usize, most: usize },
    /// The last two digits of a year, read as one of the hundred years from `first` on. A lenient
    /// one also reads a whole year.
    TwoDigitYear { field: DateField, first: i64, lenient: bool },
    /// Decimals of a second: at least `least` when written, at most `most` when read.
    Fraction { least: usize, most: usize },
    /// The English name of a field; its first three letters if short.
    Name { field: DateField, short: bool },
    /// `+hhmm` or `+hh:mm`.
    Offset { colon: bool },
    /// The id of the zone, such as `Europe/Berlin`.
    ZoneId,
    /// The name of the zone, such as `UTC` or `PST`.
    ZoneName,
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct DatePattern {
    parts: Vec<Part>,
}

impl DatePattern {
    pub(super) fn new(parts: Vec<Part>) -> DatePattern {
        DatePattern { parts }
    }

    /// Whether anything in it needs a zone.
    pub(super) fn has_zone(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Offset { .. } | Part::ZoneId | Part::ZoneName))
    }

    /// Writes a moment: what the clock shows, how far it is ahead of UTC, and in which zone.
    pub(super) fn write(&self, local: Local, offset_seconds: i64, zone: &Zone, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Number { field, least, .. } => {
                    write_number(out, value_of(*field, local), *least);
                }
                Part::TwoDigitYear { field, .. } => {
                    write_number(out, value_of(*field, local).rem_euclid(100), 2);
                }
                Part::Fraction { least, most } => write_fraction(out, local, *least, *most),
                Part::Name { field, short } => {
                    let value = value_of(*field, local);
                    out.push_str(named(*field, value, *short));
                }
                Part::Offset { colon } => write_offset(out, offset_seconds, *colon),
                Part::ZoneId | Part::ZoneName => out.push_str(&zone.name),
            }
        }
    }

    /// Reads all of `text`.
    ///
    /// # Errors
    ///
    /// In Joda's words, with the place where the text stops to fit.
    pub(super) fn read(&self, text: &str) -> Result<DateFields> {
        let mut fields = DateFields::default();
        let mut rest = text;
        for part in &self.parts {
            match read_part(part, rest, &mut fields) {
                Some(left) => rest = left,
                None => return Err(malformed(text, rest)),
            }
        }
        if rest.is_empty() { Ok(fields) } else { Err(malformed(text, rest)) }
    }
}

/// Joda's words for a text that stops to fit at `rest`.
pub(super) fn malformed(text: &str, rest: &str) -> DataFusionError {
    if rest.is_empty() && !text.is_empty() {
        return invalid(format!("Invalid format: \"{text}\" is too short"));
    }
    if rest.len() == text.len() {
        return invalid(format!("Invalid format: \"{text}\""));
    }
    invalid(format!("Invalid format: \"{text}\" is malformed at \"{rest}\""))
}

fn value_of(field: DateField, local: Local) -> i64 {
    let hour = local.hour();
    match field {
        DateField::Era => i64::from(local.civil().year > 0),
        DateField::Century => year_of_era(local) / 100,
        DateField::YearOfEra => year_of_era(local),
        DateField::Year => local.civil().year,
        DateField::Weekyear => iso_week(local.days).0,
        DateField::Week => iso_week(local.days).1,
        DateField::DayOfWeek => weekday(local.days),
        DateField::DayOfYear => day_of_year(local.days),
        DateField::Month => local.civil().month,
        DateField::DayOfMonth => local.civil().day,
        DateField::Halfday => hour / 12,
        DateField::HourOfHalfday => hour % 12,
        DateField::ClockHourOfHalfday => (hour + 11) % 12 + 1,
        DateField::Hour => hour,
        DateField::ClockHour => (hour + 23) % 24 + 1,
        DateField::Minute => local.minute(),
        DateField::Second => local.second(),
        DateField::Nanosecond => local.nanos % 1_000_000_000,
    }
}

fn year_of_era(local: Local) -> i64 {
    let year = local.civil().year;
    if year > 0 { year } else { 1 - year }
}

fn named(field: DateField, value: i64, short: bool) -> &'static str {
    let (names, first): (&[&'static str], i64) = names_of(field);
    let name =
        usize::try_from(value - first).ok().and_then(|index| names.get(index)).unwrap_or(&"");
    if short { name.get(..3).unwrap_or(name) } else { name }
}

/// The names of a field's values, and the first value.
fn names_of(field: DateField) -> (&'static [&'static str], i64) {
    match field {
        DateField::Month => (&MONTHS, 1),
        DateField::DayOfWeek => (&WEEKDAYS, 1),
        DateField::Halfday => (&HALFDAYS, 0),
        _ => (&ERAS, 0),
    }
}

fn write_number(out: &mut String, value: i64, least: usize) {
    if value < 0 {
        out.push('-');
    }
    // Writing to a string does not fail.
    let _infallible = write!(out, "{:0least$}", value.unsigned_abs());
}

fn write_fraction(out: &mut String, local: Local, least: usize, most: usize) {
    // Joda's clocks have milliseconds.
    let digits = format!("{:03}000000", local.millisecond());
    let all = digits.get(..most.min(digits.len())).unwrap_or(&digits);
    let trimmed = all.trim_end_matches('0');
    let kept = all.get(..least.max(trimmed.len())).unwrap_or(all);
    out.push_str(kept);
    out.extend(std::iter::repeat_n('0', least.saturating_sub(kept.len())));
}

fn write_offset(out: &mut String, seconds: i64, colon: bool) {
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    let colon = if colon { ":" } else { "" };
    // Writing to a string does not fail.
    let _infallible = write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60);
}

/// Reads one part from the start of `text` and returns what is left.
fn read_part<'t>(part: &Part, text: &'t str, fields: &mut DateFields) -> Option<&'t str> {
    match part {
        Part::Literal(literal) => strip_ignoring_case(text, literal),
        Part::Number { field, most, .. } => {
            let signed = matches!(field, DateField::Year | DateField::Weekyear);
            let (value, rest) = read_number(text, *most, signed)?;
            fields.set(*field, value);
            Some(rest)
        }
        Part::TwoDigitYear { field, first, lenient } => {
            let (year, rest) = read_two_digit_year(text, *first, *lenient)?;
            fields.set(*field, year);
            Some(rest)
        }
        Part::Fraction { most, .. } => read_fraction(text, *most, fields),
        Part::Name { field, .. } => read_name(text, *field, fields),
        Part::Offset { .. } => read_offset(text, fields),
        Part::ZoneId => read_zone_id(text, fields),
        Part::ZoneName => {
            let (name, minutes) = ZONE_NAMES.iter().find(|(name, _)| text.starts_with(name))?;
            fields.zone = Zone::fixed(*minutes).ok();
            text.get(name.len()..)
        }
    }
}

fn strip_ignoring_case<'t>(text: &'t str, literal: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(literal.len())?;
    (head == literal || head.to_lowercase() == literal.to_lowercase()).then_some(rest)
}

/// Reads up to `most` digits.
fn read_number(text: &str, most: usize, signed: bool) -> Option<(i64, &str)> {
    let (sign, digits) = match text.chars().next() {
        Some('-') if signed => (-1, text.get(1..)?),
        Some('+') if signed => (1, text.get(1..)?),
        _ => (1, text),
    };
    let length = digits.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = digits.split_at_checked(length)?;
    Some((sign * number.parse::<i64>().ok()?, rest))
}

fn read_two_digit_year(text: &str, first: i64, lenient: bool) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if lenient && (length != 2 || text.starts_with(['+', '-'])) {
        return read_number(text, 9, true);
    }
    let (digits, rest) = text.split_at_checked(2).filter(|_| length >= 2)?;
    let year = digits.parse::<i64>().ok()?;
    Some((first + (year - first).rem_euclid(100), rest))
}

fn read_fraction<'t>(text: &'t str, most: usize, fields: &mut DateFields) -> Option<&'t str> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length).filter(|_| length > 0)?;
    let nanos: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
    fields.set(DateField::Nanosecond, nanos.parse().ok()?);
    Some(rest)
}

/// Reads a name, whole or its first three letters, in any case.
fn read_name<'t>(text: &'t str, field: DateField, fields: &mut DateFields) -> Option<&'t str> {
    let (names, first) = names_of(field);
    let whole = names.iter().copied();
    let short = names.iter().filter_map(|name| name.get(..3));
    for (index, name) in (0..names.len()).zip(whole).chain((0..names.len()).zip(short)) {
        if let Some(rest) = strip_ignoring_case(text, name) {
            fields.set(field, first + i64::try_from(index).ok()?);
            return Some(rest);
        }
    }
    None
}

/// Reads `Z`, `+hh`, `+hhmm` or `+hh:mm`.
fn read_offset<'t>(text: &'t str, fields: &mut DateFields) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        fields.zone = Some(Zone::utc());
        return Some(rest);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.strip_prefix(['+', '-'])?;
    let two = |text: &'t str| {
        let (head, rest) = text.split_at_checked(2)?;
        let plain = head.bytes().all(|byte| byte.is_ascii_digit());
        head.parse::<i64>().ok().filter(|_| plain).map(|value| (value, rest))
    };
    let (hours, rest) = two(digits)?;
    let after_colon = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = two(after_colon).unwrap_or((0, rest));
    if hours > 23 || minutes > 59 {
        return None;
    }
    fields.zone = Zone::fixed(sign * (hours * 60 + minutes)).ok();
    fields.zone.is_some().then_some(rest)
}

/// Reads the longest zone id the text begins with.
fn read_zone_id<'t>(text: &'t str, fields: &mut DateFields) -> Option<&'t str> {
    if text.starts_with(['+', '-']) {
        return read_offset(text, fields);
    }
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_+-:".contains(byte);
    let longest = text.bytes().take_while(fits).count();
    for length in (1..=longest).rev() {
        let (id, rest) = text.split_at_checked(length)?;
        if let Ok(zone) = Zone::named(id) {
            fields.zone = Some(zone);
            return Some(rest);
        }
    }
    None
}
