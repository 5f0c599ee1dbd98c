//! `at_timezone(x, zone)`: the same moment on the clock of another zone; what `AT TIME ZONE` means.
//!
//! The zone of a column is in its type, so it is kept if `zone` is a constant; otherwise each row
//! is checked and the moment is shown in UTC.
//!
//! <https://trino.io/docs/current/functions/datetime.html#at_timezone>

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::moments::{Moments, collect_ticks, constant_text, shape};
use super::zone::Zone;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("at_timezone").form(
        &[Param::TimestampTz, Param::Varchar],
        Returns::Field(returns),
        evaluate,
    )
}

/// The timestamp type of argument 0 in the zone of argument 1.
pub(super) fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let zone = match constant_text(args, 1) {
        Some(name) => Zone::named(name)?,
        None => Zone::utc(),
    };
    let unit = match args.arg_fields.first().map(|field| field.data_type()) {
        Some(DataType::Timestamp(unit, _)) => *unit,
        _ => TimeUnit::Millisecond,
    };
    Ok(super::moments::zoned_field(unit, &zone))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    let (_, day_ticks, _) = shape(args.return_field.data_type())?;
    debug_assert_eq!(moments.day_ticks, day_ticks, "the unit stays");
    let zones = args.column::<&str>(1)?;
    let constant = args.constant::<&str>(1)?.is_some();
    collect_ticks(args, |row| {
        let (Some(ticks), Some(zone)) = (moments.get(row), zones.get(row)) else { return Ok(None) };
        if !constant {
            Zone::named(zone)?;
        }
        Ok(Some(ticks))
    })
}
