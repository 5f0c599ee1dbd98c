//! `format_datetime(timestamp, format)`: written by a Joda pattern such as `yyyy-MM-dd HH:mm:ss`, in
//! the clock of its zone. A timestamp without zone has none to write.
//!
//! <https://trino.io/docs/current/functions/datetime.html#format_datetime>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::joda_pattern::compile;
use super::moments::{Kind, Moments};
use super::pattern_rows::PatternRows;
use crate::functions::args::{Args, check_bytes, collect, invalid};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("format_datetime")
        .form(&[Param::Timestamp, Param::Varchar], Returns::VARCHAR, evaluate)
        .form(&[Param::TimestampTz, Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    let patterns = PatternRows::of(args, 1, compile)?;
    collect(args.rows, |row| {
        let Some(ticks) = moments.get(row) else { return Ok(None) };
        patterns.with(row, |pattern| {
            if moments.kind == Kind::Timestamp && pattern.has_zone() {
                return Err(invalid(
                    "format_datetime for TIMESTAMP type, cannot use 'Z' nor 'z' in format, as this \
                     type does not contain TZ information",
                ));
            }
            let mut text = String::new();
            let offset = moments.offset_seconds(ticks);
            pattern.write(moments.local(ticks), offset, &moments.zone, &mut text);
            check_bytes(text.len())?;
            Ok(text)
        })
    })
}
