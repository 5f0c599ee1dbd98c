//! `with_timezone(x, zone)`: the moment when a clock in `zone` shows the timestamp `x`. As for
//! `at_timezone`, the result keeps the zone if it is a constant and is in UTC otherwise.
//!
//! <https://trino.io/docs/current/functions/datetime.html#with_timezone>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::at_timezone::returns;
use super::moments::{Moments, collect_ticks};
use super::zone::Zone;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("with_timezone").form(
        &[Param::Timestamp, Param::Varchar],
        Returns::Field(returns),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    let zones = args.column::<&str>(1)?;
    let constant = match args.constant::<&str>(1)? {
        Some(Some(name)) => Some(Zone::named(name)?),
        _ => None,
    };
    let per_second = moments.second_ticks();
    collect_ticks(args, |row| {
        let (Some(local), Some(name)) = (moments.get(row), zones.get(row)) else { return Ok(None) };
        let offset_in = |zone: &Zone| zone.offset_at_local(local.div_euclid(per_second), None);
        let offset = match &constant {
            Some(zone) => offset_in(zone),
            None => offset_in(&Zone::named(name)?),
        };
        Ok(Some(local.saturating_sub(offset.saturating_mul(per_second))))
    })
}
