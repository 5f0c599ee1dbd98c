//! The proleptic Gregorian calendar on days since 1970-01-01, for any day an `i64` of seconds can
//! reach, without tables or failure.

/// A day in the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
}

/// The days from 1970-01-01 to a day of the calendar. `month` may lie outside 1 to 12 and `day`
/// outside the month; both carry over.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years begin in March, so that the day a leap year adds is their last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + day - 1
}

/// The day of the calendar that is `days` after 1970-01-01.
pub(crate) fn civil_of(days: i64) -> Civil {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { year, month, day }
}

/// Whether the year has 366 days.
pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month.
pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of the week, Monday 1 to Sunday 7.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The day of the year, from 1.
pub(crate) fn day_of_year(days: i64) -> i64 {
    days - days_of(civil_of(days).year, 1, 1) + 1
}

/// The ISO week and the year it belongs to: that of its Thursday.
pub(super) fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days + 4 - weekday(days);
    let year = civil_of(thursday).year;
    (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
}

/// The Monday of an ISO week.
pub(super) fn monday_of(year: i64, week: i64) -> i64 {
    let fourth = days_of(year, 1, 4);
    fourth - weekday(fourth) + 1 + (week - 1) * 7
}

/// The same day `months` later, or the last of the month if it has no such day.
pub(super) fn add_months(days: i64, months: i64) -> i64 {
    let Civil { year, month, day } = civil_of(days);
    let first = days_of(year, month.saturating_add(months), 1);
    let target = civil_of(first);
    first + day.min(days_in_month(target.year, target.month)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_one_to_one() {
        for days in (-1_000_000..1_000_000).step_by(37).chain([-719_468, 0, 11_016, 2_932_896]) {
            let Civil { year, month, day } = civil_of(days);
            assert_eq!(days_of(year, month, day), days);
            assert!((1..=days_in_month(year, month)).contains(&day), "{days}");
        }
        assert_eq!(civil_of(19_000), Civil { year: 2022, month: 1, day: 8 });
        assert_eq!(civil_of(-1), Civil { year: 1969, month: 12, day: 31 });
    }

    #[test]
    fn weeks_follow_iso() {
        assert_eq!(iso_week(days_of(2023, 1, 1)), (2022, 52));
        assert_eq!(iso_week(days_of(2020, 12, 31)), (2020, 53));
        assert_eq!(iso_week(days_of(2018, 12, 31)), (2019, 1));
        assert_eq!(monday_of(2020, 10), days_of(2020, 3, 2));
        assert_eq!(weekday(days_of(2023, 1, 22)), 7);
        assert_eq!(day_of_year(days_of(2024, 12, 31)), 366);
    }

    #[test]
    fn months_end_where_they_end() {
        assert_eq!(add_months(days_of(2023, 1, 31), 1), days_of(2023, 2, 28));
        assert_eq!(add_months(days_of(2024, 3, 31), -1), days_of(2024, 2, 29));
        assert_eq!(add_months(days_of(2023, 1, 31), -13), days_of(2021, 12, 31));
    }
}
