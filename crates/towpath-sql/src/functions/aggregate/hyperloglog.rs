//! `HyperLogLog` sketches: how many different values there are, in little memory.
//!
//! Trino: <https://trino.io/docs/current/functions/hyperloglog.html>.
//!
//! A sketch keeps the hashes themselves up to [`SPARSE_MAX`], which makes small counts exact, and 4,096
//! registers from then on (standard error 1.6 %; Trino's default is 2.3 %). As varbinary it is this
//! library's own form, not that of Trino's library.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::{HLL_RANDOM_STATE, create_hashes};
use datafusion::common::{Result, exec_err};

use crate::functions::nested::keys::one_zero;

/// Most hashes a sketch keeps before it changes to registers; together they take as many bytes as the
/// registers.
const SPARSE_MAX: usize = 512;

/// Registers are chosen by this many bits of a hash.
const INDEX_BITS: u32 = 12;

/// Number of registers.
const REGISTERS: usize = 1 << INDEX_BITS;

const TAG_SPARSE: u8 = 1;
const TAG_DENSE: u8 = 2;

/// A sketch of a set of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sketch {
    Sparse(BTreeSet<u64>),
    Dense(Vec<u8>),
}

impl Sketch {
    /// The sketch of nothing.
    pub(crate) fn new() -> Sketch {
        Sketch::Sparse(BTreeSet::new())
    }

    /// Adds the values that are not NULL.
    pub(crate) fn add_values(&mut self, values: &ArrayRef) -> Result<()> {
        if values.data_type() == &DataType::Null {
            return Ok(());
        }
        let values = one_zero(std::sync::Arc::clone(values));
        let mut hashes = vec![0; values.len()];
        create_hashes([values.as_ref()], &HLL_RANDOM_STATE, &mut hashes)?;
        for (row, hash) in hashes.into_iter().enumerate() {
            if values.is_valid(row) {
                self.add(hash);
            }
        }
        Ok(())
    }

    fn add(&mut self, hash: u64) {
        match self {
            Sketch::Sparse(hashes) => {
                hashes.insert(hash);
                if hashes.len() > SPARSE_MAX {
                    let mut registers = vec![0; REGISTERS];
                    hashes.iter().for_each(|hash| record(&mut registers, *hash));
                    *self = Sketch::Dense(registers);
                }
            }
            Sketch::Dense(registers) => record(registers, hash),
        }
    }

    /// Adds all that `other` has.
    pub(crate) fn merge(&mut self, other: &Sketch) {
        match other {
            Sketch::Sparse(hashes) => hashes.iter().for_each(|hash| self.add(*hash)),
            Sketch::Dense(theirs) => {
                let mut merged = theirs.clone();
                match self {
                    Sketch::Sparse(hashes) => {
                        hashes.iter().for_each(|hash| record(&mut merged, *hash));
                    }
                    Sketch::Dense(ours) => {
                        for (merged, ours) in merged.iter_mut().zip(ours) {
                            *merged = (*merged).max(*ours);
                        }
                    }
                }
                *self = Sketch::Dense(merged);
            }
        }
    }

    /// About how many different values were added.
    pub(crate) fn cardinality(&self) -> i64 {
        let registers = match self {
            Sketch::Sparse(hashes) => return i64::try_from(hashes.len()).unwrap_or(i64::MAX),
            Sketch::Dense(registers) => registers,
        };
        #[expect(clippy::cast_precision_loss, reason = "4,096 is exact in a double")]
        let count = REGISTERS as f64;
        let sum: f64 = registers.iter().map(|rank| 2_f64.powi(-i32::from(*rank))).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let empty = registers.iter().filter(|rank| **rank == 0).count();
        #[expect(clippy::cast_precision_loss, reason = "at most 4,096")]
        let linear = if empty > 0 { Some(count * (count / empty as f64).ln()) } else { None };
        // Below 2.5 values a register, counting empty registers is the better estimate.
        let best = linear.filter(|_| estimate <= 2.5 * count).unwrap_or(estimate);
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is meant")]
        let rounded = best.round() as i64;
        rounded
    }

    /// The sketch as varbinary.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Sketch::Sparse(hashes) => {
                let mut bytes = vec![TAG_SPARSE];
                hashes.iter().for_each(|hash| bytes.extend(hash.to_le_bytes()));
                bytes
            }
            Sketch::Dense(registers) => {
                let mut bytes = vec![TAG_DENSE];
                bytes.extend(registers);
                bytes
            }
        }
    }

    /// Reads what [`Sketch::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// If the bytes are something else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Sketch> {
        match bytes.split_first() {
            Some((&TAG_SPARSE, hashes)) if hashes.len().is_multiple_of(8) => {
                let mut sketch = Sketch::new();
                for hash in hashes.chunks_exact(8) {
                    sketch.add(u64::from_le_bytes(hash.try_into().unwrap_or_default()));
                }
                Ok(sketch)
            }
            Some((&TAG_DENSE, registers)) if registers.len() == REGISTERS => {
                Ok(Sketch::Dense(registers.to_vec()))
            }
            _ => exec_err!("the varbinary is no HyperLogLog sketch of this library"),
        }
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        match self {
            Sketch::Sparse(hashes) => size_of_val(self) + hashes.len() * 2 * size_of::<u64>(),
            Sketch::Dense(registers) => size_of_val(self) + registers.capacity(),
        }
    }
}

/// Notes a hash in its register: the longest run of leading zeros after the index bits, plus one.
fn record(registers: &mut [u8], hash: u64) {
    let index = usize::try_from(hash >> (64 - INDEX_BITS)).unwrap_or(0);
    let rest = hash << INDEX_BITS;
    let rank = u8::try_from(rest.leading_zeros().min(64 - INDEX_BITS) + 1).unwrap_or(u8::MAX);
    if let Some(register) = registers.get_mut(index) {
        *register = (*register).max(rank);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::Sketch;

    fn sketch_of(values: std::ops::Range<i64>) -> Sketch {
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
        let mut sketch = Sketch::new();
        sketch.add_values(&values).unwrap();
        sketch
    }

    #[test]
    fn small_counts_are_exact_and_large_ones_close() {
        assert_eq!(sketch_of(0..0).cardinality(), 0);
        assert_eq!(sketch_of(0..300).cardinality(), 300);
        for count in [2_000, 20_000, 300_000] {
            let estimate = sketch_of(0..count).cardinality();
            assert!((estimate - count).abs() * 100 < count * 6, "{estimate} of {count}");
        }
    }

    #[test]
    fn merging_gives_the_sketch_of_both_and_bytes_come_back() {
        for (a, b) in [(0..100, 50..150), (0..9_000, 8_000..20_000), (0..10, 0..20_000)] {
            let both = sketch_of(a.start.min(b.start)..a.end.max(b.end));
            let mut merged = sketch_of(a);
            merged.merge(&sketch_of(b));
            assert_eq!(merged, both);
            assert_eq!(Sketch::from_bytes(&merged.to_bytes()).unwrap(), merged);
        }
        assert!(Sketch::from_bytes(b"other").is_err());
    }
}
