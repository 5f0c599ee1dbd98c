//! Reads from data files what tells whether an event is already in the store, and no more.
//!
//! A look takes three passes over few columns: the event times of the row groups that can hold the
//! wanted hours, the account and id of the rows found there, and the text of those rows only whose
//! identity is in question. The rows of a data file are counted from 0.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray, StringViewArray, new_null_array},
    compute::cast,
    datatypes::{DataType, Int64Type, TimestampMicrosecondType},
};
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt, future::BoxFuture};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use parquet::{
    arrow::{
        ParquetRecordBatchStreamBuilder, ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, RowSelection, statistics::StatisticsConverter,
        },
        async_reader::{AsyncFileReader, ParquetRecordBatchStream},
    },
    errors::{ParquetError, Result as ParquetResult},
    file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
};
use towpath_event::{EventIdentity, Leaf, event_identity, event_texts, leaves};
use towpath_store::DataFile;

use crate::error::{Error, Result};

const EVENT_TIME: &str = "eventTime";
const ACCOUNT: &str = "recipientAccountId";
const EVENT_ID: &str = "eventID";
/// The text of an event, where it is not stored as a template.
const EVENT_JSON: &str = "eventJson";

/// Rows decoded at a time. With all columns and the text of events, this is some 12 MB.
const BATCH_ROWS: usize = 4096;

/// Bytes read from the end of a data file in the hope that its footer is in them: a footer of one
/// row group is some 30 kB.
const FOOTER_BYTES: usize = 64 << 10;

/// A data file opened for looking into.
pub(crate) struct StoredFile {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size_bytes: u64,
    metadata: ArrowReaderMetadata,
}

/// A row of a data file without its text.
#[derive(Debug)]
pub(crate) struct StoredRow<'a> {
    pub(crate) row: u32,
    pub(crate) event_time: i64,
    pub(crate) account: Option<&'a str>,
    /// `None` also if it is stored but empty: neither identifies an event.
    pub(crate) event_id: Option<&'a str>,
}

impl StoredFile {
    /// Reads the footer of `file`.
    ///
    /// # Errors
    ///
    /// [`Error::ReadDataFile`].
    pub(crate) async fn open(store: &Arc<dyn ObjectStore>, file: &DataFile) -> Result<StoredFile> {
        let mut bytes = FileBytes {
            store: Arc::clone(store),
            path: file.path.clone(),
            size_bytes: file.size_bytes,
        };
        // The Arrow schema that the writer left in the file is not trusted: Parquet's is enough.
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load_async(&mut bytes, options).await;
        Ok(StoredFile {
            store: bytes.store,
            size_bytes: bytes.size_bytes,
            metadata: metadata.map_err(|source| read_error(&file.path, source))?,
            path: bytes.path,
        })
    }

    /// Calls `each` for every row whose event time `is_wanted`, in the order of the file.
    ///
    /// `spans` are the half-open spans of time that all wanted times are in; they only save work.
    ///
    /// # Errors
    ///
    /// [`Error::ReadDataFile`] and [`Error::UnexpectedColumn`].
    pub(crate) async fn rows(
        &self,
        spans: &[Range<i64>],
        is_wanted: &(dyn Fn(i64) -> bool + Sync),
        each: &(dyn Fn(StoredRow<'_>) + Sync),
    ) -> Result<()> {
        // One row group at a time bounds the memory that a data file of any size takes.
        for group in self.row_groups_at(spans).map_err(|err| self.error(err))? {
            self.group_rows(group, is_wanted, each).await?;
        }
        Ok(())
    }

    async fn group_rows(
        &self,
        group: usize,
        is_wanted: &(dyn Fn(i64) -> bool + Sync),
        each: &(dyn Fn(StoredRow<'_>) + Sync),
    ) -> Result<()> {
        let (first, total) = self.group_extent(group);
        let wanted = self.group_rows_at(group, is_wanted).await?;
        let rows = wanted.iter().map(|(row, _)| *row);
        let Some(selection) = selection(rows, total) else { return Ok(()) };
        let builder = self.builder(&[ACCOUNT, EVENT_ID]).with_row_groups(vec![group]);
        let batches = builder.with_row_selection(selection).build();
        let mut batches = batches.map_err(|err| self.error(err))?;
        let mut wanted = wanted.into_iter();
        while let Some(batch) = batches.try_next().await.map_err(|err| self.error(err))? {
            let accounts = self.text_column(&batch, ACCOUNT)?;
            let event_ids = self.text_column(&batch, EVENT_ID)?;
            let columns = accounts.iter().zip(event_ids);
            for ((account, event_id), (row, event_time)) in columns.zip(wanted.by_ref()) {
                let event_id = event_id.filter(|id| !id.is_empty());
                each(StoredRow { row: first.saturating_add(row), event_time, account, event_id });
            }
        }
        Ok(())
    }

    /// The identities of `rows`, which ascend, computed from their texts.
    ///
    /// # Errors
    ///
    /// [`Error::ReadDataFile`], [`Error::UnexpectedColumn`] and [`Error::EventText`].
    pub(crate) async fn identities(&self, rows: &[u32]) -> Result<Vec<EventIdentity>> {
        let mut identities = Vec::with_capacity(rows.len());
        let total = self.metadata.metadata().file_metadata().num_rows();
        let total = usize::try_from(total).unwrap_or_default();
        let Some(selection) = selection(rows.iter().copied(), total) else { return Ok(identities) };
        let columns = leaves().map(|leaf| leaf.column.as_str()).chain([EVENT_JSON]);
        let columns: Vec<&str> = columns.collect();
        let builder = self.builder(&columns).with_row_selection(selection);
        let mut batches = builder.build().map_err(|err| self.error(err))?;
        while let Some(batch) = batches.try_next().await.map_err(|err| self.error(err))? {
            let accounts = self.text_column(&batch, ACCOUNT)?;
            let event_ids = self.text_column(&batch, EVENT_ID)?;
            let texts = self.event_texts(&batch)?;
            for ((account, event_id), text) in accounts.iter().zip(event_ids).zip(&texts) {
                identities.push(event_identity(account, event_id, text.unwrap_or_default()));
            }
        }
        Ok(identities)
    }

    /// All columns of every row, in the order of the file.
    ///
    /// # Errors
    ///
    /// [`Error::ReadDataFile`]. The stream ends with an error for [`StoredFile::error`].
    pub(crate) fn batches(&self) -> Result<ParquetRecordBatchStream<FileBytes>> {
        let builder =
            ParquetRecordBatchStreamBuilder::new_with_metadata(self.bytes(), self.metadata.clone());
        builder.with_batch_size(BATCH_ROWS).build().map_err(|err| self.error(err))
    }

    /// Row, within the row group, and event time of every row whose event time is wanted.
    async fn group_rows_at(
        &self,
        group: usize,
        is_wanted: &(dyn Fn(i64) -> bool + Sync),
    ) -> Result<Vec<(u32, i64)>> {
        let builder = self.builder(&[EVENT_TIME]).with_row_groups(vec![group]);
        let mut batches = builder.build().map_err(|err| self.error(err))?;
        let mut rows = 0..u32::MAX;
        let mut found = Vec::new();
        while let Some(batch) = batches.try_next().await.map_err(|err| self.error(err))? {
            let times = batch
                .column_by_name(EVENT_TIME)
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
                .ok_or_else(|| self.unexpected(EVENT_TIME))?;
            let wanted =
                |(time, row): (Option<i64>, u32)| Some((row, time.filter(|t| is_wanted(*t))?));
            found.extend(times.iter().zip(rows.by_ref()).filter_map(wanted));
        }
        Ok(found)
    }

    /// The row groups whose event times touch `spans`; all of them if the file does not say.
    fn row_groups_at(&self, spans: &[Range<i64>]) -> ParquetResult<Vec<usize>> {
        let metadata = self.metadata.metadata();
        let groups = metadata.row_groups();
        let statistics = StatisticsConverter::try_new(
            EVENT_TIME,
            self.metadata.schema(),
            self.metadata.parquet_schema(),
        )?;
        let bound = |array: Arc<dyn Array>| cast(&array, &DataType::Int64);
        let least = bound(statistics.row_group_mins(groups)?)?;
        let greatest = bound(statistics.row_group_maxes(groups)?)?;
        let bounds =
            least.as_primitive::<Int64Type>().iter().zip(greatest.as_primitive::<Int64Type>());
        let touches = |(least, greatest): (Option<i64>, Option<i64>)| {
            let (least, greatest) = (least.unwrap_or(i64::MIN), greatest.unwrap_or(i64::MAX));
            spans.iter().any(|span| least < span.end && greatest >= span.start)
        };
        Ok(bounds
            .enumerate()
            .filter(|(_, bounds)| touches(*bounds))
            .map(|(group, _)| group)
            .collect())
    }

    /// The number of the first row of a row group, and how many it has.
    fn group_extent(&self, group: usize) -> (u32, usize) {
        let groups = self.metadata.metadata().row_groups();
        let rows_of =
            |group: &RowGroupMetaData| u32::try_from(group.num_rows()).unwrap_or(u32::MAX);
        let first = groups.iter().take(group).map(rows_of).fold(0, u32::saturating_add);
        (first, groups.get(group).map_or(0, |group| to_index(rows_of(group))))
    }

    fn builder(&self, columns: &[&str]) -> ParquetRecordBatchStreamBuilder<FileBytes> {
        let mask = ProjectionMask::columns(self.metadata.parquet_schema(), columns.iter().copied());
        ParquetRecordBatchStreamBuilder::new_with_metadata(self.bytes(), self.metadata.clone())
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
    }

    fn bytes(&self) -> FileBytes {
        FileBytes {
            store: Arc::clone(&self.store),
            path: self.path.clone(),
            size_bytes: self.size_bytes,
        }
    }

    /// The texts of the events of a batch of all columns.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedColumn`] and [`Error::EventText`].
    pub(crate) fn event_texts(&self, batch: &RecordBatch) -> Result<StringViewArray> {
        if batch.column_by_name(EVENT_JSON).is_some() {
            return Ok(StringViewArray::from(self.text_column(batch, EVENT_JSON)?));
        }
        let column = |leaf: &Leaf| match batch.column_by_name(&leaf.column) {
            Some(column) => Arc::clone(column),
            // The data file is older than the column, so no event in it has such a value.
            None => new_null_array(&leaf.data_type, batch.num_rows()),
        };
        event_texts(&leaves().map(column).collect::<Vec<_>>())
            .map_err(|source| Error::EventText { path: self.path.to_string(), source })
    }

    fn text_column<'a>(
        &self,
        batch: &'a RecordBatch,
        name: &'static str,
    ) -> Result<&'a StringArray> {
        let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.ok_or_else(|| self.unexpected(name))
    }

    fn unexpected(&self, column: &'static str) -> Error {
        Error::UnexpectedColumn { path: self.path.to_string(), column }
    }

    /// `source` as an error that names the data file.
    pub(crate) fn error(&self, source: ParquetError) -> Error {
        read_error(&self.path, source)
    }
}

/// The reader's form of "these rows out of `total`"; `None` if there are none. `rows` ascend.
fn selection(rows: impl Iterator<Item = u32>, total: usize) -> Option<RowSelection> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for row in rows.map(to_index).filter(|row| *row < total) {
        match ranges.last_mut() {
            Some(range) if range.end == row => range.end += 1,
            // The reader panics on rows that do not ascend, so those are never passed on.
            Some(range) if range.end > row => {}
            _ => ranges.push(row..row + 1),
        }
    }
    (!ranges.is_empty()).then(|| RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
}

fn to_index(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

fn read_error(path: &Path, source: ParquetError) -> Error {
    Error::ReadDataFile { path: path.to_string(), source }
}

/// The bytes of a data file, for the Parquet reader.
pub(crate) struct FileBytes {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size_bytes: u64,
}

impl AsyncFileReader for FileBytes {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { Ok(self.store.get_range(&self.path, range).await?) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move { Ok(self.store.get_ranges(&self.path, &ranges).await?) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let size_bytes = self.size_bytes;
            let mut reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
            if let Some(options) = options {
                reader = reader
                    .with_metadata_options(Some(options.metadata_options().clone()))
                    .with_offset_index_policy(options.offset_index_policy())
                    .with_column_index_policy(options.column_index_policy());
            }
            Ok(Arc::new(reader.load_and_finish(self, size_bytes).await?))
        }
        .boxed()
    }
}
