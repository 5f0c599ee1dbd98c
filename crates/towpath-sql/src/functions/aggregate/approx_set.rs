//! `approx_set(x)`: the `HyperLogLog` sketch of the values; NULL if there are none but NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/hyperloglog.html#approx_set>.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::approx_distinct::merge_sketches;
use super::definition::{AggregateFunction, column, match_any};
use super::hyperloglog::Sketch;
use crate::data_type::Type;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("approx_set").own(
        "T",
        match_any,
        returns,
        |_| Ok(vec![DataType::Binary]),
        |_| Ok(Box::new(Set::new(false))),
    )
}

/// A sketch.
pub(super) fn returns(_: &[FieldRef]) -> Result<FieldRef> {
    Ok(Type::HyperLogLog.to_field("").into())
}

/// Makes a sketch of values, or of sketches if `merges`.
#[derive(Debug)]
pub(super) struct Set {
    sketch: Sketch,
    any: bool,
    merges: bool,
}

impl Set {
    pub(super) fn new(merges: bool) -> Set {
        Set { sketch: Sketch::new(), any: false, merges }
    }
}

impl Accumulator for Set {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.merges {
            return self.merge_batch(values);
        }
        let values = column(values, 0)?;
        self.any |= values.data_type() != &DataType::Null && values.null_count() < values.len();
        self.sketch.add_values(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.any.then(|| self.sketch.to_bytes())))
    }

    fn size(&self) -> usize {
        self.sketch.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.any |= merge_sketches(&mut self.sketch, column(states, 0)?)?;
        Ok(())
    }
}
