//! `week(x)`, also called `week_of_year`: the ISO week of the year, 1 to 53,
//! of a date or timestamp, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#week>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::iso_week;
use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("week")
        .alias("week_of_year")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| iso_week(local.days).1)
}
