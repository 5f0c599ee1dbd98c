//! `date_diff(unit, x, y)`: whole units from `x` to `y`, bigint, negative if `y` is earlier. Days and
//! longer units are counted in the clock of the zone.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date_diff>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::{civil_of, days_in_month, days_of, is_leap};
use super::moments::Moments;
use super::unit::{Unit, Units};
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;
/// Milliseconds of a common year before the day that a leap year adds.
const LEAP_DAY_MILLIS: i64 = 59 * DAY_MILLIS;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("date_diff")
        .form(&[Param::Varchar, Param::Date, Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Varchar, Param::Time, Param::Time], Returns::BIGINT, evaluate)
        .form(&[Param::Varchar, Param::Timestamp, Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::Varchar, Param::TimestampTz, Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (from, to) = (Moments::of(args, 1)?, Moments::of(args, 2)?);
    let units = Units::of(args, 0, from.kind)?;
    collect(args.rows, |row| {
        let (Some(from_ticks), Some(to_ticks), Some(unit)) =
            (from.get(row), to.get(row), units.get(row)?)
        else {
            return Ok(None);
        };
        let (from_millis, to_millis) = if unit.is_of_day() {
            (from.millis(from_ticks), to.millis(to_ticks))
        } else {
            // Both are read on the clock of the first.
            let shift = |millis: i64| {
                millis.saturating_add(from.zone.offset_at(millis.div_euclid(1_000)) * 1_000)
            };
            (shift(from.millis(from_ticks)), shift(to.millis(to_ticks)))
        };
        Ok(Some(difference(unit, from_millis, to_millis)))
    })
}

fn difference(unit: Unit, from: i64, to: i64) -> i64 {
    if let Some(millis) = unit.millis() {
        return to.saturating_sub(from) / millis;
    }
    if to < from {
        return -difference(unit, to, from);
    }
    match unit {
        Unit::Year => years(from, to),
        Unit::Quarter => months(from, to) / 3,
        _ => months(from, to),
    }
}

/// Whole months from the earlier `from` to `to`.
fn months(from: i64, to: i64) -> i64 {
    let (start, end) = (civil_of(from.div_euclid(DAY_MILLIS)), civil_of(to.div_euclid(DAY_MILLIS)));
    let full = (end.year - start.year) * 12 + end.month - start.month;
    // Adding a month to the 31st gives the last day of a shorter one, which then is a whole month.
    let last = end.day == days_in_month(end.year, end.month);
    let start_day = if last { start.day.min(end.day) } else { start.day };
    let time = |millis: i64, day: i64| day * DAY_MILLIS + millis.rem_euclid(DAY_MILLIS);
    full - i64::from(time(to, end.day) < time(from, start_day))
}

/// Whole years from the earlier `from` to `to`. The day that a leap year adds is left out of count
/// where only one of the years has it.
fn years(from: i64, to: i64) -> i64 {
    let year = |millis: i64| civil_of(millis.div_euclid(DAY_MILLIS)).year;
    let (start, end) = (year(from), year(to));
    let mut start_rest = from - days_of(start, 1, 1) * DAY_MILLIS;
    let mut end_rest = to - days_of(end, 1, 1) * DAY_MILLIS;
    if start_rest >= LEAP_DAY_MILLIS {
        if is_leap(start) && !is_leap(end) {
            start_rest -= DAY_MILLIS;
        } else if !is_leap(start) && is_leap(end) && end_rest >= LEAP_DAY_MILLIS {
            end_rest -= DAY_MILLIS;
        }
    }
    end - start - i64::from(end_rest < start_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_units_count() {
        let at = |year, month, day| days_of(year, month, day) * DAY_MILLIS;
        assert_eq!(difference(Unit::Month, at(2020, 1, 31), at(2020, 2, 29)), 1);
        assert_eq!(difference(Unit::Month, at(2020, 1, 31), at(2020, 2, 28)), 0);
        assert_eq!(difference(Unit::Month, at(2020, 3, 1), at(2020, 1, 15)), -1);
        assert_eq!(difference(Unit::Year, at(2019, 3, 1), at(2020, 2, 29)), 0);
        assert_eq!(difference(Unit::Year, at(2020, 2, 29), at(2021, 2, 28)), 1);
        assert_eq!(difference(Unit::Year, at(2001, 5, 1), at(2004, 5, 1)), 3);
        assert_eq!(difference(Unit::Quarter, at(2020, 1, 1), at(2020, 12, 31)), 3);
        assert_eq!(difference(Unit::Day, at(2020, 3, 1), at(2020, 2, 28)), -2);
        assert_eq!(difference(Unit::Week, at(2020, 3, 1), at(2020, 3, 14)), 1);
    }
}
