//! Results whose integer type is that of an argument: `abs(tinyint)` is a tinyint.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::PrimitiveBuilder;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::common::not_impl_err;

use crate::functions::args::{Args, out_of_range};

/// Builds a column of the integer type the call returns from `row`.
///
/// # Errors
///
/// `NUMERIC_VALUE_OUT_OF_RANGE` for a value that does not fit the type.
pub(crate) fn collect_integers(
    args: &Args<'_>,
    row: impl Fn(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    match args.return_field.data_type() {
        DataType::Int8 => build::<Int8Type>(args.rows, "tinyint", row),
        DataType::Int16 => build::<Int16Type>(args.rows, "smallint", row),
        DataType::Int32 => build::<Int32Type>(args.rows, "integer", row),
        DataType::Int64 => build::<Int64Type>(args.rows, "bigint", row),
        other => not_impl_err!("{other} is no integer type"),
    }
}

fn build<T: ArrowPrimitiveType<Native: TryFrom<i64>>>(
    rows: usize,
    name: &str,
    row: impl Fn(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows);
    for index in 0..rows {
        match row(index)? {
            None => builder.append_null(),
            Some(value) => match T::Native::try_from(value) {
                Ok(value) => builder.append_value(value),
                Err(_) => return Err(out_of_range(format!("Out of range for {name}: {value}"))),
            },
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Applies `f` to the integers of argument 0; NULL in, NULL out.
pub(crate) fn map_integer(args: &Args<'_>, f: impl Fn(i64) -> Result<i64>) -> Result<ArrayRef> {
    let values = args.column::<i64>(0)?;
    collect_integers(args, |row| values.get(row).map(&f).transpose())
}

/// Applies `f` to the integers of arguments 0 and 1; any NULL in, NULL out.
pub(crate) fn map_integers(
    args: &Args<'_>,
    f: impl Fn(i64, i64) -> Result<i64>,
) -> Result<ArrayRef> {
    let (a, b) = (args.column::<i64>(0)?, args.column::<i64>(1)?);
    collect_integers(args, |row| match (a.get(row), b.get(row)) {
        (Some(a), Some(b)) => f(a, b).map(Some),
        _ => Ok(None),
    })
}

/// The bits in an integer type.
pub(crate) fn width_of(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Int8 => 8,
        DataType::Int16 => 16,
        DataType::Int32 => 32,
        _ => 64,
    }
}
