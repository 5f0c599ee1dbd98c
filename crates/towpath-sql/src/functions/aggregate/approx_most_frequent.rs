//! `approx_most_frequent(buckets, value, capacity)`: a map from the most frequent values to their
//! counts.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#approx_most_frequent>. Trino keeps
//! `capacity` candidates and estimates; here every value is counted, so the counts are exact.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, field, unnamed};
use super::entries::{one_map, scalar_column};
use super::histogram::{Histogram, counts_of};
use crate::functions::args::invalid;
use crate::functions::nested::maps::expect_entry_fields;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("approx_most_frequent").own(
        "bigint, T, bigint",
        |given| match given {
            [buckets, value, capacity]
                if buckets.is_signed_integer() && capacity.is_signed_integer() =>
            {
                Some(vec![DataType::Int64, value.clone(), DataType::Int64])
            }
            _ => None,
        },
        returns,
        |fields| Ok(vec![returns(fields)?.data_type().clone(), DataType::Int64]),
        |args| {
            let data_type = args.return_field.data_type().clone();
            let histogram = Histogram::new(&data_type)?;
            Ok(Box::new(MostFrequent { data_type, histogram, buckets: 0 }))
        },
    )
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(counts_of(field(fields, 1)?)))
}

#[derive(Debug)]
struct MostFrequent {
    data_type: DataType,
    histogram: Histogram,
    buckets: usize,
}

impl Accumulator for MostFrequent {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let buckets = column(values, 0)?.as_primitive::<Int64Type>();
        if let Some(buckets) = buckets.iter().flatten().next() {
            if buckets < 2 {
                return Err(invalid("approx_most_frequent bucket count must be greater than one"));
            }
            self.buckets = usize::try_from(buckets).unwrap_or(usize::MAX);
        }
        self.histogram.update_batch(&[Arc::clone(column(values, 1)?)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let most = self.histogram.most_frequent();
        if most.is_empty() {
            return ScalarValue::try_new_null(&self.data_type);
        }
        let (key, _) = expect_entry_fields(&self.data_type)?;
        let keys: Vec<ScalarValue> =
            most.iter().take(self.buckets).map(|(key, _)| (*key).clone()).collect();
        let counts: Int64Array =
            most.iter().take(self.buckets).map(|(_, count)| Some(*count)).collect();
        one_map(&self.data_type, scalar_column(&keys, key.data_type())?, Arc::new(counts))
    }

    fn size(&self) -> usize {
        self.histogram.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = self.histogram.state()?;
        state.push(ScalarValue::Int64(i64::try_from(self.buckets).ok()));
        Ok(state)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let buckets = column(states, 1)?.as_primitive::<Int64Type>();
        let most = buckets.iter().flatten().max().and_then(|most| usize::try_from(most).ok());
        self.buckets = self.buckets.max(most.unwrap_or(0));
        self.histogram.merge_batch(states)
    }
}
