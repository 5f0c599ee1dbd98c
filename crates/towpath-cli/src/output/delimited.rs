//! `csv` and `tsv`: a line of headings, then one line per row.
//!
//! CSV quotes as RFC 4180 does, and only where it must; lines end with `\n`. `NULL` is nothing at
//! all, an empty string is `""`. TSV never quotes: a tab, a line break or a backslash inside a
//! value is written `\t`, `\n`, `\r`, `\\`, and `NULL` is an empty field.
//!
//! Strangers choose some of the text in an event, and a spreadsheet runs text that begins with `=`.
//! On request such text gets a `'` in front; without it values are exact.

use std::io::Write;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::RowWriter;
use super::text::{is_null, push_csv_field, push_text};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Csv,
    Tsv,
}

/// Writes rows as lines of fields.
pub(crate) struct DelimitedWriter<W> {
    sink: W,
    dialect: Dialect,
    is_spreadsheet_safe: bool,
    line: String,
    value: String,
}

impl<W: Write> DelimitedWriter<W> {
    /// Writes the headings at once, so that an empty result has them too.
    pub(crate) fn new(
        sink: W,
        schema: &Schema,
        dialect: Dialect,
        is_spreadsheet_safe: bool,
    ) -> Result<DelimitedWriter<W>> {
        let mut writer = DelimitedWriter {
            sink,
            dialect,
            is_spreadsheet_safe,
            line: String::new(),
            value: String::new(),
        };
        for (index, field) in schema.fields().iter().enumerate() {
            writer.push_separator(index);
            writer.value.clone_from(field.name());
            if is_spreadsheet_safe {
                neutralise(&mut writer.value);
            }
            push_field(&mut writer.line, &writer.value, dialect);
        }
        writer.end_line()?;
        Ok(writer)
    }

    fn push_separator(&mut self, index: usize) {
        if index > 0 {
            self.line.push(match self.dialect {
                Dialect::Csv => ',',
                Dialect::Tsv => '\t',
            });
        }
    }

    fn row(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        let schema = batch.schema_ref();
        for (index, column) in batch.columns().iter().enumerate() {
            self.push_separator(index);
            if !is_null(column, row) {
                self.value.clear();
                push_text(&mut self.value, column, schema.field(index), row);
                if self.is_spreadsheet_safe && !column.data_type().is_numeric() {
                    neutralise(&mut self.value);
                }
                push_field(&mut self.line, &self.value, self.dialect);
            }
        }
        self.end_line()
    }

    fn end_line(&mut self) -> Result<()> {
        if self.line.is_empty() && self.dialect == Dialect::Csv {
            // Readers skip blank lines; a lone NULL must still count as a row.
            self.line.push_str("\"\"");
        }
        self.line.push('\n');
        self.sink.write_all(self.line.as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> RowWriter for DelimitedWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        (0..batch.num_rows()).try_for_each(|row| self.row(batch, row))
    }
}

/// Puts a `'` before text that a spreadsheet would take for a formula, by the list of
/// [OWASP](https://owasp.org/www-community/attacks/CSV_Injection).
fn neutralise(value: &mut String) {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        value.insert(0, '\'');
    }
}

fn push_field(line: &mut String, value: &str, dialect: Dialect) {
    match dialect {
        Dialect::Csv => push_csv_field(line, value),
        Dialect::Tsv => {
            for c in value.chars() {
                match c {
                    '\t' => line.push_str("\\t"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    '\\' => line.push_str("\\\\"),
                    c => line.push(c),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn written(columns: &[(&str, Vec<Option<&str>>)], dialect: Dialect) -> String {
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, values)| {
                (*name, Arc::new(StringArray::from(values.clone())) as ArrayRef, true)
            }))
            .unwrap();
        let mut out = Vec::new();
        let mut writer =
            Box::new(DelimitedWriter::new(&mut out, batch.schema_ref(), dialect, false).unwrap());
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_quotes_where_it_must_and_reads_back_equal() {
        let values = vec![Some("a,b"), Some("say \"hi\""), Some("two\r\nlines"), Some(" x ")];
        let text = written(&[("a", values.clone()), ("b", values.clone())], Dialect::Csv);
        assert!(text.starts_with("a,b\n\"a,b\",\"a,b\"\n\"say \"\"hi\"\"\","), "{text}");

        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let read: Vec<String> =
            reader.records().map(|record| record.unwrap().get(1).unwrap().to_owned()).collect();
        assert_eq!(read, values.into_iter().flatten().collect::<Vec<_>>());
    }

    #[test]
    fn csv_tells_null_from_an_empty_string() {
        let text =
            written(&[("a", vec![None, Some("")]), ("b", vec![Some(""), None])], Dialect::Csv);
        assert_eq!(text, "a,b\n,\"\"\n\"\",\n");
    }

    #[test]
    fn a_lone_null_is_still_a_row_of_csv() {
        assert_eq!(written(&[("a", vec![None, Some("x")])], Dialect::Csv), "a\n\"\"\nx\n");
    }

    #[test]
    fn tsv_escapes_what_would_split_a_field() {
        let text = written(
            &[("a", vec![Some("x\ty\nz\\"), None]), ("b", vec![Some("1"); 2])],
            Dialect::Tsv,
        );
        assert_eq!(text, "a\tb\nx\\ty\\nz\\\\\t1\n\t1\n");
    }

    #[test]
    fn on_request_no_text_is_a_formula_and_numbers_stay() {
        let texts = vec!["=cmd()", "+1", "-1", "@x", "\t=1", "a=1", ""];
        let batch = RecordBatch::try_from_iter([
            ("=a", Arc::new(StringArray::from(texts)) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![-1, 2, 3, 4, 5, 6, 7])) as ArrayRef),
        ])
        .unwrap();
        let mut out = Vec::new();
        let writer = DelimitedWriter::new(&mut out, batch.schema_ref(), Dialect::Csv, true);
        let mut writer = Box::new(writer.unwrap());
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "'=a,n\n'=cmd(),-1\n'+1,2\n'-1,3\n'@x,4\n'\t=1,5\na=1,6\n\"\",7\n"
        );
    }

    #[test]
    fn headings_may_repeat() {
        let batch = RecordBatch::try_from_iter([
            ("arn", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("arn", Arc::new(Int64Array::from(vec![2])) as ArrayRef),
        ])
        .unwrap();
        let mut out = Vec::new();
        let mut writer = Box::new(
            DelimitedWriter::new(&mut out, batch.schema_ref(), Dialect::Csv, false).unwrap(),
        );
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        assert_eq!(out, b"arn,arn\n1,2\n");
    }
}
