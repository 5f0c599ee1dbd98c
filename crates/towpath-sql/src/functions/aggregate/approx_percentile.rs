//! `approx_percentile(x[, w], p[, accuracy])`: the value below which a part `p` of the values is; with an
//! array of parts an array.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#approx_percentile>.
//!
//! * NULL values are left out, NULL if there are no others; a weight must be at least 1, a part between 0
//!   and 1;
//! * exact up to [`POINTS_MAX`] different values a group, and within one part in [`POINTS_KEPT`] of the
//!   rank beyond; `accuracy` is checked and otherwise not needed;
//! * bigints give a bigint, reals a real.

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::AccumulatorArgs;

use super::definition::{AggregateFunction, column, field, is_number, unnamed};
use crate::functions::args::invalid;
use crate::functions::nested::lists::{item_field, item_of, list_of, list_of_values, scalar_at};

/// Most weighted points a group keeps before neighbours are merged.
const POINTS_MAX: usize = 20_000;

/// Points left after merging.
const POINTS_KEPT: usize = 5_000;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("approx_percentile").own(
        "T, double",
        matcher,
        returns,
        |_| {
            let doubles = DataType::new_list(DataType::Float64, true);
            Ok(vec![doubles.clone(), doubles.clone(), doubles])
        },
        |args| Ok(Box::new(Percentile::of(args)?)),
    )
}

/// True for an array of numbers.
fn is_parts(data_type: &DataType) -> bool {
    item_of(data_type).is_some_and(|(item, _)| is_number(&item)) && !data_type.is_null()
}

fn matcher(given: &[DataType]) -> Option<Vec<DataType>> {
    let value = match given.first()? {
        integer if integer.is_signed_integer() => DataType::Int64,
        DataType::Float32 => DataType::Float32,
        number if is_number(number) => DataType::Float64,
        _ => return None,
    };
    let rest = given.get(1..)?;
    let parts_at = rest.iter().position(is_parts);
    if rest.is_empty() || rest.len() > 3 || parts_at.is_some_and(|at| at > 1) {
        return None;
    }
    let mut types = vec![value];
    for (at, one) in rest.iter().enumerate() {
        if parts_at == Some(at) {
            types.push(DataType::new_list(DataType::Float64, true));
        } else if is_number(one) {
            types.push(DataType::Float64);
        } else {
            return None;
        }
    }
    Some(types)
}

/// Where the weight and the parts are: `(x, p)`, `(x, w, p)` and `(x, w, p, accuracy)`. Of three numbers
/// Trino takes the second as the weight.
fn layout(types: &[&DataType]) -> (Option<usize>, usize) {
    match types {
        [_, parts, ..] if is_parts(parts) => (None, 1),
        [_, _] => (None, 1),
        _ => (Some(1), 2),
    }
}

fn layout_of(fields: &[FieldRef]) -> (Option<usize>, usize) {
    let types: Vec<&DataType> = fields.iter().map(|field| field.data_type()).collect();
    layout(&types)
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    let (_, parts) = layout_of(fields);
    let value = unnamed(field(fields, 0)?.data_type().clone());
    let several = is_parts(field(fields, parts)?.data_type());
    Ok(if several { unnamed(list_of(&value)) } else { value })
}

/// Values with weights, and the parts asked for.
#[derive(Debug)]
struct Percentile {
    data_type: DataType,
    weight_index: Option<usize>,
    parts_index: usize,
    parts: Vec<f64>,
    points: Vec<(f64, f64)>,
}

impl Percentile {
    fn of(args: &AccumulatorArgs<'_>) -> Result<Percentile> {
        let (weight_index, parts_index) = layout_of(args.expr_fields);
        let data_type = args.return_field.data_type().clone();
        Ok(Percentile {
            data_type,
            weight_index,
            parts_index,
            parts: Vec::new(),
            points: Vec::new(),
        })
    }

    fn set_parts(&mut self, parts: &ArrayRef) -> Result<()> {
        let parts = match parts.data_type() {
            DataType::List(_) => {
                let lists = parts.as_list::<i32>();
                let Some(row) = (0..lists.len()).find(|row| lists.is_valid(*row)) else {
                    return Ok(());
                };
                cast(&lists.value(row), &DataType::Float64)?
            }
            _ => parts.slice(0, parts.len().min(1)),
        };
        let parts = parts.as_primitive::<Float64Type>();
        self.parts = parts.iter().flatten().collect();
        match self.parts.iter().find(|part| !(0.0..=1.0).contains(*part)) {
            Some(_) => Err(invalid("Percentile must be between 0 and 1")),
            None => Ok(()),
        }
    }

    fn add(&mut self, value: f64, weight: f64) {
        self.points.push((value, weight));
        if self.points.len() > POINTS_MAX {
            self.compress();
        }
    }

    fn sort(&mut self) {
        self.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// Merges equal values, and then neighbours, each as much weight as the others.
    fn compress(&mut self) {
        self.sort();
        self.points.dedup_by(|later, kept| {
            let same = later.0.total_cmp(&kept.0).is_eq();
            if same {
                kept.1 += later.1;
            }
            same
        });
        if self.points.len() <= POINTS_MAX / 2 {
            return;
        }
        let total: f64 = self.points.iter().map(|(_, weight)| weight).sum();
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let share = total / POINTS_KEPT as f64;
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(POINTS_KEPT * 2);
        for (value, weight) in self.points.drain(..) {
            match merged.last_mut() {
                // The larger value stands for both, so that a rank never finds too small a value.
                Some(last) if last.1 + weight <= share => *last = (value, last.1 + weight),
                _ => merged.push((value, weight)),
            }
        }
        self.points = merged;
    }

    /// The smallest value with at least `part` of the weight up to it.
    fn at(&self, part: f64, total: f64) -> Option<f64> {
        let rank = part * total;
        let mut sum = 0.0;
        let found = self.points.iter().find(|(_, weight)| {
            sum += weight;
            sum >= rank
        });
        found.or(self.points.last()).map(|(value, _)| *value)
    }

    fn list(values: impl Iterator<Item = f64>) -> Result<ScalarValue> {
        let values = Float64Array::from_iter_values(values);
        let mut nulls = NullBufferBuilder::new(1);
        nulls.append_non_null();
        let item = DataType::new_list(DataType::Float64, true);
        let length = values.len();
        let list =
            list_of_values(item_field(&item)?, &[length], std::sync::Arc::new(values), nulls)?;
        scalar_at(&list, 0)
    }
}

impl Accumulator for Percentile {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.set_parts(column(values, self.parts_index)?)?;
        let weights = match self.weight_index {
            Some(index) => Some(column(values, index)?.as_primitive::<Float64Type>()),
            None => None,
        };
        let numbers = cast(column(values, 0)?, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        for row in (0..numbers.len()).filter(|row| numbers.is_valid(*row)) {
            let weight = match weights {
                Some(weights) if weights.is_null(row) => continue,
                Some(weights) => weights.value(row),
                None => 1.0,
            };
            if weight < 1.0 {
                return Err(invalid("percentile weight must be >= 1"));
            }
            self.add(numbers.value(row), weight);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.points.is_empty() || self.parts.is_empty() {
            return ScalarValue::try_new_null(&self.data_type);
        }
        self.sort();
        let total = self.points.iter().map(|(_, weight)| weight).sum();
        let values: Vec<Option<f64>> =
            self.parts.iter().map(|part| self.at(*part, total)).collect();
        let values: ArrayRef = std::sync::Arc::new(Float64Array::from(values));
        if let DataType::List(item) = &self.data_type {
            let values = cast(&values, item.data_type())?;
            let mut nulls = NullBufferBuilder::new(1);
            nulls.append_non_null();
            let list = list_of_values(item, &[values.len()], values, nulls)?;
            return scalar_at(&list, 0);
        }
        match scalar_at(&cast(&values, &self.data_type)?, 0) {
            Ok(value) => Ok(value),
            Err(error) => exec_err!("cannot give the percentile: {error}"),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.points.capacity() * size_of::<(f64, f64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            Percentile::list(self.points.iter().map(|(value, _)| *value))?,
            Percentile::list(self.points.iter().map(|(_, weight)| *weight))?,
            Percentile::list(self.parts.iter().copied())?,
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let doubles = |index, row| -> Result<Vec<f64>> {
            let lists = column(states, index)?.as_list::<i32>();
            Ok(lists.value(row).as_primitive::<Float64Type>().values().to_vec())
        };
        for row in 0..column(states, 0)?.len() {
            let parts = doubles(2, row)?;
            if !parts.is_empty() {
                self.parts = parts;
            }
            for (value, weight) in doubles(0, row)?.into_iter().zip(doubles(1, row)?) {
                self.add(value, weight);
            }
        }
        Ok(())
    }
}
