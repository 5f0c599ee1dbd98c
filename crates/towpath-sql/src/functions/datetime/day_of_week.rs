//! `day_of_week(x)`, also called `dow`: the day of the week, Monday 1 to Sunday 7,
//! of a date or timestamp, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#day_of_week>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::weekday;
use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("day_of_week")
        .alias("dow")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| weekday(local.days))
}
