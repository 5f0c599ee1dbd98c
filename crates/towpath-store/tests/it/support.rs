//! Lakes, rows and clocks for the tests.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::path::Path;
use tempfile::TempDir;
use towpath_store::{
    Append, Catalog, EventDataStore, Location, NewStore, Result, Retention, Source, Writer,
};
use url::Url;

/// The month of [`micros`].
pub(crate) const MONTH: i64 = 202_401;

/// Longer than any test waits for a writer that is alive.
pub(crate) const WAIT: Duration = Duration::from_secs(60);

/// 2024-01-10T00:00:00Z and `seconds` more, in microseconds.
pub(crate) fn micros(seconds: i64) -> i64 {
    (1_704_844_800 + seconds) * 1_000_000
}

/// The time that the tests say it is: 2024-02-01.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_706_745_600, 0).unwrap()
}

pub(crate) fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("eventTime", time, true),
        Field::new("eventName", DataType::Utf8, true),
        Field::new("eventID", DataType::Utf8, true),
    ]))
}

/// One row per id, a second apart.
pub(crate) fn rows(ids: &[&str]) -> RecordBatch {
    rows_from(0, ids)
}

pub(crate) fn rows_from(seconds: i64, ids: &[&str]) -> RecordBatch {
    let times = (seconds..).take(ids.len()).map(micros);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
        Arc::new(StringArray::from(vec!["DeleteBucket"; ids.len()])),
        Arc::new(StringArray::from(ids.to_vec())),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

pub(crate) fn source(key: &str, stored: u64) -> Source {
    Source {
        key: key.to_owned(),
        size: 100 + stored,
        sha256: towpath_store::sha256_hex(key.as_bytes()),
        events: stored,
        stored,
        ..Source::default()
    }
}

pub(crate) fn new_store(name: &str) -> NewStore {
    NewStore {
        name: name.into(),
        id: None,
        retention: Retention::default(),
        schema: schema(),
        attributes: BTreeMap::new(),
        termination_protection: false,
    }
}

/// A lake in a folder that goes away with the first part.
pub(crate) async fn local_lake() -> (TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let catalog = open_or_create(folder.path()).await;
    (folder, catalog)
}

pub(crate) async fn open_or_create(folder: &FilePath) -> Catalog {
    Catalog::create(Location::local(folder).unwrap(), now()).await.unwrap()
}

/// A lake at a prefix of an object store, as on a bucket.
pub(crate) fn bucket(objects: &Arc<dyn ObjectStore>) -> Location {
    let url = Url::parse("s3://test/lake").unwrap();
    Location::with_store(url, Arc::clone(objects), Path::from("some/lake"))
}

pub(crate) async fn local_store() -> (TempDir, Catalog, EventDataStore) {
    let (folder, catalog) = local_lake().await;
    let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
    (folder, catalog, store)
}

pub(crate) async fn writer(store: &EventDataStore) -> Result<Writer> {
    store.writer(now(), WAIT).await
}

/// Appends the rows as one data file, from a log file named after the first id.
pub(crate) async fn append(store: &EventDataStore, ids: &[&str]) -> Result<u64> {
    append_within(WAIT, store, ids).await
}

pub(crate) async fn append_within(
    wait_max: Duration,
    store: &EventDataStore,
    ids: &[&str],
) -> Result<u64> {
    let writer = store.writer(now(), wait_max).await?;
    let file = writer.write_data_file(MONTH, &[rows(ids)]).await?;
    let sources = vec![source(ids.first().unwrap_or(&"none"), ids.len() as u64)];
    writer.commit(Append { data_files: vec![file], sources }, now()).await
}

/// The folder of the store inside the folder of the lake.
pub(crate) fn store_folder(lake: &TempDir, store: &EventDataStore) -> std::path::PathBuf {
    lake.path().join("stores").join(store.id().to_string())
}
