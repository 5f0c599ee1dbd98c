//! Rows that have yet to be put in order to a data file, column by column on several threads.
//!
//! Texts, which are nearly all of an event, are not even put in order: each different one is encoded
//! once (see [`crate::text_chunk`]). Of the other columns some rows are put in order, encoded and
//! dropped before the next. So no copy of all rows is ever made: what is in memory beside the rows
//! are the encoded bytes.

use std::cmp::Reverse;
use std::num::NonZero;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnDescPtr;

use crate::data_file::{NewDataFile, STATISTICS_COLUMNS};
use crate::encoder::{Facts, check_bytes, stored_schema};
use crate::error::Error;
use crate::key_sets::{key_sets, maps, with_key_sets};
use crate::parquet_layout::{Lasting, ROW_GROUP_ROWS, writer_properties};
use crate::text_chunk::{self, PageCompressor, TextChunk};
use crate::text_leaf::{self, TextLeaf};

/// Threads that encode one data file. More would wait for its largest column.
const THREADS_MAX: usize = 4;

/// Rows of a column that are put in order at a time. Few enough to stay in a processor's cache, and
/// so that the copy in order of a column that holds nearly all of the events' text is small.
const ORDERED_ROWS: usize = 8_192;

/// Rows of several batches of one schema, in an order of their own.
#[derive(Clone, Debug)]
pub struct OrderedRows {
    /// Where the rows are.
    pub batches: Arc<[RecordBatch]>,
    /// Batch and row of each. A batch may have rows that are not named, and no row need be named
    /// only once.
    pub order: Vec<(usize, usize)>,
}

impl OrderedRows {
    /// The bytes that a column takes in memory.
    fn bytes(&self, column: usize) -> usize {
        let arrays = self.batches.iter().filter_map(|batch| batch.columns().get(column));
        arrays.map(Array::get_buffer_memory_size).sum()
    }

    /// The values of a column in the rows of `range`, in order.
    fn column(&self, column: usize, range: Range<usize>) -> Result<ArrayRef> {
        let arrays: Vec<&dyn Array> =
            self.batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        // Most events lack most fields, and all rows of a column without a value are in order.
        if let Some(first) = arrays.first()
            && arrays.iter().all(|array| array.null_count() == array.len())
        {
            return Ok(new_null_array(first.data_type(), range.len()));
        }
        let order = self.order.get(range).unwrap_or_default();
        let known = |(batch, row): &(usize, usize)| {
            arrays.get(*batch).is_some_and(|array| *row < array.len())
        };
        if !order.iter().all(known) {
            return Err(ParquetError::General("the rows are not those of the batches".into()));
        }
        Ok(interleave(&arrays, order)?)
    }

    /// Those columns of `names` that there are, in the rows of `range`, in order.
    fn columns(&self, names: &[&str], range: Range<usize>) -> Result<RecordBatch> {
        let schema = self
            .batches
            .first()
            .map(RecordBatch::schema)
            .unwrap_or_else(|| Arc::new(Schema::empty()));
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            if let Ok(column) = schema.index_of(name) {
                columns.push((*name, self.column(column, range.clone())?));
            }
        }
        Ok(RecordBatch::try_from_iter(columns)?)
    }
}

/// Encodes rows of a month as a data file. Takes CPU, does no I/O.
///
/// # Errors
///
/// [`Error::InvalidRows`] if there are none or not all of them are of the month;
/// [`Error::AppendTooLarge`].
pub(crate) fn encode(
    store: &str,
    calendarmonth: i64,
    rows: &OrderedRows,
) -> Result<(NewDataFile, Bytes), Error> {
    let invalid = || {
        let (store, reason) = (store.to_owned(), "there are none".to_owned());
        Error::InvalidRows { store, reason }
    };
    let schema = stored_schema(&rows.batches.first().ok_or_else(invalid)?.schema());
    let failed = |source| Error::Encode { source };
    let mut facts = Facts::new(store, &schema, calendarmonth);
    for range in ranges(0..rows.order.len(), ROW_GROUP_ROWS) {
        facts.add(&rows.columns(STATISTICS_COLUMNS, range).map_err(failed)?)?;
    }
    let content = encode_parquet(&schema, rows).map_err(failed)?;
    facts.data_file(content)
}

/// Cuts `range` into pieces of `length`, the last of which may be shorter.
fn ranges(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(length).map(move |start| start..end.min(start + length))
}

fn encode_parquet(schema: &SchemaRef, rows: &OrderedRows) -> Result<Vec<u8>> {
    let properties = writer_properties(Lasting::Fresh);
    let key_sets: Vec<usize> = maps(schema).map(|(map, _)| map).collect();
    let stored = with_key_sets(schema);
    let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&stored), Some(properties.clone()))?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    for range in ranges(0..rows.order.len(), ROW_GROUP_ROWS) {
        let of_maps = &key_sets;
        let work = RowGroup { schema: &stored, properties: &properties, rows, of_maps, range };
        let chunks = work.encode(&file, &factory)?;
        let mut group = file.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        if check_bytes(file.bytes_written() as u64).is_err() {
            // It is refused for its size, so what follows need not be encoded.
            break;
        }
    }
    file.into_inner()
}

/// A column to be encoded: its number among the columns, and its leaves in Parquet's schema.
struct Job {
    column: usize,
    leaves: Vec<(ColumnDescPtr, ArrowColumnWriter)>,
}

/// An encoded leaf.
enum Chunk {
    Text(TextChunk),
    Other(ArrowColumnChunk),
}

impl Chunk {
    fn append_to_row_group(self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<()> {
        match self {
            Chunk::Text(chunk) => chunk.append_to_row_group(group),
            Chunk::Other(chunk) => chunk.append_to_row_group(group),
        }
    }
}

/// A row group to be encoded.
struct RowGroup<'a> {
    schema: &'a Schema,
    properties: &'a WriterProperties,
    rows: &'a OrderedRows,
    /// The maps whose key sets follow the columns of the rows.
    of_maps: &'a [usize],
    range: Range<usize>,
}

impl RowGroup<'_> {
    fn encode(
        &self,
        file: &SerializedFileWriter<Vec<u8>>,
        factory: &ArrowRowGroupWriterFactory,
    ) -> Result<Vec<Chunk>> {
        let columns = self.schema.fields().len();
        let mut jobs: Vec<Job> =
            (0..columns).map(|column| Job { column, leaves: Vec::new() }).collect();
        let writers = factory.create_column_writers(file.flushed_row_groups().len())?;
        for (leaf, writer) in writers.into_iter().enumerate() {
            if let Some(job) = jobs.get_mut(file.schema_descr().get_column_root_idx(leaf)) {
                job.leaves.push((file.schema_descr().column(leaf), writer));
            }
        }
        // The largest first: all threads would wait for one that is begun last.
        jobs.sort_by_cached_key(|job| Reverse(self.rows.bytes(job.column)));
        let jobs = Mutex::new(jobs.into_iter());
        let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<Vec<(usize, Vec<Chunk>)>> {
            let mut compressor = PageCompressor::new()?;
            let mut done = Vec::new();
            while let Some(job) = next() {
                done.push((job.column, self.encode_column(job, &mut compressor)?));
            }
            Ok(done)
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
        let mut done = Vec::with_capacity(columns);
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            done.extend(work()?);
            for other in others {
                let ended = |_| ParquetError::General("a thread that encoded columns ended".into());
                done.extend(other.join().map_err(ended)??);
            }
            Ok::<(), ParquetError>(())
        })?;
        done.sort_unstable_by_key(|(column, _)| *column);
        Ok(done.into_iter().flat_map(|(_, chunks)| chunks).collect())
    }

    fn encode_column(&self, job: Job, compressor: &mut PageCompressor) -> Result<Vec<Chunk>> {
        let leaves = self.texts(&job)?;
        if leaves.is_empty() {
            return self.encode_others(job);
        }
        let chunk = |(leaf, (column, _)): (TextLeaf<'_>, &(ColumnDescPtr, ArrowColumnWriter))| {
            text_chunk::encode(&leaf, column, self.properties, compressor).map(Chunk::Text)
        };
        leaves.into_iter().zip(&job.leaves).map(chunk).collect()
    }

    /// The leaves of a column, if these are texts that repeat.
    fn texts(&self, job: &Job) -> Result<Vec<TextLeaf<'_>>> {
        let batches = &*self.rows.batches;
        let order = self.rows.order.get(self.range.clone()).unwrap_or_default();
        let columns = batches.first().map_or(&[] as &[ArrayRef], RecordBatch::columns);
        let Some(data_type) = columns.get(job.column).map(Array::data_type) else {
            return Ok(Vec::new());
        };
        let is_plain = |(column, _): &(ColumnDescPtr, ArrowColumnWriter)| {
            self.properties.encoding(column.path()).is_none()
        };
        if !job.leaves.iter().all(is_plain) {
            return Ok(Vec::new());
        }
        if text_leaf::is_text(data_type) {
            return Ok(vec![text_leaf::flat(batches, job.column, order)?]);
        }
        if text_leaf::is_map_of_texts(data_type) {
            return Ok(text_leaf::map(batches, job.column, order)?.into());
        }
        Ok(Vec::new())
    }

    fn encode_others(&self, job: Job) -> Result<Vec<Chunk>> {
        let Job { column, mut leaves } = job;
        for range in ranges(self.range.clone(), ORDERED_ROWS) {
            let field = self.schema.field(column);
            let values = compute_leaves(field, &self.ordered(column, range)?)?;
            for ((_, writer), values) in leaves.iter_mut().zip(values) {
                writer.write(&values)?;
            }
        }
        leaves.into_iter().map(|(_, writer)| writer.close().map(Chunk::Other)).collect()
    }

    /// The values of a column in the rows of `range`, in order.
    fn ordered(&self, column: usize, range: Range<usize>) -> Result<ArrayRef> {
        let of_rows = self.schema.fields().len() - self.of_maps.len();
        match column.checked_sub(of_rows).and_then(|key_set| self.of_maps.get(key_set)) {
            Some(map) => Ok(key_sets(&self.rows.column(*map, range)?)),
            None => self.rows.column(column, range),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, AsArray, DictionaryArray, MapBuilder, RecordBatch, StringArray, StringBuilder,
        TimestampMicrosecondArray,
    };
    use arrow::compute::{cast, interleave_record_batch};
    use arrow::datatypes::{DataType, Field, Int32Type, Schema, TimeUnit};
    use bytes::Bytes;
    use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
    use parquet::bloom_filter::Sbbf;
    use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
    use parquet::file::page_index::column_index::ColumnIndexMetaData;
    use proptest::prelude::{ProptestConfig, any, prop, proptest};

    use super::{OrderedRows, encode};
    use crate::data_file;

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    /// Rows with these event times, which also number their names.
    fn batch(times: &[i64]) -> RecordBatch {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("eventTime", time, true),
            Field::new("eventName", DataType::Utf8, true),
        ]));
        let names: StringArray =
            times.iter().map(|time| NAMES.get(usize::try_from(*time).unwrap())).collect();
        let times = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
        RecordBatch::try_new(schema, vec![Arc::new(times), Arc::new(names)]).unwrap()
    }

    /// One event: place of its time, texts of the columns and entries of the map.
    type Row = (i64, Option<String>, Option<String>, Option<Vec<(String, Option<String>)>>);

    fn texts_of(rows: &[Row]) -> RecordBatch {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for (.., map) in rows {
            for (key, value) in map.iter().flatten() {
                maps.keys().append_value(key);
                maps.values().append_option(value.as_ref());
            }
            maps.append(map.is_some()).unwrap();
        }
        let maps = maps.finish();
        let repeated: DictionaryArray<Int32Type> =
            rows.iter().map(|(_, _, text, _)| text.as_deref()).collect();
        let schema = Arc::new(Schema::new(vec![
            Field::new("eventTime", time, true),
            Field::new("eventName", DataType::Utf8, true),
            Field::new("eventJson_template", repeated.data_type().clone(), true),
            Field::new("requestParameters", maps.data_type().clone(), true),
        ]));
        let times: Vec<i64> = rows.iter().map(|(time, ..)| *time).collect();
        let names: StringArray = rows.iter().map(|(_, name, ..)| name.as_deref()).collect();
        RecordBatch::try_new(
            schema,
            vec![
                Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")),
                Arc::new(names),
                Arc::new(repeated),
                Arc::new(maps),
            ],
        )
        .unwrap()
    }

    fn read(content: &Bytes) -> (Vec<RecordBatch>, Arc<ParquetMetaData>) {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let reader =
            ParquetRecordBatchReaderBuilder::try_new_with_options(content.clone(), options)
                .unwrap();
        let metadata = Arc::clone(reader.metadata());
        let rows = reader.with_batch_size(1 << 20).build().unwrap();
        (rows.map(Result::unwrap).collect(), metadata)
    }

    /// That what the file says of each page is so, and that its filter has each text.
    fn check_pages(content: &Bytes, metadata: &ParquetMetaData, leaf: usize, rows: &StringArray) {
        let chunk = metadata.row_group(0).column(leaf);
        let nulls = chunk.statistics().unwrap().null_count_opt().unwrap();
        assert_eq!(nulls, rows.null_count() as u64);
        let filter = Sbbf::read_from_column_chunk(chunk, content).unwrap();
        let index = &metadata.column_index().unwrap()[0][leaf];
        let ColumnIndexMetaData::BYTE_ARRAY(index) = index else { panic!("no column index") };
        let pages = metadata.offset_index().unwrap()[0][leaf].page_locations();
        let starts: Vec<usize> =
            pages.iter().map(|page| usize::try_from(page.first_row_index).unwrap()).collect();
        for (page, start) in starts.iter().enumerate() {
            let end = starts.get(page + 1).copied().unwrap_or(rows.len());
            let texts = rows.slice(*start, end - start);
            assert_eq!(index.is_null_page(page), texts.null_count() == texts.len());
            for text in texts.iter().flatten() {
                assert!(index.min_value(page).unwrap() <= text.as_bytes());
                assert!(index.max_value(page).unwrap() >= text.as_bytes());
                assert!(chunk.statistics().unwrap().min_bytes_opt().unwrap() <= text.as_bytes());
                assert!(chunk.statistics().unwrap().max_bytes_opt().unwrap() >= text.as_bytes());
                assert!(filter.as_ref().is_none_or(|filter| filter.check(text)));
            }
        }
    }

    /// Encodes rows in an order, and finds the same in the file as in one of Parquet's own writer.
    fn check(batches: Vec<RecordBatch>, order: Vec<(usize, usize)>) {
        let references: Vec<&RecordBatch> = batches.iter().collect();
        let whole = interleave_record_batch(&references, &order).unwrap();
        let (expected, reference) =
            data_file::encode("s", &whole.schema(), 197_001, std::slice::from_ref(&whole)).unwrap();
        let rows = OrderedRows { batches: batches.into(), order };
        let (file, content) = encode("s", 197_001, &rows).unwrap();
        assert_eq!((file.rows(), &file.event_times), (expected.rows(), &expected.event_times));
        assert_eq!(file.statistics, expected.statistics);
        let (found, metadata) = read(&content);
        let (expected, _) = read(&reference);
        assert_eq!(found, expected);
        check_pages(&content, &metadata, 1, whole.column(1).as_string());
        let templates = cast(whole.column(2), &DataType::Utf8).unwrap();
        assert_eq!(found[0].column(2), &templates);
        let maps = whole.column(3).as_map();
        let leaves = metadata.row_group(0).columns();
        // The map's keys and values, and its hidden set of keys.
        assert_eq!(leaves.len(), 6);
        let slots: i64 = (0..maps.len()).map(|row| i64::from(maps.value_length(row).max(1))).sum();
        assert_eq!(leaves[4].num_values(), slots);
    }

    #[test]
    fn rows_come_back_in_order_whatever_their_texts() {
        let long = "\u{e9}".repeat(90);
        let map = |entries: &[(&str, Option<&str>)]| {
            let own = |(key, value): &(&str, Option<&str>)| {
                ((*key).to_owned(), value.map(ToOwned::to_owned))
            };
            Some(entries.iter().map(own).collect())
        };
        let rows: Vec<Row> = vec![
            (5, Some("b".into()), Some("{}".into()), map(&[("k", None), ("l", Some("1"))])),
            (1, None, None, None),
            (2, Some(long.clone()), Some("{}".into()), map(&[])),
            (3, Some(String::new()), None, map(&[("k", Some("2"))])),
            (4, Some(format!("{}\u{7f}\u{7f}", "x".repeat(63))), Some(long), map(&[])),
        ];
        let order = vec![(1, 4), (0, 0), (1, 1), (0, 2), (0, 0), (1, 3), (0, 1)];
        check(vec![texts_of(&rows), texts_of(&rows)], order);
        // Nothing but nulls.
        let none: Vec<Row> = vec![(1, None, None, None); 3];
        check(vec![texts_of(&none)], vec![(0, 2), (0, 0)]);
    }

    #[test]
    fn pages_end_at_their_limit_of_rows_and_of_bytes() {
        let row = |n: i64| {
            let text = Some(format!("{n:0>2500}"));
            (n, Some(format!("{}", n % 7)), text.clone(), Some(vec![("key".to_owned(), text); 2]))
        };
        // So many different texts that the dictionaries are left out.
        let rows: Vec<Row> = (0..9_000).map(row).collect();
        let order = (0..9_000).rev().map(|row| (0, row)).collect();
        check(vec![texts_of(&rows)], order);
    }

    proptest! {
        // Each case encodes twice.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_rows_come_back(
            rows in prop::collection::vec(
                (
                    0_i64..1000,
                    prop::option::of("[ab\u{e9}\u{10ffff}\u{0}]{0,3}|[a-z\u{7f}\u{e9}]{60,70}"),
                    prop::option::of("[ab]{0,2}"),
                    prop::option::of(prop::collection::vec(
                        ("[ab]{0,2}", prop::option::of("[0-9]{0,3}")),
                        0..4,
                    )),
                ),
                1..40,
            ),
            order in prop::collection::vec((0_usize..2, any::<prop::sample::Index>()), 1..80),
        ) {
            let batches = vec![texts_of(&rows), texts_of(&rows[..rows.len().div_ceil(2)])];
            let order = order
                .into_iter()
                .map(|(batch, row)| (batch, row.index(batches[batch].num_rows())))
                .collect();
            check(batches, order);
        }
    }

    #[test]
    fn rows_that_no_batch_has_and_no_rows_are_refused() {
        for order in [vec![(0, 1)], vec![(1, 0)], vec![]] {
            let rows = OrderedRows { batches: [batch(&[0])].into(), order };
            assert!(encode("s", 197_001, &rows).is_err());
        }
        let rows = OrderedRows { batches: [batch(&[0])].into(), order: vec![(0, 0)] };
        assert!(encode("s", 197_002, &rows).is_err());
    }
}
