//! `from_unixtime(seconds)`, `from_unixtime(seconds, zone)`, `from_unixtime(seconds, hours,
//! minutes)`: the moment that many seconds, with a fraction, after 1970-01-01 00:00 UTC, as
//! timestamp(3) with time zone. The zone is kept if it is a constant, else it is UTC.
//!
//! <https://trino.io/docs/current/functions/datetime.html#from_unixtime>

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ReturnFieldArgs;

use super::moments::{collect_ticks, constant_text, zoned_field};
use super::zone::Zone;
use crate::functions::args::Args;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_unixtime")
        .form(&[Param::Double], Returns::Field(utc), evaluate)
        .form(&[Param::Double, Param::Varchar], Returns::Field(named), evaluate)
        .form(&[Param::Double, Param::Bigint, Param::Bigint], Returns::Field(offset), evaluate)
}

fn utc(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(zoned_field(TimeUnit::Millisecond, &Zone::utc()))
}

fn named(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let zone = match constant_text(args, 1) {
        Some(name) => Zone::named(name)?,
        None => Zone::utc(),
    };
    Ok(zoned_field(TimeUnit::Millisecond, &zone))
}

fn offset(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let number = |index: usize| {
        let scalar = args.scalar_arguments.get(index).copied().flatten()?;
        scalar.cast_to(&DataType::Int64).ok().and_then(|number| match number {
            ScalarValue::Int64(number) => number,
            _ => None,
        })
    };
    let zone = match (number(1), number(2)) {
        (Some(hours), Some(minutes)) => fixed(hours, minutes)?,
        _ => Zone::utc(),
    };
    Ok(zoned_field(TimeUnit::Millisecond, &zone))
}

fn fixed(hours: i64, minutes: i64) -> Result<Zone> {
    Zone::fixed(hours.saturating_mul(60).saturating_add(minutes))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let seconds = args.column::<f64>(0)?;
    let zones = if args.len() == 2 { Some(args.column::<&str>(1)?) } else { None };
    let offsets =
        if args.len() == 3 { Some((args.column::<i64>(1)?, args.column::<i64>(2)?)) } else { None };
    collect_ticks(args, |row| {
        let Some(seconds) = seconds.get(row) else { return Ok(None) };
        if let Some(zones) = &zones {
            let Some(zone) = zones.get(row) else { return Ok(None) };
            Zone::named(zone)?;
        }
        if let Some((hours, minutes)) = &offsets {
            let (Some(hours), Some(minutes)) = (hours.get(row), minutes.get(row)) else {
                return Ok(None);
            };
            fixed(hours, minutes)?;
        }
        Ok(Some(round(seconds * 1_000.0)))
    })
}

/// As Java rounds: half up, the nearest bigint for what is out of range, 0 for NaN.
#[expect(clippy::cast_possible_truncation, reason = "saturating, as in Java")]
fn round(value: f64) -> i64 {
    (value + 0.5).floor() as i64
}
