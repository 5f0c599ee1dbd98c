//! Intervals as the numbers Trino keeps: milliseconds for day to second, months for year to month.

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::IntervalMonthDayNanoType;
use arrow::datatypes::{DataType, Int64Type, IntervalYearMonthType, TimeUnit};
use datafusion::common::{Result, exec_err};

use crate::functions::args::{Args, collect, primitives};

/// The milliseconds of the intervals in argument `index`.
pub(super) fn millis_rows(args: &Args<'_>, index: usize) -> Result<Int64Array> {
    let array = args.array(index)?;
    if let Some(parts) = array.as_primitive_opt::<IntervalMonthDayNanoType>() {
        return Ok(parts
            .iter()
            .map(|one| {
                one.map(|one| i64::from(one.days) * 86_400_000 + one.nanoseconds / 1_000_000)
            })
            .collect());
    }
    let millis = cast(&array, &DataType::Duration(TimeUnit::Millisecond))?;
    match cast(&millis, &DataType::Int64)?.as_primitive_opt::<Int64Type>() {
        Some(millis) => Ok(millis.clone()),
        None => exec_err!("expected interval day to second, got {}", array.data_type()),
    }
}

/// The milliseconds of a row, `None` for NULL.
pub(super) fn millis_of(intervals: &Int64Array, row: usize) -> Option<i64> {
    intervals.is_valid(row).then(|| intervals.value(row))
}

/// Applies `f` to the milliseconds of the intervals in argument 0.
pub(super) fn map_millis(args: &Args<'_>, f: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let intervals = millis_rows(args, 0)?;
    collect(args.rows, |row| Ok(millis_of(&intervals, row).map(&f)))
}

/// Applies `f` to the months of the intervals in argument 0.
pub(super) fn map_months(args: &Args<'_>, f: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let months = primitives::<IntervalYearMonthType>(args.value(0)?)?;
    collect(args.rows, |row| Ok(months.get(row).map(|months| f(i64::from(months)))))
}
