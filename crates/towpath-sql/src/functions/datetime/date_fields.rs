//! What a date-time text says: the fields found in it, and the moment they make.
//!
//! As in Joda-Time, fields that are missing are those of 1970-01-01 00:00, or of the year 2000 if the
//! text says something smaller than a year and no year.

use datafusion::common::Result;

use super::calendar::{days_in_month, days_of, is_leap, iso_week, monday_of};
use super::zone::Zone;
use crate::functions::args::{invalid, out_of_range};

/// A field of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DateField {
    Era,
    Century,
    YearOfEra,
    Year,
    Weekyear,
    Week,
    DayOfWeek,
    DayOfYear,
    Month,
    DayOfMonth,
    /// 0 is before noon, 1 after.
    Halfday,
    /// 0 to 11.
    HourOfHalfday,
    /// 1 to 12.
    ClockHourOfHalfday,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    Minute,
    Second,
    Nanosecond,
}

impl DateField {
    /// Joda's name of the field and its bounds, for errors.
    fn bounds(self) -> (&'static str, i64, i64) {
        match self {
            DateField::Era => ("era", 0, 1),
            DateField::Century => ("centuryOfEra", 0, 2_922_789),
            DateField::YearOfEra => ("yearOfEra", 1, 292_278_993),
            DateField::Year => ("year", -292_275_054, 292_278_993),
            DateField::Weekyear => ("weekyear", -292_275_054, 292_278_993),
            DateField::Week => ("weekOfWeekyear", 1, 53),
            DateField::DayOfWeek => ("dayOfWeek", 1, 7),
            DateField::DayOfYear => ("dayOfYear", 1, 366),
            DateField::Month => ("monthOfYear", 1, 12),
            DateField::DayOfMonth => ("dayOfMonth", 1, 31),
            DateField::Halfday => ("halfdayOfDay", 0, 1),
            DateField::HourOfHalfday => ("hourOfHalfday", 0, 11),
            DateField::ClockHourOfHalfday => ("clockhourOfHalfday", 1, 12),
            DateField::Hour => ("hourOfDay", 0, 23),
            DateField::ClockHour => ("clockhourOfDay", 1, 24),
            DateField::Minute => ("minuteOfHour", 0, 59),
            DateField::Second => ("secondOfMinute", 0, 59),
            DateField::Nanosecond => ("nanoOfSecond", 0, 999_999_999),
        }
    }
}

/// The fields found in a text.
#[derive(Clone, Debug, Default)]
pub(super) struct DateFields {
    found: Vec<(DateField, i64)>,
    /// The zone, if the text names one.
    pub(super) zone: Option<Zone>,
}

impl DateFields {
    /// Notes a field; a later one of the same kind wins.
    pub(super) fn set(&mut self, field: DateField, value: i64) {
        self.found.push((field, value));
    }

    fn get(&self, field: DateField) -> Option<i64> {
        self.found.iter().rev().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    fn get_or(&self, field: DateField, default: i64) -> i64 {
        self.get(field).unwrap_or(default)
    }

    /// The local day and the nanoseconds of it; `text` is named in errors.
    ///
    /// # Errors
    ///
    /// For a field outside its bounds.
    pub(super) fn local(&self, text: &str) -> Result<(i64, i64)> {
        for (field, value) in &self.found {
            let (name, least, most) = field.bounds();
            check(text, *value, name, least, most)?;
        }
        Ok((self.days(text)?, self.nanos()))
    }

    /// Ticks since 1970 in UTC: `second_ticks` in a second; without a zone the text is in UTC.
    ///
    /// # Errors
    ///
    /// For a field outside its bounds, and a moment outside those of the ticks.
    pub(super) fn ticks(&self, text: &str, second_ticks: i64) -> Result<i64> {
        let (days, nanos) = self.local(text)?;
        let second = days.saturating_mul(86_400).saturating_add(nanos / 1_000_000_000);
        let offset = self.zone.as_ref().map_or(0, |zone| zone.offset_at_local(second, None));
        let fraction = nanos % 1_000_000_000 / (1_000_000_000 / second_ticks);
        (second - offset)
            .checked_mul(second_ticks)
            .and_then(|ticks| ticks.checked_add(fraction))
            .ok_or_else(|| out_of_range(format!("timestamp is out of range: {text}")))
    }

    fn year(&self) -> i64 {
        if let Some(year) = self.get(DateField::Year) {
            return year;
        }
        let of_era = match (self.get(DateField::YearOfEra), self.get(DateField::Century)) {
            (Some(year), _) => Some(year),
            (None, Some(century)) => Some(century * 100 + 70),
            (None, None) => None,
        };
        if let Some(year) = of_era {
            return if self.get(DateField::Era) == Some(0) { 1 - year } else { year };
        }
        let named = [
            DateField::Month,
            DateField::DayOfMonth,
            DateField::DayOfYear,
            DateField::Week,
            DateField::DayOfWeek,
        ]
        .iter()
        .any(|field| self.get(*field).is_some());
        if named { 2000 } else { 1970 }
    }

    fn days(&self, text: &str) -> Result<i64> {
        if let Some(days) = self.days_of_week_date(text)? {
            return Ok(days);
        }
        let year = self.year();
        if let Some(day) = self.get(DateField::DayOfYear) {
            check(text, day, "dayOfYear", 1, 365 + i64::from(is_leap(year)))?;
            return Ok(days_of(year, 1, day));
        }
        let month = self.get_or(DateField::Month, 1);
        let day = self.get_or(DateField::DayOfMonth, 1);
        check(text, day, "dayOfMonth", 1, days_in_month(year, month))?;
        Ok(days_of(year, month, day))
    }

    /// The day, if the text says it by its week.
    fn days_of_week_date(&self, text: &str) -> Result<Option<i64>> {
        let week = self.get(DateField::Week);
        let weekyear = self.get(DateField::Weekyear);
        let day = self.get(DateField::DayOfWeek);
        if week.is_none() && weekyear.is_none() {
            // A day of the week alone only confirms a date that is there.
            let Some(day) = day.filter(|_| self.get(DateField::DayOfMonth).is_none()) else {
                return Ok(None);
            };
            let first = days_of(self.year(), self.get_or(DateField::Month, 1), 1);
            let (year, week) = iso_week(first);
            return Ok(Some(monday_of(year, week) + day - 1));
        }
        let year = weekyear.unwrap_or_else(|| self.year());
        let last = iso_week(days_of(year, 12, 28)).1;
        let week = week.unwrap_or(1);
        check(text, week, "weekOfWeekyear", 1, last)?;
        Ok(Some(monday_of(year, week) + day.unwrap_or(1) - 1))
    }

    fn nanos(&self) -> i64 {
        let half = self.get_or(DateField::Halfday, 0) * 12;
        let hour = if let Some(hour) = self.get(DateField::Hour) {
            hour
        } else if let Some(hour) = self.get(DateField::ClockHour) {
            hour % 24
        } else if let Some(hour) = self.get(DateField::ClockHourOfHalfday) {
            hour % 12 + half
        } else {
            self.get_or(DateField::HourOfHalfday, 0) + half
        };
        let seconds = hour * 3_600
            + self.get_or(DateField::Minute, 0) * 60
            + self.get_or(DateField::Second, 0);
        seconds * 1_000_000_000 + self.get_or(DateField::Nanosecond, 0)
    }
}

fn check(text: &str, value: i64, name: &str, least: i64, most: i64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(invalid(format!(
        "Cannot parse \"{text}\": Value {value} for {name} must be in the range [{least},{most}]"
    )))
}
