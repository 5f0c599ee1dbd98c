//! `from_iso8601_timestamp(string)`: the timestamp(3) with time zone of ISO 8601 text; in UTC if it
//! names no zone. The zone is kept if the text is a constant, else the moments are shown in UTC.
//!
//! <https://trino.io/docs/current/functions/datetime.html#from_iso8601_timestamp>

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::iso8601::read_date_time;
use super::moments::{collect_ticks, constant_text, zoned_field};
use super::zone::Zone;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_iso8601_timestamp").form(
        &[Param::Varchar],
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    // What is wrong with the text is for the evaluation to say, where TRY can catch it.
    let zone = constant_text(args, 0)
        .and_then(|text| read_date_time(text).ok())
        .and_then(|fields| fields.zone);
    Ok(zoned_field(TimeUnit::Millisecond, &zone.unwrap_or_else(Zone::utc)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    collect_ticks(args, |row| match texts.get(row) {
        Some(text) => read_date_time(text)?.ticks(text, 1_000).map(Some),
        None => Ok(None),
    })
}
