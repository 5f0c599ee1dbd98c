//! One commit of a store: what it says beside Delta's own actions, as text, and whether it is whole.
//!
//! A commit is one JSON file, one action per line. Ours have, in this order: `commitInfo` with our
//! own record in it (`towpath`), the data files added, `txn`, and a newline. So one that was cut
//! short can be told, even if it was cut between two lines.
//!
//! Each of ours also has the SHA-256 of the commit files before it, back to the last of ours, and of
//! itself. So a commit that is altered, lost or put in later no longer fits the ones after it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use deltalake::kernel::transaction::{CommitData, TransactionError};
use deltalake::kernel::{Action, CommitInfo, Transaction};
use deltalake::protocol::DeltaOperation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::ops::Range;
use uuid::Uuid;

use crate::data_file::sha256_hex;
use crate::repair::TornReason;

/// Application id of the `txn` action in each of our commits. Its version is the table's version
/// that the commit makes, so it rises with every commit and never repeats.
pub(crate) const APP_ID: &str = "towpath-ingest";

/// The key of our record in `commitInfo`.
const RECORD_KEY: &str = "towpath";

/// What stands before and after the SHA-256 that a commit has of itself. In a string of JSON these
/// quotes would have backslashes before them, so it is found nowhere else.
const SELF_BEFORE: &[u8] = b"\"selfSha256\":\"";
const SELF_AFTER: &[u8] = b"\"";

/// Stands for the SHA-256 of a commit while that is taken.
const SELF_UNKNOWN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A log file whose events were appended, and what became of them.
///
/// It rides in the same commit as the events, so a log file is in whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The log file's full address: a URL, or an absolute path.
    pub key: String,
    /// Its size as delivered, in bytes.
    pub size: u64,
    /// SHA-256 of its bytes as delivered, in lower-case hexadecimal.
    pub sha256: String,
    /// Events seen in it: the sum of those that follow, without `conflicting`.
    pub events: u64,
    /// Events appended.
    #[serde(default)]
    pub stored: u64,
    /// Events that the store already had.
    #[serde(default)]
    pub duplicate: u64,
    /// Events outside of the span or the selectors asked for.
    #[serde(default)]
    pub filtered: u64,
    /// Events past the store's retention.
    #[serde(default)]
    pub expired: u64,
    /// Of those stored, events whose id the store had with another content.
    #[serde(default)]
    pub conflicting: u64,
    /// The times of its oldest and its newest event, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_times: Option<(i64, i64)>,
    /// What CloudTrail's digests say of it, if they were asked. One that is
    /// [`Altered`](DigestMark::Altered) or [`Missing`](DigestMark::Missing) was not appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestMark>,
}

/// What CloudTrail's digests say of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DigestMark {
    /// A valid digest names it, and its content is what that says.
    Covered,
    /// No valid digest covers its time, or not yet.
    Unverified,
    /// Valid digests cover its time, and none names it.
    Planted,
    /// A valid digest names it, and its content is another.
    Altered,
    /// A valid digest names it, and it is not there.
    Missing,
}

impl Source {
    /// Whether its events were appended, as far as they were to be.
    #[must_use]
    pub fn is_in(&self) -> bool {
        !matches!(self.digest, Some(DigestMark::Altered | DigestMark::Missing))
    }
}

/// A data file as its commit records it, for `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedFile {
    /// Its path from the root of the store.
    pub path: String,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
}

/// What a redaction did, as its commit records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedactionRecord {
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The fields that were taken out.
    pub fields: Vec<String>,
    /// The events that they were taken out of.
    pub events: Vec<RedactedEvent>,
    /// All other rows of the data files, which are as before.
    pub other_rows: u64,
    /// The digest of these, the same before and after.
    pub other_rows_digest: String,
}

/// An event that fields were taken out of, as the commit records it: never the fields' values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedactedEvent {
    /// Its `eventID`.
    pub event_id: String,
    /// Its `eventTime`, in microseconds since 1970.
    pub event_time_micros: i64,
    /// What it is known by where log files are taken in, in hexadecimal, so that the same event of
    /// another log file is not taken in again.
    pub key: String,
    /// The values that were taken out.
    pub values: u64,
    /// SHA-256 of its text before.
    pub sha256_before: String,
    /// SHA-256 of its text after.
    pub sha256_after: String,
}

impl RedactedEvent {
    /// How [`RedactedEvent::key`] spells a key.
    #[must_use]
    pub fn key_text(key: u128) -> String {
        format!("{key:032x}")
    }
}

/// What our commits say about themselves in `commitInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommitRecord {
    /// Tells this commit from another one at the same version, when the answer to it was lost.
    pub(crate) commit: Uuid,
    #[serde(default)]
    pub(crate) sources: Vec<Source>,
    #[serde(default, rename = "dataFiles")]
    pub(crate) data_files: Vec<CommittedFile>,
    /// The data files it took out of the store.
    #[serde(default, rename = "removedFiles", skip_serializing_if = "Vec::is_empty")]
    pub(crate) removed_files: Vec<CommittedFile>,
    /// What else there is to say, for who reads the log: what was changed by whom, why files went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Value>,
    /// What was redacted, if that is what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redaction: Option<RedactionRecord>,
    /// How it hangs on the commits before it.
    #[serde(flatten)]
    pub(crate) link: ChainLink,
    /// SHA-256 of the commit with zeros in place of this; set by [`encode`].
    #[serde(default, rename = "selfSha256", skip_serializing_if = "String::is_empty")]
    pub(crate) self_sha256: String,
}

/// What a commit says of the files of the log before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChainLink {
    /// SHA-256 of the commit before it, and of those before that which other programs made, oldest
    /// first: every commit since the last of ours, and that one.
    #[serde(default, rename = "previousSha256", skip_serializing_if = "Vec::is_empty")]
    pub(crate) previous: Vec<String>,
    /// Delta's own checkpoint of the version before, if one was there.
    #[serde(default, rename = "deltaCheckpoint", skip_serializing_if = "Option::is_none")]
    pub(crate) delta_checkpoint: Option<DeltaCheckpoint>,
}

/// A checkpoint in Delta's sense: what the log came to, saved to read it faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeltaCheckpoint {
    pub(crate) version: u64,
    /// SHA-256 of its file.
    pub(crate) sha256: String,
    /// SHA-256 of `_last_checkpoint`, which names it to readers.
    #[serde(default, rename = "hintSha256", skip_serializing_if = "Option::is_none")]
    pub(crate) hint_sha256: Option<String>,
}

impl CommitRecord {
    pub(crate) fn new() -> CommitRecord {
        CommitRecord {
            commit: Uuid::new_v4(),
            sources: Vec::new(),
            data_files: Vec::new(),
            removed_files: Vec::new(),
            note: None,
            redaction: None,
            link: ChainLink::default(),
            self_sha256: String::new(),
        }
    }
}

/// The text of the commit that makes `version`.
pub(crate) fn encode(
    version: u64,
    record: &CommitRecord,
    actions: Vec<Action>,
    operation: DeltaOperation,
    now: DateTime<Utc>,
) -> Result<Bytes, TransactionError> {
    let record = CommitRecord { self_sha256: SELF_UNKNOWN.to_owned(), ..record.clone() };
    let record = serde_json::to_value(record)
        .map_err(|json_err| TransactionError::SerializeLogJson { json_err })?;
    let info = CommitInfo {
        timestamp: Some(now.timestamp_millis()),
        read_version: version.checked_sub(1),
        is_blind_append: Some(true).filter(|_| matches!(operation, DeltaOperation::Write { .. })),
        engine_info: Some(format!("towpath/{}", env!("CARGO_PKG_VERSION"))),
        info: HashMap::from([(RECORD_KEY.to_owned(), record)]),
        ..operation.get_commit_info()
    };
    let txn = Transaction::new_with_last_update(
        APP_ID,
        i64::try_from(version).unwrap_or(i64::MAX),
        Some(now.timestamp_millis()),
    );
    let actions = std::iter::once(Action::CommitInfo(info)).chain(actions).collect();
    let commit = CommitData::new(actions, operation, HashMap::new(), vec![txn]);
    let mut text = commit.get_bytes()?.to_vec();
    text.push(b'\n');
    let sha256 = sha256_hex(&text);
    if let Some(place) = self_sha256_place(&text).and_then(|place| text.get_mut(place)) {
        place.copy_from_slice(sha256.as_bytes());
    }
    Ok(text.into())
}

/// Where a commit has its own SHA-256.
fn self_sha256_place(text: &[u8]) -> Option<Range<usize>> {
    let start = memchr::memmem::find(text, SELF_BEFORE)? + SELF_BEFORE.len();
    let place = start..start.checked_add(SELF_UNKNOWN.len())?;
    text.get(place.end..)?.starts_with(SELF_AFTER).then_some(place)
}

/// Whether the SHA-256 that a commit has of itself is right; `None` if it has none.
pub(crate) fn is_as_encoded(text: &[u8]) -> Option<bool> {
    let place = self_sha256_place(text)?;
    let claimed = text.get(place.clone())?.to_vec();
    let mut zeroed = text.to_vec();
    zeroed.get_mut(place)?.copy_from_slice(SELF_UNKNOWN.as_bytes());
    Some(sha256_hex(&zeroed).as_bytes() == claimed)
}

/// What a commit says, as far as this crate asks.
#[derive(Debug, Default)]
pub(crate) struct ParsedCommit {
    /// SHA-256 of its text.
    pub(crate) sha256: String,
    /// Our record, if the commit is ours.
    pub(crate) record: Option<CommitRecord>,
    /// The version of our `txn` action.
    pub(crate) txn_version: Option<i64>,
    /// Whether it adds rows that were not in the table before.
    pub(crate) adds_rows: bool,
    /// When it was made, by its writer's clock, in milliseconds since 1970.
    pub(crate) timestamp_millis: Option<i64>,
    /// What Delta calls the operation.
    pub(crate) operation: Option<String>,
    /// The data files it takes out of the table, from the root of the store, and when, in
    /// milliseconds since 1970.
    pub(crate) removed: Vec<(String, Option<i64>)>,
}

/// Reads the text of a commit; an error says why it is not whole.
pub(crate) fn parse(text: &[u8]) -> Result<ParsedCommit, TornReason> {
    if text.is_empty() {
        return Err(TornReason::Empty);
    }
    let mut commit = ParsedCommit { sha256: sha256_hex(text), ..ParsedCommit::default() };
    let mut ends_with_txn = false;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for (number, line) in lines.enumerate() {
        let line: Line = serde_json::from_slice(line)
            .map_err(|_err| TornReason::BrokenLine { line: number + 1 })?;
        ends_with_txn = line.txn.is_some();
        commit.add(line);
    }
    let ours = commit.record.is_some();
    if ours && !(ends_with_txn && text.last() == Some(&b'\n')) {
        return Err(TornReason::Unfinished);
    }
    Ok(commit)
}

impl ParsedCommit {
    fn add(&mut self, line: Line) {
        if let Some(info) = line.commit_info {
            self.record = info.towpath;
            self.timestamp_millis = info.timestamp;
            self.operation = info.operation;
        }
        if let Some(add) = line.add {
            self.adds_rows |= add.data_change;
        }
        if let Some(remove) = line.remove {
            self.removed.push((remove.path, remove.deletion_timestamp));
        }
        if let Some(txn) = line.txn
            && txn.app_id == APP_ID
        {
            self.txn_version = Some(txn.version);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    commit_info: Option<CommitInfoLine>,
    add: Option<AddLine>,
    remove: Option<RemoveLine>,
    txn: Option<TxnLine>,
}

#[derive(Deserialize)]
struct CommitInfoLine {
    timestamp: Option<i64>,
    operation: Option<String>,
    towpath: Option<CommitRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddLine {
    data_change: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveLine {
    path: String,
    deletion_timestamp: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TxnLine {
    app_id: String,
    version: i64,
}

#[cfg(test)]
mod tests {
    use super::{ChainLink, CommitRecord, SELF_UNKNOWN, Source, encode, is_as_encoded, parse};
    use crate::repair::TornReason;
    use chrono::DateTime;
    use deltalake::protocol::{DeltaOperation, SaveMode};

    fn text(version: u64, record: &CommitRecord) -> Vec<u8> {
        let operation =
            DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let now = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        let link = ChainLink { previous: vec!["ab".into()], delta_checkpoint: None };
        let record = CommitRecord { link, ..record.clone() };
        encode(version, &record, Vec::new(), operation, now).unwrap().to_vec()
    }

    #[test]
    fn commit_says_again_what_was_recorded() {
        let mut record = CommitRecord::new();
        let source = Source { key: "s3://b/k".into(), size: 7, events: 3, ..Source::default() };
        record.sources.push(source);

        let commit = parse(&text(12, &record)).unwrap();

        let found = commit.record.unwrap();
        assert_eq!((&found.sources, found.commit), (&record.sources, record.commit));
        assert_eq!(found.link.previous, ["ab"]);
        assert_eq!(commit.txn_version, Some(12));
        assert_eq!(commit.timestamp_millis, Some(1_700_000_000_000));
        assert_eq!(commit.operation.as_deref(), Some("WRITE"));
        assert!(!commit.adds_rows);
    }

    #[test]
    fn commit_cut_anywhere_is_torn() {
        let whole = text(1, &CommitRecord::new());
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "cut to {length} of {}", whole.len());
        }
        assert!(parse(&whole).is_ok());
    }

    #[test]
    fn every_byte_of_a_commit_counts() {
        let whole = text(3, &CommitRecord::new());
        assert_eq!(is_as_encoded(&whole), Some(true));
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert_ne!(is_as_encoded(&flipped), Some(true), "byte {at}");
        }
    }

    #[test]
    fn text_that_looks_like_the_hash_of_the_commit_is_not_taken_for_it() {
        let mut record = CommitRecord::new();
        let key = format!("\"selfSha256\":\"{SELF_UNKNOWN}\"");
        record.sources.push(Source { key, ..Source::default() });
        assert_eq!(is_as_encoded(&text(3, &record)), Some(true));
    }

    #[test]
    fn zeros_are_torn_and_nothing_is_empty() {
        assert_eq!(parse(&[]).unwrap_err(), TornReason::Empty);
        assert_eq!(parse(&[0; 512]).unwrap_err(), TornReason::BrokenLine { line: 1 });
    }

    #[test]
    fn commit_of_another_writer_needs_no_txn_and_no_newline() {
        let commit = parse(br#"{"add":{"path":"x","dataChange":true}}"#).unwrap();
        assert!(commit.adds_rows);
        assert!(commit.record.is_none());
    }
}
