//! Growing columns that can be cut back to an earlier row, and become Arrow arrays without a copy.
//!
//! A column is told only of the rows that have a value: the rows in between are padded with nulls
//! when the next value comes, so a field that an event lacks costs nothing while decoding. Setting
//! the row that was set last replaces its value, which is how the last of repeated keys wins.
//!
//! A column that was taken as an array begins anew with room for as much again: batches are alike,
//! and growing step by step would copy each value once or twice.

use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Int32Array, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use xxhash_rust::xxh3::xxh3_64;

use crate::bitmap::Bitmap;
use crate::event_time;
use crate::json::{JsonString, Value};
use crate::map_column::MapColumn;
use crate::resources::ResourcesColumn;
use crate::schema::{Leaf, Shape};
use crate::template::Kept;

/// One physical column while it grows.
#[derive(Debug)]
pub(crate) enum Column {
    Text(TextColumn),
    Boolean(BooleanColumn),
    Timestamp(TimestampColumn),
    Map(MapColumn),
    Resources(ResourcesColumn),
    /// Varchar, for texts that repeat.
    Repeated(RepeatedColumn),
}

impl Column {
    /// An empty column for a leaf.
    pub(crate) fn new(leaf: &Leaf) -> Column {
        match leaf.shape {
            Shape::Varchar if leaf.is_repeated() => Column::Repeated(RepeatedColumn::default()),
            Shape::Boolean => Column::Boolean(BooleanColumn::default()),
            Shape::Timestamp => Column::Timestamp(TimestampColumn::default()),
            Shape::MapOfVarchar => Column::Map(MapColumn::default()),
            Shape::Resources => Column::Resources(ResourcesColumn::default()),
            _ => Column::Text(TextColumn::default()),
        }
    }

    /// Forgets `row` and all rows after it.
    pub(crate) fn truncate(&mut self, row: usize) {
        match self {
            Column::Text(column) => column.truncate(row),
            Column::Boolean(column) => column.truncate(row),
            Column::Timestamp(column) => column.truncate(row),
            Column::Map(column) => column.truncate(row),
            Column::Resources(column) => column.truncate(row),
            Column::Repeated(column) => column.truncate(row),
        }
    }

    /// Sets `row` to a value that stands alone: a map or resources become null. Returns how the
    /// column can give the value back.
    #[inline]
    pub(crate) fn set(&mut self, row: usize, value: &Value<'_>) -> Kept {
        match self {
            Column::Text(column) => {
                column.set(row, value);
                return Kept::by_varchar(value);
            }
            Column::Boolean(column) => {
                column.set(row, value);
                if matches!(value, Value::True | Value::False) {
                    return Kept::Exact;
                }
            }
            Column::Timestamp(column) => {
                column.set(row, value);
                let is_plain =
                    matches!(value, Value::String(text) if event_time::is_plain(text.raw));
                if is_plain && column.get(row).is_some() {
                    return Kept::String;
                }
            }
            Column::Map(column) => column.truncate(row),
            Column::Resources(column) => column.truncate(row),
            // No key of an event leads here.
            Column::Repeated(_) => {}
        }
        Kept::by_none(value)
    }

    /// The text of `row`, or `None` if it is null or the column holds no text.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Option<&[u8]> {
        match self {
            Column::Text(column) => column.get(row),
            _ => None,
        }
    }

    /// The array of the first `rows` rows. The column is empty afterwards.
    pub(crate) fn take_array(&mut self, rows: usize) -> ArrayRef {
        match self {
            Column::Text(column) => Arc::new(column.take_array(rows)),
            Column::Boolean(column) => Arc::new(column.take_array(rows)),
            Column::Timestamp(column) => Arc::new(column.take_array(rows)),
            Column::Map(column) => Arc::new(column.take_array(rows)),
            Column::Resources(column) => Arc::new(column.take_array(rows)),
            Column::Repeated(column) => Arc::new(column.take_array(rows)),
        }
    }
}

/// Where the next value starts, as Arrow counts.
///
/// Saturates instead of overflowing, and never has to: no column holds more bytes or entries than
/// the text it was read from, which `BATCH_TEXT_BYTES_MAX` bounds.
#[inline]
fn offset(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// Offsets into something: one more than there are rows.
#[derive(Debug)]
pub(crate) struct Offsets {
    starts: Vec<i32>,
}

impl Default for Offsets {
    fn default() -> Offsets {
        Offsets { starts: vec![0] }
    }
}

impl Offsets {
    /// Offsets of no rows, with room for some.
    fn with_capacity(rows: usize) -> Offsets {
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        Offsets { starts }
    }

    /// Number of rows.
    #[inline]
    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where `row` starts; for a row not yet there, where the last one ends.
    #[inline]
    pub(crate) fn start(&self, row: usize) -> usize {
        let start = self.starts.get(row).or(self.starts.last()).copied().unwrap_or_default();
        usize::try_from(start).unwrap_or_default()
    }

    /// Adds empty rows until there are `rows`.
    #[inline]
    pub(crate) fn pad(&mut self, rows: usize) {
        if self.rows() < rows {
            let end = self.starts.last().copied().unwrap_or_default();
            self.starts.resize(rows + 1, end);
        }
    }

    /// Adds a row that ends at `end`.
    #[inline]
    pub(crate) fn push(&mut self, end: usize) {
        self.starts.push(offset(end));
    }

    /// Forgets `row` and all rows after it.
    #[inline]
    pub(crate) fn truncate(&mut self, row: usize) {
        self.starts.truncate(row + 1);
    }

    /// The offsets of the first `rows` rows. No row is left.
    pub(crate) fn take_buffer(&mut self, rows: usize) -> OffsetBuffer<i32> {
        if self.rows() == 0 {
            // Most columns of most batches: memory that comes as zeros need not be written.
            return OffsetBuffer::new_zeroed(rows);
        }
        self.pad(rows);
        let next = Offsets::with_capacity(self.rows());
        OffsetBuffer::new(ScalarBuffer::from(mem::replace(self, next).starts))
    }
}

/// A varchar column.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    offsets: Offsets,
    bytes: Vec<u8>,
    valid: Bitmap,
}

impl TextColumn {
    /// Number of rows up to the last that has a value.
    fn rows(&self) -> usize {
        self.offsets.rows()
    }

    #[inline]
    pub(crate) fn truncate(&mut self, row: usize) {
        if row < self.offsets.rows() {
            self.bytes.truncate(self.offsets.start(row));
            self.offsets.truncate(row);
            self.valid.truncate(row);
        }
    }

    #[inline]
    pub(crate) fn set(&mut self, row: usize, value: &Value<'_>) {
        self.set_with(row, |bytes| value.append_to(bytes));
    }

    #[inline]
    pub(crate) fn set_string(&mut self, row: usize, string: &JsonString<'_>) {
        self.set_with(row, |bytes| {
            string.append_to(bytes);
            true
        });
    }

    #[inline]
    pub(crate) fn set_bytes(&mut self, row: usize, text: &[u8]) {
        self.set_with(row, |bytes| {
            bytes.extend_from_slice(text);
            true
        });
    }

    /// Sets `row` to what `append` appends, or to null if it returns false.
    #[inline]
    pub(crate) fn set_with(&mut self, row: usize, append: impl FnOnce(&mut Vec<u8>) -> bool) {
        self.truncate(row);
        self.offsets.pad(row);
        if append(&mut self.bytes) {
            self.offsets.push(self.bytes.len());
            self.valid.set(row);
        }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<&[u8]> {
        self.valid.get(row).then(|| self.bytes_of(row))
    }

    /// The bytes of `row`; none if it is null.
    #[inline]
    pub(crate) fn bytes_of(&self, row: usize) -> &[u8] {
        self.bytes.get(self.offsets.start(row)..self.offsets.start(row + 1)).unwrap_or_default()
    }

    pub(crate) fn take_array(&mut self, rows: usize) -> StringArray {
        let next = Vec::with_capacity(self.bytes.len());
        let bytes = mem::replace(&mut self.bytes, next);
        let nulls = mem::take(&mut self.valid).into_validity(rows);
        StringArray::new(self.offsets.take_buffer(rows), Buffer::from_vec(bytes), nulls)
    }
}

/// A varchar column of texts that repeat: each is held once.
#[derive(Debug, Default)]
pub(crate) struct RepeatedColumn {
    /// By row, which of the texts it has.
    keys: Vec<i32>,
    valid: Bitmap,
    texts: TextColumn,
    /// Finds the texts.
    table: HashTable<usize>,
}

impl RepeatedColumn {
    /// Sets the row after the last one, or one after that.
    #[inline]
    pub(crate) fn set_bytes(&mut self, row: usize, text: &[u8]) {
        let hash_of = |text: &[u8]| xxh3_64(text);
        let texts = &mut self.texts;
        let slot = self.table.entry(
            hash_of(text),
            |&key| texts.bytes_of(key) == text,
            |&key| hash_of(texts.bytes_of(key)),
        );
        let key = match slot {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let key = texts.rows();
                free.insert(key);
                texts.set_bytes(key, text);
                key
            }
        };
        self.keys.resize(row, 0);
        self.keys.push(offset(key));
        self.valid.set(row);
    }

    fn truncate(&mut self, row: usize) {
        if row >= self.keys.len() {
            return;
        }
        self.keys.truncate(row);
        self.valid.truncate(row);
        // Texts are numbered as they come, so those of the rows that are left are the first ones.
        let most = self.keys.iter().copied().max();
        let left = most.and_then(|key| usize::try_from(key).ok()).map_or(0, |key| key + 1);
        self.texts.truncate(left);
        self.table.retain(|key| *key < left);
    }

    fn take_array(&mut self, rows: usize) -> DictionaryArray<Int32Type> {
        let next = RepeatedColumn { keys: Vec::with_capacity(rows), ..RepeatedColumn::default() };
        let RepeatedColumn { mut keys, valid, mut texts, .. } = mem::replace(self, next);
        keys.resize(rows, 0);
        let keys = Int32Array::new(ScalarBuffer::from(keys), valid.into_validity(rows));
        let distinct = texts.rows();
        let texts = Arc::new(texts.take_array(distinct));
        DictionaryArray::new(keys, texts)
    }
}

/// A boolean column.
#[derive(Debug, Default)]
pub(crate) struct BooleanColumn {
    values: Bitmap,
    valid: Bitmap,
}

impl BooleanColumn {
    fn truncate(&mut self, row: usize) {
        self.values.truncate(row);
        self.valid.truncate(row);
    }

    fn set(&mut self, row: usize, value: &Value<'_>) {
        self.truncate(row);
        let truth = match value {
            Value::True => true,
            Value::False => false,
            Value::String(string) => match string.characters().as_ref() {
                b"true" => true,
                b"false" => false,
                _ => return,
            },
            _ => return,
        };
        self.valid.set(row);
        if truth {
            self.values.set(row);
        }
    }

    /// The value of `row`, or `None` if it is null.
    pub(crate) fn get(&self, row: usize) -> Option<bool> {
        self.valid.get(row).then(|| self.values.get(row))
    }

    fn take_array(&mut self, rows: usize) -> BooleanArray {
        let BooleanColumn { values, valid } = mem::take(self);
        BooleanArray::new(values.into_values(rows), valid.into_validity(rows))
    }
}

/// A timestamp column, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct TimestampColumn {
    micros: Vec<i64>,
    valid: Bitmap,
}

impl TimestampColumn {
    fn truncate(&mut self, row: usize) {
        self.micros.truncate(row);
        self.valid.truncate(row);
    }

    fn set(&mut self, row: usize, value: &Value<'_>) {
        self.truncate(row);
        let micros = match value {
            Value::String(string) => event_time::parse_bytes(&string.characters()),
            _ => None,
        };
        if let Some(micros) = micros {
            self.micros.resize(row, 0);
            self.micros.push(micros);
            self.valid.set(row);
        }
    }

    /// The value of `row`, or `None` if it is null.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.valid.get(row).then(|| self.micros.get(row).copied()).flatten()
    }

    fn take_array(&mut self, rows: usize) -> TimestampMicrosecondArray {
        let TimestampColumn { micros, valid } = self;
        let next = Vec::with_capacity(micros.len());
        let (mut micros, valid) = (mem::replace(micros, next), mem::take(valid));
        micros.resize(rows, 0);
        TimestampMicrosecondArray::new(ScalarBuffer::from(micros), valid.into_validity(rows))
            .with_timezone("UTC")
    }
}
