//! Arithmetic of dates, times, timestamps and intervals.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date-and-time-operators>

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, DurationMillisecondArray, Float64Array,
    IntervalYearMonthArray, PrimitiveArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, DurationMillisecondType, Float64Type, Int64Type, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, TimeZone, Utc};
use datafusion::common::{Result, exec_err};

use super::arithmetic::{Op, zipped};
use crate::functions::args::{division_by_zero, invalid, out_of_range};

const DAY_MILLIS: i64 = 86_400_000;
const DAY_NANOS: i128 = 86_400_000_000_000;

pub(super) fn is_day_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Duration(TimeUnit::Millisecond))
}

fn is_month_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(IntervalUnit::YearMonth))
}

fn is_interval(data_type: &DataType) -> bool {
    is_day_interval(data_type) || is_month_interval(data_type)
}

/// The type an operation yields; the binder has refused what has none.
pub(super) fn result_type(op: Op, left: &DataType, right: &DataType) -> Result<DataType> {
    let moved = |moment: &DataType, interval: &DataType| match moment {
        DataType::Timestamp(TimeUnit::Second, zone) if is_day_interval(interval) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        other => other.clone(),
    };
    Ok(match (is_interval(left), is_interval(right)) {
        (true, true) => left.clone(),
        (true, false) if matches!(op, Op::Multiply | Op::Divide) => left.clone(),
        (false, true) if op == Op::Multiply => right.clone(),
        (false, true) => moved(left, right),
        (true, false) => moved(right, left),
        (false, false) if op == Op::Subtract => DataType::Duration(TimeUnit::Millisecond),
        _ => return exec_err!("cannot compute with {left} and {right}"),
    })
}

pub(super) fn evaluate(
    op: Op,
    left: &ArrayRef,
    right: &ArrayRef,
    result: &DataType,
) -> Result<ArrayRef> {
    let (lt, rt) = (left.data_type(), right.data_type());
    match (is_interval(lt), is_interval(rt)) {
        (true, true) => intervals(op, left, right),
        (true, false) if matches!(op, Op::Multiply | Op::Divide) => scaled(op, left, right),
        (false, true) if op == Op::Multiply => scaled(op, right, left),
        (false, true) => shifted(left, right, op == Op::Subtract, result),
        (true, false) => shifted(right, left, false, result),
        (false, false) => difference(left, right),
    }
}

fn intervals(op: Op, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let overflow = || out_of_range("interval overflow");
    if is_month_interval(left.data_type()) {
        let values = zipped::<_, _, IntervalYearMonthType>(
            left.as_primitive::<IntervalYearMonthType>(),
            right.as_primitive::<IntervalYearMonthType>(),
            |a, b| {
                let value = if op == Op::Subtract { a.checked_sub(b) } else { a.checked_add(b) };
                value.ok_or_else(overflow)
            },
        )?;
        return Ok(Arc::new(values));
    }
    let values = zipped::<_, _, DurationMillisecondType>(
        left.as_primitive::<DurationMillisecondType>(),
        right.as_primitive::<DurationMillisecondType>(),
        |a, b| {
            let value = if op == Op::Subtract { a.checked_sub(b) } else { a.checked_add(b) };
            value.ok_or_else(overflow)
        },
    )?;
    Ok(Arc::new(values))
}

/// An interval times or divided by a number.
fn scaled(op: Op, interval: &ArrayRef, number: &ArrayRef) -> Result<ArrayRef> {
    let whole = number.data_type().is_integer();
    let amounts = match is_month_interval(interval.data_type()) {
        true => cast(&cast(interval, &DataType::Int32)?, &DataType::Int64)?,
        false => cast(interval, &DataType::Int64)?,
    };
    let factors = cast(number, &DataType::Float64)?;
    let exact = cast(number, if whole { &DataType::Int64 } else { &DataType::Float64 })?;
    let amounts = amounts.as_primitive::<Int64Type>();
    let factors: &Float64Array = factors.as_primitive::<Float64Type>();
    let mut values = PrimitiveArray::<Int64Type>::builder(amounts.len());
    for row in 0..amounts.len() {
        if amounts.is_null(row) || factors.is_null(row) {
            values.append_null();
            continue;
        }
        let (amount, factor) = (amounts.value(row), factors.value(row));
        if op == Op::Divide && factor == 0.0 {
            return Err(division_by_zero());
        }
        let value = if whole && op == Op::Multiply {
            amount.checked_mul(exact.as_primitive::<Int64Type>().value(row))
        } else {
            rounded(amount, factor, op)
        };
        values.append_value(value.ok_or_else(|| out_of_range("interval overflow"))?);
    }
    let values = values.finish();
    if is_month_interval(interval.data_type()) {
        let months: Result<IntervalYearMonthArray> = values
            .iter()
            .map(|value| match value.map(i32::try_from) {
                None => Ok(None),
                Some(Ok(value)) => Ok(Some(value)),
                Some(Err(_)) => Err(out_of_range("interval overflow")),
            })
            .collect();
        return Ok(Arc::new(months?));
    }
    Ok(Arc::new(DurationMillisecondArray::from(values.iter().collect::<Vec<Option<i64>>>())))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "Trino computes with doubles here too; the range is checked"
)]
fn rounded(amount: i64, factor: f64, op: Op) -> Option<i64> {
    let value = if op == Op::Divide { amount as f64 / factor } else { amount as f64 * factor };
    (value.abs() < i64::MAX as f64).then_some(value as i64)
}

/// A moment moved by an interval.
fn shifted(
    moment: &ArrayRef,
    interval: &ArrayRef,
    back: bool,
    result: &DataType,
) -> Result<ArrayRef> {
    let months = is_month_interval(interval.data_type());
    let amounts: Vec<Option<i64>> = if months {
        interval.as_primitive::<IntervalYearMonthType>().iter().map(|v| v.map(i64::from)).collect()
    } else {
        interval.as_primitive::<DurationMillisecondType>().iter().collect()
    };
    let amounts = amounts.into_iter().map(|v| v.map(|v| if back { -v } else { v }));
    match moment.data_type() {
        DataType::Date32 => shifted_dates(moment.as_primitive::<Date32Type>(), amounts, months),
        DataType::Time32(_) | DataType::Time64(_) => shifted_times(moment, amounts),
        DataType::Timestamp(unit, zone) => {
            let zone: Option<Tz> = match zone {
                Some(zone) if zone.as_ref() != "UTC" => Some(zone.parse()?),
                _ => None,
            };
            let nanos = unit_nanos(*unit);
            let raw = cast(moment, &DataType::Int64)?;
            let DataType::Timestamp(result_unit, _) = result else {
                return exec_err!("a moved timestamp is a timestamp");
            };
            let step = unit_nanos(*result_unit);
            let values: Result<PrimitiveArray<Int64Type>> = raw
                .as_primitive::<Int64Type>()
                .iter()
                .zip(amounts)
                .map(|(value, amount)| {
                    let Some((value, amount)) = value.zip(amount) else { return Ok(None) };
                    let point = i128::from(value) * nanos;
                    let moved = if months {
                        shift_months(point, amount, zone)
                    } else {
                        Some(point + i128::from(amount) * 1_000_000)
                    };
                    let value = moved.and_then(|moved| i64::try_from(moved.div_euclid(step)).ok());
                    value.map(Some).ok_or_else(|| out_of_range("timestamp out of range"))
                })
                .collect();
            Ok(cast(&(Arc::new(values?) as ArrayRef), result)?)
        }
        other => exec_err!("cannot move {other} by an interval"),
    }
}

fn unit_nanos(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// Adds months to a moment in its own zone; a day the month lacks becomes its last.
fn shift_months(point: i128, months: i64, zone: Option<Tz>) -> Option<i128> {
    let seconds = i64::try_from(point.div_euclid(1_000_000_000)).ok()?;
    let nanos = u32::try_from(point.rem_euclid(1_000_000_000)).ok()?;
    let utc: DateTime<Utc> = DateTime::from_timestamp(seconds, nanos)?;
    let moved = match zone {
        None => add_months(utc.naive_utc(), months)?.and_utc(),
        Some(zone) => {
            let local = utc.with_timezone(&zone).naive_local();
            let local = add_months(local, months)?;
            zone.from_local_datetime(&local).earliest()?.with_timezone(&Utc)
        }
    };
    Some(i128::from(moved.timestamp()) * 1_000_000_000 + i128::from(moved.timestamp_subsec_nanos()))
}

fn add_months(moment: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let step = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { moment.checked_sub_months(step) } else { moment.checked_add_months(step) }
}

fn shifted_dates(
    dates: &Date32Array,
    amounts: impl Iterator<Item = Option<i64>>,
    months: bool,
) -> Result<ArrayRef> {
    let epoch = NaiveDate::default();
    let shift = |day: i32, amount: i64| -> Option<i32> {
        if !months {
            return day.checked_add(i32::try_from(amount / DAY_MILLIS).ok()?);
        }
        let days = Days::new(u64::from(day.unsigned_abs()));
        let date =
            if day < 0 { epoch.checked_sub_days(days) } else { epoch.checked_add_days(days) };
        let moved = add_months(date?.and_hms_opt(0, 0, 0)?, amount)?.date();
        i32::try_from(moved.signed_duration_since(epoch).num_days()).ok()
    };
    let values: Result<Date32Array> = dates
        .iter()
        .zip(amounts)
        .map(|(day, amount)| {
            let Some((day, amount)) = day.zip(amount) else { return Ok(None) };
            if !months && amount % DAY_MILLIS != 0 {
                return Err(invalid("Cannot add hour, minutes or seconds to a date"));
            }
            shift(day, amount).map(Some).ok_or_else(|| out_of_range("date out of range"))
        })
        .collect();
    Ok(Arc::new(values?))
}

/// Times wrap around midnight.
fn shifted_times(times: &ArrayRef, amounts: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
    let nanos = cast(&cast(times, &DataType::Time64(TimeUnit::Nanosecond))?, &DataType::Int64)?;
    let values: PrimitiveArray<Int64Type> = nanos
        .as_primitive::<Int64Type>()
        .iter()
        .zip(amounts)
        .map(|(time, amount)| {
            let (time, amount) = time.zip(amount)?;
            let moved = (i128::from(time) + i128::from(amount) * 1_000_000).rem_euclid(DAY_NANOS);
            i64::try_from(moved).ok()
        })
        .collect();
    let values: ArrayRef = Arc::new(values);
    Ok(cast(&cast(&values, &DataType::Time64(TimeUnit::Nanosecond))?, times.data_type())?)
}

/// The time between two moments, in milliseconds cut off towards the past.
fn difference(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let (left, right) = (nanos_of(left)?, nanos_of(right)?);
    let values: Result<DurationMillisecondArray> = left
        .into_iter()
        .zip(right)
        .map(|(left, right)| {
            let Some((left, right)) = left.zip(right) else { return Ok(None) };
            let millis = (left.div_euclid(1_000_000)) - (right.div_euclid(1_000_000));
            i64::try_from(millis).map(Some).map_err(|_| out_of_range("interval overflow"))
        })
        .collect();
    Ok(Arc::new(values?))
}

fn nanos_of(moments: &ArrayRef) -> Result<Vec<Option<i128>>> {
    let step = match moments.data_type() {
        DataType::Date32 => DAY_NANOS,
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            unit_nanos(*unit)
        }
        other => return exec_err!("{other} is no moment"),
    };
    let raw = match moments.data_type() {
        DataType::Date32 | DataType::Time32(_) => {
            cast(&cast(moments, &DataType::Int32)?, &DataType::Int64)?
        }
        _ => cast(moments, &DataType::Int64)?,
    };
    Ok(raw.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| i128::from(v) * step)).collect())
}
