//! `table`: what a person reads.
//!
//! Columns are as wide as their widest value. On a terminal the widest columns of text give way
//! until a row fits, and what is cut ends in `…`; elsewhere nothing is cut. Numbers stand on the
//! right.
//! Control characters inside values are shown as escapes, because strangers choose some of the
//! text in an event.

use std::io::Write;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use console::{measure_text_width, truncate_str};

use super::RowWriter;
use super::printable::one_line;
use super::text::{is_null, push_text};

/// Rows that are held back to learn how wide the columns are.
///
/// More rows than anyone reads; those that follow keep the widths, and a longer value sticks out.
const ROWS_HELD_MAX: usize = 10_000;

/// Bytes of cell text that are held back; one `eventJson` may be large.
const BYTES_HELD_MAX: usize = 16 * 1024 * 1024;

/// Widest column that other rows are filled up to, so that one huge value does not pad them all.
const COLUMN_WIDTH_MAX: usize = 200;

/// On a terminal no column is cut below this, even if rows then wrap.
const COLUMN_WIDTH_MIN: usize = 6;

/// What stands between two columns: a space, a bar, a space.
const SEPARATOR_WIDTH: usize = 3;

/// Writes rows as a table.
pub(crate) struct TableWriter<W> {
    sink: W,
    columns: Vec<Column>,
    /// Width of the terminal, if that is where the table goes.
    terminal_width: Option<usize>,
    /// Rows not written yet; `None` once the widths are settled.
    held: Option<Vec<Vec<String>>>,
    held_bytes: usize,
}

struct Column {
    heading: String,
    width: usize,
    kind: Kind,
}

/// What a column holds, as far as it matters for drawing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Stands on the right, and half of it would be another number.
    Number,
    /// Of one length; half a timestamp says little.
    Fixed,
    /// Can be cut.
    Text,
}

impl Kind {
    fn of(data_type: &DataType) -> Kind {
        if data_type.is_numeric() {
            Kind::Number
        } else if data_type.is_temporal() || matches!(data_type, DataType::Boolean) {
            Kind::Fixed
        } else {
            Kind::Text
        }
    }
}

impl<W: Write> TableWriter<W> {
    pub(crate) fn new(sink: W, schema: &Schema, terminal_width: Option<usize>) -> TableWriter<W> {
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let heading = one_line(field.name()).into_owned();
                let width = measure_text_width(&heading);
                Column { heading, width, kind: Kind::of(field.data_type()) }
            })
            .collect();
        TableWriter { sink, columns, terminal_width, held: Some(Vec::new()), held_bytes: 0 }
    }

    fn row(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        let schema = batch.schema_ref();
        let mut cells = Vec::with_capacity(batch.num_columns());
        let mut value = String::new();
        for (index, column) in batch.columns().iter().enumerate() {
            value.clear();
            if is_null(column, row) {
                value.push_str("NULL");
            } else {
                push_text(&mut value, column, schema.field(index), row);
            }
            cells.push(one_line(&value).into_owned());
        }
        let Some(held) = &mut self.held else { return self.write_cells(&cells) };
        for (cell, column) in cells.iter().zip(&mut self.columns) {
            column.width = column.width.max(measure_text_width(cell));
            self.held_bytes += cell.len();
        }
        held.push(cells);
        if held.len() >= ROWS_HELD_MAX || self.held_bytes >= BYTES_HELD_MAX {
            self.settle()?;
        }
        Ok(())
    }

    /// Fixes the widths and writes the headings and all rows held back.
    fn settle(&mut self) -> Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        for column in &mut self.columns {
            column.width = column.width.min(COLUMN_WIDTH_MAX);
        }
        if let Some(terminal_width) = self.terminal_width {
            fit(&mut self.columns, terminal_width);
        }
        let headings: Vec<String> =
            self.columns.iter().map(|column| column.heading.clone()).collect();
        self.write_cells(&headings)?;
        let rule: Vec<String> =
            self.columns.iter().map(|column| "-".repeat(column.width + 2)).collect();
        writeln!(self.sink, "{}", rule.join("+"))?;
        held.iter().try_for_each(|cells| self.write_cells(cells))
    }

    fn write_cells(&mut self, cells: &[String]) -> Result<()> {
        let mut line = String::new();
        for (index, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
            line.push_str(if index > 0 { " | " } else { " " });
            let cell = match self.terminal_width {
                Some(_) => truncate_str(cell, column.width, "…"),
                None => cell.into(),
            };
            let missing = " ".repeat(column.width.saturating_sub(measure_text_width(&cell)));
            let (before, after) = if column.kind == Kind::Number {
                (missing.as_str(), "")
            } else {
                ("", missing.as_str())
            };
            line.extend([before, cell.as_ref(), after]);
        }
        writeln!(self.sink, "{}", line.trim_end())?;
        Ok(())
    }
}

impl<W: Write> RowWriter for TableWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        (0..batch.num_rows()).try_for_each(|row| self.row(batch, row))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.settle()
    }
}

/// Narrows columns until a row fits into `terminal_width`: those of text, and only if that is not
/// enough all of them.
fn fit(columns: &mut [Column], terminal_width: usize) {
    let separators = 2 + SEPARATOR_WIDTH * columns.len().saturating_sub(1);
    let available = terminal_width.saturating_sub(separators);
    let (text, fixed): (Vec<&mut Column>, Vec<&mut Column>) =
        columns.iter_mut().partition(|column| column.kind == Kind::Text);
    let fixed_width: usize = fixed.iter().map(|column| column.width).sum();
    if fixed_width + text.len() * COLUMN_WIDTH_MIN <= available {
        share(text, available - fixed_width);
    } else {
        share(columns.iter_mut().collect(), available);
    }
}

/// Makes the widths sum up to `available` at most: narrow columns keep theirs, wide ones share the
/// rest.
fn share(columns: Vec<&mut Column>, available: usize) {
    let total = |cap: usize| -> usize { columns.iter().map(|column| column.width.min(cap)).sum() };
    // The largest cap that fits. There are at most COLUMN_WIDTH_MAX to try.
    let cap = (COLUMN_WIDTH_MIN..=COLUMN_WIDTH_MAX).rev().find(|cap| total(*cap) <= available);
    let cap = cap.unwrap_or(COLUMN_WIDTH_MIN);
    let mut spare = available.saturating_sub(total(cap));
    for column in columns {
        let extra = usize::from(column.width > cap && spare > 0);
        spare -= extra;
        column.width = column.width.min(cap) + extra;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMillisecondArray};

    use super::*;

    fn written(batch: &RecordBatch, terminal_width: Option<usize>) -> String {
        let mut out = Vec::new();
        let mut writer = Box::new(TableWriter::new(&mut out, batch.schema_ref(), terminal_width));
        writer.batch(batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn sample() -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([
            (
                "eventName",
                Arc::new(StringArray::from(vec![Some("DeleteBucket"), None])) as ArrayRef,
                true,
            ),
            ("n", Arc::new(Int64Array::from(vec![7, 1_000])) as ArrayRef, true),
            (
                "userAgent",
                Arc::new(StringArray::from(vec!["\u{1b}[31maws-cli/2.15.0 and much more", "x"]))
                    as ArrayRef,
                true,
            ),
        ])
        .unwrap()
    }

    #[test]
    fn columns_line_up_and_escapes_do_not_reach_the_terminal() {
        insta::assert_snapshot!(written(&sample(), None), @r"
         eventName    |    n | userAgent
        --------------+------+----------------------------------------
         DeleteBucket |    7 | \u{1b}[31maws-cli/2.15.0 and much more
         NULL         | 1000 | x
        ");
    }

    #[test]
    fn on_a_terminal_the_widest_column_gives_way() {
        let text = written(&sample(), Some(40));
        assert!(text.lines().all(|line| measure_text_width(line) <= 40), "{text}");
        assert!(text.contains("DeleteBucket |    7 | "), "{text}");
        assert!(text.contains('…'), "{text}");
    }

    #[test]
    fn times_and_numbers_are_cut_last() {
        let long = "x".repeat(80);
        let batch = RecordBatch::try_from_iter([
            ("at", Arc::new(TimestampMillisecondArray::from(vec![0])) as ArrayRef),
            ("a", Arc::new(StringArray::from(vec![long.as_str()])) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![123_456_789])) as ArrayRef),
            ("b", Arc::new(StringArray::from(vec![long.as_str()])) as ArrayRef),
        ])
        .unwrap();
        let text = written(&batch, Some(60));
        assert!(
            text.contains(" 1970-01-01 00:00:00.000 | xxxxxxxx… | 123456789 | xxxxxxx…\n"),
            "{text}"
        );
        assert!(written(&batch, Some(30)).contains('…'));
    }

    #[test]
    fn an_empty_result_has_headings() {
        let text = written(&sample().slice(0, 0), None);
        assert_eq!(text, " eventName | n | userAgent\n-----------+---+-----------\n");
    }

    #[test]
    fn a_huge_value_is_whole_and_does_not_pad_other_rows() {
        let huge = "x".repeat(100_000);
        let batch = RecordBatch::try_from_iter([
            ("a", Arc::new(StringArray::from(vec![huge.as_str(), "y"])) as ArrayRef),
            ("b", Arc::new(StringArray::from(vec!["1", "2"])) as ArrayRef),
        ])
        .unwrap();
        let text = written(&batch, None);
        assert!(text.contains(&huge));
        assert!(text.len() < 2 * huge.len(), "{} bytes", text.len());
    }

    #[test]
    fn rows_beyond_those_held_are_written_with_the_same_widths() {
        let count = i64::try_from(ROWS_HELD_MAX).unwrap() + 5;
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let text = written(&batch, None);
        assert_eq!(text.lines().count(), ROWS_HELD_MAX + 5 + 2);
        assert!(text.ends_with("10004\n"), "{text}");
    }
}
