//! `timezone_hour(x)`: the whole hours a timestamp with time zone is ahead of UTC.
//!
//! <https://trino.io/docs/current/functions/datetime.html#timezone_hour>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::moments::Moments;
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("timezone_hour").form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    collect(args.rows, |row| {
        Ok(moments.get(row).map(|ticks| moments.offset_seconds(ticks) / 3_600))
    })
}
