//! `year_of_week(x)`, also called `yow`: the year that the ISO week belongs to,
//! of a date or timestamp, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#year_of_week>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::iso_week;
use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("year_of_week")
        .alias("yow")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| iso_week(local.days).0)
}
