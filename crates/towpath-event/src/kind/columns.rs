//! Values to Arrow columns, for tables of any shape.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, ListArray, MapArray, NullBufferBuilder,
    StringBuilder, StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

use super::keys::{each_member, elements, first_byte, lower_case};
use crate::event_time;
use crate::json::Value;
use crate::schema::{Field, Shape, array_element_field, map_entries_field, map_entry_fields};

/// One column while it grows.
#[derive(Debug)]
pub(super) enum ColumnBuilder {
    Text(StringBuilder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Double(Float64Builder),
    Integer(Int32Builder),
    Map(Lists, Box<[StringBuilder; 2]>),
    Array(Lists, &'static [Field], Vec<ColumnBuilder>),
}

/// Which entries belong to which row.
#[derive(Debug)]
pub(super) struct Lists {
    ends: Vec<i32>,
    valid: NullBufferBuilder,
    entries: usize,
}

impl Lists {
    fn new() -> Lists {
        Lists { ends: vec![0], valid: NullBufferBuilder::new(0), entries: 0 }
    }

    /// Ends a row that has `entries` more, or is null.
    fn push(&mut self, entries: Option<usize>) {
        self.valid.append(entries.is_some());
        self.entries += entries.unwrap_or_default();
        // Never saturates: there are no more entries than bytes of text, which a batch bounds.
        self.ends.push(i32::try_from(self.entries).unwrap_or(i32::MAX));
    }

    fn finish(&mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let Lists { ends, mut valid, .. } = mem::replace(self, Lists::new());
        (OffsetBuffer::new(ScalarBuffer::from(ends)), valid.finish())
    }
}

impl ColumnBuilder {
    /// An empty column. Recursion is as deep as the table nests.
    pub(super) fn new(shape: Shape) -> ColumnBuilder {
        match shape {
            Shape::Boolean => ColumnBuilder::Boolean(BooleanBuilder::new()),
            Shape::Timestamp => ColumnBuilder::Timestamp(TimestampMicrosecondBuilder::new()),
            Shape::Double => ColumnBuilder::Double(Float64Builder::new()),
            Shape::Integer => ColumnBuilder::Integer(Int32Builder::new()),
            Shape::MapOfVarchar => ColumnBuilder::Map(Lists::new(), Box::default()),
            Shape::Array(fields) => {
                let columns = fields.iter().map(|field| ColumnBuilder::new(field.shape)).collect();
                ColumnBuilder::Array(Lists::new(), fields, columns)
            }
            _ => ColumnBuilder::Text(StringBuilder::new()),
        }
    }

    /// Adds a row. What does not fit the column is null.
    pub(super) fn push(&mut self, value: Option<&Value<'_>>) {
        match self {
            ColumnBuilder::Text(column) => column.append_option(value.and_then(text)),
            ColumnBuilder::Boolean(column) => column.append_option(value.and_then(truth)),
            ColumnBuilder::Timestamp(column) => column.append_option(value.and_then(time)),
            ColumnBuilder::Double(column) => column.append_option(value.and_then(double)),
            ColumnBuilder::Integer(column) => column.append_option(value.and_then(integer)),
            ColumnBuilder::Map(lists, columns) => {
                let entries = match value {
                    Some(Value::Nested(object)) if first_byte(object) == Some(b'{') => {
                        Some(push_map(object, columns))
                    }
                    _ => None,
                };
                lists.push(entries);
            }
            ColumnBuilder::Array(lists, fields, columns) => {
                let rows = match value {
                    Some(Value::Nested(array)) if first_byte(array) == Some(b'[') => Some(
                        elements(array).map(|row| push_row(Some(row), fields, columns)).count(),
                    ),
                    // A single row, as the documentation prints it.
                    Some(row @ Value::Nested(_)) => {
                        push_row(Some(*row), fields, columns);
                        Some(1)
                    }
                    _ => None,
                };
                lists.push(rows);
            }
        }
    }

    /// The rows so far as an array. The column is empty afterwards. Recursion is as deep as the
    /// table nests.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Text(column) => Arc::new(column.finish()),
            ColumnBuilder::Boolean(column) => Arc::new(column.finish()),
            ColumnBuilder::Timestamp(column) => Arc::new(column.finish().with_timezone("UTC")),
            ColumnBuilder::Double(column) => Arc::new(column.finish()),
            ColumnBuilder::Integer(column) => Arc::new(column.finish()),
            ColumnBuilder::Map(lists, columns) => {
                let (ends, nulls) = lists.finish();
                let columns: Vec<ArrayRef> = columns
                    .iter_mut()
                    .map(|column| Arc::new(column.finish()) as ArrayRef)
                    .collect();
                let entries = StructArray::new(map_entry_fields(), columns, None);
                Arc::new(MapArray::new(map_entries_field(), ends, entries, nulls, false))
            }
            ColumnBuilder::Array(lists, fields, columns) => {
                let (ends, nulls) = lists.finish();
                let element = array_element_field(fields);
                let rows = columns.iter_mut().map(ColumnBuilder::finish).collect();
                let rows = match element.data_type() {
                    DataType::Struct(fields) => StructArray::new(fields.clone(), rows, None),
                    _ => StructArray::new_empty_fields(0, None),
                };
                Arc::new(ListArray::new(element, ends, Arc::new(rows), nulls))
            }
        }
    }
}

/// Adds the members of `object`, of equal keys the last, and returns how many.
fn push_map(object: &[u8], columns: &mut [StringBuilder; 2]) -> usize {
    let mut members: Vec<(String, Value<'_>)> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    each_member(object, &mut |key, value| {
        let key = String::from_utf8_lossy(&key.characters()).into_owned();
        match positions.get(&key).and_then(|at| members.get_mut(*at)) {
            Some((_, earlier)) => *earlier = value,
            None => {
                positions.insert(key.clone(), members.len());
                members.push((key, value));
            }
        }
    });
    let [keys, values] = columns;
    for (key, value) in &members {
        keys.append_value(key);
        values.append_option(text(value));
    }
    members.len()
}

/// Adds one row of an array.
fn push_row(row: Option<Value<'_>>, fields: &[Field], columns: &mut [ColumnBuilder]) {
    let mut found = vec![None; fields.len()];
    if let Some(Value::Nested(object)) = row {
        each_member(object, &mut |key, value| {
            let key = lower_case(&key);
            let named = |field: &Field| field.name.eq_ignore_ascii_case(&key);
            if let Some(slot) = fields.iter().position(named).and_then(|at| found.get_mut(at)) {
                *slot = Some(value);
            }
        });
    }
    for (column, value) in columns.iter_mut().zip(&found) {
        column.push(value.as_ref());
    }
}

/// The value as a varchar: a string's characters, any other value's exact text.
pub(super) fn text(value: &Value<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    value.append_to(&mut bytes).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn truth(value: &Value<'_>) -> Option<bool> {
    match text(value)?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

pub(super) fn time(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::String(text) => event_time::parse_bytes(&text.characters()),
        _ => None,
    }
}

fn double(value: &Value<'_>) -> Option<f64> {
    text(value)?.parse().ok().filter(|number: &f64| number.is_finite())
}

fn integer(value: &Value<'_>) -> Option<i32> {
    text(value)?.parse().ok()
}
