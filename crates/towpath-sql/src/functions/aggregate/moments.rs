//! What `geometric_mean`, `kurtosis`, `skewness` and `entropy` share: sums over doubles.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::column;

/// The state: a count and three sums.
pub(super) fn state(_: &[FieldRef]) -> Result<Vec<DataType>> {
    Ok(vec![DataType::Float64; 5])
}

/// Count, mean, and the sums of the second to fourth powers of the distances from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) count: f64,
    pub(super) mean: f64,
    pub(super) m2: f64,
    pub(super) m3: f64,
    pub(super) m4: f64,
}

impl Moments {
    fn one(value: f64) -> Moments {
        Moments { count: 1.0, mean: value, ..Moments::default() }
    }

    /// The moments of both sets together (Pébay, "Formulas for Robust, One-Pass Parallel Computation of
    /// Covariances and Arbitrary-Order Statistical Moments", 2008).
    fn merge(self, other: Moments) -> Moments {
        if self.count == 0.0 || other.count == 0.0 {
            return if self.count == 0.0 { other } else { self };
        }
        let (na, nb) = (self.count, other.count);
        let count = na + nb;
        let delta = other.mean - self.mean;
        let mean = self.mean + delta * nb / count;
        let m2 = self.m2 + other.m2 + delta.powi(2) * na * nb / count;
        let m3 = self.m3
            + other.m3
            + delta.powi(3) * na * nb * (na - nb) / count.powi(2)
            + 3.0 * delta * (na * other.m2 - nb * self.m2) / count;
        let m4 = self.m4
            + other.m4
            + delta.powi(4) * na * nb * (na * na - na * nb + nb * nb) / count.powi(3)
            + 6.0 * delta.powi(2) * (na * na * other.m2 + nb * nb * self.m2) / count.powi(2)
            + 4.0 * delta * (na * other.m3 - nb * self.m3) / count;
        Moments { count, mean, m2, m3, m4 }
    }
}

/// An aggregate of one double argument.
#[derive(Debug)]
pub(super) struct MomentsAccumulator {
    moments: Moments,
    /// What is done to each value first.
    map: fn(f64) -> f64,
    finish: fn(Moments) -> Option<f64>,
}

impl MomentsAccumulator {
    pub(super) fn new(
        map: fn(f64) -> f64,
        finish: fn(Moments) -> Option<f64>,
    ) -> MomentsAccumulator {
        MomentsAccumulator { moments: Moments::default(), map, finish }
    }
}

impl Accumulator for MomentsAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in column(values, 0)?.as_primitive::<Float64Type>().iter().flatten() {
            self.moments = self.moments.merge(Moments::one((self.map)(value)));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64((self.finish)(self.moments)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Moments { count, mean, m2, m3, m4 } = self.moments;
        Ok([count, mean, m2, m3, m4].map(|one| ScalarValue::Float64(Some(one))).to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sums: Result<Vec<_>> =
            (0..5).map(|index| Ok(column(states, index)?.as_primitive::<Float64Type>())).collect();
        let sums = sums?;
        let [count, mean, m2, m3, m4] = sums.as_slice() else { return Ok(()) };
        for row in 0..count.len() {
            self.moments = self.moments.merge(Moments {
                count: count.value(row),
                mean: mean.value(row),
                m2: m2.value(row),
                m3: m3.value(row),
                m4: m4.value(row),
            });
        }
        Ok(())
    }
}
