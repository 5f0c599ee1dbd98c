//! `to_unixtime(x)`: the seconds since 1970-01-01 00:00 UTC of a timestamp, double.
//!
//! <https://trino.io/docs/current/functions/datetime.html#to_unixtime>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::moments::Moments;
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_unixtime").form(&[Param::Timestamp], Returns::DOUBLE, evaluate).form(
        &[Param::TimestampTz],
        Returns::DOUBLE,
        evaluate,
    )
}

#[expect(clippy::cast_precision_loss, reason = "a double has 15 digits, as in Trino")]
fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    let per_second = moments.second_ticks() as f64;
    collect(args.rows, |row| Ok(moments.get(row).map(|ticks| ticks as f64 / per_second)))
}
