//! `map_agg(key, value)`: a map of the pairs; of a repeated key the first seen counts.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#map_agg>. Pairs whose key is NULL are
//! left out; NULL if there are no others.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, field, unnamed};
use super::entries::{Entries, scalar_column};
use crate::functions::nested::common_type::normalized;
use crate::functions::nested::lists::scalar_at;
use crate::functions::nested::maps::{Maps, expect_entry_fields, map_of};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("map_agg").own(
        "K, V",
        |given| match given {
            [key, value] => Some(vec![normalized(key), value.clone()]),
            _ => None,
        },
        returns,
        |fields| Ok(vec![returns(fields)?.data_type().clone()]),
        |args| Ok(Box::new(FirstOfKey::new(args.return_field.data_type())?)),
    )
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(map_of(field(fields, 0)?, field(fields, 1)?)))
}

/// A map that keeps the first value of each key; its state is the map.
#[derive(Debug)]
pub(super) struct FirstOfKey {
    data_type: DataType,
    entries: Entries<ScalarValue>,
    value_bytes: usize,
}

impl FirstOfKey {
    pub(super) fn new(data_type: &DataType) -> Result<FirstOfKey> {
        let (key, _) = expect_entry_fields(data_type)?;
        let entries = Entries::new(key.data_type())?;
        Ok(FirstOfKey { data_type: data_type.clone(), entries, value_bytes: 0 })
    }

    pub(super) fn add(&mut self, keys: &ArrayRef, values: &ArrayRef) -> Result<()> {
        let bytes = &mut self.value_bytes;
        self.entries.update(keys, |row, known| {
            if known.is_some() {
                return Ok(None);
            }
            let mut value = scalar_at(values, row)?;
            value.compact();
            *bytes += value.size();
            Ok(Some(value))
        })
    }
}

impl Accumulator for FirstOfKey {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [keys, values, ..] => self.add(keys, values),
            _ => exec_err!("map_agg needs keys and values"),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (_, value) = expect_entry_fields(&self.data_type)?;
        let values = scalar_column(&self.entries.values, value.data_type())?;
        self.entries.to_map(&self.data_type, values, true)
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
            let (start, length) = (range.start, range.len());
            self.add(&maps.keys().slice(start, length), &maps.values().slice(start, length))?;
        }
        Ok(())
    }
}
