//! The text of a plan, which has lines of its own that a table would fold into one.

use std::io::Write;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::RowWriter;
use super::printable::many_lines;
use super::text::push_text;

/// The one heading of what `EXPLAIN` gives.
const HEADING: &str = "Query Plan";

/// Whether rows of `schema` are the text of a plan.
pub(super) fn is_plan(schema: &Schema) -> bool {
    matches!(schema.fields().as_ref(), [field] if field.name() == HEADING)
}

/// Writes the text as it is.
pub(super) struct PlanWriter<W> {
    sink: W,
}

impl<W: Write> PlanWriter<W> {
    pub(super) fn new(sink: W) -> PlanWriter<W> {
        PlanWriter { sink }
    }
}

impl<W: Write> RowWriter for PlanWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            text.clear();
            push_text(&mut text, batch.column(0), batch.schema_ref().field(0), row);
            writeln!(self.sink, "{}", many_lines(text.trim_end()))?;
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
    fn a_plan_keeps_its_lines() {
        let text = Arc::new(StringArray::from(vec!["Filter\n  Scan\u{1b}\n"])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("Query Plan", text)]).unwrap();
        assert!(is_plan(batch.schema_ref()));
        let mut out = Vec::new();
        PlanWriter::new(&mut out).batch(&batch).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "Filter\n  Scan\\u{1b}\n");
    }
}
