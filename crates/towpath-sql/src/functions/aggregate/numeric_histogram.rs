//! `numeric_histogram(buckets, x[, w])`: a map from the middles of buckets to their weights.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#numeric_histogram>. The two closest
//! buckets are merged until there are no more than asked for (Ben-Haim and Tom-Tov).

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, is_number, unnamed};
use super::entries::one_map;
use crate::functions::args::invalid;
use crate::functions::nested::maps::{Maps, map_of};

/// Most buckets; Trino has no bound, but each value looks at every bucket.
const BUCKETS_MAX: i64 = 10_000;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("numeric_histogram").own(
        "bigint, double, double",
        |given| match given {
            [buckets, rest @ ..]
                if buckets.is_signed_integer()
                    && matches!(rest.len(), 1 | 2)
                    && rest.iter().all(is_number) =>
            {
                let mut types = vec![DataType::Int64];
                types.extend(rest.iter().map(|_| DataType::Float64));
                Some(types)
            }
            _ => None,
        },
        returns,
        |fields| Ok(vec![returns(fields)?.data_type().clone(), DataType::Int64]),
        |args| {
            let data_type = args.return_field.data_type().clone();
            Ok(Box::new(Histogram { data_type, most: 0, buckets: Vec::new() }))
        },
    )
}

fn returns(_: &[FieldRef]) -> Result<FieldRef> {
    let double = unnamed(DataType::Float64);
    Ok(unnamed(map_of(&double, &double)))
}

/// Buckets as (middle, weight), in the order of their middles.
#[derive(Debug)]
struct Histogram {
    data_type: DataType,
    most: usize,
    buckets: Vec<(f64, f64)>,
}

impl Histogram {
    fn add(&mut self, value: f64, weight: f64) {
        let at = self.buckets.partition_point(|(middle, _)| middle.total_cmp(&value).is_lt());
        match self.buckets.get_mut(at) {
            Some((middle, total)) if middle.total_cmp(&value).is_eq() => *total += weight,
            _ => self.buckets.insert(at, (value, weight)),
        }
        while self.buckets.len() > self.most.max(1) {
            self.merge_closest();
        }
    }

    fn merge_closest(&mut self) {
        let gaps = self.buckets.windows(2).enumerate();
        let closest = gaps
            .filter_map(|(at, pair)| match pair {
                [(a, _), (b, _)] => Some((at, b - a)),
                _ => None,
            })
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((at, _)) = closest else { return };
        let (b, b_weight) = self.buckets.remove(at + 1);
        if let Some((a, a_weight)) = self.buckets.get_mut(at) {
            let weight = *a_weight + b_weight;
            *a = (*a * *a_weight + b * b_weight) / weight;
            *a_weight = weight;
        }
    }

    fn set_most(&mut self, counts: &ArrayRef) -> Result<()> {
        let Some(most) = counts.as_primitive::<Int64Type>().iter().flatten().max() else {
            return Ok(());
        };
        if !(2..=BUCKETS_MAX).contains(&most) {
            return Err(invalid("numeric_histogram bucket count must be greater than one"));
        }
        self.most = usize::try_from(most).unwrap_or(2);
        Ok(())
    }
}

impl Accumulator for Histogram {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.set_most(column(values, 0)?)?;
        let numbers = column(values, 1)?.as_primitive::<Float64Type>();
        let weights = values.get(2).map(AsArray::as_primitive::<Float64Type>);
        for row in (0..numbers.len()).filter(|row| numbers.is_valid(*row)) {
            let weight = match weights {
                Some(weights) if weights.is_null(row) => continue,
                Some(weights) => weights.value(row),
                None => 1.0,
            };
            self.add(numbers.value(row), weight);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.buckets.is_empty() {
            return ScalarValue::try_new_null(&self.data_type);
        }
        let middles =
            Float64Array::from_iter_values(self.buckets.iter().map(|(middle, _)| *middle));
        let weights =
            Float64Array::from_iter_values(self.buckets.iter().map(|(_, weight)| *weight));
        one_map(&self.data_type, std::sync::Arc::new(middles), std::sync::Arc::new(weights))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.buckets.capacity() * size_of::<(f64, f64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let most = i64::try_from(self.most).ok().filter(|most| *most > 0);
        Ok(vec![self.evaluate()?, ScalarValue::Int64(most)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.set_most(column(states, 1)?)?;
        let maps = Maps::of_array(column(states, 0)?)?;
        let middles = maps.keys().as_primitive::<Float64Type>();
        let weights = maps.values().as_primitive::<Float64Type>();
        for row in 0..column(states, 0)?.len() {
            for at in maps.range(row).unwrap_or_default() {
                self.add(middles.value(at), weights.value(at));
            }
        }
        Ok(())
    }
}
