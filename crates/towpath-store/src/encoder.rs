//! Rows to the bytes of a data file, batch by batch, with what its commit says about it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimestampMicrosecondType};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use parquet::arrow::ArrowWriter;
use serde_json::{Map, Value, json};

use crate::data_file::{
    DATA_FILE_BYTES_MAX, DATA_FILE_ROWS_MAX, NewDataFile, STATISTICS_COLUMNS, is_event_time,
    sha256_hex,
};
use crate::error::{Error, Result};
use crate::key_sets::{add_key_sets, with_key_sets};
use crate::layout::{self, EVENT_TIME_COLUMN};
use crate::parquet_layout::{Lasting, writer_properties};
use crate::time::calendarmonth;

/// A longest or shortest string is left out of the statistics when it is longer than this, which
/// a name of CloudTrail's never is: cutting the greatest would need care, and is not worth it.
const STATISTICS_STRING_BYTES_MAX: usize = 64;

/// Encodes rows, in the order they come, as one data file of a month. Takes CPU, does no I/O.
pub(crate) struct Encoder {
    facts: Facts,
    writer: ArrowWriter<Vec<u8>>,
}

impl Encoder {
    pub(crate) fn new(
        store: &str,
        schema: &SchemaRef,
        calendarmonth: i64,
        lasting: Lasting,
    ) -> Result<Encoder> {
        Encoder::with_room(store, schema, calendarmonth, lasting, 0)
    }

    /// An encoder with room for a data file of some `bytes`, which a larger one outgrows: growing
    /// takes as much memory again.
    pub(crate) fn with_room(
        store: &str,
        schema: &SchemaRef,
        calendarmonth: i64,
        lasting: Lasting,
        bytes: usize,
    ) -> Result<Encoder> {
        let (sink, stored) = (Vec::with_capacity(bytes), with_key_sets(&stored_schema(schema)));
        let writer = ArrowWriter::try_new(sink, stored, Some(writer_properties(lasting)))
            .map_err(|source| Error::Encode { source })?;
        Ok(Encoder { facts: Facts::new(store, schema, calendarmonth), writer })
    }

    /// Takes rows in.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRows`] if not all of them are of the month; [`Error::AppendTooLarge`].
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.facts.add(batch)?;
        let failed = |source| Error::Encode { source };
        let batch = add_key_sets(batch).map_err(|error| failed(error.into()))?;
        self.writer.write(&batch).map_err(failed)?;
        check_bytes((self.writer.bytes_written() + self.writer.in_progress_size()) as u64)
    }

    /// The data file and its bytes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRows`] if there are no rows; [`Error::AppendTooLarge`].
    pub(crate) fn finish(self) -> Result<(NewDataFile, Bytes)> {
        if self.facts.rows == 0 {
            return Err(self.facts.invalid("there are none".to_owned()));
        }
        let content = self.writer.into_inner().map_err(|source| Error::Encode { source })?;
        self.facts.data_file(content)
    }
}

/// `schema` without dictionaries, which are only a form that rows have in memory.
pub(crate) fn stored_schema(schema: &Schema) -> SchemaRef {
    let stored = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, value) => {
            Arc::new(field.as_ref().clone().with_data_type(value.as_ref().clone()))
        }
        _ => Arc::clone(field),
    };
    let fields: Fields = schema.fields().iter().map(stored).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// What the commit of a data file says about its rows.
pub(crate) struct Facts {
    store: String,
    calendarmonth: i64,
    rows: u64,
    /// The least and the greatest event time so far.
    event_times: Option<(i64, i64)>,
    statistics: Vec<(&'static str, Statistics)>,
}

impl Facts {
    pub(crate) fn new(store: &str, schema: &Schema, calendarmonth: i64) -> Facts {
        Facts {
            store: store.to_owned(),
            calendarmonth,
            rows: 0,
            event_times: None,
            statistics: STATISTICS_COLUMNS
                .iter()
                .filter_map(|name| {
                    let field = schema.field_with_name(name).ok()?;
                    Some((*name, Statistics::of(field.data_type())?))
                })
                .collect(),
        }
    }

    /// Takes note of rows, of which only [`STATISTICS_COLUMNS`] need to be there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRows`] if there are none or not all of them are of the month;
    /// [`Error::AppendTooLarge`].
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let (least, greatest) = self.times(batch).map_err(|reason| self.invalid(reason))?;
        let times = self.event_times;
        let times = times.map_or((least, greatest), |(a, b)| (a.min(least), b.max(greatest)));
        self.event_times = Some(times);
        self.rows += batch.num_rows() as u64;
        if self.rows > DATA_FILE_ROWS_MAX {
            let what = "the number of rows of a data file";
            return Err(Error::AppendTooLarge { what, found: self.rows, max: DATA_FILE_ROWS_MAX });
        }
        for (name, statistics) in &mut self.statistics {
            if let Some(column) = batch.column_by_name(name) {
                statistics.add(column);
            }
        }
        Ok(())
    }

    /// The data file with the rows so far, whose bytes are `content`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRows`] if there are no rows; [`Error::AppendTooLarge`].
    pub(crate) fn data_file(self, content: Vec<u8>) -> Result<(NewDataFile, Bytes)> {
        let Some(event_times) = self.event_times else {
            return Err(self.invalid("there are none".to_owned()));
        };
        let statistics = statistics_json(self.rows, &self.statistics).to_string();
        check_bytes(content.len() as u64)?;
        let file = NewDataFile {
            path: layout::new_data_file(self.calendarmonth),
            bytes: content.len() as u64,
            rows: self.rows,
            event_times,
            calendarmonth: self.calendarmonth,
            sha256: sha256_hex(&content),
            statistics,
        };
        Ok((file, content.into()))
    }

    fn invalid(&self, reason: String) -> Error {
        Error::InvalidRows { store: self.store.clone(), reason }
    }

    /// The least and the greatest event time of rows that are all of the month.
    fn times(&self, batch: &RecordBatch) -> Result<(i64, i64), String> {
        let times = batch
            .column_by_name(EVENT_TIME_COLUMN)
            .filter(|times| is_event_time(times.data_type()))
            .ok_or_else(|| format!("there is no column `{EVENT_TIME_COLUMN}` in UTC microseconds"))?
            .as_primitive::<TimestampMicrosecondType>();
        if times.null_count() > 0 {
            return Err(format!("`{EVENT_TIME_COLUMN}` is NULL in some of them"));
        }
        let span = min(times).zip(max(times)).ok_or("there are none")?;
        let month = Some(self.calendarmonth);
        if (calendarmonth(span.0), calendarmonth(span.1)) != (month, month) {
            return Err(format!("not all of them are of the month {}", self.calendarmonth));
        }
        Ok(span)
    }
}

pub(crate) fn check_bytes(found: u64) -> Result<()> {
    if found <= DATA_FILE_BYTES_MAX {
        return Ok(());
    }
    let what = "the number of bytes of a data file";
    Err(Error::AppendTooLarge { what, found, max: DATA_FILE_BYTES_MAX })
}

/// What Delta's log says about one column of a data file.
struct Statistics {
    nulls: usize,
    bounds: Bounds,
}

enum Bounds {
    Text { least: Option<String>, greatest: Option<String> },
    Micros { least: Option<i64>, greatest: Option<i64> },
}

impl Statistics {
    /// `None` for a type they are not kept of.
    fn of(data_type: &DataType) -> Option<Statistics> {
        let bounds = match data_type {
            DataType::Utf8 => Bounds::Text { least: None, greatest: None },
            time if is_event_time(time) => Bounds::Micros { least: None, greatest: None },
            _ => return None,
        };
        Some(Statistics { nulls: 0, bounds })
    }

    fn add(&mut self, column: &ArrayRef) {
        self.nulls += column.null_count();
        match &mut self.bounds {
            Bounds::Text { least, greatest } => {
                let Some(column) = column.as_string_opt::<i32>() else { return };
                if let Some(found) = min_string(column)
                    && least.as_deref().is_none_or(|least| found < least)
                {
                    *least = Some(found.to_owned());
                }
                if let Some(found) = max_string(column)
                    && greatest.as_deref().is_none_or(|greatest| found > greatest)
                {
                    *greatest = Some(found.to_owned());
                }
            }
            Bounds::Micros { least, greatest } => {
                let Some(column) = column.as_primitive_opt::<TimestampMicrosecondType>() else {
                    return;
                };
                *least = [*least, min(column)].into_iter().flatten().min();
                *greatest = [*greatest, max(column)].into_iter().flatten().max();
            }
        }
    }

    /// The least and the greatest value as Delta writes them.
    fn texts(&self) -> (Option<String>, Option<String>) {
        match &self.bounds {
            Bounds::Text { least, greatest } => {
                let short = |text: &String| text.len() <= STATISTICS_STRING_BYTES_MAX;
                (least.clone().filter(short), greatest.clone().filter(short))
            }
            // Delta's text has milliseconds: rounded up, so that it never is below the value.
            Bounds::Micros { least, greatest } => (
                least.and_then(|micros| millis_text(micros.div_euclid(1000))),
                greatest.and_then(|micros| millis_text(micros.checked_add(999)?.div_euclid(1000))),
            ),
        }
    }
}

/// Delta's statistics of the rows, as the JSON that its log holds.
fn statistics_json(rows: u64, columns: &[(&'static str, Statistics)]) -> Value {
    let (mut min_values, mut max_values, mut null_counts) = (Map::new(), Map::new(), Map::new());
    for (name, statistics) in columns {
        let (least, greatest) = statistics.texts();
        null_counts.insert((*name).to_owned(), statistics.nulls.into());
        if let Some(least) = least {
            min_values.insert((*name).to_owned(), least.into());
        }
        if let Some(greatest) = greatest {
            max_values.insert((*name).to_owned(), greatest.into());
        }
    }
    json!({
        "numRecords": rows,
        "minValues": min_values,
        "maxValues": max_values,
        "nullCount": null_counts,
    })
}

fn millis_text(millis: i64) -> Option<String> {
    Some(DateTime::from_timestamp_millis(millis)?.to_rfc3339_opts(SecondsFormat::Millis, true))
}
