//! `checksum(x)`: a varbinary of 8 bytes that does not depend on the order of the values; NULL if there
//! are no rows.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#checksum>. The bytes are not those that
//! Trino gives for the same values.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::{HLL_RANDOM_STATE, create_hashes};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, match_any, unnamed};
use crate::functions::nested::keys::one_zero;

/// What a NULL adds, and what spreads hashes; a prime as in Trino.
const PRIME: u64 = 0x9E37_79B1_85EB_CA87;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("checksum").own(
        "T",
        match_any,
        |_| Ok(unnamed(DataType::Binary)),
        |_| Ok(vec![DataType::Binary]),
        |_| Ok(Box::new(Checksum { sum: None })),
    )
}

#[derive(Debug)]
struct Checksum {
    sum: Option<u64>,
}

impl Checksum {
    fn add(&mut self, term: u64) {
        self.sum = Some(self.sum.unwrap_or(0).wrapping_add(term));
    }
}

impl Accumulator for Checksum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = one_zero(std::sync::Arc::clone(column(values, 0)?));
        let mut hashes = vec![0; values.len()];
        let typed = values.data_type() != &DataType::Null;
        if typed {
            create_hashes([values.as_ref()], &HLL_RANDOM_STATE, &mut hashes)?;
        }
        for (row, hash) in hashes.into_iter().enumerate() {
            let term = if typed && values.is_valid(row) { hash.wrapping_mul(PRIME) } else { PRIME };
            self.add(term);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.sum.map(|sum| sum.to_le_bytes().to_vec())))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in column(states, 0)?.as_binary::<i32>().iter().flatten() {
            self.add(u64::from_le_bytes(bytes.try_into().unwrap_or_default()));
        }
        Ok(())
    }
}
