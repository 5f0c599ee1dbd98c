//! Rows that have yet to be put in order to a data file, column by column on several threads.
//!
//! Some rows of a column are put in order, encoded and dropped before the next, so no copy of all
//! rows is ever made: what is in memory beside the rows are the encoded bytes.

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
use parquet::file::writer::SerializedFileWriter;

use crate::data_file::{NewDataFile, STATISTICS_COLUMNS};
use crate::encoder::{Facts, check_bytes, stored_schema};
use crate::error::Error;
use crate::parquet_layout::{ROW_GROUP_ROWS, writer_properties};

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
    let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(writer_properties()))?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    for range in ranges(0..rows.order.len(), ROW_GROUP_ROWS) {
        let chunks = encode_row_group(&file, &factory, schema, rows, range)?;
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

/// A column to be encoded: its number among the columns, and a writer for each of its leaves.
struct Job {
    column: usize,
    leaves: Vec<ArrowColumnWriter>,
}

fn encode_row_group(
    file: &SerializedFileWriter<Vec<u8>>,
    factory: &ArrowRowGroupWriterFactory,
    schema: &Schema,
    rows: &OrderedRows,
    range: Range<usize>,
) -> Result<Vec<ArrowColumnChunk>> {
    let mut jobs: Vec<Job> =
        (0..schema.fields().len()).map(|column| Job { column, leaves: Vec::new() }).collect();
    let writers = factory.create_column_writers(file.flushed_row_groups().len())?;
    for (leaf, writer) in writers.into_iter().enumerate() {
        if let Some(job) = jobs.get_mut(file.schema_descr().get_column_root_idx(leaf)) {
            job.leaves.push(writer);
        }
    }
    let jobs = Mutex::new(jobs.into_iter());
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<Vec<(usize, Vec<ArrowColumnChunk>)>> {
        let mut done = Vec::new();
        while let Some(job) = next() {
            done.push((job.column, encode_column(job, schema, rows, range.clone())?));
        }
        Ok(done)
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let mut done = Vec::with_capacity(schema.fields().len());
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

fn encode_column(
    job: Job,
    schema: &Schema,
    rows: &OrderedRows,
    range: Range<usize>,
) -> Result<Vec<ArrowColumnChunk>> {
    let Job { column, mut leaves } = job;
    for range in ranges(range, ORDERED_ROWS) {
        let values = compute_leaves(schema.field(column), &rows.column(column, range)?)?;
        for (writer, values) in leaves.iter_mut().zip(values) {
            writer.write(&values)?;
        }
    }
    leaves.into_iter().map(ArrowColumnWriter::close).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

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

    #[test]
    fn ordered_rows_make_the_same_file_as_rows_that_stand_in_that_order() {
        let batches = [batch(&[0, 9, 1]), batch(&[2, 3])].into();
        let order = vec![(1, 1), (0, 2), (0, 1), (1, 0)];
        let (ordered, content) = encode("s", 197_001, &OrderedRows { batches, order }).unwrap();
        let whole = batch(&[3, 1, 9, 2]);
        let (expected, whole) = data_file::encode("s", &whole.schema(), 197_001, &[whole]).unwrap();
        assert!(content == whole);
        assert_eq!((ordered.rows(), &ordered.event_times), (4, &expected.event_times));
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
