//! Lakes on a temporary folder, log files made in the test, and rows as text.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};
use tempfile::TempDir;
use towpath::arrow::array::{Array, RecordBatch};
use towpath::arrow::util::display::{ArrayFormatter, FormatOptions};
use towpath::{
    IngestOptions, IngestReport, Lake, LakeOptions, NewStore, QueryLimits, Retention, Store,
};

/// No limit that a test could meet by chance.
pub(crate) const LIMITS: QueryLimits = QueryLimits { run_secs_max: 300, result_rows_max: None };

/// The moment that all tests take for now, unless they say another.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
}

/// A lake with one store, `trail`, in a folder that lives as long as this.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) lake: Lake,
    pub(crate) store: Store,
}

impl Fixture {
    pub(crate) async fn new() -> Fixture {
        Fixture::at(now()).await
    }

    /// A lake whose clock stands at `now`.
    pub(crate) async fn at(now: DateTime<Utc>) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let lake = lake_at(&folder.path().join("lake"), now).await;
        let new = NewStore::new("trail", Retention::days(2557).unwrap());
        let store = lake.create_store(new).await.unwrap();
        Fixture { folder, lake, store }
    }

    /// Writes a log file of `records` and ingests it.
    pub(crate) async fn ingest(&self, records: &[&str]) -> IngestReport {
        let file = self.folder.path().join("logs.json");
        fs::write(&file, format!(r#"{{"Records":[{}]}}"#, records.join(","))).unwrap();
        self.ingest_from(&file).await
    }

    pub(crate) async fn ingest_from(&self, source: &Path) -> IngestReport {
        let source = source.to_str().unwrap();
        self.store.ingest(&[source], &IngestOptions::default(), &|_| ()).await.unwrap()
    }

    /// The rows of `statement`, each value as text, NULL as `NULL`.
    pub(crate) async fn rows(&self, statement: &str) -> Vec<Vec<String>> {
        rows(&self.lake, statement).await
    }
}

pub(crate) async fn lake_at(folder: &Path, now: DateTime<Utc>) -> Lake {
    let options = LakeOptions::new(move || now);
    Lake::open_or_create(folder.to_str().unwrap(), options).await.unwrap()
}

pub(crate) async fn rows(lake: &Lake, statement: &str) -> Vec<Vec<String>> {
    let rows = lake.query(statement, LIMITS).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    let batches = rows.collect().await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    batches.iter().flat_map(texts).collect()
}

fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column: &Arc<dyn Array>| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect())
        .collect()
}

/// An event with this id, name and time, and more fields as JSON text that begins with a comma.
pub(crate) fn event(id: &str, name: &str, time: &str, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventID":"{id}","eventName":"{name}","eventTime":"{time}","eventSource":"s3.amazonaws.com","recipientAccountId":"111122223333"{more}}}"#
    )
}

/// The trail that is bundled with the project.
pub(crate) fn bundled_trail() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/trail")
}

/// Real logs, where they stand beside the project. Says so where they do not.
pub(crate) fn real_trail() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/aws-trail");
    let found = folder.is_dir();
    if !found {
        println!("no real logs beside the project; the bundled trail alone was tested");
    }
    found.then_some(folder)
}
