//! `arbitrary(x)`, `any_value(x)`: some value that is not NULL, if there is one.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#any_value>.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, field, match_any, returns_first};
use crate::functions::nested::lists::scalar_at;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("arbitrary").alias("any_value").own(
        "T",
        match_any,
        returns_first,
        |fields| Ok(vec![field(fields, 0)?.data_type().clone()]),
        |args| {
            Ok(Box::new(First { value: ScalarValue::try_new_null(args.return_field.data_type())? }))
        },
    )
}

#[derive(Debug)]
struct First {
    value: ScalarValue,
}

impl Accumulator for First {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = column(values, 0)?;
        if self.value.is_null()
            && values.data_type() != &DataType::Null
            && let Some(row) = (0..values.len()).find(|row| values.is_valid(*row))
        {
            self.value = scalar_at(values, row)?;
            // A slice of a batch would keep the whole batch alive.
            self.value.compact();
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.value) + self.value.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
