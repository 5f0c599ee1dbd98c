//! `date_parse(string, format)`: the timestamp(3) that a text written by a `MySQL` pattern says.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date_parse>

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;

use super::moments::collect_ticks;
use super::mysql_pattern::compile;
use super::pattern_rows::PatternRows;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("date_parse").form(
        &[Param::Varchar, Param::Varchar],
        Returns::Type(DataType::Timestamp(TimeUnit::Millisecond, None)),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    let patterns = PatternRows::of(args, 1, compile)?;
    collect_ticks(args, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        patterns.with(row, |pattern| pattern.read(text)?.ticks(text, 1_000))
    })
}
