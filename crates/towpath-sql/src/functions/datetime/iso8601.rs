//! Texts of ISO 8601 as Joda-Time reads them: `2020-05-11T11:15:05.055+01:00`, `2020-W10-1`,
//! `2020-123`, `T10:30`.

use datafusion::common::Result;

use super::date_fields::{DateField, DateFields};
use super::date_pattern::malformed;
use super::zone::Zone;

/// Reads a date, a time after `T`, or both; the time may have an offset.
///
/// # Errors
///
/// In Joda's words, with the place where the text stops to fit.
pub(super) fn read_date_time(text: &str) -> Result<DateFields> {
    let mut reader = Reader { rest: text, fields: DateFields::default() };
    if reader.date_time().is_none() || !reader.rest.is_empty() {
        return Err(malformed(text, reader.rest));
    }
    Ok(reader.fields)
}

/// Reads a date.
///
/// # Errors
///
/// In Joda's words, with the place where the text stops to fit.
pub(super) fn read_date(text: &str) -> Result<DateFields> {
    let mut reader = Reader { rest: text, fields: DateFields::default() };
    if reader.date().is_none() || !reader.rest.is_empty() {
        return Err(malformed(text, reader.rest));
    }
    Ok(reader.fields)
}

struct Reader<'t> {
    rest: &'t str,
    fields: DateFields,
}

impl Reader<'_> {
    fn date_time(&mut self) -> Option<()> {
        if !self.rest.starts_with('T') {
            self.date()?;
        }
        if !self.take('T') {
            return Some(());
        }
        if self.rest.starts_with(|one: char| one.is_ascii_digit()) {
            self.time()?;
        }
        self.offset()
    }

    /// `yyyy[-MM[-dd]]`, `yyyy-DDD` or `xxxx-Www[-e]`.
    fn date(&mut self) -> Option<()> {
        let negative = self.take('-');
        if !negative {
            self.take('+');
        }
        let (year, _) = self.number(9)?;
        let year = if negative { -year } else { year };
        if self.rest.starts_with("-W") {
            self.rest = self.rest.get(2..)?;
            self.fields.set(DateField::Weekyear, year);
            let (week, _) = self.number(2)?;
            self.fields.set(DateField::Week, week);
            if self.take('-') {
                let (day, _) = self.number(1)?;
                self.fields.set(DateField::DayOfWeek, day);
            }
            return Some(());
        }
        self.fields.set(DateField::Year, year);
        if !self.take('-') {
            return Some(());
        }
        let (number, digits) = self.number(3)?;
        if digits == 3 {
            self.fields.set(DateField::DayOfYear, number);
            return Some(());
        }
        self.fields.set(DateField::Month, number);
        if self.take('-') {
            let (day, _) = self.number(2)?;
            self.fields.set(DateField::DayOfMonth, day);
        }
        Some(())
    }

    /// `HH[:mm[:ss]]` with decimals of the last.
    fn time(&mut self) -> Option<()> {
        let parts = [
            (DateField::Hour, 3_600_000_000_000),
            (DateField::Minute, 60_000_000_000),
            (DateField::Second, 1_000_000_000),
        ];
        for (index, (field, unit_nanos)) in parts.into_iter().enumerate() {
            let (value, _) = self.number(2)?;
            self.fields.set(field, value);
            if self.take('.') || self.take(',') {
                let nanos = self.fraction(unit_nanos)?;
                for (field, length) in parts.into_iter().skip(index + 1) {
                    self.fields.set(field, nanos / length % 60);
                }
                self.fields.set(DateField::Nanosecond, nanos % 1_000_000_000);
                return Some(());
            }
            if index == 2 || !self.take(':') {
                return Some(());
            }
        }
        Some(())
    }

    /// `Z`, `+HH`, `+HHmm` or `+HH:mm`, or nothing.
    fn offset(&mut self) -> Option<()> {
        if self.take('Z') {
            self.fields.zone = Some(Zone::utc());
            return Some(());
        }
        let before = self.rest;
        let sign = match (self.take('-'), self.rest.starts_with('+')) {
            (true, _) => -1,
            (false, true) => 1,
            (false, false) => return Some(()),
        };
        self.take('+');
        let (hours, digits) = self.number(2)?;
        let minutes = if self.take(':') || (digits == 2 && !self.rest.is_empty()) {
            self.number(2)?.0
        } else {
            0
        };
        let zone = Zone::fixed(sign * (hours * 60 + minutes)).ok().filter(|_| minutes < 60);
        if zone.is_none() {
            self.rest = before;
        }
        self.fields.zone = Some(zone?);
        Some(())
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Up to `most` digits: their value, and how many there were.
    fn number(&mut self, most: usize) -> Option<(i64, usize)> {
        let length = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(length)?;
        let value = digits.parse().ok()?;
        self.rest = rest;
        Some((value, length))
    }

    /// Decimals of a unit of `unit_nanos` nanoseconds, cut to whole ones.
    fn fraction(&mut self, unit_nanos: i64) -> Option<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(length).filter(|_| length > 0)?;
        self.rest = rest;
        // Nine decimals of an hour are finer than a microsecond of it.
        let nine: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
        let billionths = i128::from(nine.parse::<i64>().ok()?);
        i64::try_from(billionths * i128::from(unit_nanos) / 1_000_000_000).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Option<i64> {
        read_date_time(text).and_then(|fields| fields.ticks(text, 1_000)).ok()
    }

    #[test]
    fn dates_and_times_have_many_forms() {
        for (text, expected) in [
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("1970-01-01T01:00:00.5+01:00", Some(500)),
            ("1970-01-01T01:00:00,5+0100", Some(500)),
            ("1970-01-01T01:00+01", Some(0)),
            ("1970-01-02", Some(86_400_000)),
            ("1970-002T00:00", Some(86_400_000)),
            ("1970-W01-5", Some(86_400_000)),
            ("1970", Some(0)),
            ("1970-01", Some(0)),
            ("T00:01", Some(60_000)),
            ("1970-01-01T00.5", Some(1_800_000)),
            ("1970-01-01T", Some(0)),
            ("1970-01-01 00:00", None),
            ("1970-13-01", None),
            ("1970-02-30", None),
            ("1970-01-01T24:00", None),
            ("1970-01-01T00:00:00x", None),
            ("1970-01-01T00:00:00+99:00", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        let message = |text: &str| read_date_time(text).unwrap_err().to_string();
        assert!(message("2020-01-01 1").contains("is malformed at \" 1\""));
        assert!(message("x").contains("Invalid format: \"x\""));
    }
}
