//! `zip(array1, array2, …)`: an array of rows, the n-th made of the n-th elements.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#zip>.
//!
//! Two to five arrays; shorter ones are filled up with NULL. A NULL array gives NULL.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{ArrayRef, StructArray, UInt64Builder};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::data_type::unnamed_field;
use crate::functions::args::Args;
use crate::functions::nested::lists::{Lists, item_field, item_of, list_of_values, relabeled};
use crate::functions::scalar::{Returns, ScalarFunction};

/// Most arrays, as in Trino.
const ARRAYS_MAX: usize = 5;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("zip").form_matched(
        "array(T1), array(T2), ...",
        |given: &[DataType]| {
            if given.len() < 2 || given.len() > ARRAYS_MAX {
                return None;
            }
            given.iter().map(|one| item_of(one).map(|(_, list)| list)).collect()
        },
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let mut fields = Vec::new();
    for (index, list) in args.arg_fields.iter().enumerate() {
        let item = item_field(list.data_type())?;
        fields.push(item.as_ref().clone().with_name(unnamed_field(index)).with_nullable(true));
    }
    let row = Field::new("item", DataType::Struct(fields.into()), true);
    Ok(Arc::new(Field::new("", DataType::List(Arc::new(row)), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists: Result<Vec<Lists>> = (0..args.len()).map(|index| Lists::of(args, index)).collect();
    zip_lists(&lists?, args.rows, args.return_field.data_type())
}

/// Pairs the elements of `lists`, filling up with NULL, into arrays of rows of `data_type`.
pub(crate) fn zip_lists(lists: &[Lists], rows: usize, data_type: &DataType) -> Result<ArrayRef> {
    let item = item_field(data_type)?;
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("expected rows");
    };
    let (columns, lengths, nulls) = padded(lists, rows)?;
    let length = lengths.iter().sum();
    let inner: ArrayRef = Arc::new(row_array(fields, columns, length)?);
    list_of_values(item, &lengths, inner, nulls)
}

fn row_array(fields: &Fields, columns: Vec<ArrayRef>, length: usize) -> Result<StructArray> {
    let columns: Result<Vec<ArrayRef>> = columns
        .into_iter()
        .zip(fields)
        .map(|(column, field)| relabeled(column, field.data_type()))
        .collect();
    Ok(StructArray::try_new_with_length(fields.clone(), columns?, None, length)?)
}

/// The elements of each list as one column, every row's filled up to the longest list's length.
pub(crate) fn padded(
    lists: &[Lists],
    rows: usize,
) -> Result<(Vec<ArrayRef>, Vec<usize>, NullBufferBuilder)> {
    let mut indices: Vec<UInt64Builder> = lists.iter().map(|_| UInt64Builder::new()).collect();
    let mut lengths = Vec::with_capacity(rows);
    let mut nulls = NullBufferBuilder::new(rows);
    for row in 0..rows {
        let ranges: Option<Vec<_>> = lists.iter().map(|list| list.range(row)).collect();
        nulls.append(ranges.is_some());
        let ranges = ranges.unwrap_or_default();
        let longest = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        for (range, builder) in ranges.into_iter().zip(&mut indices) {
            let missing = longest - range.len();
            range.for_each(|at| builder.append_value(at as u64));
            builder.append_nulls(missing);
        }
        lengths.push(longest);
    }
    let columns: Result<Vec<ArrayRef>> = lists
        .iter()
        .zip(indices)
        .map(|(list, mut builder)| Ok(take(list.values().as_ref(), &builder.finish(), None)?))
        .collect();
    Ok((columns?, lengths, nulls))
}
