//! Columns of dates, times and timestamps of any precision, read in one way: ticks since 1970, and
//! the local day and time of day they mean.

use std::sync::Arc;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs};

use super::calendar::{self, Civil};
use super::zone::Zone;
use crate::functions::args::{Args, Output, collect, out_of_range};

/// Nanoseconds of a day.
pub(crate) const DAY_NANOS: i64 = 86_400_000_000_000;

/// What kind of ticks a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Date,
    Time,
    Timestamp,
    TimestampTz,
}

/// A column of dates, times or timestamps.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) kind: Kind,
    /// Ticks in a day: 1 for dates, else 86,400 times those in a second.
    pub(crate) day_ticks: i64,
    pub(crate) zone: Zone,
    ticks: Int64Array,
    constant: bool,
}

/// A day and the time in it, where the column's clock hangs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    /// Days since 1970-01-01.
    pub(crate) days: i64,
    /// Nanoseconds since midnight.
    pub(crate) nanos: i64,
}

impl Local {
    pub(crate) fn civil(self) -> Civil {
        calendar::civil_of(self.days)
    }
    pub(crate) fn hour(self) -> i64 {
        self.nanos / 3_600_000_000_000
    }
    pub(crate) fn minute(self) -> i64 {
        self.nanos / 60_000_000_000 % 60
    }
    pub(crate) fn second(self) -> i64 {
        self.nanos / 1_000_000_000 % 60
    }
    pub(crate) fn millisecond(self) -> i64 {
        self.nanos / 1_000_000 % 1_000
    }
}

impl Moments {
    /// Reads argument `index`.
    pub(crate) fn of(args: &Args<'_>, index: usize) -> Result<Moments> {
        let value = args.value(index)?;
        let (kind, day_ticks, zone) = shape(&value.data_type())?;
        let ticks = ticks_of(value)?;
        let constant = matches!(value, ColumnarValue::Scalar(_));
        Ok(Moments { kind, day_ticks, zone, ticks, constant })
    }

    /// The ticks of a row since 1970 in UTC, `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        let row = if self.constant { 0 } else { row };
        self.ticks.is_valid(row).then(|| self.ticks.value(row))
    }

    /// Ticks in a second. Dates have none.
    pub(crate) fn second_ticks(&self) -> i64 {
        (self.day_ticks / 86_400).max(1)
    }

    /// Seconds ahead of UTC.
    pub(crate) fn offset_seconds(&self, ticks: i64) -> i64 {
        if self.kind == Kind::TimestampTz {
            self.zone.offset_at(ticks.div_euclid(self.second_ticks()))
        } else {
            0
        }
    }

    /// Ticks as a clock in the column's zone shows them.
    pub(crate) fn to_local(&self, ticks: i64) -> i64 {
        ticks.saturating_add(self.offset_seconds(ticks).saturating_mul(self.second_ticks()))
    }

    /// Undoes [`Moments::to_local`]; of two moments that show the same, the one at `offset` seconds.
    pub(crate) fn to_utc(&self, local: i64, offset: i64) -> i64 {
        if self.kind != Kind::TimestampTz {
            return local;
        }
        let seconds =
            self.zone.offset_at_local(local.div_euclid(self.second_ticks()), Some(offset));
        local.saturating_sub(seconds.saturating_mul(self.second_ticks()))
    }

    /// The local day and time of day.
    pub(crate) fn local(&self, ticks: i64) -> Local {
        let local = self.to_local(ticks);
        Local {
            days: local.div_euclid(self.day_ticks),
            nanos: local.rem_euclid(self.day_ticks) * (DAY_NANOS / self.day_ticks),
        }
    }

    /// Milliseconds since 1970, rounded half up. Dates count whole days.
    pub(crate) fn millis(&self, ticks: i64) -> i64 {
        if self.day_ticks >= 86_400_000 {
            let per_milli = self.day_ticks / 86_400_000;
            ticks.div_euclid(per_milli)
        } else {
            ticks.saturating_mul(86_400_000 / self.day_ticks)
        }
    }
}

/// Kind, ticks of a day and zone of a type.
pub(super) fn shape(data_type: &DataType) -> Result<(Kind, i64, Zone)> {
    let per_second = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 1_i64,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    match data_type {
        DataType::Date32 => Ok((Kind::Date, 1, Zone::utc())),
        DataType::Time32(unit) | DataType::Time64(unit) => {
            Ok((Kind::Time, 86_400 * per_second(unit), Zone::utc()))
        }
        DataType::Timestamp(unit, None) => {
            Ok((Kind::Timestamp, 86_400 * per_second(unit), Zone::utc()))
        }
        DataType::Timestamp(unit, Some(zone)) => {
            Ok((Kind::TimestampTz, 86_400 * per_second(unit), Zone::of_column(zone)?))
        }
        other => exec_err!("expected a date or time, got {other}"),
    }
}

/// The whole numbers a column is stored as.
fn ticks_of(value: &ColumnarValue) -> Result<Int64Array> {
    let array = match value {
        ColumnarValue::Array(array) => Arc::clone(array),
        ColumnarValue::Scalar(scalar) => scalar.to_array()?,
    };
    let array = match array.data_type() {
        DataType::Date32 | DataType::Time32(_) => cast(&array, &DataType::Int32)?,
        _ => array,
    };
    let array = cast(&array, &DataType::Int64)?;
    match array.as_primitive_opt::<Int64Type>() {
        Some(ticks) => Ok(ticks.clone()),
        None => exec_err!("expected a date or time, got {}", array.data_type()),
    }
}

/// Builds a column of the type the call returns from the ticks of `row`.
pub(super) fn collect_ticks(
    args: &Args<'_>,
    row: impl Fn(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let ticks = collect::<i64>(args.rows, row)?;
    let data_type = args.return_field.data_type();
    let ticks = match data_type {
        DataType::Date32 | DataType::Time32(_) => narrow(&ticks)?,
        _ => ticks,
    };
    Ok(cast(&ticks, data_type)?)
}

fn narrow(ticks: &ArrayRef) -> Result<ArrayRef> {
    let fits = ticks
        .as_primitive_opt::<Int64Type>()
        .is_some_and(|ticks| ticks.iter().flatten().all(|one| i32::try_from(one).is_ok()));
    if !fits {
        return Err(out_of_range("date is out of range"));
    }
    Ok(cast(ticks, &DataType::Int32)?)
}

/// Applies `f` to the local day and time of each row of argument 0.
pub(super) fn map_local<R: Output>(args: &Args<'_>, f: impl Fn(Local) -> R) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    collect(args.rows, |row| Ok(moments.get(row).map(|ticks| f(moments.local(ticks)))))
}

/// The text of argument `index`, if it is a constant that is not NULL.
pub(super) fn constant_text<'a>(args: &ReturnFieldArgs<'a>, index: usize) -> Option<&'a str> {
    match args.scalar_arguments.get(index)?.as_ref()? {
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            text.as_deref()
        }
        _ => None,
    }
}

/// A nullable field of a timestamp with time zone.
pub(super) fn zoned_field(unit: TimeUnit, zone: &Zone) -> FieldRef {
    let data_type = DataType::Timestamp(unit, Some(Arc::clone(&zone.name)));
    Arc::new(Field::new("timestamp", data_type, true))
}
