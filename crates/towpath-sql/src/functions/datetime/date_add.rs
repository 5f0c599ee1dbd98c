//! `date_add(unit, value, x)`: `x` and `value` units more, in the type of `x`. Days and longer units
//! are added in the clock of the zone, shorter ones to the moment; a month keeps the day, or takes
//! its last. A time wraps round at midnight. `dateadd` is a kindness: a sample of Lake uses it.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date_add>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::add_months;
use super::moments::{Kind, Moments, collect_ticks};
use super::unit::{Unit, Units};
use crate::functions::args::{Args, out_of_range};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("date_add")
        .alias("dateadd")
        .form(&[Param::Varchar, Param::Bigint, Param::Date], Returns::Same(2), evaluate)
        .form(&[Param::Varchar, Param::Bigint, Param::Time], Returns::Same(2), evaluate)
        .form(&[Param::Varchar, Param::Bigint, Param::Timestamp], Returns::Same(2), evaluate)
        .form(&[Param::Varchar, Param::Bigint, Param::TimestampTz], Returns::Same(2), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 2)?;
    let units = Units::of(args, 0, moments.kind)?;
    let values = args.column::<i64>(1)?;
    collect_ticks(args, |row| match (moments.get(row), units.get(row)?, values.get(row)) {
        (Some(ticks), Some(unit), Some(value)) => match add(&moments, ticks, unit, value) {
            Some(sum) => Ok(Some(sum)),
            None => Err(out_of_range("date_add result is out of range")),
        },
        _ => Ok(None),
    })
}

/// `None` if the sum is out of range.
fn add(moments: &Moments, ticks: i64, unit: Unit, value: i64) -> Option<i64> {
    let value = i64::from(i32::try_from(value).ok()?);
    if unit.is_of_day() {
        let millis = value.checked_mul(unit.millis()?)?;
        let sum = ticks.checked_add(ticks_of_millis(millis, moments.second_ticks())?)?;
        let wraps = moments.kind == Kind::Time;
        return Some(if wraps { sum.rem_euclid(moments.day_ticks) } else { sum });
    }
    let local = moments.to_local(ticks);
    let (days, time) = (local.div_euclid(moments.day_ticks), local.rem_euclid(moments.day_ticks));
    let days = match unit.months() {
        Some(months) => add_months(days, value.checked_mul(months)?),
        None if unit == Unit::Week => days.checked_add(value.checked_mul(7)?)?,
        None => days.checked_add(value)?,
    };
    let sum = days.checked_mul(moments.day_ticks)?.checked_add(time)?;
    Some(moments.to_utc(sum, moments.offset_seconds(ticks)))
}

/// Milliseconds in ticks, rounded half up where a tick is longer.
fn ticks_of_millis(millis: i64, second_ticks: i64) -> Option<i64> {
    if second_ticks >= 1_000 {
        return millis.checked_mul(second_ticks / 1_000);
    }
    Some(millis.checked_add(500)?.div_euclid(1_000))
}
