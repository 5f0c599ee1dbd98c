//! `entropy(c)`: the base-2 entropy of counts, NULL ones left out; 0 if they add up to nothing.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#entropy>. A negative count is an error.

use std::f64::consts::LN_2;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, match_double, returns_double};
use crate::functions::args::invalid;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("entropy").own(
        "double",
        match_double,
        returns_double,
        |_| Ok(vec![DataType::Float64; 2]),
        |_| Ok(Box::new(Entropy::default())),
    )
}

/// The sum of the counts, and of each times its logarithm.
#[derive(Debug, Default)]
struct Entropy {
    sum: f64,
    weighted: f64,
}

impl Accumulator for Entropy {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for count in column(values, 0)?.as_primitive::<Float64Type>().iter().flatten() {
            if count < 0.0 {
                return Err(invalid("Entropy count argument must be non-negative"));
            }
            if count > 0.0 {
                self.sum += count;
                self.weighted += count * count.ln();
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let entropy = if self.sum > 0.0 {
            ((self.sum.ln() - self.weighted / self.sum) / LN_2).max(0.0)
        } else {
            0.0
        };
        Ok(ScalarValue::Float64(Some(entropy)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float64(Some(self.sum)), ScalarValue::Float64(Some(self.weighted))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sums = column(states, 0)?.as_primitive::<Float64Type>();
        let weighted = column(states, 1)?.as_primitive::<Float64Type>();
        for row in 0..sums.len() {
            self.sum += sums.value(row);
            self.weighted += weighted.value(row);
        }
        Ok(())
    }
}
