//! What `max`, `min`, `max_by` and `min_by` share: the values beside the n largest or smallest keys.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::{SortOptions, nullif};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::AccumulatorArgs;

use super::definition::{column, field, unnamed};
use crate::functions::args::invalid;
use crate::functions::nested::common_type::normalized;
use crate::functions::nested::keys::{is_nan, one_zero};
use crate::functions::nested::lists::{item_field, list_of, list_of_values, scalar_at};

/// Most values one group may keep, as in Trino.
const KEPT_MAX: i64 = 10_000;

/// Matches a value and how many to keep.
pub(super) fn match_value_and_count(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [value, count] if count.is_signed_integer() => {
            Some(vec![normalized(value), DataType::Int64])
        }
        _ => None,
    }
}

/// Matches one value that is no double or real.
pub(super) fn match_no_float(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] if !one.is_floating() => Some(vec![one.clone()]),
        _ => None,
    }
}

/// Matches a double or a real: of those, NaN counts only if nothing else is there.
pub(super) fn match_float(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [DataType::Float64 | DataType::Float32] => Some(given.to_vec()),
        _ => None,
    }
}

/// Matches a value and a key.
pub(super) fn match_pair(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [value, key] => Some(vec![value.clone(), normalized(key)]),
        _ => None,
    }
}

/// Matches a value, a key, and how many to keep.
pub(super) fn match_pair_and_count(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [value, key, count] if count.is_signed_integer() => {
            Some(vec![value.clone(), normalized(key), DataType::Int64])
        }
        _ => None,
    }
}

/// An array of the first argument's type.
pub(super) fn returns_values(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(list_of(field(fields, 0)?)))
}

/// The state: the kept values, their keys, and how many to keep.
pub(super) fn state(fields: &[FieldRef], value: usize, key: usize) -> Result<Vec<DataType>> {
    Ok(vec![list_of(field(fields, value)?), list_of(field(fields, key)?), DataType::Int64])
}

/// An accumulator of the `value` arguments beside the largest (`descending`) or smallest `key`s. A
/// further argument says how many; without one it is one, and given as it is.
pub(super) fn accumulator(
    args: &AccumulatorArgs<'_>,
    value: usize,
    key: usize,
    descending: bool,
) -> Result<Box<dyn Accumulator>> {
    let value_field = field(args.expr_fields, value)?;
    let key_field = field(args.expr_fields, key)?;
    let count_index = value.max(key) + 1;
    let options = SortOptions { descending, nulls_first: false };
    let sort = SortField::new_with_options(key_field.data_type().clone(), options);
    Ok(Box::new(Extremes {
        converter: RowConverter::new(vec![sort])?,
        value_index: value,
        key_index: key,
        count_index: (args.expr_fields.len() > count_index).then_some(count_index),
        value_list: list_of(value_field),
        key_list: list_of(key_field),
        kept: Vec::new(),
        count: 1,
    }))
}

#[derive(Debug)]
struct Extremes {
    converter: RowConverter,
    value_index: usize,
    key_index: usize,
    count_index: Option<usize>,
    value_list: DataType,
    key_list: DataType,
    /// Best first.
    kept: Vec<Kept>,
    count: usize,
}

#[derive(Debug)]
struct Kept {
    order: OwnedRow,
    key: ScalarValue,
    value: ScalarValue,
}

impl Extremes {
    fn offer(&mut self, values: &ArrayRef, keys: &ArrayRef) -> Result<()> {
        if keys.data_type() == &DataType::Null {
            return Ok(());
        }
        let rows = self.converter.convert_columns(&[nan_last(one_zero(Arc::clone(keys)))?])?;
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            let order = rows.row(row);
            if self.kept.len() >= self.count
                && self.kept.last().is_some_and(|last| last.order.row() <= order)
            {
                continue;
            }
            let at = self.kept.partition_point(|kept| kept.order.row() <= order);
            let (mut key, mut value) = (scalar_at(keys, row)?, scalar_at(values, row)?);
            // Slices of a batch would keep the whole batch alive.
            key.compact();
            value.compact();
            self.kept.insert(at, Kept { order: order.owned(), key, value });
            self.kept.truncate(self.count);
        }
        Ok(())
    }

    fn set_count(&mut self, counts: &ArrayRef) -> Result<()> {
        let counts = arrow::compute::cast(counts, &DataType::Int64)?;
        let Some(count) = counts.as_primitive::<Int64Type>().iter().flatten().next() else {
            return Ok(());
        };
        if count <= 0 || count > KEPT_MAX {
            return Err(invalid(format!(
                "the number of values to keep must be between 1 and {KEPT_MAX}: {count}"
            )));
        }
        self.count = usize::try_from(count).unwrap_or(1);
        Ok(())
    }

    fn list(
        &self,
        data_type: &DataType,
        pick: impl Fn(&Kept) -> &ScalarValue,
    ) -> Result<ScalarValue> {
        let item = item_field(data_type)?;
        let values = if self.kept.is_empty() {
            arrow::array::new_empty_array(item.data_type())
        } else {
            ScalarValue::iter_to_array(self.kept.iter().map(|kept| pick(kept).clone()))?
        };
        let mut nulls = NullBufferBuilder::new(1);
        nulls.append_non_null();
        let list = list_of_values(item, &[values.len()], values, nulls)?;
        scalar_at(&list, 0)
    }
}

/// NaNs as NULL, which is the last of either order.
fn nan_last(keys: ArrayRef) -> Result<ArrayRef> {
    if !matches!(keys.data_type(), DataType::Float64 | DataType::Float32) {
        return Ok(keys);
    }
    let nans: BooleanArray = (0..keys.len()).map(|row| Some(is_nan(&keys, row))).collect();
    Ok(nullif(&keys, &nans)?)
}

impl Accumulator for Extremes {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let Some(index) = self.count_index {
            self.set_count(column(values, index)?)?;
        }
        let (keys, values) = (column(values, self.key_index)?, column(values, self.value_index)?);
        self.offer(&Arc::clone(values), &Arc::clone(keys))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count_index.is_some() {
            return if self.kept.is_empty() {
                ScalarValue::try_new_null(&self.value_list)
            } else {
                self.list(&self.value_list, |kept| &kept.value)
            };
        }
        match self.kept.first() {
            Some(best) => Ok(best.value.clone()),
            None => ScalarValue::try_new_null(item_field(&self.value_list)?.data_type()),
        }
    }

    fn size(&self) -> usize {
        let bytes = |kept: &Kept| {
            kept.order.as_ref().len() + kept.key.size() + kept.value.size() + size_of::<Kept>()
        };
        size_of_val(self) + self.kept.iter().map(bytes).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let count = i64::try_from(self.count).unwrap_or(KEPT_MAX);
        Ok(vec![
            self.list(&self.value_list, |kept| &kept.value)?,
            self.list(&self.key_list, |kept| &kept.key)?,
            ScalarValue::Int64(Some(count)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, keys) =
            (column(states, 0)?.as_list::<i32>(), column(states, 1)?.as_list::<i32>());
        let counts = column(states, 2)?.as_primitive::<Int64Type>();
        for row in 0..values.len() {
            if values.is_null(row) || keys.is_null(row) {
                continue;
            }
            // A group without rows has not seen how many to keep.
            let count = usize::try_from(counts.value(row)).unwrap_or(1);
            self.count = self.count.max(count);
            self.offer(&values.value(row), &keys.value(row))?;
        }
        Ok(())
    }
}
