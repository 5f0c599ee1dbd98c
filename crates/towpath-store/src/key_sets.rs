//! Key sets: hidden columns of data files that say which keys the maps of a row have.
//!
//! A predicate on the value of a key (`element_at(requestParameters, 'bucketName') = 'logs'`) holds
//! for no row whose map lacks the key. The rows of one call stand together and have the same keys,
//! so the key sets of a hundred thousand rows take a few kilobytes, and a reader that tries them
//! first decodes the maps of the other rows only.
//!
//! A key set is the map's keys in the map's order, each behind a line feed, and one more line feed;
//! of a map without keys, and of no map at all, the empty text. It is NULL where nothing is said:
//! past [`KEY_SET_BYTES_MAX`], and in data files that were written before there were key sets.
//!
//! The columns are in Parquet only. Delta's schema does not have them, so its readers do not see
//! them, and they are left out and made anew when rows are merged.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The maps that have key sets: those that people look into.
const MAPS: [&str; 4] =
    ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"];

/// What a key set's column is called behind the name of its map. No column of an event ends so.
const SUFFIX: &str = "_keys";

/// Bytes of one key set, at most. Maps with more have the keys of a user's own data, and no two of
/// them the same.
const KEY_SET_BYTES_MAX: usize = 1024;

const SEPARATOR: char = '\n';

/// The column with the key sets of the map column `map`, if it has one.
#[must_use]
pub fn key_set_column(map: &str) -> Option<String> {
    MAPS.contains(&map).then(|| format!("{map}{SUFFIX}"))
}

/// Whether `column` is one of key sets.
#[must_use]
pub fn is_key_set(column: &str) -> bool {
    column.strip_suffix(SUFFIX).is_some_and(|map| MAPS.contains(&map))
}

/// Whether a map whose key set is `key_set` may have `key`.
///
/// "May": a key can stand within another that has line feeds. A map that has the key is never
/// denied.
#[must_use]
pub fn may_have_key(key_set: &str, key: &str) -> bool {
    let mut rest = key_set;
    while let Some((_, behind)) = rest.split_once(SEPARATOR) {
        if behind.strip_prefix(key).is_some_and(|end| end.starts_with(SEPARATOR)) {
            return true;
        }
        rest = behind;
    }
    false
}

/// `schema` and the columns of key sets that rows of it have in a data file.
#[must_use]
pub fn with_key_sets(schema: &Schema) -> SchemaRef {
    let mut fields: Vec<FieldRef> = schema.fields().iter().map(Arc::clone).collect();
    fields.extend(maps(schema).map(|(_, name)| Arc::new(Field::new(name, DataType::Utf8, true))));
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The columns of a data file that are none of key sets, by index.
pub(crate) fn other_columns(schema: &Schema) -> Vec<usize> {
    let is_other = |column: &usize| !is_key_set(schema.field(*column).name());
    (0..schema.fields().len()).filter(is_other).collect()
}

/// The maps of `schema` that have key sets, by index, and the names of their key sets.
pub(crate) fn maps(schema: &Schema) -> impl Iterator<Item = (usize, String)> + '_ {
    schema.fields().iter().enumerate().filter_map(|(index, field)| {
        let DataType::Map(entries, _) = field.data_type() else { return None };
        let DataType::Struct(entry) = entries.data_type() else { return None };
        let has_text_keys = entry.first()?.data_type() == &DataType::Utf8;
        Some((index, key_set_column(field.name()).filter(|_| has_text_keys)?))
    })
}

/// `batch` with its key sets.
pub(crate) fn add_key_sets(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut columns = batch.columns().to_vec();
    columns.extend(maps(&schema).map(|(map, _)| key_sets(batch.column(map))));
    RecordBatch::try_new(with_key_sets(&schema), columns)
}

/// The key sets of maps whose keys are texts; all NULL for anything else.
pub(crate) fn key_sets(maps: &ArrayRef) -> ArrayRef {
    let mut sets = StringBuilder::with_capacity(maps.len(), 0);
    let of_texts = |maps| -> Option<(&MapArray, &StringArray)> {
        let maps: &MapArray = maps;
        Some((maps, maps.keys().as_string_opt()?))
    };
    let text_keys = maps.as_map_opt().and_then(of_texts);
    let Some((maps, keys)) = text_keys else {
        sets.append_nulls(maps.len());
        return Arc::new(sets.finish());
    };
    // Neighbours nearly always have the same keys.
    let mut set = String::new();
    let mut previous = 0..0;
    for row in 0..maps.len() {
        let entries = entries_of(maps, row);
        let same = entries.len() == previous.len()
            && entries
                .clone()
                .zip(previous)
                .all(|(one, other)| keys.value(one) == keys.value(other));
        if !same {
            set.clear();
            for entry in entries.clone() {
                set.push(SEPARATOR);
                set.push_str(keys.value(entry));
            }
            if !entries.is_empty() {
                set.push(SEPARATOR);
            }
        }
        sets.append_option((set.len() <= KEY_SET_BYTES_MAX).then_some(&set));
        previous = entries;
    }
    Arc::new(sets.finish())
}

/// Where the entries of `row` are among those of all rows; none for NULL.
fn entries_of(maps: &MapArray, row: usize) -> Range<usize> {
    let bound =
        |at: usize| maps.value_offsets().get(at).map_or(0, |&at| usize::try_from(at).unwrap_or(0));
    if maps.is_null(row) { 0..0 } else { bound(row)..bound(row + 1) }
}

#[cfg(test)]
mod tests {
    use super::{KEY_SET_BYTES_MAX, add_key_sets, key_set_column, key_sets, may_have_key};
    use arrow::array::{Array, ArrayRef, AsArray, MapBuilder, RecordBatch, StringBuilder};
    use proptest::prelude::{Just, any, prop, prop_assert, prop_oneof, proptest};
    use std::sync::Arc;

    fn maps(rows: &[Option<Vec<String>>]) -> ArrayRef {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for keys in rows {
            for key in keys.iter().flatten() {
                maps.keys().append_value(key);
                maps.values().append_null();
            }
            maps.append(keys.is_some()).unwrap();
        }
        Arc::new(maps.finish())
    }

    fn texts(keys: &[&str]) -> Option<Vec<String>> {
        Some(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn a_key_set_lists_the_keys_and_is_null_where_there_are_too_many() {
        let many: Vec<String> = (0..KEY_SET_BYTES_MAX).map(|key| key.to_string()).collect();
        let rows =
            [texts(&["a", "b"]), texts(&["a", "b"]), texts(&["a"]), None, texts(&[]), Some(many)];
        let sets = key_sets(&maps(&rows));
        let sets: Vec<Option<&str>> = sets.as_string::<i32>().iter().collect();
        let same = Some("\na\nb\n");
        assert_eq!(sets, [same, same, Some("\na\n"), Some(""), Some(""), None]);
    }

    #[test]
    fn only_maps_that_people_look_into_have_key_sets() {
        let columns = [("tags", maps(&[None])), ("requestParameters", maps(&[texts(&["k"])]))];
        let batch = add_key_sets(&RecordBatch::try_from_iter(columns).unwrap()).unwrap();
        let names: Vec<String> =
            batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["tags", "requestParameters", "requestParameters_keys"]);
        assert_eq!(batch.column(2).as_string::<i32>().value(0), "\nk\n");
        assert_eq!(key_set_column("tags"), None);
    }

    #[test]
    fn a_key_is_found_whole() {
        for (set, key, found) in [
            ("\nbucketName\nkey\n", "bucketName", true),
            ("\nbucketName\nkey\n", "key", true),
            ("\nbucketName\nkey\n", "Name", false),
            ("\nbucketName\nkey\n", "bucket", false),
            ("\nbucketName\nkey\n", "", false),
            ("\n\n", "", true),
            ("", "", false),
        ] {
            assert_eq!(may_have_key(set, key), found, "{set:?} {key:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_that_a_map_has_is_never_denied(
            rows in prop::collection::vec(
                prop::option::of(prop::collection::vec(
                    prop_oneof![any::<String>(), Just("\n".to_owned()), Just(String::new())], 0..5)),
                1..20),
        ) {
            let sets = key_sets(&maps(&rows));
            let sets = sets.as_string::<i32>();
            for (row, keys) in rows.iter().enumerate().filter(|(row, _)| sets.is_valid(*row)) {
                for key in keys.iter().flatten() {
                    prop_assert!(may_have_key(sets.value(row), key));
                }
            }
        }
    }
}
