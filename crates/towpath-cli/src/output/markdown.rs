//! `markdown`: a table to paste into an issue or a runbook.
//!
//! What Markdown or HTML would act on inside a value (`|`, `<`, a backslash) is escaped, and every
//! row stays on one line.

use std::io::Write;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::RowWriter;
use super::printable::one_line;
use super::text::{is_null, push_text};

/// Writes rows as a Markdown table.
pub(crate) struct MarkdownWriter<W> {
    sink: W,
}

impl<W: Write> MarkdownWriter<W> {
    /// Writes the headings at once, so that an empty result has them too.
    pub(crate) fn new(mut sink: W, schema: &Schema) -> Result<MarkdownWriter<W>> {
        let (mut headings, mut rule) = ("|".to_owned(), "|".to_owned());
        for field in schema.fields() {
            push_cell(&mut headings, field.name());
            let is_number = field.data_type().is_numeric();
            rule.push_str(if is_number { " ---: |" } else { " --- |" });
        }
        writeln!(sink, "{headings}\n{rule}")?;
        Ok(MarkdownWriter { sink })
    }
}

impl<W: Write> RowWriter for MarkdownWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema_ref();
        let (mut line, mut value) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            line.push('|');
            for (index, column) in batch.columns().iter().enumerate() {
                if is_null(column, row) {
                    line.push_str(" NULL |");
                    continue;
                }
                value.clear();
                push_text(&mut value, column, schema.field(index), row);
                push_cell(&mut line, &value);
            }
            writeln!(self.sink, "{line}")?;
        }
        Ok(())
    }
}

fn push_cell(line: &mut String, value: &str) {
    line.push(' ');
    // Our own escapes of control characters come after those of Markdown, so `\n` stays `\n`.
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '|' | '<') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    line.push_str(&one_line(&escaped));
    line.push_str(" |");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    #[test]
    fn a_value_cannot_break_out_of_its_cell() {
        let batch = RecordBatch::try_from_iter_with_nullable([
            (
                "who",
                Arc::new(StringArray::from(vec![Some("a|b\nc<img>\\"), None])) as ArrayRef,
                true,
            ),
            ("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef, true),
        ])
        .unwrap();
        let mut out = Vec::new();
        let mut writer = Box::new(MarkdownWriter::new(&mut out, batch.schema_ref()).unwrap());
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "| who | n |\n| --- | ---: |\n| a\\|b\\nc\\<img>\\\\ | 1 |\n| NULL | 2 |\n"
        );
    }
}
