//! A digest of rows that does not depend on their order or on how they are split into batches.

use std::fmt;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use sha2::{Digest, Sha256};

use crate::data_file::hex;

/// How many rows there are, and the sum of the SHA-256 of each.
///
/// Two sets of rows with the same digest are the same rows, as far as accidents go: a row lost,
/// doubled or changed changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowsDigest {
    pub(crate) rows: u64,
    /// Both halves of the sum, without carry between them.
    sum: [u128; 2],
}

impl RowsDigest {
    /// Adds the digest of other rows.
    pub(crate) fn add(&mut self, other: &RowsDigest) {
        self.rows += other.rows;
        for (sum, half) in self.sum.iter_mut().zip(other.sum) {
            *sum = sum.wrapping_add(half);
        }
    }
}

impl fmt::Display for RowsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.sum.iter().flat_map(|half| half.to_be_bytes()).collect();
        f.write_str(&hex(&bytes))
    }
}

/// Takes the digest of rows, batch by batch.
pub(crate) struct RowsDigester {
    converter: RowConverter,
    digest: RowsDigest,
}

impl RowsDigester {
    pub(crate) fn new(schema: &Schema) -> Result<RowsDigester, ArrowError> {
        let fields = schema.fields().iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone())).collect();
        Ok(RowsDigester { converter: RowConverter::new(fields)?, digest: RowsDigest::default() })
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns: Vec<ArrayRef> = batch.columns().to_vec();
        let rows = self.converter.convert_columns(&columns)?;
        for row in &rows {
            let hash: [u8; 32] = Sha256::digest(row.as_ref()).into();
            for (sum, half) in self.digest.sum.iter_mut().zip(hash.chunks_exact(16)) {
                let half = half.try_into().map(u128::from_be_bytes).unwrap_or_default();
                *sum = sum.wrapping_add(half);
            }
        }
        self.digest.rows += batch.num_rows() as u64;
        Ok(())
    }

    pub(crate) fn finish(self) -> RowsDigest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::{RowsDigest, RowsDigester};
    use arrow::array::{ArrayRef, Int64Array, MapBuilder, RecordBatch, StringArray, StringBuilder};
    use std::sync::Arc;

    fn digest(rows: &[(i64, Option<&str>, &str)], split: usize) -> RowsDigest {
        let batch = |rows: &[(i64, Option<&str>, &str)]| {
            let numbers = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
            let texts: StringArray = rows.iter().map(|row| row.1).collect();
            let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
            for (_, _, value) in rows {
                maps.keys().append_value("key");
                maps.values().append_value(value);
                maps.append(true).unwrap();
            }
            let columns: [(&str, ArrayRef, bool); 3] = [
                ("number", Arc::new(numbers), true),
                ("text", Arc::new(texts), true),
                ("map", Arc::new(maps.finish()), true),
            ];
            RecordBatch::try_from_iter_with_nullable(columns).unwrap()
        };
        let whole = batch(rows);
        let mut digester = RowsDigester::new(&whole.schema()).unwrap();
        let (first, second) = rows.split_at(split);
        digester.add(&batch(first)).unwrap();
        digester.add(&batch(second)).unwrap();
        digester.finish()
    }

    #[test]
    fn order_and_batches_do_not_matter_and_every_value_does() {
        let rows = [(1, Some("a"), "x"), (2, None, "y"), (2, Some(""), "y")];
        let whole = digest(&rows, 0);
        let backwards: Vec<_> = rows.iter().rev().copied().collect();
        assert_eq!(digest(&backwards, 1), whole);
        assert_eq!(whole.rows, 3);
        assert_eq!(whole.to_string().len(), 64);
        for (place, other) in [
            (0, (3, Some("a"), "x")),
            (1, (2, Some("n"), "y")),
            (2, (2, Some(""), "z")),
            (2, (2, None, "y")),
        ] {
            let mut changed = rows;
            changed[place] = other;
            assert_ne!(digest(&changed, 1), whole, "{other:?}");
        }
        let doubled = [rows[0], rows[0], rows[2]];
        assert_ne!(digest(&doubled, 1), whole);
        assert_ne!(digest(&rows[..2], 1), whole);
    }
}
