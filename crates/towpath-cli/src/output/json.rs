//! `json` and `ndjson`: one object per row, its keys in column order.
//!
//! Integers are exact and doubles are numbers; `NaN` and the infinities, which JSON lacks, are
//! strings. Maps and rows are objects, arrays are lists, and everything else (timestamps, decimals,
//! JSON, ...) is a string with Trino's text. A repeated heading gets a number, `arn_2`.

use std::fmt::{Debug, Write as _};
use std::io::Write;

use anyhow::Result;
use arrow::array::cast::AsArray;
use arrow::array::{Array, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Float16Type, Float32Type, Float64Type, Schema};

use super::RowWriter;
use super::headings::unique_headings;
use super::text::{decoded, element_field, is_null, list_values, push_double, push_text};

/// Whether the objects stand alone or in one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One object per line, nothing else.
    Lines,
    /// One JSON document, a list.
    List,
}

/// Writes rows as JSON objects.
pub(crate) struct JsonWriter<W> {
    sink: W,
    framing: Framing,
    /// `"heading":` of each column, ready to be written.
    keys: Vec<String>,
    rows: u64,
    line: String,
}

impl<W: Write> JsonWriter<W> {
    pub(crate) fn new(sink: W, schema: &Schema, framing: Framing) -> JsonWriter<W> {
        let keys = unique_headings(schema)
            .iter()
            .map(|heading| {
                let mut key = String::new();
                push_string(&mut key, heading);
                key.push(':');
                key
            })
            .collect();
        JsonWriter { sink, framing, keys, rows: 0, line: String::new() }
    }

    fn row(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        self.line.clear();
        match (self.framing, self.rows) {
            (Framing::Lines, _) => {}
            (Framing::List, 0) => self.line.push_str("[\n"),
            (Framing::List, _) => self.line.push_str(",\n"),
        }
        self.line.push('{');
        let schema = batch.schema_ref();
        for (index, (column, key)) in batch.columns().iter().zip(&self.keys).enumerate() {
            if index > 0 {
                self.line.push(',');
            }
            self.line.push_str(key);
            push_value(&mut self.line, column, schema.field(index), row);
        }
        self.line.push('}');
        if self.framing == Framing::Lines {
            self.line.push('\n');
        }
        self.rows += 1;
        Ok(self.sink.write_all(self.line.as_bytes())?)
    }
}

impl<W: Write> RowWriter for JsonWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            self.row(batch, row)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        match (self.framing, self.rows) {
            (Framing::Lines, _) => {}
            (Framing::List, 0) => self.sink.write_all(b"[]\n")?,
            (Framing::List, _) => self.sink.write_all(b"\n]\n")?,
        }
        Ok(())
    }
}

/// Appends the value in `row` as JSON.
fn push_value(out: &mut String, array: &dyn Array, field: &Field, row: usize) {
    if is_null(array, row) {
        out.push_str("null");
        return;
    }
    match array.data_type() {
        DataType::Boolean => push_text(out, array, field, row),
        DataType::Utf8 => push_string(out, array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => push_string(out, array.as_string::<i64>().value(row)),
        DataType::Utf8View => push_string(out, array.as_string_view().value(row)),
        kind if kind.is_integer() => push_text(out, array, field, row),
        DataType::Float16 => {
            push_number(out, f32::from(array.as_primitive::<Float16Type>().value(row)));
        }
        DataType::Float32 => push_number(out, array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => push_number(out, array.as_primitive::<Float64Type>().value(row)),
        DataType::Struct(_) => push_row(out, array.as_struct(), row),
        DataType::Map(_, _) => push_map(out, &array.as_map().value(row)),
        _ => push_other(out, array, field, row),
    }
}

fn push_other(out: &mut String, array: &dyn Array, field: &Field, row: usize) {
    if let Some(values) = list_values(array, row) {
        push_list(out, &values, element_field(field));
    } else if let Some(plain) = decoded(array, row) {
        push_value(out, &plain, field, 0);
    } else {
        let mut text = String::new();
        push_text(&mut text, array, field, row);
        push_string(out, &text);
    }
}

fn push_list(out: &mut String, values: &dyn Array, element: &Field) {
    out.push('[');
    for row in 0..values.len() {
        if row > 0 {
            out.push(',');
        }
        push_value(out, values, element, row);
    }
    out.push(']');
}

fn push_map(out: &mut String, entries: &StructArray) {
    out.push('{');
    if let ([keys, values], [key, value]) = (entries.columns(), entries.fields().as_ref()) {
        let mut name = String::new();
        for row in 0..entries.len() {
            if row > 0 {
                out.push(',');
            }
            name.clear();
            push_text(&mut name, keys, key, row);
            push_string(out, &name);
            out.push(':');
            push_value(out, values, value, row);
        }
    }
    out.push('}');
}

fn push_row(out: &mut String, array: &StructArray, row: usize) {
    out.push('{');
    for (index, (column, field)) in array.columns().iter().zip(array.fields()).enumerate() {
        if index > 0 {
            out.push(',');
        }
        if field.name().is_empty() {
            // Trino's own JSON names the fields of an anonymous row so.
            push_string(out, &format!("field{index}"));
        } else {
            push_string(out, field.name());
        }
        out.push(':');
        push_value(out, column, field, row);
    }
    out.push('}');
}

/// Appends a float that was widened to a double, as `value` prints it.
fn push_number<F: Copy + Into<f64> + Debug>(out: &mut String, value: F) {
    let double: f64 = value.into();
    if double.is_finite() {
        // `Debug` of a float is the shortest text that reads back as the same number, and is JSON.
        let written = write!(out, "{value:?}");
        debug_assert!(written.is_ok(), "a String takes every text");
    } else {
        let mut text = String::new();
        push_double(&mut text, double);
        push_string(out, &text);
    }
}

/// Appends `text` as a JSON string.
fn push_string(out: &mut String, text: &str) {
    // A str always serializes; were it not so, an empty string keeps the document well formed.
    out.push_str(&serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Decimal128Array, Float64Array, Int64Array, MapBuilder, StringArray, StringBuilder,
    };

    use super::*;

    fn written(columns: Vec<(&str, ArrayRef)>, framing: Framing) -> String {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
        let mut out = Vec::new();
        let mut writer = Box::new(JsonWriter::new(&mut out, &schema, framing));
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_keep_every_digit() {
        let text = written(
            vec![
                ("i", Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN]))),
                ("d", Arc::new(Float64Array::from(vec![0.1, 1e300]))),
                (
                    "dec",
                    Arc::new(
                        Decimal128Array::from(vec![10_i128.pow(37), -5])
                            .with_precision_and_scale(38, 2)
                            .unwrap(),
                    ),
                ),
            ],
            Framing::Lines,
        );
        assert_eq!(
            text,
            "{\"i\":9223372036854775807,\"d\":0.1,\"dec\":\"100000000000000000000000000000000000.00\"}\n\
             {\"i\":-9223372036854775808,\"d\":1e300,\"dec\":\"-0.05\"}\n"
        );
    }

    #[test]
    fn what_json_has_no_number_for_is_a_string() {
        let doubles = Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY, -0.0]);
        assert_eq!(
            written(vec![("d", Arc::new(doubles))], Framing::Lines),
            "{\"d\":\"NaN\"}\n{\"d\":\"-Infinity\"}\n{\"d\":-0.0}\n"
        );
    }

    #[test]
    fn a_list_is_one_document_and_a_repeated_heading_gets_a_number() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a\u{0}\"é"), None]));
        let text = written(vec![("x", Arc::clone(&names)), ("x", names)], Framing::List);
        assert_eq!(
            text,
            "[\n{\"x\":\"a\\u0000\\\"é\",\"x_2\":\"a\\u0000\\\"é\"},\n\
             {\"x\":null,\"x_2\":null}\n]\n"
        );
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed.as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_map_is_an_object() {
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("bucketName");
        map.values().append_value("logs");
        map.keys().append_value("Host");
        map.values().append_null();
        map.append(true).unwrap();
        map.append(false).unwrap();
        assert_eq!(
            written(vec![("m", Arc::new(map.finish()))], Framing::Lines),
            "{\"m\":{\"bucketName\":\"logs\",\"Host\":null}}\n{\"m\":null}\n"
        );
    }
}
