//! What leaves the program: results on stdout or in a file, everything else on stderr.
//!
//! A result is written by a [`RowWriter`], one per format, batch by batch as it arrives.

mod chart;
mod columnar;
mod delimited;
mod destination;
mod headings;
mod json;
mod line;
mod markdown;
mod plan;
pub(crate) mod printable;
mod table;

use std::io::Write;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use clap::ValueEnum;
use towpath::text;

pub(crate) use self::destination::{Destination, terminal_width};

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for reading, cut to the width of a terminal
    Table,
    /// Comma-separated, quoted as RFC 4180 says; NULL is an empty field
    Csv,
    /// Tab-separated; tabs and line breaks inside a value are \t and \n
    Tsv,
    /// One JSON document: a list of objects
    Json,
    /// One JSON object per line
    Ndjson,
    /// A Markdown table
    Markdown,
    /// One value per line
    Line,
    /// A Parquet file, best with -o
    Parquet,
    /// An Arrow IPC file (Feather), best with -o
    Arrow,
    /// A drawing of a label or time and a number
    Chart,
}

impl Format {
    /// Whether the output is bytes for a program, which would only upset a terminal.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }

    /// The format that is called `name`, in any case.
    pub(crate) fn named(name: &str) -> Option<Format> {
        Format::from_str(name, true).ok()
    }

    /// The name as it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The names of the formats that a person can read.
    pub(crate) fn text_names() -> Vec<String> {
        let all = Format::value_variants().iter().filter(|one| !one.is_binary());
        all.map(|one| one.name()).collect()
    }

    /// The names of all formats, for a message.
    pub(crate) fn names() -> String {
        let names: Vec<String> = Format::value_variants().iter().map(|one| one.name()).collect();
        names.join(", ")
    }
}

/// How a result is written, in full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: Format,
    /// The width of the terminal that the result is written to, if it is one.
    pub(crate) width: Option<usize>,
    /// Whether a spreadsheet must not take text for a formula.
    pub(crate) is_spreadsheet_safe: bool,
}

impl Style {
    /// A result in `format`, for a terminal of `width` if that is where it goes.
    pub(crate) fn new(format: Format, width: Option<usize>) -> Style {
        Style { format, width, is_spreadsheet_safe: false }
    }

    /// A writer of rows of `schema` into `sink`.
    ///
    /// # Errors
    ///
    /// If the format cannot hold such rows, or the sink fails.
    pub(crate) fn writer<'a, W: Write + Send + 'a>(
        self,
        schema: &Schema,
        sink: W,
    ) -> Result<Box<dyn RowWriter + Send + 'a>> {
        use delimited::{DelimitedWriter, Dialect};
        use json::{Framing, JsonWriter};
        let delimited = |sink, dialect| {
            DelimitedWriter::new(sink, schema, dialect, self.is_spreadsheet_safe).map(Box::new)
        };
        Ok(match self.format {
            Format::Table | Format::Line | Format::Chart if plan::is_plan(schema) => {
                Box::new(plan::PlanWriter::new(sink))
            }
            Format::Table => Box::new(table::TableWriter::new(sink, schema, self.width)),
            Format::Csv => delimited(sink, Dialect::Csv)?,
            Format::Tsv => delimited(sink, Dialect::Tsv)?,
            Format::Json => Box::new(JsonWriter::new(sink, schema, Framing::List)),
            Format::Ndjson => Box::new(JsonWriter::new(sink, schema, Framing::Lines)),
            Format::Markdown => Box::new(markdown::MarkdownWriter::new(sink, schema)?),
            Format::Line => Box::new(line::LineWriter::new(sink, schema)),
            Format::Parquet => Box::new(columnar::ParquetWriter::new(sink, schema)?),
            Format::Arrow => Box::new(columnar::ArrowFileWriter::new(sink, schema)?),
            Format::Chart => Box::new(chart::ChartWriter::new(sink, schema, self.width)?),
        })
    }
}

/// Writes one result.
pub(crate) trait RowWriter {
    /// Writes the rows of `batch`, whose schema is that of the result.
    fn batch(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Writes what ends the result, if anything does. Without this call a result is not whole.
    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// A writer of rows of `schema` into `sink`.
///
/// `terminal_width` is the width of the terminal that `sink` is, if it is one.
pub(crate) fn row_writer<'a, W: Write + Send + 'a>(
    format: Format,
    schema: &Schema,
    sink: W,
    terminal_width: Option<usize>,
) -> Result<Box<dyn RowWriter + Send + 'a>> {
    Style::new(format, terminal_width).writer(schema, sink)
}
