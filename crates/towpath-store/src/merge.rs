//! Several data files of a month into one, row by row, in bounded memory. No I/O.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use crate::data_file::NewDataFile;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::key_sets::other_columns;
use crate::parquet_layout::Lasting;
use crate::rows_digest::{RowsDigest, RowsDigester};

/// The columns that the rows of a data file are sorted by, first to last, NULL before all else.
///
/// Equal and similar values then stand together, which Parquet compresses to less than any other
/// order that was measured. A merge of files in this order is a file in this order.
pub const ROW_ORDER: [&str; 3] = ["eventSource", "eventName", "eventTime"];

/// Rows decoded at a time from each of the files that are merged, at most.
const INPUT_ROWS_MAX: usize = 1024;

/// Bytes of rows decoded at a time from each of them, as far as one row is not larger.
const INPUT_BYTES_MAX: usize = 1 << 20;

/// Rows handed to the encoder at a time.
const OUTPUT_ROWS: usize = 4096;

/// A merged data file, its bytes, and the digest that its rows and those merged have in common.
pub(crate) struct Merged {
    pub(crate) file: NewDataFile,
    pub(crate) content: Bytes,
    pub(crate) digest: RowsDigest,
}

/// Merges the contents of data files of `store` and of one month.
///
/// What comes out is decoded again, and its rows are compared with those that went in.
///
/// # Errors
///
/// [`Error::CompactionMismatch`] if they are not the same; [`Error::InvalidRows`] if the files do
/// not have the same columns; [`Error::Decode`]; [`Error::AppendTooLarge`].
pub(crate) fn merge(store: &str, calendarmonth: i64, contents: Vec<Bytes>) -> Result<Merged> {
    let Some(first) = contents.first() else {
        return Err(Error::InvalidRows { store: store.into(), reason: "there are none".into() });
    };
    let schema = rows_schema(&open(first.clone())?)?;
    let mut merge = Merge::new(&schema)?;
    // Rows that are alike stand together now, so what comes out is smaller.
    let bytes = contents.iter().map(Bytes::len).sum();
    for content in contents {
        let reader = open(content)?;
        if rows_schema(&reader)?.fields() != schema.fields() {
            let reason = "the data files to be merged have different columns".to_owned();
            return Err(Error::InvalidRows { store: store.into(), reason });
        }
        merge.add(reader)?;
    }
    let mut encoder = Encoder::with_room(store, &schema, calendarmonth, Lasting::Compacted, bytes)?;
    while let Some(batch) = merge.next_batch()? {
        encoder.write(&batch)?;
    }
    let digest = merge.finish();
    let (file, content) = encoder.finish()?;
    let found = digest_of(content.clone())?;
    if found != digest {
        let reason = format!(
            "{} rows with digest {digest} went in, {} with digest {found} came out",
            digest.rows, found.rows
        );
        return Err(Error::CompactionMismatch { store: store.to_owned(), reason });
    }
    Ok(Merged { file, content, digest })
}

pub(crate) fn open(content: Bytes) -> Result<ParquetRecordBatchReaderBuilder<Bytes>> {
    ParquetRecordBatchReaderBuilder::try_new(content).map_err(|source| Error::Decode { source })
}

/// The columns of a data file, without those that are made of others.
pub(crate) fn rows_schema(file: &ParquetRecordBatchReaderBuilder<Bytes>) -> Result<SchemaRef> {
    let schema = file.schema();
    Ok(Arc::new(schema.project(&other_columns(schema)).map_err(decode_error)?))
}

pub(crate) fn decode_error(source: ArrowError) -> Error {
    Error::Decode { source: source.into() }
}

/// The rows of a data file, without the columns that are made of others.
pub(crate) struct FileRows {
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// By column of the schema, where it is among those that are decoded; `None` if it is NULL in
    /// all rows.
    decoded: Vec<Option<usize>>,
}

impl Iterator for FileRows {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) => batch,
            Err(err) => return Some(Err(err)),
        };
        let column = |(field, decoded): (&FieldRef, &Option<usize>)| match decoded {
            Some(at) => Arc::clone(batch.column(*at)),
            None => new_null_array(field.data_type(), batch.num_rows()),
        };
        let columns = self.schema.fields().iter().zip(&self.decoded).map(column).collect();
        Some(RecordBatch::try_new(Arc::clone(&self.schema), columns))
    }
}

/// Starts to read the rows of a data file.
///
/// Most events lack most fields, and decoding a column takes a hundred kilobytes and more for as
/// long as the file is open, so one without a value is not decoded.
pub(crate) fn read(builder: ParquetRecordBatchReaderBuilder<Bytes>) -> Result<FileRows> {
    let rows = rows_at_a_time(builder.metadata());
    let (schema, mut decoded, mut roots) = (rows_schema(&builder)?, Vec::new(), Vec::new());
    for root in other_columns(builder.schema()) {
        let is_empty = is_empty(builder.metadata(), root);
        decoded.push((!is_empty).then_some(roots.len()));
        if !is_empty {
            roots.push(root);
        }
    }
    let columns = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_batch_size(rows).with_projection(columns).build();
    let reader = reader.map_err(|source| Error::Decode { source })?;
    Ok(FileRows { reader, schema, decoded })
}

/// Whether a column without parts is NULL in all rows, as far as the file says.
fn is_empty(metadata: &ParquetMetaData, root: usize) -> bool {
    let schema = metadata.file_metadata().schema_descr();
    let is_of_root = |leaf: &usize| schema.get_column_root_idx(*leaf) == root;
    let mut leaves = (0..schema.num_columns()).filter(is_of_root);
    let (Some(leaf), None) = (leaves.next(), leaves.next()) else { return false };
    let column = schema.column(leaf);
    let is_flat = column.max_rep_level() == 0 && column.max_def_level() == 1;
    let has_no_value = |group: &RowGroupMetaData| {
        let nulls =
            group.columns().get(leaf).and_then(|chunk| chunk.statistics()?.null_count_opt());
        nulls.and_then(|nulls| i64::try_from(nulls).ok()) == Some(group.num_rows())
    };
    is_flat && metadata.row_groups().iter().all(has_no_value)
}

/// How many rows of a file fit into [`INPUT_BYTES_MAX`], at the average of its largest row group.
fn rows_at_a_time(metadata: &ParquetMetaData) -> usize {
    let bytes_of_row = |group: &RowGroupMetaData| {
        let rows = usize::try_from(group.num_rows()).unwrap_or(1).max(1);
        usize::try_from(group.total_byte_size()).unwrap_or(usize::MAX) / rows
    };
    let largest = metadata.row_groups().iter().map(bytes_of_row).max().unwrap_or(0).max(1);
    (INPUT_BYTES_MAX / largest).clamp(1, INPUT_ROWS_MAX)
}

fn digest_of(content: Bytes) -> Result<RowsDigest> {
    let builder = open(content)?;
    let mut digester = RowsDigester::new(rows_schema(&builder)?.as_ref()).map_err(decode_error)?;
    for batch in read(builder)? {
        digester.add(&batch.map_err(decode_error)?).map_err(decode_error)?;
    }
    Ok(digester.finish())
}

/// A merge under way.
struct Merge {
    keys: RowConverter,
    /// The columns of [`ROW_ORDER`] that there are, by index.
    key_columns: Vec<usize>,
    digester: RowsDigester,
    inputs: Vec<Input>,
    /// The inputs that have rows left, by the key of their next row; of equal ones the first first.
    order: Vec<usize>,
    /// The batches that rows to be handed out are in.
    batches: Vec<RecordBatch>,
}

/// One of the files that are merged: its current batch and how far that is used up.
struct Input {
    reader: FileRows,
    /// Its place among [`Merge::batches`].
    batch: usize,
    keys: Option<Rows>,
    row: usize,
}

impl Merge {
    fn new(schema: &SchemaRef) -> Result<Merge> {
        let key_columns: Vec<usize> =
            ROW_ORDER.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        Ok(Merge {
            keys: RowConverter::new(sort_fields(schema, &key_columns)).map_err(decode_error)?,
            key_columns,
            digester: RowsDigester::new(schema).map_err(decode_error)?,
            inputs: Vec::new(),
            order: Vec::new(),
            batches: Vec::new(),
        })
    }

    fn add(&mut self, builder: ParquetRecordBatchReaderBuilder<Bytes>) -> Result<()> {
        let input = Input { reader: read(builder)?, batch: 0, keys: None, row: 0 };
        self.inputs.push(input);
        let index = self.inputs.len() - 1;
        if self.load(index)? {
            self.place(index);
        }
        Ok(())
    }

    /// Loads the next batch of an input; `false` if there is none.
    fn load(&mut self, index: usize) -> Result<bool> {
        let Some(input) = self.inputs.get_mut(index) else { return Ok(false) };
        input.keys = None;
        for batch in input.reader.by_ref() {
            let batch = batch.map_err(decode_error)?;
            if batch.num_rows() == 0 {
                continue;
            }
            self.digester.add(&batch).map_err(decode_error)?;
            let columns = self.key_columns.iter().map(|column| Arc::clone(batch.column(*column)));
            let columns: Vec<ArrayRef> = columns.collect();
            input.keys = Some(self.keys.convert_columns(&columns).map_err(decode_error)?);
            (input.batch, input.row) = (self.batches.len(), 0);
            self.batches.push(batch);
            return Ok(true);
        }
        Ok(false)
    }

    /// Puts an input to its place in the order, by its next row.
    fn place(&mut self, index: usize) {
        let inputs = &self.inputs;
        let key = |index: usize| {
            let input = inputs.get(index)?;
            input.keys.as_ref().map(|keys| keys.row(input.row))
        };
        let place = self.order.partition_point(|other| (key(*other), *other) < (key(index), index));
        self.order.insert(place, index);
    }

    /// The next rows in order; `None` at the end.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows = Vec::with_capacity(OUTPUT_ROWS);
        while rows.len() < OUTPUT_ROWS && !self.order.is_empty() {
            let first = self.order.remove(0);
            let Some(input) = self.inputs.get_mut(first) else { continue };
            rows.push((input.batch, input.row));
            input.row += 1;
            let is_used_up = input.keys.as_ref().is_none_or(|keys| input.row >= keys.num_rows());
            if !is_used_up || self.load(first)? {
                self.place(first);
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let merged = interleave_record_batch(&batches, &rows).map_err(decode_error)?;
        self.forget_used_up();
        Ok(Some(merged))
    }

    /// The digest of all rows. What they were read from is given back.
    fn finish(self) -> RowsDigest {
        self.digester.finish()
    }

    /// Keeps of the batches only those that inputs still read.
    fn forget_used_up(&mut self) {
        let mut kept = Vec::with_capacity(self.order.len());
        for index in &self.order {
            let Some(input) = self.inputs.get_mut(*index) else { continue };
            if let Some(batch) = self.batches.get(input.batch) {
                input.batch = kept.len();
                kept.push(batch.clone());
            }
        }
        self.batches = kept;
    }
}

fn sort_fields(schema: &Schema, columns: &[usize]) -> Vec<SortField> {
    let data_type = |column: &usize| schema.field(*column).data_type().clone();
    columns.iter().map(|column| SortField::new(data_type(column))).collect()
}
