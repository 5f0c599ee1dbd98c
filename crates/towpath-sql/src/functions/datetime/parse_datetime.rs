//! `parse_datetime(string, format)`: the timestamp(3) with time zone that a text written by a Joda
//! pattern says; in UTC if it names no zone.
//!
//! The zone of a column is in its type, so that of the text is kept if both arguments are constant;
//! otherwise the moments are shown in UTC.
//!
//! <https://trino.io/docs/current/functions/datetime.html#parse_datetime>

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::joda_pattern::compile;
use super::moments::{collect_ticks, constant_text, zoned_field};
use super::pattern_rows::{PatternRows, checked};
use super::zone::Zone;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("parse_datetime").form(
        &[Param::Varchar, Param::Varchar],
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let zone = match (constant_text(args, 0), constant_text(args, 1)) {
        // What is wrong with the text is for the evaluation to say, where TRY can catch it.
        (Some(text), Some(format)) => checked(format, compile)
            .and_then(|pattern| pattern.read(text))
            .ok()
            .and_then(|fields| fields.zone),
        _ => None,
    };
    Ok(zoned_field(TimeUnit::Millisecond, &zone.unwrap_or_else(Zone::utc)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    let patterns = PatternRows::of(args, 1, compile)?;
    collect_ticks(args, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        patterns.with(row, |pattern| pattern.read(text)?.ticks(text, 1_000))
    })
}
