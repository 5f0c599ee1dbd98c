//! `map_union(map)`: a map of the entries of all maps; of a repeated key the first seen counts.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#map_union>. NULL maps are left out;
//! NULL if there are no others.

use arrow::array::{Array, ArrayRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, field, returns_first};
use super::map_agg::FirstOfKey;
use crate::functions::nested::maps::Maps;
use crate::functions::nested::maps::{expect_entry_fields, match_map};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("map_union").own(
        "map(K,V)",
        match_map,
        returns_first,
        |fields| Ok(vec![field(fields, 0)?.data_type().clone()]),
        |args| {
            let data_type = args.return_field.data_type();
            expect_entry_fields(data_type)?;
            Ok(Box::new(Union { union: FirstOfKey::new(data_type)?, any: false }))
        },
    )
}

#[derive(Debug)]
struct Union {
    union: FirstOfKey,
    any: bool,
}

impl Accumulator for Union {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = column(values, 0)?;
        let maps = Maps::of_array(values)?;
        for range in (0..values.len()).filter_map(|row| maps.range(row)) {
            self.any = true;
            let (start, length) = (range.start, range.len());
            self.union
                .add(&maps.keys().slice(start, length), &maps.values().slice(start, length))?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let union = self.union.evaluate()?;
        if union.is_null() && self.any {
            return ScalarValue::new_default(&union.data_type());
        }
        Ok(union)
    }

    fn size(&self) -> usize {
        self.union.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
