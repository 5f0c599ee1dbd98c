//! Data files to a span. Takes CPU, does no I/O.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimestampMicrosecondType};
use bytes::Bytes;
use hashbrown::HashMap;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result};
use xxhash_rust::xxh3::xxh3_64;

use crate::index::needles::{MAP_COLUMN, MAP_KEYS, TableBuilder, VALUE_COLUMNS, hash, key_seed};
use crate::index::span::{Head, Place, SpanFile, SummaryHead, TableHead, encode};
use crate::index::summary::{SUMMARIES, SummaryBuilder, Texts};
use crate::index::{BLOCK_ROWS, SPAN_BLOCKS_MAX, SPAN_ROWS_MAX};
use crate::layout::EVENT_TIME_COLUMN;

/// A span while it is made.
pub(crate) struct SpanBuilder {
    files: Vec<SpanFile>,
    blocks: u64,
    /// By column. `None` once a data file has the column in a form that is not understood: then
    /// nothing is known of it.
    tables: Vec<(&'static str, Option<TableBuilder>)>,
    texts: HashMap<&'static str, Texts>,
    /// `None` once a data file has one of its columns in a form that is not understood, or it is
    /// not worth it.
    summaries: Vec<Option<SummaryBuilder>>,
}

/// How many rows and blocks a span may still take.
pub(crate) fn fits(rows: u64, blocks: u64) -> bool {
    rows <= SPAN_ROWS_MAX && blocks <= SPAN_BLOCKS_MAX
}

impl SpanBuilder {
    /// A span that is to cover `rows` rows.
    pub(crate) fn new(rows: u64) -> SpanBuilder {
        let columns = VALUE_COLUMNS.iter().chain([&MAP_COLUMN]);
        let summed = SUMMARIES.iter().flat_map(|summary| summary.columns);
        SpanBuilder {
            files: Vec::new(),
            blocks: 0,
            tables: columns.map(|column| (*column, Some(TableBuilder::default()))).collect(),
            texts: summed.map(|column| (*column, Texts::default())).collect(),
            summaries: SUMMARIES.iter().map(|one| Some(SummaryBuilder::new(*one, rows))).collect(),
        }
    }

    /// Takes in a data file with this content.
    ///
    /// # Errors
    ///
    /// What the decoder says; an error too if the file does not have `rows` rows, or more blocks
    /// than a span can name.
    pub(crate) fn add(
        &mut self,
        path: &str,
        sha256: &str,
        rows: u64,
        content: Bytes,
    ) -> Result<()> {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let first_block = u32::try_from(self.blocks).unwrap_or(u32::MAX);
        self.blocks += rows.div_ceil(BLOCK_ROWS);
        if self.blocks > SPAN_BLOCKS_MAX {
            return Err(ParquetError::General("a span cannot cover that many rows".into()));
        }
        let reader = self.reader(content)?;
        let mut row = 0;
        for batch in reader {
            let batch = batch?;
            // A block ends where the next begins, however the decoder cuts its batches.
            let mut start = 0;
            while start < batch.num_rows() {
                let left = usize::try_from(BLOCK_ROWS - row % BLOCK_ROWS).unwrap_or(1);
                let length = left.min(batch.num_rows() - start);
                let block = u64::from(first_block) + row / BLOCK_ROWS;
                self.add_rows(&batch.slice(start, length))?;
                start += length;
                row += length as u64;
                if row % BLOCK_ROWS == 0 || row == rows {
                    self.end_block(u32::try_from(block).unwrap_or(u32::MAX));
                }
            }
        }
        if row != rows {
            return Err(ParquetError::General(format!("a data file has {row} rows, not {rows}")));
        }
        self.summaries.iter_mut().flatten().for_each(|summary| summary.end_file(file));
        let (path, sha256) = (path.to_owned(), sha256.to_owned());
        self.files.push(SpanFile { path, sha256, rows, first_block });
        Ok(())
    }

    /// The columns of a data file that matter, those of text as views.
    fn reader(&mut self, content: Bytes) -> Result<ParquetRecordBatchReader> {
        let own = ParquetRecordBatchReaderBuilder::try_new(content.clone())?;
        let as_view = |field: &Arc<Field>| match field.data_type() {
            DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
            _ => Arc::clone(field),
        };
        let fields: Vec<Arc<Field>> = own.schema().fields().iter().map(as_view).collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(content, options)?;
        let matters = |name: &str| {
            name == EVENT_TIME_COLUMN
                || self.tables.iter().any(|(column, _)| *column == name)
                || self.texts.contains_key(name)
        };
        let schema = builder.parquet_schema().root_schema().get_fields();
        let roots = schema.iter().enumerate().filter(|(_, field)| matters(field.name()));
        let roots: Vec<usize> = roots.map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let rows = usize::try_from(BLOCK_ROWS).unwrap_or(1);
        builder.with_projection(mask).with_batch_size(rows).build()
    }

    /// Takes in rows of one block.
    fn add_rows(&mut self, rows: &RecordBatch) -> Result<()> {
        for (column, table) in &mut self.tables {
            let Some(builder) = table else { continue };
            // A column that a data file does not have is NULL in all its rows.
            let Some(values) = rows.column_by_name(column) else { continue };
            let is_added = if *column == MAP_COLUMN {
                add_map(builder, values)?
            } else {
                add_texts(builder, values)?
            };
            if !is_added {
                *table = None;
            }
        }
        self.count(rows)
    }

    fn count(&mut self, rows: &RecordBatch) -> Result<()> {
        let times = rows.column_by_name(EVENT_TIME_COLUMN);
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(times) = times.filter(|times| times.null_count() == 0) else {
            self.summaries.iter_mut().for_each(|summary| *summary = None);
            return Ok(());
        };
        let mut numbers: HashMap<&str, Option<Vec<u32>>> = HashMap::new();
        for (column, texts) in &mut self.texts {
            let Some(values) = rows.column_by_name(column) else { continue };
            let mut of = Vec::with_capacity(rows.num_rows());
            let is_counted = as_text(values)?.is_some_and(|values| texts.number(&values, &mut of));
            numbers.insert(column, is_counted.then_some(of));
        }
        for slot in &mut self.summaries {
            let Some(summary) = slot else { continue };
            if summary.columns().iter().any(|column| matches!(numbers.get(column), Some(None))) {
                *slot = None;
                continue;
            }
            if !summary.add(times.values(), &|column| numbers.get(column)?.as_deref()) {
                *slot = None;
            }
        }
        Ok(())
    }

    fn end_block(&mut self, block: u32) {
        self.tables.iter_mut().filter_map(|(_, table)| table.as_mut()).for_each(|table| {
            table.end_block(block);
        });
    }

    /// The bytes of the span.
    ///
    /// # Errors
    ///
    /// What the encoder of its summaries says.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        let mut head = Head { files: self.files, ..Head::default() };
        let (mut starts, mut parts) = (Vec::new(), Parts::default());
        for (column, table) in self.tables {
            let Some(table) = table else { continue };
            let (bytes, buckets) = table.finish();
            let first = starts.len();
            starts.extend(buckets);
            let place = parts.append(bytes);
            let (column, starts) = (column.to_owned(), (first, starts.len()));
            head.tables.push(TableHead { column, place, starts });
        }
        for (summary, builder) in SUMMARIES.iter().zip(self.summaries) {
            let Some(builder) = builder else { continue };
            let Some(bytes) = builder.finish(&self.texts)? else { continue };
            head.summaries.push(SummaryHead {
                per: format!("{:?}", summary.per),
                columns: summary.columns.iter().map(|column| (*column).to_owned()).collect(),
                checksum: xxh3_64(&bytes),
                place: parts.append(bytes),
            });
        }
        encode(&head, &starts, parts.parts)
            .ok_or_else(|| ParquetError::General("the head of a span is too large".into()))
    }
}

/// What follows the head of a span.
#[derive(Default)]
struct Parts {
    parts: Vec<Vec<u8>>,
    bytes: u64,
}

impl Parts {
    fn append(&mut self, part: Vec<u8>) -> Place {
        let place = Place { offset: self.bytes, bytes: part.len() as u64 };
        self.bytes += place.bytes;
        self.parts.push(part);
        place
    }
}

/// A column of text as views; `None` if it is of something else.
fn as_text(values: &ArrayRef) -> Result<Option<StringViewArray>> {
    if let Some(texts) = values.as_string_view_opt() {
        return Ok(Some(texts.clone()));
    }
    let is_text = match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => true,
        DataType::Dictionary(_, value) => value.is_string(),
        _ => false,
    };
    if !is_text {
        return Ok(None);
    }
    Ok(cast(values, &DataType::Utf8View)?.as_string_view_opt().cloned())
}

/// Adds the values of a column; `false` if they are not text.
fn add_texts(table: &mut TableBuilder, values: &ArrayRef) -> Result<bool> {
    let Some(texts) = as_text(values)? else { return Ok(false) };
    texts.iter().flatten().for_each(|text| table.add(hash(0, text)));
    Ok(true)
}

/// Adds the values of the keys that are indexed; `false` if it is no column of maps of text.
fn add_map(table: &mut TableBuilder, values: &ArrayRef) -> Result<bool> {
    let Some(maps) = values.as_map_opt() else { return Ok(false) };
    let (Some(keys), Some(values)) = (as_text(maps.keys())?, as_text(maps.values())?) else {
        return Ok(false);
    };
    let seeds = MAP_KEYS.map(|key| (key, key_seed(Some(key))));
    let (Some(first), Some(last)) = (maps.offsets().first(), maps.offsets().last()) else {
        return Ok(true);
    };
    let entries = usize::try_from(*first).unwrap_or(0)..usize::try_from(*last).unwrap_or(0);
    for entry in entries {
        let is_there = entry < keys.len() && keys.is_valid(entry) && values.is_valid(entry);
        if !is_there {
            continue;
        }
        let key = keys.value(entry);
        if let Some((_, seed)) = seeds.iter().find(|(known, _)| *known == key) {
            table.add(hash(*seed, values.value(entry)));
        }
    }
    Ok(true)
}
