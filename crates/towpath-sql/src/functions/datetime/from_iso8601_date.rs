//! `from_iso8601_date(string)`: the date of ISO 8601 text: `2020-05-11`, `2020-123` or `2020-W10`.
//!
//! <https://trino.io/docs/current/functions/datetime.html#from_iso8601_date>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::iso8601::read_date;
use super::moments::collect_ticks;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_iso8601_date").form(&[Param::Varchar], Returns::DATE, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    collect_ticks(args, |row| match texts.get(row) {
        Some(text) => Ok(Some(read_date(text)?.local(text)?.0)),
        None => Ok(None),
    })
}
