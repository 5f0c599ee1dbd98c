//! `last_day_of_month(x)`: the last day of the month of a date or timestamp, date.
//!
//! <https://trino.io/docs/current/functions/datetime.html#last_day_of_month>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::{days_in_month, days_of};
use super::moments::{Moments, collect_ticks};
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("last_day_of_month")
        .form(&[Param::Date], Returns::DATE, evaluate)
        .form(&[Param::Timestamp], Returns::DATE, evaluate)
        .form(&[Param::TimestampTz], Returns::DATE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    collect_ticks(args, |row| {
        Ok(moments.get(row).map(|ticks| {
            let civil = moments.local(ticks).civil();
            days_of(civil.year, civil.month, days_in_month(civil.year, civil.month))
        }))
    })
}
