//! What a watch tells while it runs, and what it came to.

use serde::Serialize;

use crate::report::{EventCounts, Rejected};

/// Something that happened during a watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum WatchEvent {
    /// Everything that was there at the start has been dealt with.
    CaughtUp,
    /// Log files are in the store.
    Committed {
        /// The version of the store that has them.
        store_version: u64,
        /// How many log files.
        log_files: u64,
        /// What became of their events.
        events: EventCounts,
    },
    /// A log file is not in the store, or a folder could not be looked into. Told once, and again
    /// only if it has changed.
    Rejected(Rejected),
    /// A message of the queue says nothing about log files that could be understood.
    MessageNotUnderstood {
        /// What the queue calls it.
        message_id: String,
        /// Why it is not understood.
        reason: String,
        /// Whether it has come so often that it was deleted. Else it comes again.
        deleted: bool,
    },
    /// The store was put in order while the watch went on.
    Maintained {
        /// Small data files that were made fewer.
        files_before: u64,
        /// Data files that they became.
        files_after: u64,
        /// Data files that were dropped because all their events have expired.
        files_dropped: u64,
    },
    /// Something could not be done. It is tried again.
    Failed {
        /// What, and its causes.
        error: String,
        /// When it is tried again, in milliseconds.
        retry_ms: u64,
    },
}

/// What a watch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WatchReport {
    /// Commits that were made.
    pub commits: u64,
    /// Log files that are in the store now.
    pub log_files: u64,
    /// Log files and folders that were refused; one that changed and was refused again counts twice.
    pub rejected: u64,
    /// Messages of the queue that were not understood and are deleted.
    pub messages_deleted_unread: u64,
    /// Times that something failed and was tried again.
    pub failures: u64,
    /// What became of the events of the log files.
    pub events: EventCounts,
}
