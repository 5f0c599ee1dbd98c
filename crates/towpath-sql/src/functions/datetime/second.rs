//! `second(x)`: the second of the minute, 0 to 59,
//! of a time or timestamp, or of an interval, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#second>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::intervals::map_millis;
use super::moments::{Local, map_local};
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("second")
        .form(&[Param::Time], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
        .form(&[Param::IntervalDay], Returns::BIGINT, interval)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, Local::second)
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    map_millis(args, |millis| millis % 60_000 / 1_000)
}
