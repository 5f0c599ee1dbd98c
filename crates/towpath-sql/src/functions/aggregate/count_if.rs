//! `count_if(boolean)`: how many values are true.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#count_if>.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::definition::{AggregateFunction, column, match_boolean, returns_bigint};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("count_if").own_grouped(
        "boolean",
        match_boolean,
        returns_bigint,
        |_| Ok(vec![DataType::Int64]),
        |_| Ok(Box::new(Count::default())),
        |_| Some(Box::new(GroupCounts::default())),
    )
}

fn trues(values: &ArrayRef) -> i64 {
    let trues = values.as_boolean().true_count();
    i64::try_from(trues).unwrap_or(i64::MAX)
}

#[derive(Debug, Default)]
struct Count {
    count: i64,
}

impl Accumulator for Count {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count += trues(column(values, 0)?);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.count)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = column(states, 0)?.as_primitive::<Int64Type>();
        self.count += counts.iter().flatten().sum::<i64>();
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count -= trues(column(values, 0)?);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// One count for each group.
#[derive(Debug, Default)]
struct GroupCounts {
    counts: Vec<i64>,
}

impl GroupCounts {
    fn add(&mut self, group: usize, count: i64) {
        if let Some(total) = self.counts.get_mut(group) {
            *total += count;
        }
    }
}

impl GroupsAccumulator for GroupCounts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        groups_total: usize,
    ) -> Result<()> {
        self.counts.resize(groups_total, 0);
        let values = column(values, 0)?.as_boolean();
        for (row, group) in groups.iter().enumerate() {
            let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if kept && values.is_valid(row) && values.value(row) {
                self.add(*group, 1);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(std::sync::Arc::new(Int64Array::from(emit_to.take_needed(&mut self.counts))))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        groups_total: usize,
    ) -> Result<()> {
        self.counts.resize(groups_total, 0);
        let counts = column(states, 0)?.as_primitive::<Int64Type>();
        for (row, group) in groups.iter().enumerate() {
            self.add(*group, counts.value(row));
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = column(values, 0)?.as_boolean();
        let counts: Int64Array = (0..values.len())
            .map(|row| {
                let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
                Some(i64::from(kept && values.is_valid(row) && values.value(row)))
            })
            .collect();
        Ok(vec![std::sync::Arc::new(counts)])
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}
