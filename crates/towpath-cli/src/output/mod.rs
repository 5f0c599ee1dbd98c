//! What leaves the program: results on stdout or in a file, everything else on stderr.
//!
//! A result is written by a [`RowWriter`], one per format, batch by batch as it arrives.

mod columnar;
mod delimited;
mod destination;
mod headings;
mod json;
mod line;
mod markdown;
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
}

impl Format {
    /// Whether the output is bytes for a program, which would only upset a terminal.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

/// Writes one result.
pub(crate) trait RowWriter {
    /// Writes the rows of `batch`, whose schema is that of the result.
    fn batch(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Writes what ends the result. Without this call a result is not whole.
    fn finish(self: Box<Self>) -> Result<()>;
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
    use delimited::{DelimitedWriter, Dialect};
    use json::{Framing, JsonWriter};
    Ok(match format {
        Format::Table => Box::new(table::TableWriter::new(sink, schema, terminal_width)),
        Format::Csv => Box::new(DelimitedWriter::new(sink, schema, Dialect::Csv)?),
        Format::Tsv => Box::new(DelimitedWriter::new(sink, schema, Dialect::Tsv)?),
        Format::Json => Box::new(JsonWriter::new(sink, schema, Framing::List)),
        Format::Ndjson => Box::new(JsonWriter::new(sink, schema, Framing::Lines)),
        Format::Markdown => Box::new(markdown::MarkdownWriter::new(sink, schema)?),
        Format::Line => Box::new(line::LineWriter::new(sink, schema)),
        Format::Parquet => Box::new(columnar::ParquetWriter::new(sink, schema)?),
        Format::Arrow => Box::new(columnar::ArrowFileWriter::new(sink, schema)?),
    })
}
