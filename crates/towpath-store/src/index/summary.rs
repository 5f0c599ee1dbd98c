//! How many events have which values of a few columns, counted once and kept.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::array::{StringViewArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use hashbrown::HashMap;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::layout::EVENT_TIME_COLUMN;

/// How finely a summary tells times apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SummaryPer {
    /// Not at all within a data file.
    File,
    /// By UTC day.
    Day,
    /// By UTC hour.
    Hour,
}

impl SummaryPer {
    /// The microseconds that are not told apart; `None`: all of a data file.
    #[must_use]
    pub fn micros(self) -> Option<i64> {
        match self {
            SummaryPer::File => None,
            SummaryPer::Day => Some(24 * 3_600_000_000),
            SummaryPer::Hour => Some(3_600_000_000),
        }
    }
}

/// What one summary counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How finely it tells times apart.
    pub per: SummaryPer,
    /// The columns, by the names data files give them, all of text.
    pub columns: &'static [&'static str],
}

/// The summaries that a span has, unless its events have too little in common: what dashboards
/// count by. One of all these columns together would have as many rows as there are events.
pub const SUMMARIES: [Summary; 6] = [
    Summary { per: SummaryPer::Hour, columns: &["eventSource"] },
    Summary { per: SummaryPer::Day, columns: &["eventSource", "eventName", "errorCode"] },
    Summary { per: SummaryPer::Day, columns: &["awsRegion", "recipientAccountId"] },
    Summary {
        per: SummaryPer::File,
        columns: &[
            "eventSource",
            "userIdentity_type",
            "userIdentity_arn",
            "userIdentity_principalId",
        ],
    },
    // Of stores with few events a day, which have nearly as many combinations by day as events.
    Summary { per: SummaryPer::File, columns: &["eventSource", "eventName", "errorCode"] },
    Summary { per: SummaryPer::Day, columns: &["errorCode"] },
];

/// The column of a summary that says how many events a row stands for.
pub const SUMMARY_EVENTS_COLUMN: &str = "events";

/// The column that says which data file of the span they are in.
pub(crate) const FILE_COLUMN: &str = "file";

/// Rows that a summary may have however few events there are.
const CELLS_FREE: usize = 4_096;

/// Events that a row of a larger summary must stand for on average, so that it is worth reading.
const EVENTS_PER_CELL_MIN: u64 = 4;

/// Rows that a summary may have at all. Each takes a maker some forty bytes.
const CELLS_MAX: usize = 1 << 20;

/// Different texts of one column, and their bytes, that a summary may have: what a maker holds.
const TEXTS_MAX: usize = 1 << 18;
const TEXT_BYTES_MAX: usize = 32 << 20;

/// The zstd level. A summary is a few thousandths of the data files, so little depends on it.
const ZSTD_LEVEL: i32 = 3;

/// The different texts of a column, numbered.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    numbers: HashMap<Box<str>, u32>,
    bytes: usize,
    is_too_much: bool,
}

/// Stands for no text. No text has it as its number, because of [`TEXTS_MAX`].
const NULL: u32 = u32::MAX;

impl Texts {
    /// The number of each text of a column; `false` once there are too many.
    pub(crate) fn number(&mut self, texts: &StringViewArray, numbers: &mut Vec<u32>) -> bool {
        numbers.clear();
        let mut last: Option<(&str, u32)> = None;
        for text in texts {
            let number = match (text, last) {
                (None, _) => NULL,
                // Rows are sorted, so most repetitions follow one another.
                (Some(text), Some((known, number))) if text == known => number,
                (Some(text), _) => {
                    let Some(number) = self.number_of(text) else { return false };
                    last = Some((text, number));
                    number
                }
            };
            numbers.push(number);
        }
        !self.is_too_much
    }

    fn number_of(&mut self, text: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        self.bytes += text.len();
        self.is_too_much |= self.numbers.len() >= TEXTS_MAX || self.bytes > TEXT_BYTES_MAX;
        if self.is_too_much {
            self.numbers = HashMap::new();
            return None;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(NULL);
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    /// The texts by number.
    fn by_number(&self) -> Vec<&str> {
        let mut texts = vec![""; self.numbers.len()];
        for (text, number) in &self.numbers {
            if let Some(place) = usize::try_from(*number).ok().and_then(|at| texts.get_mut(at)) {
                *place = text;
            }
        }
        texts
    }
}

/// What a row of a summary stands for, among those of one data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Cell {
    /// The hour or day, counted from 1970.
    time: i64,
    texts: [u32; 4],
}

/// A summary while it is made.
#[derive(Debug)]
pub(crate) struct SummaryBuilder {
    summary: Summary,
    /// The rows up to which it is worth reading.
    cells_max: usize,
    /// Of the data file that is being counted: the least event time of each, and how many events.
    counting: HashMap<Cell, (i64, i64)>,
    /// The rows of the data files before.
    counted: Cells,
}

/// Rows of a summary, as columns.
#[derive(Debug, Default)]
struct Cells {
    files: Vec<i32>,
    times: Vec<i64>,
    texts: [Vec<u32>; 4],
    events: Vec<i64>,
}

impl SummaryBuilder {
    /// A summary of `rows` events.
    pub(crate) fn new(summary: Summary, rows: u64) -> SummaryBuilder {
        let worth = usize::try_from(rows / EVENTS_PER_CELL_MIN).unwrap_or(CELLS_MAX);
        SummaryBuilder {
            summary,
            cells_max: CELLS_MAX.min(CELLS_FREE.saturating_add(worth)),
            counting: HashMap::new(),
            counted: Cells::default(),
        }
    }

    pub(crate) fn columns(&self) -> &'static [&'static str] {
        self.summary.columns
    }

    /// Counts events of a data file, whose texts of each column are numbered; `false` if the summary
    /// comes to more rows than it is worth.
    pub(crate) fn add<'a>(
        &mut self,
        times: &[i64],
        numbers: &impl Fn(&str) -> Option<&'a [u32]>,
    ) -> bool {
        let columns: [Option<&[u32]>; 4] =
            std::array::from_fn(|at| numbers(self.summary.columns.get(at)?));
        let micros = self.summary.per.micros();
        for (row, time) in times.iter().enumerate() {
            let cell = Cell {
                time: micros.map_or(0, |micros| time.div_euclid(micros)),
                texts: columns.map(|numbers| *numbers.and_then(|of| of.get(row)).unwrap_or(&NULL)),
            };
            let (least, events) = self.counting.entry(cell).or_insert((*time, 0));
            *least = (*least).min(*time);
            *events += 1;
        }
        self.counted.files.len() + self.counting.len() <= self.cells_max
    }

    /// Says that the events of `file` have all been counted.
    pub(crate) fn end_file(&mut self, file: u32) {
        // In order, so that the same data files make the same bytes.
        let mut cells: Vec<(Cell, (i64, i64))> = self.counting.drain().collect();
        cells.sort_unstable_by_key(|(cell, _)| *cell);
        let file = i32::try_from(file).unwrap_or(i32::MAX);
        for (cell, (least, events)) in cells {
            self.counted.files.push(file);
            self.counted.times.push(least);
            let texts = self.counted.texts.iter_mut().zip(cell.texts);
            let columns = self.summary.columns.len();
            texts.take(columns).for_each(|(column, number)| column.push(number));
            self.counted.events.push(events);
        }
    }

    /// The summary as Parquet; `None` if its texts are too many.
    pub(crate) fn finish(self, texts: &HashMap<&str, Texts>) -> Result<Option<Vec<u8>>> {
        let texts: Vec<&Texts> =
            self.summary.columns.iter().filter_map(|column| texts.get(column)).collect();
        if texts.len() < self.summary.columns.len() || texts.iter().any(|texts| texts.is_too_much) {
            return Ok(None);
        }
        let Cells { files, times, texts: numbers, events } = self.counted;
        let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(files)), Arc::new(times)];
        for (texts, numbers) in texts.into_iter().zip(numbers) {
            // Each text once, however many rows have it.
            let number = |number: u32| i32::try_from(number).ok();
            let numbers: Int32Array = numbers.into_iter().map(number).collect();
            let texts = StringArray::from(texts.by_number());
            columns
                .push(Arc::new(DictionaryArray::<Int32Type>::try_new(numbers, Arc::new(texts))?));
        }
        columns.push(Arc::new(Int64Array::from(events)));
        let in_memory = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let batch = RecordBatch::try_new(schema(&self.summary, &in_memory), columns)?;
        encode(&self.summary, &batch).map(Some)
    }
}

/// The columns of a summary, whose texts are of the type `text`.
fn schema(summary: &Summary, text: &DataType) -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![
        Field::new(FILE_COLUMN, DataType::Int32, false),
        Field::new(EVENT_TIME_COLUMN, time, false),
    ];
    fields.extend(summary.columns.iter().map(|name| Field::new(*name, text.clone(), true)));
    fields.push(Field::new(SUMMARY_EVENTS_COLUMN, DataType::Int64, false));
    Arc::new(Schema::new(fields))
}

fn encode(summary: &Summary, batch: &RecordBatch) -> Result<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(CELLS_MAX))
        .build();
    let stored = schema(summary, &DataType::Utf8);
    let mut writer = ArrowWriter::try_new(Vec::new(), stored, Some(properties))?;
    writer.write(batch)?;
    writer.into_inner()
}

/// The rows of a summary as it is stored: [`FILE_COLUMN`], the least event time of those that the
/// row stands for, its texts as views, [`SUMMARY_EVENTS_COLUMN`].
pub(crate) fn decode(summary: &Summary, content: Bytes) -> Result<RecordBatch> {
    let schema = schema(summary, &DataType::Utf8View);
    let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(content, options)?;
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    if rows > CELLS_MAX {
        return Err(ParquetError::General("a summary has more rows than it may have".into()));
    }
    let batches: Vec<RecordBatch> =
        builder.with_batch_size(rows.max(1)).build()?.collect::<std::result::Result<_, _>>()?;
    Ok(concat_batches(&schema, &batches)?)
}
