//! A point in time with the resolution of CloudTrail's own times: one second, UTC.

use std::fmt;

/// Seconds in a minute, an hour and a day.
pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Seconds since 1970-01-01T00:00:00Z.
///
/// Displayed as CloudTrail writes an `eventTime`: `2024-11-14T02:03:07Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// The start of a day of the proleptic Gregorian calendar.
    pub(crate) fn day(year: i64, month: i64, day: i64) -> Moment {
        // Years are counted from March so that the leap day is the last one; see "days from
        // civil" in Howard Hinnant's calendar notes.
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Moment((era * 146_097 + day_of_era - 719_468) * DAY)
    }

    /// The moment at `hour`:`minute` of the day that begins here.
    pub(crate) fn at(self, hour: i64, minute: i64) -> Moment {
        self.plus(hour * HOUR + minute * MINUTE)
    }

    /// The moment `seconds` later.
    pub(crate) fn plus(self, seconds: i64) -> Moment {
        Moment(self.0 + seconds)
    }

    /// The latest multiple of `seconds` that is not after this moment.
    pub(crate) fn floor(self, seconds: i64) -> Moment {
        Moment(self.0.div_euclid(seconds) * seconds)
    }

    /// Whether the day is a Saturday or a Sunday.
    pub(crate) fn is_weekend(self) -> bool {
        // 1970-01-01 was a Thursday.
        matches!(self.0.div_euclid(DAY).rem_euclid(7), 2 | 3)
    }

    /// `2024/11/14`, the day as it stands in an S3 key.
    pub(crate) fn key_day(self) -> String {
        let (year, month, day) = self.date();
        format!("{year:04}/{month:02}/{day:02}")
    }

    /// `20241114T0203Z`, the delivery time in the name of a log file.
    pub(crate) fn key_minute(self) -> String {
        let (year, month, day) = self.date();
        let second_of_day = self.0.rem_euclid(DAY);
        let (hour, minute) = (second_of_day / HOUR, second_of_day % HOUR / MINUTE);
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z")
    }

    /// `20241114T020307Z`, the time in the name of a digest file and in old session attributes.
    pub(crate) fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }

    /// Year, month and day.
    pub(crate) fn date(self) -> (i64, i64, i64) {
        let days = self.0.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second_of_day = self.0.rem_euclid(DAY);
        let (hour, minute) = (second_of_day / HOUR, second_of_day % HOUR / MINUTE);
        let second = second_of_day % MINUTE;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_prints_as_cloudtrail_prints_it() {
        let leap_day = Moment::day(2024, 2, 29).at(23, 59).plus(58);
        assert_eq!(leap_day.to_string(), "2024-02-29T23:59:58Z");
        assert_eq!(leap_day.plus(2).to_string(), "2024-03-01T00:00:00Z");
        assert_eq!(leap_day.key_day(), "2024/02/29");
        assert_eq!(leap_day.key_minute(), "20240229T2359Z");
        assert_eq!(leap_day.compact(), "20240229T235958Z");
        assert_eq!(Moment::day(1970, 1, 1), Moment(0));
    }

    #[test]
    fn weekends_are_saturday_and_sunday() {
        let friday = Moment::day(2024, 11, 15);
        let weekends: Vec<bool> = (0..4).map(|day| friday.plus(day * DAY).is_weekend()).collect();
        assert_eq!(weekends, [false, true, true, false]);
    }
}
