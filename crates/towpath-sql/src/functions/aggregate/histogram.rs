//! `histogram(x)`: a map from each value to how often it was seen.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#histogram>. NULL values are left out;
//! NULL if there are no others.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, field, unnamed};
use super::entries::Entries;
use crate::functions::nested::common_type::normalized;
use crate::functions::nested::maps::{Maps, expect_entry_fields, map_of};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("histogram").own(
        "K",
        |given| match given {
            [one] => Some(vec![normalized(one)]),
            _ => None,
        },
        returns,
        |fields| Ok(vec![returns(fields)?.data_type().clone()]),
        |args| Ok(Box::new(Histogram::new(args.return_field.data_type())?)),
    )
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(counts_of(field(fields, 0)?)))
}

/// The map from values of `key`'s type to counts.
pub(super) fn counts_of(key: &FieldRef) -> DataType {
    map_of(key, &unnamed(DataType::Int64))
}

/// Counts of values; its state is the map.
#[derive(Debug)]
pub(super) struct Histogram {
    data_type: DataType,
    entries: Entries<i64>,
}

impl Histogram {
    pub(super) fn new(data_type: &DataType) -> Result<Histogram> {
        let (key, _) = expect_entry_fields(data_type)?;
        Ok(Histogram { data_type: data_type.clone(), entries: Entries::new(key.data_type())? })
    }

    fn add(&mut self, keys: &ArrayRef, count: impl Fn(usize) -> i64) -> Result<()> {
        self.entries.update(keys, |row, known| {
            let count = count(row);
            match known {
                Some(total) => {
                    *total = total.saturating_add(count);
                    Ok(None)
                }
                None => Ok(Some(count)),
            }
        })
    }

    /// Values and counts, the most frequent first.
    pub(super) fn most_frequent(&self) -> Vec<(&ScalarValue, i64)> {
        let counts = self.entries.values.iter().copied();
        let mut all: Vec<(&ScalarValue, i64)> = self.entries.keys().iter().zip(counts).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }
}

impl Accumulator for Histogram {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(column(values, 0)?, |_| 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let counts: ArrayRef = Arc::new(Int64Array::from(self.entries.values.clone()));
        self.entries.to_map(&self.data_type, counts, true)
    }

    fn size(&self) -> usize {
        self.entries.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = column(states, 0)?;
        let maps = Maps::of_array(states)?;
        for range in (0..states.len()).filter_map(|row| maps.range(row)) {
            let keys = maps.keys().slice(range.start, range.len());
            let counts = maps.values().as_primitive::<Int64Type>();
            self.add(&keys, |row| counts.value(range.start + row))?;
        }
        Ok(())
    }
}
