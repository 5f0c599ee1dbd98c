//! From records to events: what lies in the folder of the audit trail is ingested into its store.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use flate2::read::MultiGzDecoder;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::IgnoredAny;
use towpath_ingest::{IngestOptions, IngestReport, Intake, ingest};
use towpath_store::{Documents, Error as StoreError, Location, Retention};
use tracing::{info, warn};
use uuid::Uuid;

use super::{AUDIT_STORE, AUDIT_STORE_ID, BEGUN, DAMAGED, PENDING};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::store::Store;

/// Records that are ingested together, at most: a log file of some megabytes.
const PASS_RECORDS_MAX: usize = 4_096;

/// Passes that one collection makes, at most. What is left then is for the next one.
const PASSES_MAX: usize = 256;

/// Records that are read or removed at once: enough to hide an object store's latency.
const AT_ONCE_MAX: usize = 16;

/// Text of one record, in bytes: the longest statement, escaped, and what comes with it.
const RECORD_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Text of the records of one pass, in bytes, at which no more are added.
const PASS_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Hours after which a change that has begun is taken for one that nobody ends any more.
const BEGUN_HOURS_MAX: i64 = 1;

/// Days that events are kept: as long as a store can.
const RETENTION_DAYS: u32 = 3_653;

/// A record as it lies in a folder of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    folder: &'static str,
    name: String,
}

impl Record {
    fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

impl Lake {
    /// Ingests what was recorded into the store of the audit trail, [`AUDIT_STORE`]; returns how
    /// many events were new to it. A query over that store does so by itself.
    ///
    /// # Errors
    ///
    /// Storage errors. What could not be ingested stays recorded.
    pub async fn collect_audit_events(&self) -> Result<u64> {
        let documents = &self.audit().documents;
        let mut collected = 0;
        for _ in 0..PASSES_MAX {
            let begun = documents.names(BEGUN).await?;
            let records = due(documents.names(PENDING).await?, &begun, self.now());
            if records.is_empty() {
                break;
            }
            let store = Box::pin(self.open_audit_store()).await?;
            collected += Box::pin(self.collect_pass(&store, documents, records, &begun)).await?;
        }
        Ok(collected)
    }

    /// Collects audit events and puts their store in order.
    ///
    /// # Errors
    ///
    /// Those of [`Lake::collect_audit_events`] and [`Store::maintain`].
    pub async fn maintain_audit_store(&self) -> Result<()> {
        let maintained: BoxFuture<'_, Result<()>> = Box::pin(async {
            self.collect_audit_events().await?;
            match self.catalog().store(&AUDIT_STORE_ID.to_string()).await {
                Ok(store) => self.as_store(store).maintain_unrecorded().await,
                Err(StoreError::StoreNotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        });
        maintained.await
    }

    /// The store of the audit trail, with everything that was recorded until now.
    ///
    /// The type of the future is forgotten: it holds a whole ingest.
    pub(crate) fn audit_store(&self) -> BoxFuture<'_, Result<Store>> {
        Box::pin(async {
            self.collect_audit_events().await?;
            self.open_audit_store().await
        })
    }

    async fn open_audit_store(&self) -> Result<Store> {
        let id = AUDIT_STORE_ID.to_string();
        let store = match self.catalog().store(&id).await {
            Err(StoreError::StoreNotFound { .. }) => match self.create_audit_store().await {
                // Another process was faster.
                Err(StoreError::StoreExists { .. }) => self.catalog().store(&id).await?,
                created => created?,
            },
            found => found?,
        };
        Ok(self.as_store(store))
    }

    async fn create_audit_store(&self) -> Result<towpath_store::EventDataStore, StoreError> {
        let intake = Intake::default();
        let attributes = intake.attributes().into_iter();
        let new = towpath_store::NewStore {
            name: AUDIT_STORE.to_owned(),
            id: Some(AUDIT_STORE_ID),
            retention: Retention::days(RETENTION_DAYS)?,
            schema: intake.kind().data_file_schema(),
            attributes: attributes.filter_map(|(name, value)| Some((name, value?))).collect(),
            termination_protection: true,
        };
        self.catalog().create_store(new, self.now()).await
    }

    /// Ingests `records` and removes them; returns how many events were new.
    async fn collect_pass(
        &self,
        store: &Store,
        documents: &Documents,
        records: Vec<Record>,
        begun: &[String],
    ) -> Result<u64> {
        let mut whole = Vec::new();
        let mut bytes = 0;
        let read = stream::iter(records).map(|record| {
            let documents = documents.clone();
            async move {
                let found = documents.read(&record.path()).await?;
                Ok::<_, Error>((record, found.map(|found| found.content)))
            }
        });
        let mut read = read.buffered(AT_ONCE_MAX);
        while let Some((record, content)) = read.try_next().await? {
            // One that is gone was collected by another process.
            let Some(content) = content else { continue };
            match event_text(&content) {
                Some(text) => {
                    bytes += text.len();
                    whole.push((record, text));
                }
                None => put_aside(documents, &record, content).await?,
            }
            if bytes >= PASS_BYTES_MAX {
                break;
            }
        }
        drop(read);
        let texts: Vec<&str> = whole.iter().map(|(_, text)| text.as_str()).collect();
        let report = self.ingest_events(store, &texts).await?;
        let mut stored = report.events.stored;
        if report.log_files.rejected > 0 {
            // One that is no event must not keep the others out.
            for (record, text) in &whole {
                let report = self.ingest_events(store, &[text.as_str()]).await?;
                stored += report.events.stored;
                if report.log_files.rejected > 0 {
                    put_aside(documents, record, Bytes::from(text.clone())).await?;
                }
            }
        }
        let done: Vec<Record> = whole.into_iter().map(|(record, _)| record).collect();
        remove(documents, &done, begun).await?;
        info!(events = stored, "audit events collected");
        Ok(stored)
    }

    /// Ingests events as one log file.
    async fn ingest_events(&self, store: &Store, texts: &[&str]) -> Result<IngestReport> {
        let source = Location::in_memory()?;
        let text = format!(r#"{{"Records":[{}]}}"#, texts.join(","));
        let name = format!("{AUDIT_STORE}/{}.json", Uuid::new_v4());
        Documents::at(source.clone()).create(&name, Bytes::from(text)).await?;
        let (options, clock) = (IngestOptions::default(), Arc::clone(&self.options().now));
        Ok(Box::pin(ingest(&store.store, &[source], &options, clock, &|_| ())).await?)
    }
}

/// The records that can be collected, the oldest first: those that are whole, and those of changes
/// that began so long ago that nobody ends them any more.
fn due(pending: Vec<String>, begun: &[String], now: DateTime<Utc>) -> Vec<Record> {
    let is_left = |name: &&String| {
        begun_at(name).is_none_or(|at| now - at >= TimeDelta::hours(BEGUN_HOURS_MAX))
    };
    let left: Vec<String> =
        begun.iter().filter(is_left).filter(|name| !pending.contains(name)).cloned().collect();
    let records = left.into_iter().map(|name| Record { folder: BEGUN, name });
    let pending = pending.into_iter().map(|name| Record { folder: PENDING, name });
    records.chain(pending).take(PASS_RECORDS_MAX).collect()
}

/// When the operation of a record began, by the name of its file.
fn begun_at(name: &str) -> Option<DateTime<Utc>> {
    let (time, _) = name.split_once('-')?;
    Some(NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S%3fZ").ok()?.and_utc())
}

/// The one event of a record, if it is one.
fn event_text(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    MultiGzDecoder::new(content).take(RECORD_BYTES_MAX).read_to_string(&mut text).ok()?;
    let event = text.strip_prefix(r#"{"Records":["#)?.strip_suffix("]}")?;
    serde_json::from_str::<IgnoredAny>(event).ok()?;
    Some(event.to_owned())
}

/// Moves what is no record to where it is in nobody's way and can be looked at.
async fn put_aside(documents: &Documents, record: &Record, content: Bytes) -> Result<()> {
    warn!(record = record.name, "audit record is damaged, put aside");
    documents.write(&format!("{DAMAGED}/{}", record.name), content).await?;
    Ok(documents.remove(&record.path()).await?)
}

/// Removes records whose events are in the store.
async fn remove(documents: &Documents, records: &[Record], begun: &[String]) -> Result<()> {
    // The first record of a change goes first: alone, it would be taken for a change that was
    // never ended.
    let first = records.iter().filter(|record| begun.contains(&record.name));
    let first: Vec<String> = first.map(|record| format!("{BEGUN}/{}", record.name)).collect();
    let second: Vec<String> = records.iter().map(Record::path).collect();
    for paths in [first, second] {
        let removals = stream::iter(paths).map(|path| {
            let documents = documents.clone();
            async move { documents.remove(&path).await }
        });
        removals.buffer_unordered(AT_ONCE_MAX).try_collect::<()>().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_has_begun_is_due_after_an_hour() {
        let now: DateTime<Utc> = "2026-01-02T12:00:00Z".parse().unwrap();
        let name = |time: &str| format!("20260102T{time}Z-{}.json.gz", Uuid::nil());
        let (old, new, done) = (name("100000000"), name("113000000"), name("093000000"));
        assert_eq!(begun_at(&old).unwrap().to_rfc3339(), "2026-01-02T10:00:00+00:00");
        let due = due(vec![done.clone()], &[done.clone(), old.clone(), new], now);
        let record = |folder, name| Record { folder, name };
        assert_eq!(due, [record(BEGUN, old), record(PENDING, done)]);
    }

    #[test]
    fn only_a_record_is_an_event() {
        let packed = |text: &str| {
            let mut gzip =
                flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::fast());
            let mut bytes = Vec::new();
            gzip.read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(event_text(&packed(r#"{"Records":[{"a":1}]}"#)).unwrap(), r#"{"a":1}"#);
        for text in [r#"{"Records":[]}"#, r#"{"Records":[1],"x":[2]}"#, "", "{}"] {
            assert_eq!(event_text(&packed(text)), None, "{text}");
        }
        assert_eq!(event_text(b"{}"), None);
    }
}
