//! `multimap_agg(key, value)`: a map from each key to the array of its values.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#multimap_agg>. Pairs whose key is NULL
//! are left out; NULL if there are no others.

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, field, unnamed};
use super::entries::{Entries, scalar_column};
use crate::functions::nested::common_type::normalized;
use crate::functions::nested::lists::{item_field, list_of, list_of_values, scalar_at};
use crate::functions::nested::maps::{Maps, expect_entry_fields, map_of};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("multimap_agg").own(
        "K, V",
        |given| match given {
            [key, value] => Some(vec![normalized(key), value.clone()]),
            _ => None,
        },
        returns,
        |fields| Ok(vec![returns(fields)?.data_type().clone()]),
        |args| {
            let data_type = args.return_field.data_type().clone();
            let (key, _) = expect_entry_fields(&data_type)?;
            let entries = Entries::new(key.data_type())?;
            Ok(Box::new(Multimap { data_type, entries, value_bytes: 0 }))
        },
    )
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(map_of(field(fields, 0)?, &unnamed(list_of(field(fields, 1)?)))))
}

#[derive(Debug)]
struct Multimap {
    data_type: DataType,
    entries: Entries<Vec<ScalarValue>>,
    value_bytes: usize,
}

impl Multimap {
    fn add(
        &mut self,
        keys: &ArrayRef,
        values: impl Fn(usize) -> Result<Vec<ScalarValue>>,
    ) -> Result<()> {
        let bytes = &mut self.value_bytes;
        self.entries.update(keys, |row, known| {
            let mut values = values(row)?;
            values.iter_mut().for_each(ScalarValue::compact);
            *bytes += values.iter().map(ScalarValue::size).sum::<usize>();
            match known {
                Some(all) => {
                    all.append(&mut values);
                    Ok(None)
                }
                None => Ok(Some(values)),
            }
        })
    }
}

impl Accumulator for Multimap {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [keys, values, ..] => self.add(keys, |row| Ok(vec![scalar_at(values, row)?])),
            _ => exec_err!("multimap_agg needs keys and values"),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (_, value) = expect_entry_fields(&self.data_type)?;
        let item = item_field(value.data_type())?;
        let all: Vec<ScalarValue> = self.entries.values.iter().flatten().cloned().collect();
        let lengths: Vec<usize> = self.entries.values.iter().map(Vec::len).collect();
        let mut nulls = NullBufferBuilder::new(lengths.len());
        nulls.append_n_non_nulls(lengths.len());
        let lists = list_of_values(item, &lengths, scalar_column(&all, item.data_type())?, nulls)?;
        self.entries.to_map(&self.data_type, lists, true)
    }

    fn size(&self) -> usize {
        self.entries.size() + self.value_bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = column(states, 0)?;
        let maps = Maps::of_array(states)?;
        for range in (0..states.len()).filter_map(|row| maps.range(row)) {
            let keys = maps.keys().slice(range.start, range.len());
            let lists = maps.values().as_list::<i32>();
            self.add(&keys, |row| {
                let values = lists.value(range.start + row);
                (0..values.len()).map(|at| scalar_at(&values, at)).collect()
            })?;
        }
        Ok(())
    }
}
