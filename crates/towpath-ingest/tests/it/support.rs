//! Stores, a clock and a look at what is stored.

use std::{collections::BTreeMap, path::Path as FilePath, sync::Arc};

use arrow::array::{AsArray, RecordBatch};
use chrono::{DateTime, Utc};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;
use towpath_event::{data_file_schema, event_texts};
use towpath_ingest::{Clock, IngestOptions, IngestReport, Result, ingest};
use towpath_store::{Catalog, EventDataStore, Location, NewStore, Retention, is_key_set};
use url::Url;

/// The time that the tests say it is.
pub(crate) const NOW: &str = "2024-06-01T00:00:00Z";

pub(crate) fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

pub(crate) fn clock_at(time: &str) -> Clock {
    let time = at(time);
    Arc::new(move || time)
}

/// A store in a lake of its own, in a folder that goes away with it.
pub(crate) struct LocalStore {
    pub(crate) folder: TempDir,
    pub(crate) store: EventDataStore,
}

pub(crate) async fn local_store() -> LocalStore {
    local_store_keeping(Retention::DAYS_DEFAULT).await
}

pub(crate) async fn local_store_keeping(days: u32) -> LocalStore {
    let folder = tempfile::tempdir().unwrap();
    let store = create_store(Location::local(folder.path()).unwrap(), days).await;
    LocalStore { folder, store }
}

pub(crate) async fn create_store(lake: Location, days: u32) -> EventDataStore {
    let catalog = Catalog::create(lake, at(NOW)).await.unwrap();
    let new = NewStore {
        name: "org-trail".into(),
        id: None,
        retention: Retention::days(days).unwrap(),
        schema: data_file_schema(),
        attributes: BTreeMap::new(),
        termination_protection: false,
    };
    catalog.create_store(new, at(NOW)).await.unwrap()
}

/// Opens the store of a lake as another process would.
pub(crate) async fn open_store(lake: Location) -> EventDataStore {
    Catalog::open(lake).await.unwrap().store("org-trail").await.unwrap()
}

/// A place in a bucket.
pub(crate) fn bucket(objects: &Arc<dyn ObjectStore>, prefix: &str) -> Location {
    let url = Url::parse(&format!("s3://trail-bucket/{prefix}")).unwrap();
    Location::with_store(url, Arc::clone(objects), Path::from(prefix))
}

pub(crate) async fn ingest_folder(store: &EventDataStore, source: &FilePath) -> IngestReport {
    ingest_with(store, source, &IngestOptions::default()).await.unwrap()
}

pub(crate) async fn ingest_with(
    store: &EventDataStore,
    source: &FilePath,
    options: &IngestOptions,
) -> Result<IngestReport> {
    let source = Location::local(source).unwrap();
    ingest_location(store, &source, options).await
}

pub(crate) async fn ingest_location(
    store: &EventDataStore,
    source: &Location,
    options: &IngestOptions,
) -> Result<IngestReport> {
    let sources = std::slice::from_ref(source);
    let report = ingest(store, sources, options, clock_at(NOW), &|_| ()).await?;
    assert!(report.events.reconcile(), "{report:?}");
    let log_files = &report.log_files;
    let dealt_with = log_files.ingested + log_files.already_ingested + log_files.rejected;
    assert_eq!(log_files.found, dealt_with, "{report:?}");
    Ok(report)
}

/// The columns of every data file of the store.
pub(crate) async fn stored_columns(store: &EventDataStore) -> Vec<RecordBatch> {
    let snapshot = store.snapshot().await.unwrap();
    let mut batches = Vec::new();
    for file in snapshot.data_files() {
        store.verify_data_file(file).await.unwrap();
        let bytes = store.object_store().get(&file.path).await.unwrap().bytes().await.unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        // Beside the columns of the table, a data file has the keys of its maps.
        let names = builder.schema().fields().iter().map(|field| field.name());
        let columns = names.enumerate().filter(|(_, name)| !is_key_set(name)).map(|(i, _)| i);
        let columns = ProjectionMask::roots(builder.parquet_schema(), columns.collect::<Vec<_>>());
        let reader = builder.with_projection(columns).build().unwrap();
        batches.extend(reader.map(|batch| batch.unwrap()));
    }
    batches
}

/// The texts of all stored events, sorted.
pub(crate) async fn stored_events(store: &EventDataStore) -> Vec<String> {
    let batches = stored_columns(store).await;
    let texts = batches.iter().flat_map(|batch| {
        let texts = event_texts(batch.columns()).unwrap();
        texts.iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>()
    });
    sorted(&texts.collect::<Vec<_>>())
}

/// The values of a varchar column in every stored event, in the order of the data files.
pub(crate) async fn stored_texts(store: &EventDataStore, column: &str) -> Vec<String> {
    let batches = stored_columns(store).await;
    let values = batches.iter().flat_map(|batch| {
        let column = batch.column_by_name(column).unwrap().as_string::<i32>();
        column.iter().map(|value| value.unwrap_or_default().to_owned()).collect::<Vec<_>>()
    });
    values.collect()
}

/// `events`, sorted as [`stored_events`] are.
pub(crate) fn sorted<S: AsRef<str>>(events: &[S]) -> Vec<String> {
    let mut events: Vec<String> = events.iter().map(|event| event.as_ref().to_owned()).collect();
    events.sort_unstable();
    events
}
