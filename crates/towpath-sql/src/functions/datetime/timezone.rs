//! `timezone(x)`: the name of the zone of a timestamp with time zone.
//!
//! <https://trino.io/docs/current/functions/datetime.html#timezone>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::moments::Moments;
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("timezone").form(&[Param::TimestampTz], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    let name = moments.zone.name.as_ref();
    collect(args.rows, |row| Ok(moments.get(row).map(|_| name)))
}
