//! A `map(varchar, varchar)` column.

use std::mem;
use std::sync::Arc;

use arrow::array::{MapArray, StructArray};

use crate::bitmap::Bitmap;
use crate::column::{Offsets, TextColumn};
use crate::json::{Fault, Nesting, Scanner};
use crate::schema::{map_entries_field, map_entry_fields};
use crate::template::{Draft, Kept};

/// Up to this many keys of a map are compared each with each; more are sorted. Request parameters
/// have fewer than ten as a rule, where comparing costs less than anything set up beforehand.
const KEYS_COMPARED_MAX: usize = 16;

/// Maps by row. A map's keys differ from each other.
#[derive(Debug, Default)]
pub(crate) struct MapColumn {
    offsets: Offsets,
    valid: Bitmap,
    keys: TextColumn,
    values: TextColumn,
}

impl MapColumn {
    /// Forgets `row` and all rows after it.
    pub(crate) fn truncate(&mut self, row: usize) {
        // Not only finished rows: a refused log file may have left entries of an unfinished one.
        let entries = self.offsets.start(row);
        self.keys.truncate(entries);
        self.values.truncate(entries);
        self.offsets.truncate(row);
        self.valid.truncate(row);
    }

    /// Sets `row` to the object at whose opening brace the scanner stands.
    ///
    /// Of equal keys the last wins, and stands where it stood. The entries are noted in `draft`.
    pub(crate) fn read(
        &mut self,
        row: usize,
        scanner: &mut Scanner<'_>,
        nesting: &mut Nesting,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        self.truncate(row);
        self.offsets.pad(row);
        let first = self.offsets.start(row);
        let mut entry = first;
        let mut another = scanner.enter_object();
        while another {
            let key_start = scanner.peek_token_at();
            let key = scanner.key()?;
            draft.map_key(scanner, key_start, &key);
            self.keys.set_string(entry, &key);
            let start = scanner.peek_token_at();
            let kept = if scanner.peek() == Some(b'"') {
                let string = scanner.string()?;
                self.values.set_string(entry, &string);
                Kept::of_string(&string)
            } else {
                let value = scanner.value(nesting)?;
                self.values.set(entry, &value);
                Kept::by_varchar(&value)
            };
            draft.value(scanner, start, kept);
            entry += 1;
            another = scanner.another_key()?;
        }
        let entries = self.drop_repeated_keys(first, entry);
        if entries < entry {
            draft.see_repeated_key();
        }
        self.offsets.push(entries);
        self.valid.set(row);
        Ok(())
    }

    /// Drops, among the entries from `first` up to `end`, all but the last of those with equal
    /// keys. Returns the new end.
    fn drop_repeated_keys(&mut self, first: usize, end: usize) -> usize {
        let last_of_each = if end - first <= KEYS_COMPARED_MAX {
            self.last_of_each_by_comparing(first, end)
        } else {
            self.last_of_each_by_sorting(first, end)
        };
        let Some(kept) = last_of_each else { return end };
        let keys = kept.iter().map(|&entry| self.keys.bytes_of(entry).to_vec()).collect::<Vec<_>>();
        let values = kept
            .iter()
            .map(|&entry| self.values.get(entry).map(<[u8]>::to_vec))
            .collect::<Vec<_>>();
        self.keys.truncate(first);
        self.values.truncate(first);
        let mut entry = first;
        for (key, value) in keys.iter().zip(&values) {
            self.keys.set_bytes(entry, key);
            if let Some(value) = value {
                self.values.set_bytes(entry, value);
            }
            entry += 1;
        }
        entry
    }

    /// The last entries of each key in order, or `None` if all keys differ.
    fn last_of_each_by_comparing(&self, first: usize, end: usize) -> Option<Vec<usize>> {
        let repeated_later = |entry: usize| {
            let key = self.keys.bytes_of(entry);
            (entry + 1..end).any(|later| self.keys.bytes_of(later) == key)
        };
        if !(first..end).any(repeated_later) {
            return None;
        }
        Some((first..end).filter(|&entry| !repeated_later(entry)).collect())
    }

    /// As [`Self::last_of_each_by_comparing`], for many keys.
    fn last_of_each_by_sorting(&self, first: usize, end: usize) -> Option<Vec<usize>> {
        let mut entries: Vec<usize> = (first..end).collect();
        // Stable, so that the last of equal keys stays last.
        entries.sort_by_key(|&entry| self.keys.bytes_of(entry));
        entries.reverse();
        entries.dedup_by_key(|entry| self.keys.bytes_of(*entry));
        if entries.len() == end - first {
            return None;
        }
        entries.sort_unstable();
        Some(entries)
    }

    /// Whether `row` holds a map.
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.valid.get(row)
    }

    /// The array of the first `rows` rows. The column is empty afterwards.
    pub(crate) fn take_array(&mut self, rows: usize) -> MapArray {
        let MapColumn { offsets, valid, keys, values } = self;
        let offsets_buffer = offsets.take_buffer(rows);
        let entries = usize::try_from(offsets_buffer.last().copied().unwrap_or(0)).unwrap_or(0);
        let entries = StructArray::new(
            map_entry_fields(),
            vec![Arc::new(keys.take_array(entries)), Arc::new(values.take_array(entries))],
            None,
        );
        let nulls = mem::take(valid).into_validity(rows);
        MapArray::new(map_entries_field(), offsets_buffer, entries, nulls, false)
    }
}
