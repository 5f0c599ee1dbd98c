//! The texts of a column in the order of a data file: each different one once, and which row has
//! which. None is copied.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, MapArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parquet::errors::{ParquetError, Result};
use xxhash_rust::xxh3::xxh3_64;

/// A leaf of a Parquet schema, in texts, to be encoded.
///
/// A slot is a place for a value: there is one for each row, or in a map for each entry and for
/// each row without one.
#[derive(Debug, Default)]
pub(crate) struct TextLeaf<'a> {
    /// By slot, how much of the path to the value is there. Only the greatest level has one.
    pub(crate) definitions: Vec<u8>,
    /// By slot, whether it belongs to the row of the slot before. Empty if each row has one slot.
    pub(crate) repetitions: Vec<u8>,
    /// The level of slots that have a value.
    pub(crate) definition_max: u8,
    /// By value, which of the texts it is.
    pub(crate) keys: Vec<u32>,
    /// The different texts, as they come first.
    pub(crate) texts: Vec<&'a [u8]>,
}

/// Whether [`flat`] can read a column of this type.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 => true,
        DataType::Dictionary(key, value) => {
            (key.as_ref(), value.as_ref()) == (&DataType::Int32, &DataType::Utf8)
        }
        _ => false,
    }
}

/// Whether [`map`] can read a column of this type.
pub(crate) fn is_map_of_texts(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                fields.iter().map(|field| field.data_type()).eq([&DataType::Utf8; 2])
            }
            _ => false,
        },
        _ => false,
    }
}

/// The values of a column of texts in the rows of `order`.
pub(crate) fn flat<'a>(
    batches: &'a [RecordBatch],
    column: usize,
    order: &[(usize, usize)],
) -> Result<TextLeaf<'a>> {
    let columns: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(column)).collect();
    let mut leaf = TextLeaf { definition_max: 1, ..TextLeaf::default() };
    if columns.iter().all(|column| column.null_count() == column.len()) {
        leaf.definitions = vec![0; order.len()];
        return Ok(leaf);
    }
    let mut columns: Vec<Flat<'a>> =
        columns.into_iter().map(Flat::of).collect::<Option<_>>().ok_or_else(unexpected)?;
    let mut interner = Interner::default();
    leaf.keys.reserve(order.len());
    leaf.definitions.reserve(order.len());
    for (batch, row) in order {
        let column = columns.get_mut(*batch).ok_or_else(unknown_row)?;
        match column.key(*row, &mut interner)? {
            Some(key) => {
                leaf.keys.push(key);
                leaf.definitions.push(1);
            }
            None => leaf.definitions.push(0),
        }
    }
    leaf.texts = interner.texts;
    Ok(leaf)
}

/// The keys and the values of a column of maps in the rows of `order`.
pub(crate) fn map<'a>(
    batches: &'a [RecordBatch],
    column: usize,
    order: &[(usize, usize)],
) -> Result<[TextLeaf<'a>; 2]> {
    let columns: Option<Vec<Maps<'a>>> =
        batches.iter().map(|batch| Maps::of(batch.column(column))).collect();
    let columns = columns.ok_or_else(unexpected)?;
    let mut keys = TextLeaf { definition_max: 2, ..TextLeaf::default() };
    let mut values = TextLeaf { definition_max: 3, ..TextLeaf::default() };
    let (mut key_texts, mut value_texts) = (Interner::default(), Interner::default());
    for (batch, row) in order {
        let maps = columns.get(*batch).ok_or_else(unknown_row)?;
        let entries = maps.entries(*row)?;
        if entries.as_ref().is_none_or(Range::is_empty) {
            let level = u8::from(entries.is_some());
            for leaf in [&mut keys, &mut values] {
                leaf.definitions.push(level);
                leaf.repetitions.push(0);
            }
            continue;
        }
        for (place, entry) in entries.into_iter().flatten().enumerate() {
            let repetition = u8::from(place > 0);
            let key = text(maps.keys, entry).ok_or_else(unknown_row)?;
            keys.keys.push(key_texts.key(key)?);
            keys.definitions.push(2);
            keys.repetitions.push(repetition);
            let value = text(maps.values, entry);
            values.definitions.push(2 + u8::from(value.is_some()));
            values.repetitions.push(repetition);
            if let Some(value) = value {
                values.keys.push(value_texts.key(value)?);
            }
        }
    }
    keys.texts = key_texts.texts;
    values.texts = value_texts.texts;
    Ok([keys, values])
}

fn unexpected() -> ParquetError {
    ParquetError::General("the batches have different types of one column".to_owned())
}

fn unknown_row() -> ParquetError {
    ParquetError::General("the rows are not those of the batches".to_owned())
}

/// The text in a row that there is, unless it is null.
#[inline]
fn text(texts: &StringArray, row: usize) -> Option<&[u8]> {
    (row < texts.len() && texts.is_valid(row)).then(|| texts.value(row).as_bytes())
}

/// A column of texts of one batch.
enum Flat<'a> {
    Plain(&'a StringArray),
    /// With the keys that its texts have here, as far as any row had them.
    Dictionary {
        rows: &'a DictionaryArray<Int32Type>,
        texts: &'a StringArray,
        keys: Vec<Option<u32>>,
    },
}

impl<'a> Flat<'a> {
    fn of(column: &'a ArrayRef) -> Option<Flat<'a>> {
        if let Some(texts) = column.as_string_opt() {
            return Some(Flat::Plain(texts));
        }
        let rows = column.as_dictionary_opt::<Int32Type>()?;
        let texts = rows.values().as_string_opt()?;
        Some(Flat::Dictionary { rows, texts, keys: vec![None; texts.len()] })
    }

    /// The key of the text in `row`, unless it is null.
    #[inline]
    fn key(&mut self, row: usize, interner: &mut Interner<'a>) -> Result<Option<u32>> {
        match self {
            Flat::Plain(texts) if row < texts.len() => {
                text(texts, row).map(|text| interner.key(text)).transpose()
            }
            Flat::Dictionary { rows, texts, keys } if row < rows.len() => {
                let Some(place) = rows.key(row) else { return Ok(None) };
                let key = keys.get_mut(place).ok_or_else(unknown_row)?;
                if key.is_none()
                    && let Some(text) = text(texts, place)
                {
                    *key = Some(interner.key(text)?);
                }
                Ok(*key)
            }
            _ => Err(unknown_row()),
        }
    }
}

/// A column of maps of one batch.
struct Maps<'a> {
    maps: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Maps<'a> {
    fn of(column: &'a ArrayRef) -> Option<Maps<'a>> {
        let maps = column.as_map_opt()?;
        let (keys, values) = (maps.keys().as_string_opt()?, maps.values().as_string_opt()?);
        Some(Maps { maps, keys, values })
    }

    /// The entries of the map in `row`, unless it is null.
    #[inline]
    fn entries(&self, row: usize) -> Result<Option<Range<usize>>> {
        if row >= self.maps.len() {
            return Err(unknown_row());
        }
        if self.maps.is_null(row) {
            return Ok(None);
        }
        let end = |row: usize| {
            let offset = self.maps.value_offsets().get(row).copied();
            offset.and_then(|offset| usize::try_from(offset).ok()).ok_or_else(unknown_row)
        };
        Ok(Some(end(row)?..end(row + 1)?))
    }
}

/// Gives equal texts the same number.
#[derive(Default)]
struct Interner<'a> {
    /// Hash and number of each text.
    table: HashTable<(u64, u32)>,
    texts: Vec<&'a [u8]>,
}

impl<'a> Interner<'a> {
    #[inline]
    fn key(&mut self, text: &'a [u8]) -> Result<u32> {
        let hash = xxh3_64(text);
        let texts = &mut self.texts;
        let is_it = |(known_hash, known): &(u64, u32)| {
            let known = usize::try_from(*known).ok().and_then(|known| texts.get(known));
            *known_hash == hash && known.is_some_and(|known| *known == text)
        };
        match self.table.entry(hash, is_it, |(hash, _)| *hash) {
            Entry::Occupied(found) => Ok(found.get().1),
            Entry::Vacant(free) => {
                let key = u32::try_from(texts.len()).map_err(|_| {
                    ParquetError::General("a column has more texts than can be counted".into())
                })?;
                free.insert((hash, key));
                texts.push(text);
                Ok(key)
            }
        }
    }
}
