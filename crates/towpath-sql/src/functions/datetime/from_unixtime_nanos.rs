//! `from_unixtime_nanos(nanos)`: the moment that many nanoseconds after 1970-01-01 00:00 UTC, as
//! timestamp(9) with time zone. A decimal is rounded to whole nanoseconds.
//!
//! <https://trino.io/docs/current/functions/datetime.html#from_unixtime_nanos>

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use super::moments::{collect_ticks, zoned_field};
use super::zone::Zone;
use crate::functions::args::{Args, out_of_range, primitives};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_unixtime_nanos")
        .form(&[Param::Bigint], Returns::Field(returns), integers)
        .form(&[Param::Decimal], Returns::Field(returns), decimals)
}

fn returns(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(zoned_field(TimeUnit::Nanosecond, &Zone::utc()))
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    let nanos = args.column::<i64>(0)?;
    collect_ticks(args, |row| Ok(nanos.get(row)))
}

fn decimals(args: &Args<'_>) -> Result<ArrayRef> {
    let scale = match args.data_type(0)? {
        DataType::Decimal128(_, scale) => u32::try_from(scale).unwrap_or(0),
        _ => 0,
    };
    let unit = 10_i128.checked_pow(scale).ok_or_else(|| out_of_range("Decimal overflow"))?;
    let values = primitives::<Decimal128Type>(args.value(0)?)?;
    collect_ticks(args, |row| {
        let Some(value) = values.get(row) else { return Ok(None) };
        let half = unit / 2 * value.signum();
        match i64::try_from(value.saturating_add(half) / unit) {
            Ok(nanos) => Ok(Some(nanos)),
            Err(_) => Err(out_of_range("timestamp is out of range")),
        }
    })
}
