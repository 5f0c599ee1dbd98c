//! What a batch holds, value by value, in a form that can be compared and printed.

use std::collections::BTreeMap;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StringArray, StructArray,
};
use arrow::datatypes::TimestampMicrosecondType;
use towpath_event::{EventBatch, EventBatchBuilder, Leaf, Shape, event_texts, leaves};

/// The value of one physical column in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Boolean(bool),
    Micros(i64),
    Map(Vec<(String, Option<String>)>),
    /// accountId, type, arn, arnPrefix.
    Resources(Vec<Option<[Option<String>; 4]>>),
}

impl Cell {
    pub(crate) fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    pub(crate) fn map(entries: &[(&str, Option<&str>)]) -> Cell {
        let owned = |text: &str| text.to_owned();
        Cell::Map(entries.iter().map(|(key, value)| (owned(key), value.map(owned))).collect())
    }
}

/// All cells of one event, by physical column.
pub(crate) type Cells = BTreeMap<&'static str, Cell>;

/// The physical columns without the two that the event's text is put together from.
pub(crate) fn stored_values() -> impl Iterator<Item = &'static Leaf> {
    leaves().filter(|leaf| leaf.path[0] != "eventJson")
}

/// The cells of every event of a batch, and its text.
pub(crate) fn cells(batch: &EventBatch) -> Vec<Cells> {
    let texts = event_texts(batch.columns.columns()).unwrap();
    (0..batch.columns.num_rows())
        .map(|row| {
            let columns = stored_values().map(|leaf| {
                let column = batch.columns.column_by_name(&leaf.column).unwrap();
                (leaf.column.as_str(), cell(leaf.shape, column, row))
            });
            columns.chain([("eventJson", Cell::text(texts.value(row)))]).collect()
        })
        .collect()
}

/// The cells of the only event that has the fields of `fields`, a JSON object without its braces,
/// and an `eventTime`.
pub(crate) fn cells_of_fields(fields: &str) -> Cells {
    cells_of_event(&format!(r#"{{"eventTime":"2023-07-10T12:00:00Z",{fields}}}"#))
}

/// The cells of the only event of a log file.
pub(crate) fn cells_of_event(event: &str) -> Cells {
    let mut builder = EventBatchBuilder::new();
    let text = format!(r#"{{"Records":[{event}]}}"#);
    let summary = builder.append_log_file(text.as_bytes());
    assert_eq!(summary.map(|summary| summary.events), Ok(1), "{event}");
    let mut rows = cells(&builder.finish());
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn cell(shape: Shape, column: &ArrayRef, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    match shape {
        Shape::Varchar => Cell::text(column.as_string::<i32>().value(row)),
        Shape::Boolean => Cell::Boolean(AsArray::as_boolean(column).value(row)),
        Shape::Timestamp => {
            Cell::Micros(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        Shape::MapOfVarchar => Cell::Map(map_entries(column.as_map(), row)),
        Shape::Resources => Cell::Resources(resources(column.as_list(), row)),
        other => panic!("{other:?} is not stored"),
    }
}

fn map_entries(column: &MapArray, row: usize) -> Vec<(String, Option<String>)> {
    let entries = column.value(row);
    let keys = texts(entries.column(0).as_string());
    let values = texts(entries.column(1).as_string());
    keys.into_iter().map(Option::unwrap).zip(values).collect()
}

fn resources(column: &ListArray, row: usize) -> Vec<Option<[Option<String>; 4]>> {
    let elements = column.value(row);
    let elements: &StructArray = elements.as_struct();
    (0..elements.len())
        .map(|element| {
            elements.is_valid(element).then(|| {
                [0, 1, 2, 3].map(|field| {
                    let texts = texts(elements.column(field).as_string());
                    texts.into_iter().nth(element).flatten()
                })
            })
        })
        .collect()
}

fn texts(array: &StringArray) -> Vec<Option<String>> {
    array.iter().map(|text| text.map(str::to_owned)).collect()
}

/// That the batch says so too: no `BooleanArray` in disguise.
#[test]
fn every_physical_column_has_the_type_of_its_leaf() {
    let batch = EventBatchBuilder::new().finish();
    for leaf in leaves() {
        let column = batch.columns.column_by_name(&leaf.column).unwrap();
        assert_eq!(column.data_type(), &leaf.batch_type(), "{}", leaf.column);
        let is_boolean = column.as_any().is::<BooleanArray>();
        assert_eq!(is_boolean, leaf.shape == Shape::Boolean, "{}", leaf.column);
    }
}
