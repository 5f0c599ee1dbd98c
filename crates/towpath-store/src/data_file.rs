//! A data file: rows of one month as Parquet, with its SHA-256 and the statistics Delta keeps.

use std::collections::HashMap;
use std::fmt::Write as _;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use deltalake::kernel::{Add, Remove};
use object_store::path::Path;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::commit::CommittedFile;
use crate::encoder::Encoder;
use crate::error::Result;
use crate::layout::{EVENT_TIME_COLUMN, PARTITION_COLUMN};
use crate::parquet_layout::Lasting;
use crate::time::TimeRange;

/// Rows in one data file, at most: sixteen row groups, some 250 MB of CloudTrail events.
///
/// It is built in memory, so this and [`DATA_FILE_BYTES_MAX`] bound a writer's memory.
pub const DATA_FILE_ROWS_MAX: u64 = 2_097_152;

/// Bytes of one data file, at most. One PUT carries it.
pub const DATA_FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The columns that Delta's statistics of a data file cover, where the schema has them.
///
/// Fewer is better: the statistics of every file are in memory while a store is open.
pub(crate) const STATISTICS_COLUMNS: &[&str] =
    &[EVENT_TIME_COLUMN, "eventSource", "eventName", "awsRegion", "recipientAccountId"];

/// Keys of `Add.tags`.
const TAG_SHA256: &str = "towpath.sha256";
const TAG_EVENT_TIME_MIN: &str = "towpath.eventTimeMinMicros";
const TAG_EVENT_TIME_MAX: &str = "towpath.eventTimeMaxMicros";

/// A data file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is, from the root of the lake's object store ([`crate::Location::store`]).
    pub path: Path,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// Its least and greatest `eventTime`, in microseconds since 1970 UTC.
    ///
    /// Of a data file that another program added, every time there is.
    pub event_times: (i64, i64),
    /// The month that all its events are of, YYYYMM.
    pub calendarmonth: i64,
    /// SHA-256 of its bytes in lower-case hexadecimal; empty if another program added it.
    pub sha256: String,
}

impl DataFile {
    /// Whether this program wrote it, so that its SHA-256 and its event times are known.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !self.sha256.is_empty()
    }

    /// The action that takes it out of the table; `data_change` says whether its rows go too.
    ///
    /// `within` is its path from the root of the store.
    pub(crate) fn remove(&self, within: &str, data_change: bool, now: DateTime<Utc>) -> Remove {
        Remove {
            path: within.to_owned(),
            data_change,
            deletion_timestamp: Some(now.timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(HashMap::from([(
                PARTITION_COLUMN.to_owned(),
                Some(self.calendarmonth.to_string()),
            )])),
            size: i64::try_from(self.size_bytes).ok(),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        }
    }

    /// What a commit records of it when it takes it out.
    pub(crate) fn committed(&self, within: &str) -> CommittedFile {
        CommittedFile {
            path: within.to_owned(),
            sha256: self.sha256.clone(),
            bytes: self.size_bytes,
            rows: self.rows,
        }
    }

    /// Whether it may hold an event inside `range`.
    #[must_use]
    pub fn may_hold(&self, range: TimeRange) -> bool {
        range.overlaps(self.event_times)
    }
}

/// A data file that is written, but in no commit yet.
///
/// Dropping it leaves a file behind that no snapshot shows: harmless, but for its space.
#[derive(Clone, Debug)]
pub struct NewDataFile {
    /// Where it is, from the root of the store.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) event_times: (i64, i64),
    pub(crate) calendarmonth: i64,
    pub(crate) sha256: String,
    pub(crate) statistics: String,
}

impl NewDataFile {
    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.bytes
    }

    /// The action that adds it to the table; `data_change` says whether its rows are new there.
    pub(crate) fn add(&self, data_change: bool, now: DateTime<Utc>) -> Add {
        let (min, max) = self.event_times;
        let tag = |key: &str, value: String| (key.to_owned(), Some(value));
        Add {
            path: self.path.clone(),
            partition_values: HashMap::from([(
                PARTITION_COLUMN.to_owned(),
                Some(self.calendarmonth.to_string()),
            )]),
            size: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            modification_time: now.timestamp_millis(),
            data_change,
            stats: Some(self.statistics.clone()),
            tags: Some(HashMap::from([
                tag(TAG_SHA256, self.sha256.clone()),
                tag(TAG_EVENT_TIME_MIN, min.to_string()),
                tag(TAG_EVENT_TIME_MAX, max.to_string()),
            ])),
            ..Add::default()
        }
    }

    pub(crate) fn committed(&self) -> CommittedFile {
        CommittedFile {
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            bytes: self.bytes,
            rows: self.rows,
        }
    }
}

/// What the table says of a data file, apart from where it is.
pub(crate) fn data_file(path: Path, add: &Add) -> Result<DataFile, String> {
    let tag = |key: &str| add.tags.as_ref()?.get(key)?.as_deref();
    let micros = |key: &str| tag(key)?.parse::<i64>().ok();
    let month = add.partition_values.get(PARTITION_COLUMN).and_then(Option::as_deref);
    let calendarmonth = month
        .and_then(|month| month.parse().ok())
        .ok_or_else(|| format!("data file `{path}` has no {PARTITION_COLUMN}"))?;
    let rows = add
        .stats
        .as_deref()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .and_then(|statistics| statistics.get("numRecords")?.as_u64())
        .ok_or_else(|| format!("data file `{path}` has no count of its rows"))?;
    let event_times =
        micros(TAG_EVENT_TIME_MIN).zip(micros(TAG_EVENT_TIME_MAX)).unwrap_or((i64::MIN, i64::MAX));
    Ok(DataFile {
        path,
        size_bytes: u64::try_from(add.size).unwrap_or(0),
        rows,
        event_times,
        calendarmonth,
        sha256: tag(TAG_SHA256).unwrap_or_default().to_owned(),
    })
}

/// Encodes rows, in the order given, as one data file of the month. Takes CPU, does no I/O.
pub(crate) fn encode(
    store: &str,
    schema: &SchemaRef,
    calendarmonth: i64,
    batches: &[RecordBatch],
) -> Result<(NewDataFile, Bytes)> {
    let mut encoder = Encoder::new(store, schema, calendarmonth, Lasting::Fresh)?;
    batches.iter().try_for_each(|batch| encoder.write(batch))?;
    encoder.finish()
}

pub(crate) fn is_event_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC")
}

/// SHA-256 of `content` in lower-case hexadecimal, as this crate writes it everywhere.
#[must_use]
pub fn sha256_hex(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{encode, sha256_hex};
    use crate::time::TimeRange;
    use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use chrono::DateTime;
    use object_store::path::Path;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn batch(times: Vec<Option<i64>>, names: Vec<Option<&str>>) -> RecordBatch {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("eventTime", time, true),
            Field::new("eventName", DataType::Utf8, true),
        ]));
        let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
        RecordBatch::try_new(schema, vec![Arc::new(times), Arc::new(StringArray::from(names))])
            .unwrap()
    }

    fn micros(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    #[test]
    fn statistics_never_exclude_a_row() {
        let (least, greatest) =
            (micros("2023-07-10T12:00:00.123456Z"), micros("2023-07-31T23:59:59.000001Z"));
        let batches =
            [batch(vec![Some(greatest)], vec![None]), batch(vec![Some(least)], vec![Some("Get")])];

        let (file, content) = encode("s", &batches[0].schema(), 202_307, &batches).unwrap();

        assert_eq!(file.event_times, (least, greatest));
        assert_eq!(file.sha256, sha256_hex(&content));
        let statistics: Value = serde_json::from_str(&file.statistics).unwrap();
        let expected = json!({
            "numRecords": 2,
            "minValues": {"eventTime": "2023-07-10T12:00:00.123Z", "eventName": "Get"},
            "maxValues": {"eventTime": "2023-07-31T23:59:59.001Z", "eventName": "Get"},
            "nullCount": {"eventTime": 0, "eventName": 1},
        });
        assert_eq!(statistics, expected);
    }

    #[test]
    fn long_text_has_no_statistics_but_a_count() {
        let long = "x".repeat(100);
        let batches = [batch(vec![Some(0)], vec![Some(&long)])];
        let (file, _) = encode("s", &batches[0].schema(), 197_001, &batches).unwrap();
        let statistics: Value = serde_json::from_str(&file.statistics).unwrap();
        assert_eq!(statistics["minValues"].get("eventName"), None);
        assert_eq!(statistics["nullCount"]["eventName"], 0);
    }

    #[test]
    fn rows_of_another_month_or_without_a_time_are_refused() {
        let july = micros("2023-07-31T23:59:59.999999Z");
        for (times, reason) in [
            (vec![Some(july), Some(july + 1)], "not all of them are of the month 202307"),
            (vec![Some(july), None], "`eventTime` is NULL in some of them"),
            (vec![], "there are none"),
        ] {
            let batches = [batch(times.clone(), times.iter().map(|_| None).collect())];
            let err = encode("s", &batches[0].schema(), 202_307, &batches).unwrap_err();
            assert!(err.to_string().ends_with(reason), "{err}");
        }
    }

    #[test]
    fn sha256_is_lower_case_hexadecimal() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    proptest! {
        #[test]
        fn file_that_holds_an_event_of_a_range_is_never_left_out(
            // All of January 2024, in microseconds.
            times in prop::collection::vec(1_704_067_200_000_000_i64..1_706_745_600_000_000, 1..40),
            event in any::<prop::sample::Index>(),
            before in 0_i64..10_000_000,
            after in 1_i64..10_000_000,
        ) {
            let batches: Vec<RecordBatch> =
                times.chunks(7).map(|times| {
                    batch(times.iter().copied().map(Some).collect(), vec![None; times.len()])
                }).collect();
            let (file, _) = encode("s", &batches[0].schema(), 202_401, &batches).unwrap();
            let time = *event.get(&times);
            let range = TimeRange::new(time - before, time + after).unwrap();

            let now = DateTime::UNIX_EPOCH;
            let read = super::data_file(Path::from("x"), &file.add(true, now)).unwrap();
            prop_assert!(read.may_hold(range));
            prop_assert_eq!(read.rows, times.len() as u64);

            // Another reader only has Delta's statistics.
            let statistics: Value = serde_json::from_str(&file.statistics).unwrap();
            let micros = |key: &str| micros(statistics[key]["eventTime"].as_str().unwrap());
            prop_assert!(micros("minValues") <= time && time <= micros("maxValues"));
        }
    }
}
