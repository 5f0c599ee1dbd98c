//! `day(x)`, also called `day_of_month`: the day of the month, 1 to 31,
//! of a date or timestamp, or of an interval, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#day>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::intervals::map_millis;
use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("day")
        .alias("day_of_month")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
        .form(&[Param::IntervalDay], Returns::BIGINT, interval)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| local.civil().day)
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    map_millis(args, |millis| millis / 86_400_000)
}
