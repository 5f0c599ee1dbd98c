//! What a verification found.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Findings that are named. Further ones are counted.
const FINDINGS_MAX: usize = 10_000;

/// What a verification of a store came to. As JSON, its names are in camel case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verification {
    /// The store's id.
    pub store_id: Uuid,
    /// When it was looked at, by the verifier's clock.
    pub verified_at: DateTime<Utc>,
    /// The version that was looked at.
    pub version: u64,
    /// SHA-256 of the file of its commit: the head of the chain, on which all before it hangs.
    pub commit_sha256: String,
    /// The version of the signed checkpoint that was gone on from, if one was.
    pub since: Option<u64>,
    /// Commits that were read and compared.
    pub commits: u64,
    /// Of these, commits of other programs.
    pub commits_of_others: u64,
    /// Of these, the newest ones, which no commit of this program covers yet.
    pub commits_not_covered: u64,
    /// Data files of the version.
    pub data_files: u64,
    /// Their rows.
    pub rows: u64,
    /// Of these, the data files that other programs added: no SHA-256 of them is known.
    pub data_files_without_sha256: u64,
    /// Files that were read and compared with their SHA-256.
    pub files_read: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// Data files that commits took out and that are gone from the storage, as they should be.
    pub data_files_removed: u64,
    /// Data files too young to tell whether a writer is going to commit them.
    pub files_in_flight: Vec<String>,
    /// Signed checkpoints that agree with the store: its own and those kept elsewhere.
    pub signed_checkpoints: u64,
    /// The redactions there were, oldest first.
    pub redactions: Vec<RedactionSummary>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// Findings beyond those that are named.
    pub findings_not_named: u64,
}

/// A redaction, as a commit records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RedactionSummary {
    /// The version that it made.
    pub version: u64,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The fields that were taken out.
    pub fields: Vec<String>,
    /// The ids of the events that they were taken out of.
    pub event_ids: Vec<String>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// With which file, from the root of the store.
    pub path: String,
    /// How one can tell.
    pub detail: String,
}

/// What can be wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A commit is not there.
    CommitMissing,
    /// A commit is not what was written.
    CommitAltered,
    /// A commit does not fit the ones before it: one of them was altered, exchanged, taken out or
    /// put in.
    ChainBroken,
    /// A commit of another program took data files out of the store.
    RemovedByOther,
    /// A commit took data files out for no reason that holds.
    RemovedWithoutReason,
    /// What Delta readers are told of the store differs from what its commits say.
    StateDiffers,
    /// A file of the store is not there.
    FileMissing,
    /// A data file was removed while queries may still read it.
    FileRemovedEarly,
    /// A file has another size or SHA-256 than was committed.
    FileAltered,
    /// A file could not be read.
    FileUnreadable,
    /// A file that nothing names.
    FileUnnamed,
    /// A signed checkpoint is not what was signed, or its key is not the lake's.
    SignatureInvalid,
    /// The store is not what it was when a checkpoint was signed: it was rolled back or made anew.
    RolledBack,
}

impl FindingKind {
    /// Its name, as in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::CommitMissing => "commit_missing",
            FindingKind::CommitAltered => "commit_altered",
            FindingKind::ChainBroken => "chain_broken",
            FindingKind::RemovedByOther => "removed_by_other",
            FindingKind::RemovedWithoutReason => "removed_without_reason",
            FindingKind::StateDiffers => "state_differs",
            FindingKind::FileMissing => "file_missing",
            FindingKind::FileRemovedEarly => "file_removed_early",
            FindingKind::FileAltered => "file_altered",
            FindingKind::FileUnreadable => "file_unreadable",
            FindingKind::FileUnnamed => "file_unnamed",
            FindingKind::SignatureInvalid => "signature_invalid",
            FindingKind::RolledBack => "rolled_back",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind.name(), self.path, self.detail)
    }
}

impl Verification {
    pub(super) fn new(store_id: Uuid, verified_at: DateTime<Utc>) -> Verification {
        Verification {
            store_id,
            verified_at,
            version: 0,
            commit_sha256: String::new(),
            since: None,
            commits: 0,
            commits_of_others: 0,
            commits_not_covered: 0,
            data_files: 0,
            rows: 0,
            data_files_without_sha256: 0,
            files_read: 0,
            bytes_read: 0,
            data_files_removed: 0,
            files_in_flight: Vec::new(),
            signed_checkpoints: 0,
            redactions: Vec::new(),
            findings: Vec::new(),
            findings_not_named: 0,
        }
    }

    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn find(&mut self, kind: FindingKind, path: &str, detail: impl Into<String>) {
        if self.findings.len() >= FINDINGS_MAX {
            self.findings_not_named += 1;
            return;
        }
        self.findings.push(Finding { kind, path: path.to_owned(), detail: detail.into() });
    }
}
