//! `to_milliseconds(interval)`: an interval of days to seconds in milliseconds, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#to_milliseconds>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::intervals::{millis_of, millis_rows};
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_milliseconds").form(&[Param::IntervalDay], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let intervals = millis_rows(args, 0)?;
    collect(args.rows, |row| Ok(millis_of(&intervals, row)))
}
