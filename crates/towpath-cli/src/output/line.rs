//! `line`: one value per line, an empty line between rows. For rows too wide for a table.

use std::io::Write;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use console::measure_text_width;

use super::RowWriter;
use super::printable::one_line;
use super::text::{is_null, push_text};

/// Widest heading that the others are lined up with.
const HEADING_WIDTH_MAX: usize = 60;

/// Writes each row as lines of `heading = value`.
pub(crate) struct LineWriter<W> {
    sink: W,
    /// Headings, filled up on the left to one width.
    headings: Vec<String>,
    rows: u64,
}

impl<W: Write> LineWriter<W> {
    pub(crate) fn new(sink: W, schema: &Schema) -> LineWriter<W> {
        let headings: Vec<_> =
            schema.fields().iter().map(|field| one_line(field.name()).into_owned()).collect();
        let widest = headings.iter().map(|heading| measure_text_width(heading)).max().unwrap_or(0);
        let width = widest.min(HEADING_WIDTH_MAX);
        let headings = headings
            .into_iter()
            .map(|heading| {
                let missing = width.saturating_sub(measure_text_width(&heading));
                format!("{}{heading}", " ".repeat(missing))
            })
            .collect();
        LineWriter { sink, headings, rows: 0 }
    }
}

impl<W: Write> RowWriter for LineWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema_ref();
        let mut value = String::new();
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                writeln!(self.sink)?;
            }
            self.rows += 1;
            for (index, (column, heading)) in batch.columns().iter().zip(&self.headings).enumerate()
            {
                value.clear();
                if is_null(column, row) {
                    value.push_str("NULL");
                } else {
                    push_text(&mut value, column, schema.field(index), row);
                }
                writeln!(self.sink, "{heading} = {}", one_line(&value))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn headings_line_up_and_rows_are_apart() {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("eventName", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef, true),
            ("arn", Arc::new(StringArray::from(vec![None, Some("x\ny")])) as ArrayRef, true),
        ])
        .unwrap();
        let mut out = Vec::new();
        let mut writer = Box::new(LineWriter::new(&mut out, batch.schema_ref()));
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "eventName = a\n      arn = NULL\n\neventName = b\n      arn = x\\ny\n"
        );
    }
}
