//! `date_trunc(unit, x)`: `x` with all that is smaller than `unit` cleared, in the clock of its zone;
//! a date, time or timestamp of the type of `x`. Weeks begin on Monday.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date_trunc>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::{civil_of, days_of, weekday};
use super::moments::{Moments, collect_ticks};
use super::preimage;
use super::unit::{Unit, Units};
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("date_trunc")
        .preimage_with(preimage::of_date_trunc)
        .form(&[Param::Varchar, Param::Date], Returns::Same(1), evaluate)
        .form(&[Param::Varchar, Param::Time], Returns::Same(1), evaluate)
        .form(&[Param::Varchar, Param::Timestamp], Returns::Same(1), evaluate)
        .form(&[Param::Varchar, Param::TimestampTz], Returns::Same(1), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 1)?;
    let units = Units::of(args, 0, moments.kind)?;
    collect_ticks(args, |row| match (moments.get(row), units.get(row)?) {
        (Some(ticks), Some(unit)) => Ok(Some(truncate(&moments, ticks, unit))),
        _ => Ok(None),
    })
}

fn truncate(moments: &Moments, ticks: i64, unit: Unit) -> i64 {
    let local = moments.to_local(ticks);
    if let Some(millis) = unit.millis().filter(|_| unit.is_of_day()) {
        // Ticks of a whole second already have no milliseconds.
        let unit_ticks = (moments.second_ticks().saturating_mul(millis) / 1_000).max(1);
        return ticks.saturating_sub(local.rem_euclid(unit_ticks));
    }
    let days = local.div_euclid(moments.day_ticks);
    let civil = civil_of(days);
    let first = match unit {
        Unit::Week => days + 1 - weekday(days),
        Unit::Month => days_of(civil.year, civil.month, 1),
        Unit::Quarter => days_of(civil.year, (civil.month - 1) / 3 * 3 + 1, 1),
        Unit::Year => days_of(civil.year, 1, 1),
        _ => days,
    };
    moments.to_utc(first.saturating_mul(moments.day_ticks), moments.offset_seconds(ticks))
}
