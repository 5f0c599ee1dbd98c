//! One bit per row, unset until told otherwise.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Bits by row. Rows that were never set read as unset, so that padding costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    /// Sets the bit of `row`.
    #[inline]
    pub(crate) fn set(&mut self, row: usize) {
        let word = row / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (row % 64);
    }

    /// Whether the bit of `row` is set.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Unsets the bits of `row` and of all rows after it.
    #[inline]
    pub(crate) fn truncate(&mut self, row: usize) {
        self.words.truncate(row.div_ceil(64));
        if let Some(word) = self.words.get_mut(row / 64) {
            *word &= (1 << (row % 64)) - 1;
        }
    }

    /// The bits of the first `rows` rows.
    pub(crate) fn into_values(mut self, rows: usize) -> BooleanBuffer {
        self.words.resize(rows.div_ceil(64), 0);
        BooleanBuffer::new(Buffer::from_vec(self.words), 0, rows)
    }

    /// The first `rows` rows as validity, or `None` if all are valid.
    pub(crate) fn into_validity(self, rows: usize) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.into_values(rows))).filter(|nulls| nulls.null_count() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Bitmap;

    #[test]
    fn truncating_forgets_exactly_the_rows_from_there_on() {
        for row in [0, 1, 63, 64, 65, 128, 200] {
            let mut bits = Bitmap::default();
            (0..200).for_each(|row| bits.set(row));
            bits.truncate(row);
            assert_eq!((0..300).filter(|&row| bits.get(row)).count(), row.min(200));
            bits.set(250);
            let values = bits.into_values(256);
            assert_eq!(values.count_set_bits(), row.min(200) + 1);
            assert!(values.value(250));
        }
    }

    #[test]
    fn validity_is_left_out_when_all_rows_are_valid() {
        let mut bits = Bitmap::default();
        bits.set(0);
        bits.set(1);
        assert!(bits.into_validity(2).is_none());
        assert_eq!(Bitmap::default().into_validity(3).map(|nulls| nulls.null_count()), Some(3));
    }
}
