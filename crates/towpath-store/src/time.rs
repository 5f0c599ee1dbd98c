//! Event time: spans, months, retention.

use chrono::{DateTime, Datelike, Utc};

use crate::error::{Error, Result};

const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A half-open span of event time, `[start, end)`, in microseconds since 1970 UTC. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    start: i64,
    end: i64,
}

impl TimeRange {
    /// Every event time there is, but for the very last microsecond of the type.
    pub const ALL: TimeRange = TimeRange { start: i64::MIN, end: i64::MAX };

    /// Returns the span from `start` up to but not including `end`, or `None` if it is empty.
    #[must_use]
    pub fn new(start: i64, end: i64) -> Option<TimeRange> {
        (start < end).then_some(TimeRange { start, end })
    }

    /// The first microsecond inside.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The first microsecond after.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.end
    }

    /// Whether any of `min..=max` is inside.
    #[must_use]
    pub fn overlaps(&self, (min, max): (i64, i64)) -> bool {
        min < self.end && max >= self.start
    }
}

/// For how many days after its event time an event is kept: 7 to 3653, as in CloudTrail Lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retention {
    days: u32,
}

impl Retention {
    /// The fewest days; CloudTrail Lake's own limit.
    pub const DAYS_MIN: u32 = 7;
    /// The most days, about ten years; CloudTrail Lake's own limit.
    pub const DAYS_MAX: u32 = 3653;
    /// The days of a new store: seven years, CloudTrail Lake's default for that price.
    pub const DAYS_DEFAULT: u32 = 2557;

    /// Keeps events for `days` days.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRetention`] outside of [`Retention::DAYS_MIN`] to [`Retention::DAYS_MAX`].
    pub fn days(days: u32) -> Result<Retention> {
        if (Retention::DAYS_MIN..=Retention::DAYS_MAX).contains(&days) {
            Ok(Retention { days })
        } else {
            Err(Error::InvalidRetention { days })
        }
    }

    /// The number of days.
    #[must_use]
    pub fn as_days(&self) -> u32 {
        self.days
    }

    /// The first event time that is still kept at `now`, in microseconds since 1970 UTC.
    ///
    /// An event with exactly this time is kept; one a microsecond older is expired.
    #[must_use]
    pub fn cutoff(&self, now: DateTime<Utc>) -> i64 {
        now.timestamp_micros() - i64::from(self.days) * MICROS_PER_DAY
    }
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { days: Retention::DAYS_DEFAULT }
    }
}

/// The month (YYYYMM, in UTC) of an event time, or `None` for a time that no calendar has.
///
/// Event data stores are partitioned by it.
#[must_use]
pub fn calendarmonth(event_time_micros: i64) -> Option<i64> {
    let time = DateTime::from_timestamp_micros(event_time_micros)?;
    Some(i64::from(time.year()) * 100 + i64::from(time.month()))
}

#[cfg(test)]
mod tests {
    use super::{MICROS_PER_DAY, Retention, TimeRange, calendarmonth};
    use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    /// 2400-01-01 in microseconds: past a whole cycle of leap years, with and without the century's.
    const FAR_MICROS: i64 = 13_569_465_600_000_000;

    proptest! {
        /// The law, over leap days and years: an event is kept for that many days of 24 hours, to
        /// the microsecond, and never for one more.
        #[test]
        fn event_is_kept_for_its_days_and_not_a_microsecond_longer(
            event in 0..FAR_MICROS,
            days in Retention::DAYS_MIN..=Retention::DAYS_MAX,
        ) {
            let retention = Retention::days(days).unwrap();
            let time = DateTime::from_timestamp_micros(event).unwrap();
            let last = time + TimeDelta::days(i64::from(days));
            prop_assert_eq!(retention.cutoff(last), event);
            prop_assert!(retention.cutoff(last + TimeDelta::microseconds(1)) > event);
        }

        /// Each time is in one month, which is the calendar's, and a month has no other times.
        #[test]
        fn time_is_in_the_month_of_the_calendar(event in 0..FAR_MICROS) {
            let month = calendarmonth(event).unwrap();
            let (year, of_year) = (i32::try_from(month / 100).unwrap(), month % 100);
            let of_year = u32::try_from(of_year).unwrap();
            let first = NaiveDate::from_ymd_opt(year, of_year, 1).unwrap();
            let next = first.checked_add_months(chrono::Months::new(1)).unwrap();
            let micros = |date: NaiveDate| {
                date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
            };
            prop_assert!((micros(first)..micros(next)).contains(&event));
            prop_assert_eq!(calendarmonth(micros(next)).unwrap() != month, true);
            prop_assert_eq!((first.day(), next.day()), (1, 1));
        }
    }

    #[test]
    fn retention_has_the_limits_of_the_lake() {
        for (days, valid) in [(0, false), (6, false), (7, true), (3653, true), (3654, false)] {
            assert_eq!(Retention::days(days).is_ok(), valid, "{days}");
        }
        assert_eq!(Retention::default().as_days(), 2557);
    }

    #[test]
    fn cutoff_is_exact_to_the_microsecond() {
        let now = DateTime::from_timestamp_micros(100 * MICROS_PER_DAY + 5).unwrap();
        assert_eq!(Retention::days(7).unwrap().cutoff(now), 93 * MICROS_PER_DAY + 5);
    }

    #[test]
    fn range_overlaps_what_touches_it() {
        let range = TimeRange::new(10, 20).unwrap();
        for ((min, max), expected) in
            [((0, 9), false), ((0, 10), true), ((19, 30), true), ((20, 30), false), ((0, 99), true)]
        {
            assert_eq!(range.overlaps((min, max)), expected, "{min}..={max}");
        }
        assert_eq!(TimeRange::new(5, 5), None);
    }

    #[test]
    fn calendarmonth_turns_at_midnight_utc() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
        assert_eq!(calendarmonth(at("2023-12-31T23:59:59.999999Z")), Some(202_312));
        assert_eq!(calendarmonth(at("2024-01-01T00:00:00Z")), Some(202_401));
        assert_eq!(calendarmonth(0), Some(197_001));
        assert_eq!(calendarmonth(i64::MAX), None);
    }
}
