//! Which log files are in a store: what its commits say, indexed.

use std::collections::HashMap;

use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::commit::{CommitRecord, CommittedFile, RedactionRecord, Source};
use crate::error::Result;
use crate::snapshot::Snapshot;
use crate::store::EventDataStore;

/// What one commit of a store did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSummary {
    /// The version it made.
    pub version: u64,
    /// When, by its writer's clock, in milliseconds since 1970.
    pub timestamp_millis: Option<i64>,
    /// What Delta calls it: `CREATE TABLE`, `WRITE`, …
    pub operation: Option<String>,
    /// Whether this program made it.
    pub ours: bool,
    /// The log files it appended.
    pub sources: Vec<Source>,
    /// The data files it added.
    pub data_files: Vec<CommittedFile>,
    /// What it redacted, if that is what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<RedactionRecord>,
}

impl CommitSummary {
    pub(crate) fn new(
        version: u64,
        timestamp_millis: Option<i64>,
        operation: Option<String>,
        record: Option<CommitRecord>,
    ) -> CommitSummary {
        let ours = record.is_some();
        let record = record.unwrap_or_else(CommitRecord::new);
        CommitSummary {
            version,
            timestamp_millis,
            operation,
            ours,
            sources: record.sources,
            data_files: record.data_files,
            redaction: record.redaction,
        }
    }
}

/// The log files that are in a store, as of one version of it.
///
/// The commits are the truth; this only holds what they say, and can be made again from them.
#[derive(Clone, Debug, Default)]
pub struct SourceIndex {
    next_version: u64,
    repairs: u64,
    by_key: HashMap<Box<str>, Known>,
}

/// What tells one content of a log file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    size: u64,
    sha256: Box<str>,
}

impl SourceIndex {
    /// Takes in the commits up to `snapshot` that it does not know yet; all of them if the log was
    /// repaired since.
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::Error::Damaged) if a commit is missing,
    /// [`TornCommit`](crate::Error::TornCommit) if one is not whole, errors
    /// of the storage. What was taken in until then stays.
    pub async fn refresh(&mut self, store: &EventDataStore, snapshot: &Snapshot) -> Result<()> {
        if self.repairs != snapshot.repairs() {
            *self = SourceIndex { repairs: snapshot.repairs(), ..SourceIndex::default() };
        }
        let mut commits = store.commits(self.next_version, snapshot.version());
        while let Some(commit) = commits.try_next().await? {
            for source in commit.sources.into_iter().filter(Source::is_in) {
                let known = Known { size: source.size, sha256: source.sha256.into() };
                self.by_key.insert(source.key.into(), known);
            }
            self.next_version = commit.version + 1;
        }
        Ok(())
    }

    /// Whether a log file with this address and size is in the store, so that it need not be read.
    #[must_use]
    pub fn contains(&self, key: &str, size: u64) -> bool {
        self.by_key.get(key).is_some_and(|known| known.size == size)
    }

    /// Whether a log file with this address, size and SHA-256 is in the store.
    #[must_use]
    pub fn contains_content(&self, key: &str, size: u64, sha256: &str) -> bool {
        self.by_key.get(key).is_some_and(|known| known.size == size && &*known.sha256 == sha256)
    }

    /// The number of log files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no log file is in the store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}
