//! `quarter(x)`: the quarter of the year, 1 to 4,
//! of a date or timestamp, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#quarter>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("quarter")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| (local.civil().month - 1) / 3 + 1)
}
