//! `approx_distinct(x[, e])`: about how many different values there are; NULL values are left out.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#approx_distinct>. Exact up to 512. `e`,
//! the largest standard error wished for, must be between 0.0040625 and 0.26; ours is always 1.6 %.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, returns_bigint};
use super::hyperloglog::Sketch;
use crate::functions::args::invalid;

/// Trino's bounds of `e`.
const ERROR_RANGE: std::ops::RangeInclusive<f64> = 0.004_062_5..=0.26;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("approx_distinct").own(
        "T",
        |given| match given {
            [value] => Some(vec![value.clone()]),
            [value, error] if super::definition::is_number(error) => {
                Some(vec![value.clone(), DataType::Float64])
            }
            _ => None,
        },
        returns_bigint,
        |_| Ok(vec![DataType::Binary]),
        |_| Ok(Box::new(Distinct { sketch: Sketch::new() })),
    )
}

#[derive(Debug)]
struct Distinct {
    sketch: Sketch,
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let Some(errors) = values.get(1) {
            let error = errors.as_primitive::<Float64Type>().iter().flatten().next();
            if let Some(error) = error.filter(|error| !ERROR_RANGE.contains(error)) {
                return Err(invalid(format!(
                    "Max standard error must be in [0.0040625, 0.26000]: {error}"
                )));
            }
        }
        self.sketch.add_values(column(values, 0)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.sketch.cardinality())))
    }

    fn size(&self) -> usize {
        self.sketch.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.sketch.to_bytes()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        merge_sketches(&mut self.sketch, column(states, 0)?).map(|_| ())
    }
}

/// Merges a column of sketches; false if all of them are NULL.
pub(super) fn merge_sketches(sketch: &mut Sketch, column: &ArrayRef) -> Result<bool> {
    let bytes = arrow::compute::cast(column, &DataType::Binary)?;
    let bytes = bytes.as_binary::<i32>();
    for bytes in bytes.iter().flatten() {
        sketch.merge(&Sketch::from_bytes(bytes)?);
    }
    Ok(bytes.null_count() < bytes.len())
}
