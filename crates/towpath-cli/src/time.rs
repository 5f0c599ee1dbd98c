//! Times as a user types them: RFC 3339, a date, or a span before now.
//!
//! They are event times, in UTC. What is ambiguous is refused rather than guessed, before any work
//! is done.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// A time as it was typed, not yet tied to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeArg {
    /// A moment.
    At(DateTime<Utc>),
    /// A span before now, `-7d`.
    Before(TimeDelta),
}

impl TimeArg {
    /// The moment that is meant at `now`.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] if that moment lies outside the calendar.
    pub(crate) fn resolve(self, now: DateTime<Utc>) -> Result<DateTime<Utc>, TimeError> {
        match self {
            TimeArg::At(time) => Ok(time),
            TimeArg::Before(span) => now.checked_sub_signed(span).ok_or(TimeError::OutOfRange),
        }
    }
}

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeError {
    /// Nothing was typed.
    Empty,
    /// None of the accepted forms.
    Form,
    /// The form is right, the moment does not exist or cannot be expressed.
    OutOfRange,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeError::Empty => "a time is missing; ",
            TimeError::Form => "not a time; ",
            TimeError::OutOfRange => "there is no such time; ",
        })?;
        f.write_str(
            "give a date (2024-01-31), RFC 3339 (2024-01-31T08:00:00Z) or a span before now (-7d)",
        )
    }
}

impl std::error::Error for TimeError {}

impl FromStr for TimeArg {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<TimeArg, TimeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TimeError::Empty);
        }
        if let Some(span) = text.strip_prefix('-') {
            return parse_span(span).map(TimeArg::Before);
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(TimeArg::At(time.to_utc()));
        }
        // The Lake reads a time without a zone as UTC; so do we.
        for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
            if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
                return Ok(TimeArg::At(time.and_utc()));
            }
        }
        let date = parse_date(text)?;
        Ok(TimeArg::At(date.and_time(NaiveTime::MIN).and_utc()))
    }
}

/// Reads `2024-01-31` and nothing like it: chrono alone would take `2024-1-31` and `+2024-01-31`.
fn parse_date(text: &str) -> Result<NaiveDate, TimeError> {
    let Some((date, rest)) = text.split_at_checked(10).filter(|(date, _)| has_date_form(date))
    else {
        return Err(TimeError::Form);
    };
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| TimeError::OutOfRange)?;
    if rest.is_empty() { Ok(date) } else { Err(TimeError::Form) }
}

/// Whether `text` is four digits, two and two, with hyphens between.
fn has_date_form(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Reads `7d`: a whole number and one of `s`, `m`, `h`, `d`, `w`.
fn parse_span(text: &str) -> Result<TimeDelta, TimeError> {
    let mut chars = text.chars();
    let unit_seconds: i64 = match chars.next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        Some('w') => 7 * 24 * 60 * 60,
        _ => return Err(TimeError::Form),
    };
    let digits = chars.as_str();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TimeError::Form);
    }
    let count: i64 = digits.parse().map_err(|_| TimeError::OutOfRange)?;
    count.checked_mul(unit_seconds).and_then(TimeDelta::try_seconds).ok_or(TimeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rfc3339: &str) -> TimeArg {
        TimeArg::At(DateTime::parse_from_rfc3339(rfc3339).unwrap().to_utc())
    }

    #[test]
    fn every_accepted_form_names_its_moment_in_utc() {
        for (text, expected) in [
            ("2024-01-31", "2024-01-31T00:00:00Z"),
            (" 2024-01-31 ", "2024-01-31T00:00:00Z"),
            ("2024-01-31T08:09:10Z", "2024-01-31T08:09:10Z"),
            ("2024-01-31T08:09:10.5+02:00", "2024-01-31T06:09:10.5Z"),
            ("2024-01-31 08:09:10z", "2024-01-31T08:09:10Z"),
            ("2024-01-31T08:09:10", "2024-01-31T08:09:10Z"),
            ("2024-01-31 08:09:10.250", "2024-01-31T08:09:10.25Z"),
        ] {
            assert_eq!(text.parse(), Ok(at(expected)), "{text}");
        }
    }

    #[test]
    fn a_span_counts_back_from_now() {
        let now = DateTime::parse_from_rfc3339("2024-03-01T12:00:00Z").unwrap().to_utc();
        for (text, expected) in [
            ("-7d", "2024-02-23T12:00:00Z"),
            ("-36h", "2024-02-29T00:00:00Z"),
            ("-90m", "2024-03-01T10:30:00Z"),
            ("-1s", "2024-03-01T11:59:59Z"),
            ("-2w", "2024-02-16T12:00:00Z"),
        ] {
            let time = text.parse::<TimeArg>().unwrap().resolve(now).unwrap();
            assert_eq!(TimeArg::At(time), at(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (text, expected) in [
            ("", TimeError::Empty),
            ("   ", TimeError::Empty),
            ("yesterday", TimeError::Form),
            ("2024-1-31", TimeError::Form),
            ("+2024-01-31", TimeError::Form),
            ("2024", TimeError::Form),
            ("7d", TimeError::Form),
            ("-d", TimeError::Form),
            ("-", TimeError::Form),
            ("-7", TimeError::Form),
            ("-7y", TimeError::Form),
            ("--7d", TimeError::Form),
            ("-7é", TimeError::Form),
            ("2024-02-30", TimeError::OutOfRange),
            ("2024-02-30T00:00:00Z", TimeError::OutOfRange),
            ("2024-01-31T25:00:00Z", TimeError::Form),
            ("-99999999999999999999d", TimeError::OutOfRange),
            ("-9999999999999999d", TimeError::OutOfRange),
        ] {
            assert_eq!(text.parse::<TimeArg>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_span_that_leaves_the_calendar_is_refused() {
        let span: TimeArg = "-99999999999d".parse().unwrap();
        assert_eq!(span.resolve(DateTime::UNIX_EPOCH), Err(TimeError::OutOfRange));
    }
}
