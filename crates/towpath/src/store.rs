//! [`Store`]: one event data store of a lake.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use towpath_ingest::{IngestOptions, IngestReport, Progress};
use towpath_store::{EventDataStore, Location, Retention};
use uuid::Uuid;

use crate::error::Result;
use crate::lake::LakeOptions;

/// What a store to be created is to be.
#[derive(Clone, Debug)]
pub struct NewStore {
    /// 3 to 128 characters of letters, digits, `.`, `_` and `-`, as AWS has it.
    pub name: String,

    /// The id of a store that lived in CloudTrail Lake, a UUID, so that old queries run unchanged.
    /// `None`: a new one.
    pub id: Option<Uuid>,

    /// How long events are kept, by their event time.
    pub retention: Retention,
}

impl NewStore {
    /// A store with a new id.
    pub fn new(name: impl Into<String>, retention: Retention) -> NewStore {
        NewStore { name: name.into(), id: None, retention }
    }
}

/// One event data store of a [`Lake`](crate::Lake). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    store: EventDataStore,
    options: Arc<LakeOptions>,
}

/// What a store holds at one version. Expired events that still lie in a data file are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSummary {
    /// The version of the store's log.
    pub version: u64,
    /// Events in all data files.
    pub events: u64,
    /// Data files.
    pub data_files: u64,
    /// Bytes of all data files.
    pub bytes: u64,
    /// The oldest and the newest event time. `None`: the store is empty.
    pub event_times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Store {
    pub(crate) fn new(store: EventDataStore, options: Arc<LakeOptions>) -> Store {
        Store { store, options }
    }

    /// The UUID that statements and AWS clients know the store by.
    pub fn id(&self) -> Uuid {
        self.store.id()
    }

    /// The name, as it was given.
    pub fn name(&self) -> String {
        self.store.name()
    }

    /// How long events are kept, by their event time.
    pub fn retention(&self) -> Retention {
        self.store.retention()
    }

    /// When the store was created.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.store.created_at()
    }

    /// What the store holds now.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn summary(&self) -> Result<StoreSummary> {
        let snapshot = self.store.snapshot().await?;
        let files = snapshot.data_files();
        let at = |micros: Option<i64>| micros.and_then(DateTime::from_timestamp_micros);
        let oldest = at(files.iter().map(|file| file.event_times.0).min());
        let newest = at(files.iter().map(|file| file.event_times.1).max());
        Ok(StoreSummary {
            version: snapshot.version(),
            events: files.iter().map(|file| file.rows).sum(),
            data_files: files.len() as u64,
            bytes: files.iter().map(|file| file.size_bytes).sum(),
            event_times: oldest.zip(newest),
        })
    }

    /// Ingests the CloudTrail log files at `sources`, each a file, a folder or an object store URL
    /// whose prefix is searched, and returns the account of it.
    ///
    /// A log file is in whole or not at all; one that is not in is named in the report and does
    /// not fail the run. What is in is committed batch by batch: an ingest that is dropped or
    /// killed has lost nothing that it had committed, and running it again doubles nothing.
    /// `progress` is called now and then, from the task that runs the ingest.
    ///
    /// # Errors
    ///
    /// A source that does not exist, and storage errors.
    pub async fn ingest<S: AsRef<str> + Sync>(
        &self,
        sources: &[S],
        options: &IngestOptions,
        progress: &(dyn Fn(&Progress) + Sync),
    ) -> Result<IngestReport> {
        let locations = sources
            .iter()
            .map(|source| Location::parse(source.as_ref(), &self.options.storage_options))
            .collect::<std::result::Result<Vec<Location>, _>>()?;
        let now = Arc::clone(&self.options.now);
        Ok(towpath_ingest::ingest(&self.store, &locations, options, now, progress).await?)
    }
}
