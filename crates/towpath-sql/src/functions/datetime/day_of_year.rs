//! `day_of_year(x)`, also called `doy`: the day of the year, 1 to 366,
//! of a date or timestamp, bigint.
//!
//! <https://trino.io/docs/current/functions/datetime.html#day_of_year>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::day_of_year;
use super::moments::map_local;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("day_of_year")
        .alias("doy")
        .form(&[Param::Date], Returns::BIGINT, evaluate)
        .form(&[Param::Timestamp], Returns::BIGINT, evaluate)
        .form(&[Param::TimestampTz], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map_local(args, |local| day_of_year(local.days))
}
