//! `sequence(start, stop[, step])`: an array of bigints, dates or timestamps, `stop` included.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#sequence>.
//!
//! * without a step, bigints go by 1 and dates by a day, up or down as `stop` asks;
//! * dates and timestamps step by an interval, day to second or year to month; dates by whole days;
//! * a zero step is an error, and so are one in the wrong direction and more than 10,000 elements.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use chrono::{DateTime, Days, Months, NaiveDate};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::{ARRAY_ELEMENTS_MAX, Args, invalid, out_of_range};
use crate::functions::nested::lists::{item_field, list_of, list_of_values};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

const DAY_MILLIS: i64 = 86_400_000;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("sequence")
        .form_optional(
            &[Param::Bigint, Param::Bigint, Param::Bigint],
            1,
            Returns::Field(returns),
            |args| evaluate(args, Step::by_number),
        )
        .form(&[Param::Date, Param::Date], Returns::Field(returns), |args| {
            evaluate(args, Step::by_number)
        })
        .form(&[Param::Date, Param::Date, Param::IntervalDay], Returns::Field(returns), |args| {
            evaluate(args, Step::by_day)
        })
        .form(&[Param::Date, Param::Date, Param::IntervalYear], Returns::Field(returns), |args| {
            evaluate(args, Step::by_month)
        })
        .form(
            &[Param::Timestamp, Param::Timestamp, Param::IntervalDay],
            Returns::Field(returns),
            |args| evaluate(args, Step::by_day),
        )
        .form(
            &[Param::Timestamp, Param::Timestamp, Param::IntervalYear],
            Returns::Field(returns),
            |args| evaluate(args, Step::by_month),
        )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(start) = args.arg_fields.first() else {
        return exec_err!("expected a start");
    };
    Ok(Arc::new(Field::new("", list_of(start), true)))
}

/// How to get from one element to the next; elements are integers in the unit of their type.
#[derive(Debug, Clone, Copy)]
enum Step {
    Number(i64),
    Months(i64, DataTypeUnit),
}

/// What the integers of a type count.
#[derive(Debug, Clone, Copy)]
enum DataTypeUnit {
    Days,
    PerSecond(i64),
}

impl DataTypeUnit {
    fn of(data_type: &DataType) -> DataTypeUnit {
        match data_type {
            DataType::Timestamp(unit, _) => DataTypeUnit::PerSecond(match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            }),
            _ => DataTypeUnit::Days,
        }
    }
}

/// Makes a step of the number in the step column and the row's type.
type ReadStep = fn(i64, &DataType) -> Result<Step>;

impl Step {
    fn by_number(step: i64, _: &DataType) -> Result<Step> {
        Ok(Step::Number(step))
    }

    fn by_day(millis: i64, data_type: &DataType) -> Result<Step> {
        let step = match DataTypeUnit::of(data_type) {
            DataTypeUnit::Days if millis % DAY_MILLIS != 0 => {
                return Err(invalid(
                    "sequence step must be a day interval if start and end values are dates",
                ));
            }
            DataTypeUnit::Days => Some(millis / DAY_MILLIS),
            DataTypeUnit::PerSecond(1) => Some(millis / 1_000),
            DataTypeUnit::PerSecond(ticks) => millis.checked_mul(ticks / 1_000),
        };
        step.map(Step::Number).ok_or_else(|| out_of_range("step out of range"))
    }

    fn by_month(months: i64, data_type: &DataType) -> Result<Step> {
        Ok(Step::Months(months, DataTypeUnit::of(data_type)))
    }

    fn size(self) -> i64 {
        match self {
            Step::Number(step) | Step::Months(step, _) => step,
        }
    }

    /// The element `count` steps after `start`, `None` if there is no such value.
    fn after(self, start: i64, count: i64) -> Option<i64> {
        match self {
            Step::Number(step) => start.checked_add(step.checked_mul(count)?),
            Step::Months(step, unit) => plus_months(start, step.checked_mul(count)?, unit),
        }
    }
}

/// `value` moved by `months`, cut to the last day of shorter ones.
fn plus_months(value: i64, months: i64, unit: DataTypeUnit) -> Option<i64> {
    let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let moved = |date: NaiveDate| {
        if months >= 0 { date.checked_add_months(by) } else { date.checked_sub_months(by) }
    };
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    let days_since = |date: NaiveDate| date.signed_duration_since(epoch).num_days();
    let date_of = |days: i64| {
        let distance = Days::new(days.unsigned_abs());
        if days >= 0 { epoch.checked_add_days(distance) } else { epoch.checked_sub_days(distance) }
    };
    match unit {
        DataTypeUnit::Days => moved(date_of(value)?).map(days_since),
        DataTypeUnit::PerSecond(ticks) => {
            let day_ticks = 86_400_i64.checked_mul(ticks)?;
            let (days, rest) = (value.div_euclid(day_ticks), value.rem_euclid(day_ticks));
            days_since(moved(date_of(days)?)?).checked_mul(day_ticks)?.checked_add(rest)
        }
    }
}

fn evaluate(args: &Args<'_>, read_step: ReadStep) -> Result<ArrayRef> {
    let item = item_field(args.return_field.data_type())?;
    let ends = |index| -> Result<ArrayRef> {
        let same = cast(&args.array(index)?, item.data_type())?;
        Ok(integers(&same)?)
    };
    let (starts, stops) = (ends(0)?, ends(1)?);
    let (starts, stops) = (starts.as_primitive::<Int64Type>(), stops.as_primitive::<Int64Type>());
    let steps = if args.len() > 2 { Some(integers(&args.array(2)?)?) } else { None };
    let mut elements = Vec::new();
    let mut lengths = Vec::with_capacity(args.rows);
    let mut nulls = NullBufferBuilder::new(args.rows);
    for row in 0..args.rows {
        let before = elements.len();
        let ends = (starts.is_valid(row) && stops.is_valid(row))
            .then(|| (starts.value(row), stops.value(row)));
        let step = match &steps {
            Some(steps) => {
                steps.is_valid(row).then(|| steps.as_primitive::<Int64Type>().value(row))
            }
            None => ends.map(|(start, stop)| if stop >= start { 1 } else { -1 }),
        };
        nulls.append(ends.is_some() && step.is_some());
        if let (Some(ends), Some(step)) = (ends, step) {
            add_elements(ends, read_step(step, item.data_type())?, &mut elements)?;
        }
        lengths.push(elements.len() - before);
    }
    let elements: ArrayRef = Arc::new(Int64Array::from(elements));
    let elements = match item.data_type() {
        DataType::Date32 => cast(&cast(&elements, &DataType::Int32)?, item.data_type())?,
        other => cast(&elements, other)?,
    };
    list_of_values(item, &lengths, elements, nulls)
}

/// The integers that values of a type are stored as; of intervals the months or milliseconds.
fn integers(array: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    match array.data_type() {
        DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Int64),
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months: Int64Array = array.as_primitive::<IntervalYearMonthType>().unary(i64::from);
            Ok(Arc::new(months))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            let millis: Int64Array = intervals
                .unary(|value| i64::from(value.days) * DAY_MILLIS + value.nanoseconds / 1_000_000);
            Ok(Arc::new(millis))
        }
        DataType::Duration(_) => {
            cast(&cast(array, &DataType::Duration(TimeUnit::Millisecond))?, &DataType::Int64)
        }
        _ => cast(array, &DataType::Int64),
    }
}

fn add_elements((start, stop): (i64, i64), step: Step, elements: &mut Vec<i64>) -> Result<()> {
    let size = step.size();
    if size == 0 {
        return Err(invalid("step must not be zero"));
    }
    if (size > 0 && stop < start) || (size < 0 && stop > start) {
        return Err(invalid(
            "sequence stop value should be greater than or equal to start value if step is \
             greater than zero otherwise stop value should be less than or equal to start value",
        ));
    }
    for count in 0.. {
        let Some(value) = step.after(start, count) else {
            break;
        };
        if (size > 0 && value > stop) || (size < 0 && value < stop) {
            break;
        }
        if count >= i64::try_from(ARRAY_ELEMENTS_MAX).unwrap_or(i64::MAX) {
            return Err(invalid(
                "result of sequence function must not have more than 10000 entries",
            ));
        }
        elements.push(value);
    }
    Ok(())
}
