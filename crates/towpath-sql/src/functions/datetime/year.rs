//! `year(x)`: the year,
//! of a date or timestamp, or of an interval, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#year>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::intervals::map_months;
use super::moments::map_local;
use super::preimage;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("year")
        .preimage_with(preimage::of_year)
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
        .form(&[Param::IntervalYear], Returns::BIGINT, interval)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| local.civil().year)
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    map_months(args, |months| months / 12)
}
