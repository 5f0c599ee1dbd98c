//! `date_format(timestamp, format)`: written by a `MySQL` pattern such as `%Y-%m-%d %H:%i:%s`, in the
//! clock of its zone, with milliseconds at most.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date_format>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::moments::Moments;
use super::mysql_pattern::compile;
use super::pattern_rows::PatternRows;
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("date_format")
        .form(&[Param::Timestamp, Param::Varchar], Returns::VARCHAR, evaluate)
        .form(&[Param::TimestampTz, Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    let patterns = PatternRows::of(args, 1, compile)?;
    collect(args.rows, |row| {
        let Some(ticks) = moments.get(row) else { return Ok(None) };
        patterns.with(row, |pattern| {
            let mut text = String::new();
            let offset = moments.offset_seconds(ticks);
            pattern.write(moments.local(ticks), offset, &moments.zone, &mut text);
            Ok(text)
        })
    })
}
