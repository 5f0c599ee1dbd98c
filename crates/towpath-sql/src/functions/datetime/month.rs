//! `month(x)`: the month of the year, 1 to 12,
//! of a date or timestamp, or of an interval, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#month>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::intervals::map_months;
use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("month")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
        .form(&[Param::IntervalYear], Returns::BIGINT, interval)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| local.civil().month)
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    map_months(args, |months| months % 12)
}
