//! What was already ingested: the log files whose every event an earlier ingest has dealt with.
//!
//! The store keeps the list, commit by commit, beside the events themselves. Here it is only turned
//! into a set that can be asked quickly. A log file is known by its URL and size: CloudTrail never
//! writes a log file twice under one name.

use futures::TryStreamExt;
use hashbrown::{HashMap, HashSet};
use towpath_store::{CommitSummary, DigestMark, EventDataStore, Source as StoredSource};
use xxhash_rust::xxh3::Xxh3;

use crate::error::Result;

/// What Delta calls a commit that changes the settings of the store.
const SETTINGS_OPERATION: &str = "SET TBLPROPERTIES";

/// The log files that earlier ingests have recorded. 17 to 35 bytes for each.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    /// Need not be read again.
    done: HashSet<u128>,
    /// Had events that were expired under the settings of the store as they are now.
    expired: HashSet<u128>,
    /// Had events outside a range that was asked for. Another range may be asked for now.
    filtered: HashSet<u128>,
    /// What digests said of those that they were asked about.
    marks: HashMap<u128, DigestMark>,
    /// The keys of events that fields were taken out of: they are not to be taken in again.
    redacted: HashSet<u128>,
    /// The first version that is not in it.
    next_version: u64,
    /// How often the log was repaired when it was read.
    repairs: u64,
}

impl Checkpoint {
    /// Reads what the store records, commit by commit.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub(crate) async fn load(store: &EventDataStore) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.refresh(store).await?;
        Ok(checkpoint)
    }

    /// Takes in the commits that were made since. Returns whether it had to begin anew, because the
    /// log was repaired: what the store had may be gone from it.
    ///
    /// # Errors
    ///
    /// Those of the store. What was taken in until then stays.
    pub(crate) async fn refresh(&mut self, store: &EventDataStore) -> Result<bool> {
        let snapshot = store.snapshot().await?;
        let is_void = self.repairs != snapshot.repairs();
        if is_void {
            *self = Checkpoint { repairs: snapshot.repairs(), ..Checkpoint::default() };
        }
        let mut commits = store.commits(self.next_version, snapshot.version());
        while let Some(commit) = commits.try_next().await? {
            self.add(&commit);
            self.next_version = commit.version + 1;
        }
        Ok(is_void)
    }

    fn add(&mut self, commit: &CommitSummary) {
        if commit.ours && commit.operation.as_deref() == Some(SETTINGS_OPERATION) {
            // Retention may have become longer, so that expired events are now to be taken.
            self.expired.clear();
        }
        for source in &commit.sources {
            self.insert(source);
        }
        self.redacted.extend(redacted_keys(commit));
    }

    /// The keys of redacted events, and the first version whose redactions are not among them.
    pub(crate) fn redacted(&self) -> (&HashSet<u128>, u64) {
        (&self.redacted, self.next_version)
    }

    fn insert(&mut self, source: &StoredSource) {
        let hash = hash(&source.key, source.size);
        if let Some(mark) = source.digest {
            self.marks.insert(hash, mark);
        }
        if !source.is_in() {
            return;
        }
        let set = match source {
            StoredSource { filtered: 1.., .. } => &mut self.filtered,
            StoredSource { expired: 1.., .. } => &mut self.expired,
            _ => &mut self.done,
        };
        set.insert(hash);
    }

    /// Whether every event of the log file with this URL and this size has been dealt with, so
    /// that it need not be read again.
    pub(crate) fn contains(&self, key: &str, size_bytes: u64) -> bool {
        let hash = hash(key, size_bytes);
        self.done.contains(&hash) || self.expired.contains(&hash)
    }

    /// What digests said of the log file with this URL and this size when it was last recorded.
    pub(crate) fn mark(&self, key: &str, size_bytes: u64) -> Option<DigestMark> {
        self.marks.get(&hash(key, size_bytes)).copied()
    }

    /// Whether a commit names the log file with this URL and this size.
    pub(crate) fn records(&self, key: &str, size_bytes: u64) -> bool {
        self.contains(key, size_bytes) || self.filtered.contains(&hash(key, size_bytes))
    }
}

/// The keys of the events that a commit took fields out of.
pub(crate) fn redacted_keys(commit: &CommitSummary) -> impl Iterator<Item = u128> + '_ {
    let events = commit.redaction.iter().flat_map(|redaction| &redaction.events);
    events.filter_map(|event| u128::from_str_radix(&event.key, 16).ok())
}

fn hash(key: &str, size_bytes: u64) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&size_bytes.to_le_bytes());
    hash.update(key.as_bytes());
    hash.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(operation: &str, sources: Vec<StoredSource>) -> CommitSummary {
        CommitSummary {
            version: 1,
            timestamp_millis: None,
            operation: Some(operation.into()),
            ours: true,
            sources,
            data_files: Vec::new(),
            redaction: None,
        }
    }

    fn source(key: &str, filtered: u64, expired: u64) -> StoredSource {
        StoredSource { key: key.into(), size: 10, filtered, expired, ..StoredSource::default() }
    }

    #[test]
    fn a_log_file_is_known_by_url_and_size() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.add(&commit("WRITE", vec![source("s3://b/whole", 0, 0)]));
        assert!(checkpoint.contains("s3://b/whole", 10));
        assert!(!checkpoint.contains("s3://b/whole", 11));
        assert!(!checkpoint.contains("s3://b/other", 10));
    }

    #[test]
    fn a_log_file_with_filtered_events_is_read_again() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.add(&commit("WRITE", vec![source("k", 1, 1)]));
        assert!(!checkpoint.contains("k", 10));
        assert!(checkpoint.records("k", 10));
        checkpoint.add(&commit("WRITE", vec![source("k", 0, 0)]));
        assert!(checkpoint.contains("k", 10));
    }

    #[test]
    fn a_log_file_with_expired_events_is_read_again_once_settings_have_changed() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.add(&commit("WRITE", vec![source("k", 0, 1)]));
        assert!(checkpoint.contains("k", 10));
        checkpoint.add(&commit("SET TBLPROPERTIES", Vec::new()));
        assert!(!checkpoint.contains("k", 10));
    }
}
