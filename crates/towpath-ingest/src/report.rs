//! What an ingest did, in numbers that reconcile, and every file it could not take by name.

use std::{collections::BTreeMap, iter::Sum, time::Duration};

use serde::Serialize;

use crate::{digest::DigestReport, log_file::LeftOut};

/// Files named one by one in [`IngestReport::rejected`]. Beyond that they are only counted: a
/// source of nothing but bad files must not fill the memory with their names.
pub const REJECTED_NAMED_MAX: usize = 100_000;

/// What an ingest did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IngestReport {
    /// The files that were come across.
    pub log_files: LogFileCounts,
    /// The events of the log files that were read.
    pub events: EventCounts,
    /// The bytes of the log files that were read.
    pub bytes: ByteCounts,
    /// Wall clock time, in milliseconds.
    pub elapsed_ms: u64,
    /// Version of the store after the last commit of this ingest; `None` if there was none.
    pub store_version: Option<u64>,
    /// Every log file that is not in the store, the first [`REJECTED_NAMED_MAX`] of them.
    pub rejected: Vec<Rejected>,
    /// Folders that could not be read, so that log files in them were not found.
    pub folders_unreadable: u64,
    /// What CloudTrail's digests say of the log files; `None` if they were not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<DigestMarks>,
}

/// Log files that were found by what CloudTrail's digests say of them, and those that were not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DigestMarks {
    /// A valid digest names them, and their content is what it says.
    pub covered: u64,
    /// No valid digest covers their time, or not yet.
    pub unverified: u64,
    /// Valid digests cover their time, and none names them: somebody else put them there.
    pub planted: u64,
    /// A valid digest names them, and their content is another. They are among the rejected.
    pub altered: u64,
    /// A valid digest names them, and they are not there.
    pub missing: u64,
    /// The planted ones, the first [`REJECTED_NAMED_MAX`] of them.
    pub planted_log_files: Vec<String>,
    /// The missing ones, likewise.
    pub missing_log_files: Vec<String>,
    /// What the digests themselves came to.
    pub digests: DigestReport,
}

impl DigestMarks {
    /// Whether every digest is valid, no hour lacks one, and no log file is altered, missing or
    /// planted. Some may have no digest yet.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.planted + self.altered + self.missing == 0
            && self.digests.is_valid_to_aws()
            && self.digests.spans_missing == 0
            && self.digests.chains > 0
    }
}

/// Files by what became of them: `found` = `ingested` + `already_ingested` + `rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogFileCounts {
    /// Log files found in the sources.
    pub found: u64,
    /// Read and committed by this ingest, whatever became of their events.
    pub ingested: u64,
    /// Not read: an earlier ingest had committed all of it.
    pub already_ingested: u64,
    /// Not in the store because of what they contain, or because they could not be read.
    pub rejected: u64,
    /// Files that are no log files, by why.
    pub left_out: BTreeMap<LeftOut, u64>,
}

/// Events by what became of them:
/// `seen` = `stored` + `duplicate` + `filtered` + `expired` + `rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventCounts {
    /// Events read from log files.
    pub seen: u64,
    /// Now in the store, and not before.
    pub stored: u64,
    /// Already in the store, or twice in what was read.
    pub duplicate: u64,
    /// Outside the range of event times that was asked for, not chosen by the selectors if they were
    /// to be applied, or of another category than the store keeps.
    pub filtered: u64,
    /// Older than the store's retention.
    pub expired: u64,
    /// In a log file that was rejected: those up to and with the first bad one.
    pub rejected: u64,
    /// Of those stored: the store has another event of the same account and id, with other content.
    pub conflicting: u64,
}

/// Bytes of the log files that were ingested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ByteCounts {
    /// As they were delivered.
    pub read: u64,
    /// Decompressed.
    pub text: u64,
}

/// A log file that is not in the store, or a folder that could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rejected {
    /// Its path or URL.
    pub path: String,
    /// What is wrong with it, for programs.
    pub reason: RejectReason,
    /// What is wrong with it, for people.
    pub message: String,
    /// Where in it, if that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<RejectPlace>,
}

/// What is wrong with a rejected log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// The file system or the object store did not give it out.
    Unreadable,
    /// There is nothing in it.
    Empty,
    /// Neither gzip nor JSON.
    NotGzip,
    /// The gzip stream ends too early.
    Truncated,
    /// The gzip stream breaks gzip's own rules.
    Damaged,
    /// The gzip stream decompresses to something else than was compressed.
    ChecksumMismatch,
    /// Something follows the gzip stream.
    TrailingBytes,
    /// It expands more than any log file does.
    Bomb,
    /// It is larger than a log file may be.
    TooLarge,
    /// Its content is not what CloudTrail signed in a digest.
    Altered,
    /// No valid digest names it, and one was required.
    NotCovered,
    /// Its text is not what CloudTrail writes: broken JSON, no `Records`, an event without a time.
    Undecodable,
}

/// Where in a log file the first bad thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum RejectPlace {
    /// Offset in the file as it was delivered, in bytes.
    #[serde(rename = "file_byte")]
    FileByte(u64),
    /// Offset in the decompressed text, in bytes, and number of the event, counted from 1.
    #[serde(rename = "text")]
    Text {
        /// Offset in bytes.
        byte: u64,
        /// Number of the event in the log file, from 1; `None` outside the events.
        #[serde(skip_serializing_if = "Option::is_none")]
        record: Option<u64>,
    },
}

/// How far an ingest has come. What a progress bar needs; rates are for the caller to work out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Log files found so far.
    pub log_files_found: u64,
    /// Their size, in bytes as delivered.
    pub bytes_found: u64,
    /// Whether every log file has been found, so that the two numbers above are final.
    pub found_all: bool,
    /// Log files done: read and on their way into the store, already ingested, or rejected.
    pub log_files_done: u64,
    /// Their size, in bytes as delivered.
    pub bytes_done: u64,
    /// Events of log files that are done.
    pub events_seen: u64,
    /// Of these, events now in the store.
    pub events_stored: u64,
}

impl EventCounts {
    /// Adds up what became of the events of two sets of log files.
    pub(crate) fn add(&mut self, other: &EventCounts) {
        self.seen += other.seen;
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.filtered += other.filtered;
        self.expired += other.expired;
        self.rejected += other.rejected;
        self.conflicting += other.conflicting;
    }

    /// Whether every event that was seen has become exactly one thing.
    #[must_use]
    pub fn reconcile(&self) -> bool {
        self.seen == self.stored + self.duplicate + self.filtered + self.expired + self.rejected
    }
}

impl Sum for EventCounts {
    fn sum<I: Iterator<Item = EventCounts>>(counts: I) -> EventCounts {
        counts.fold(EventCounts::default(), |mut sum, counts| {
            sum.add(&counts);
            sum
        })
    }
}

impl IngestReport {
    /// Whether everything that was found is in: no log file rejected and no folder unreadable; and
    /// nothing is wrong with its digests, if they were asked.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_sound = self.digests.as_ref().is_none_or(DigestMarks::is_sound);
        self.log_files.rejected == 0 && self.folders_unreadable == 0 && is_sound
    }

    pub(crate) fn set_elapsed(&mut self, elapsed: Duration) {
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    }
}
