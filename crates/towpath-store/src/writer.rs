//! The one writer of a store.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::{DeltaOperation, SaveMode};
use tracing::info;

use crate::commit::{CommitRecord, Source, encode};
use crate::data_file::NewDataFile;
use crate::error::{Error, Result};
use crate::layout::PARTITION_COLUMN;
use crate::ordered_rows::OrderedRows;
use crate::snapshot::Snapshot;
use crate::store::{EventDataStore, Held, REBASES_MAX};

/// Log files that one append may name. Each takes some 300 bytes of its commit.
pub const APPEND_SOURCES_MAX: usize = 20_000;

/// Data files that one append may add: one per month of ten years, twice over.
pub const APPEND_DATA_FILES_MAX: usize = 256;

/// What one commit adds. It is all in or not at all.
///
/// Without data files it only records log files, whose events were all duplicates or left out.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// Written by [`Writer::write_data_file`] or [`EventDataStore::write_data_file`].
    pub data_files: Vec<NewDataFile>,
    /// The log files that the events came from.
    pub sources: Vec<Source>,
}

/// The one writer of a store, from the time it got the lease.
///
/// Dropping it gives the store back without a commit.
#[derive(Debug)]
pub struct Writer {
    store: EventDataStore,
    held: Held,
    snapshot: Arc<Snapshot>,
}

impl Writer {
    pub(crate) fn new(store: EventDataStore, held: Held, snapshot: Arc<Snapshot>) -> Writer {
        Writer { store, held, snapshot }
    }

    /// The store as it is while this writer has it: what duplicates are to be looked for in.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Writes rows as [`EventDataStore::write_data_file`] does.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn write_data_file(
        &self,
        calendarmonth: i64,
        batches: &[RecordBatch],
    ) -> Result<NewDataFile> {
        self.store.write_data_file(calendarmonth, batches).await
    }

    /// Writes rows as [`EventDataStore::write_ordered`] does.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn write_ordered(
        &self,
        calendarmonth: i64,
        rows: OrderedRows,
    ) -> Result<NewDataFile> {
        self.store.write_ordered(calendarmonth, rows).await
    }

    /// Commits the append, gives the store back, and returns the version that the commit made.
    ///
    /// The commit follows [`Writer::snapshot`] with no other append in between: what was checked
    /// against that snapshot holds. When this returns, the commit is on the disk. When it fails,
    /// nothing was committed, but for [`Error::CommitUnknown`].
    ///
    /// # Errors
    ///
    /// [`Error::CommitConflict`] if another program, or another holder of an expired lease,
    /// appended in between: take a new writer and look for duplicates again.
    /// [`Error::AppendTooLarge`]; [`Error::OutOfSpace`]; [`Error::CommitUnknown`] if the storage
    /// failed so that one cannot tell; errors of the storage.
    pub async fn commit(self, append: Append, now: DateTime<Utc>) -> Result<u64> {
        let Writer { store, held, snapshot } = self;
        let committed = Box::pin(commit(&store, &snapshot, append, now)).await;
        held.lease.release().await;
        let version = committed?;
        store.log().checkpoint_if_due(version).await;
        Ok(version)
    }

    /// Gives the store back without a commit.
    pub async fn release(self) {
        self.held.lease.release().await;
    }
}

async fn commit(
    store: &EventDataStore,
    snapshot: &Snapshot,
    append: Append,
    now: DateTime<Utc>,
) -> Result<u64> {
    check_size("the number of log files of an append", append.sources.len(), APPEND_SOURCES_MAX)?;
    let files = append.data_files.len();
    check_size("the number of data files of an append", files, APPEND_DATA_FILES_MAX)?;
    let actions: Vec<Action> =
        append.data_files.iter().map(|file| Action::Add(file.add(true, now))).collect();
    let rows: u64 = append.data_files.iter().map(NewDataFile::rows).sum();
    let sources = append.sources.len();
    let mut record = CommitRecord {
        sources: append.sources,
        data_files: append.data_files.iter().map(NewDataFile::committed).collect(),
        link: store.chain_link(snapshot).await?,
        ..CommitRecord::new()
    };
    let mut version = snapshot.next_version(store.id())?;
    for _ in 0..REBASES_MAX {
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![PARTITION_COLUMN.to_owned()]),
            predicate: None,
        };
        let text = encode(version, &record, actions.clone(), operation, now)
            .map_err(|err| store.log().not_added(err))?;
        if store.log().commit(version, text, record.commit).await? {
            info!(store = %store.id(), version, files, sources, rows, "append committed");
            return Ok(version);
        }
        let newest = newest_after_others(store, version).await?;
        version = newest.next_version(store.id())?;
        record.link = store.chain_link(&newest).await?;
    }
    Err(Error::CommitConflict { store: store.id().to_string(), version })
}

/// The snapshot to commit after, now that others made `taken` and maybe more, none an append.
async fn newest_after_others(store: &EventDataStore, taken: u64) -> Result<Arc<Snapshot>> {
    let newest = store.snapshot().await?;
    newest.settings().check_not_deleted()?;
    for version in taken..=newest.version() {
        let appended = store.log().read_commit(version).await?.is_none_or(|other| other.adds_rows);
        if appended {
            return Err(Error::CommitConflict { store: store.id().to_string(), version });
        }
    }
    Ok(newest)
}

fn check_size(what: &'static str, found: usize, max: usize) -> Result<()> {
    if found <= max {
        return Ok(());
    }
    Err(Error::AppendTooLarge { what, found: found as u64, max: max as u64 })
}
