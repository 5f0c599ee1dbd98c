//! The walk along the chain of commits.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use object_store::ObjectMeta;
use serde_json::Value;

use super::Verification;
use super::replay::{LiveFile, ReadCommit, Replay, read};
use super::report::{FindingKind, RedactionSummary};
use crate::commit::{CommitRecord, DeltaCheckpoint, is_as_encoded};
use crate::data_file::sha256_hex;
use crate::expire::GRACE;
use crate::signed_checkpoint::{CheckpointContent, FileList};
use crate::sources::CommitSummary;
use crate::time::Retention;

/// A checkpoint that the walk compares the store with.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// Where it came from.
    pub(super) path: String,
    pub(super) content: CheckpointContent,
}

/// How far the walk is, and what it saw.
pub(super) struct Walk<'a> {
    pub(super) report: &'a mut Verification,
    pub(super) replay: Replay,
    /// What the storage holds, by path from the root of the store.
    pub(super) listing: &'a HashMap<String, ObjectMeta>,
    /// The checkpoints to compare with, by version.
    pub(super) claims: BTreeMap<u64, Vec<Claim>>,
    pub(super) now: DateTime<Utc>,
    /// SHA-256 of the commits since the last of ours, and that one. `None` for a missing one.
    since_ours: Vec<Option<String>>,
    /// Whether the commits before the walk are not known, so that less can be compared.
    pub(super) is_partial: bool,
    /// Delta's checkpoints that commits name.
    pub(super) delta_checkpoints: Vec<DeltaCheckpoint>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        report: &'a mut Verification,
        listing: &'a HashMap<String, ObjectMeta>,
        claims: BTreeMap<u64, Vec<Claim>>,
        now: DateTime<Utc>,
    ) -> Walk<'a> {
        Walk {
            report,
            replay: Replay::default(),
            listing,
            claims,
            now,
            since_ours: Vec::new(),
            is_partial: false,
            delta_checkpoints: Vec::new(),
        }
    }

    /// Begins after a version whose commit has this SHA-256.
    pub(super) fn begin_after(&mut self, commit_sha256: &str) {
        self.is_partial = true;
        self.since_ours = vec![Some(commit_sha256.to_owned())];
    }

    /// Takes in the next commit, `None` if it is missing, and returns what it did.
    pub(super) fn step(&mut self, version: u64, text: Option<&[u8]>) -> Option<CommitSummary> {
        let path = commit_path(version);
        let Some(text) = text else {
            self.report.find(FindingKind::CommitMissing, &path, "later ones are there");
            self.since_ours.push(None);
            return None;
        };
        self.report.commits += 1;
        self.report.version = version;
        self.report.commit_sha256 = sha256_hex(text);
        let commit = match read(text) {
            Ok(commit) => commit,
            Err(reason) => {
                self.report.find(FindingKind::CommitAltered, &path, reason.to_string());
                self.since_ours.push(Some(self.report.commit_sha256.clone()));
                self.compare_claims(version);
                return None;
            }
        };
        self.check_text(&path, text, &commit);
        match &commit.record {
            Some(record) => {
                self.check_link(version, &path, record);
                self.since_ours.clear();
                self.delta_checkpoints.extend(record.link.delta_checkpoint.clone());
                self.note_redaction(version, &commit, record);
            }
            None => self.report.commits_of_others += 1,
        }
        self.since_ours.push(Some(commit.sha256.clone()));
        self.report.commits_not_covered = match commit.record {
            Some(_) => 1,
            None => self.report.commits_not_covered + 1,
        };
        self.check_files(&path, &commit);
        self.forget_removed(&commit);
        self.compare_claims(version);
        Some(summary(version, commit))
    }

    /// Whether the commit is what was written, as far as it tells by itself.
    fn check_text(&mut self, path: &str, text: &[u8], commit: &ReadCommit) {
        let detail = match (is_as_encoded(text), &commit.record) {
            (Some(false), _) => "it is not the text whose SHA-256 it has",
            (None, Some(_)) => "it has no SHA-256 of itself",
            _ => match &commit.fault {
                Some(fault) => fault.as_str(),
                None => return,
            },
        };
        self.report.find(FindingKind::CommitAltered, path, detail);
    }

    /// Whether the commits before are those that this one names.
    fn check_link(&mut self, version: u64, path: &str, record: &CommitRecord) {
        let named = &record.link.previous;
        if version == 0 {
            if !named.is_empty() {
                self.report.find(FindingKind::ChainBroken, path, "it names commits before it");
            }
            return;
        }
        // A walk that begins behind commits of another program knows only the last of them.
        let unknown = named.len().saturating_sub(self.since_ours.len());
        let is_short = named.len() < self.since_ours.len() || (unknown > 0 && !self.is_partial);
        let known = named.iter().skip(unknown);
        let differs = known
            .zip(&self.since_ours)
            .any(|(named, found)| found.as_ref().is_some_and(|found| found != named));
        if is_short {
            let detail = format!(
                "it names {} commits before it, and {} are there since the last of this program",
                named.len(),
                self.since_ours.len()
            );
            self.report.find(FindingKind::ChainBroken, path, detail);
        } else if differs {
            let detail = "the commits before it are not those whose SHA-256 it has";
            self.report.find(FindingKind::ChainBroken, path, detail);
        }
    }

    /// Whether the data files that come and go do so for a reason, and are those of the record.
    fn check_files(&mut self, path: &str, commit: &ReadCommit) {
        let taken_out = self.replay.apply(commit);
        let Some(record) = &commit.record else {
            if !taken_out.is_empty() {
                let rows = taken_out.iter().filter_map(|(_, file)| Some(file.as_ref()?.rows));
                let detail = format!(
                    "{} took {} data files with {} rows out of the store",
                    commit.maker(),
                    taken_out.len(),
                    rows.sum::<u64>()
                );
                self.report.find(FindingKind::RemovedByOther, path, detail);
            }
            return;
        };
        let recorded: HashSet<_> = record
            .data_files
            .iter()
            .map(|file| (file.path.as_str(), file.sha256.as_str(), file.bytes, file.rows))
            .collect();
        let added: HashSet<_> = commit
            .added
            .iter()
            .map(|(path, file)| (path.as_str(), file.sha256.as_str(), file.bytes, file.rows))
            .collect();
        let recorded_out: HashSet<&str> =
            record.removed_files.iter().map(|file| file.path.as_str()).collect();
        let out: HashSet<&str> = commit.removed.iter().map(|(path, _)| path.as_str()).collect();
        if recorded != added || recorded_out != out {
            let detail = "its record names other data files than it adds and takes out";
            self.report.find(FindingKind::CommitAltered, path, detail);
        } else if let Err(detail) = reason(commit, record, &taken_out) {
            self.report.find(FindingKind::RemovedWithoutReason, path, detail);
        }
    }

    /// Forgets those files that it took out that are gone and that no query can ask for.
    fn forget_removed(&mut self, commit: &ReadCommit) {
        let recent = (self.now - GRACE).timestamp_millis();
        for (path, _) in &commit.removed {
            let dropped = self.replay.dropped.get(path);
            let is_old = dropped.is_some_and(|dropped| dropped.at_millis <= recent);
            if is_old && !self.listing.contains_key(path) {
                self.replay.dropped.remove(path);
                self.report.data_files_removed += 1;
            }
        }
    }

    fn note_redaction(&mut self, version: u64, commit: &ReadCommit, record: &CommitRecord) {
        let Some(redaction) = &record.redaction else { return };
        self.report.redactions.push(RedactionSummary {
            version,
            at: commit.timestamp_millis.and_then(DateTime::from_timestamp_millis),
            by: redaction.by.clone(),
            reason: redaction.reason.clone(),
            fields: redaction.fields.clone(),
            event_ids: redaction.events.iter().map(|event| event.event_id.clone()).collect(),
        });
    }

    /// Compares the store as of `version` with what was signed of it.
    fn compare_claims(&mut self, version: u64) {
        for Claim { path, content } in self.claims.remove(&version).unwrap_or_default() {
            if content.commit_sha256 != self.report.commit_sha256 {
                let detail = format!("commit {version} is not the one that was signed");
                self.report.find(FindingKind::RolledBack, &path, detail);
                continue;
            }
            if !self.is_partial && content.files_sha256 != self.files_sha256() {
                let detail = format!("the data files of version {version} are not those signed");
                self.report.find(FindingKind::RolledBack, &path, detail);
                continue;
            }
            self.report.signed_checkpoints += 1;
        }
    }

    fn files_sha256(&self) -> String {
        let mut list = FileList::default();
        for (path, file) in &self.replay.live {
            list.add(path, &file.sha256, file.bytes, file.rows);
        }
        list.sha256()
    }
}

/// The path of a commit from the root of the store.
pub(super) fn commit_path(version: u64) -> String {
    format!("_delta_log/{version:020}.json")
}

fn summary(version: u64, commit: ReadCommit) -> CommitSummary {
    CommitSummary::new(version, commit.timestamp_millis, commit.operation, commit.record)
}

/// Whether a commit of ours says why data files go, and that can be. An error says what is wrong.
fn reason(
    commit: &ReadCommit,
    record: &CommitRecord,
    taken_out: &[(String, Option<LiveFile>)],
) -> Result<(), String> {
    let rows_out: u64 = record.removed_files.iter().map(|file| file.rows).sum();
    let rows_in: u64 = record.data_files.iter().map(|file| file.rows).sum();
    if record.removed_files.is_empty() {
        return Ok(());
    }
    if record.redaction.is_some() {
        return match rows_out == rows_in {
            true => Ok(()),
            false => Err(format!("it redacted {rows_out} rows and left {rows_in}")),
        };
    }
    let note = record.note.as_ref();
    let said = |key: &str| note.and_then(|note| note.get(key));
    if let Some(rows) = said("compactedRows").and_then(Value::as_u64) {
        return match rows == rows_out && rows == rows_in {
            true => Ok(()),
            false => Err(format!("it compacted {rows_out} rows to {rows_in}, and says {rows}")),
        };
    }
    let Some(before) = said("expiredBefore").and_then(Value::as_str) else {
        return Err("it takes data files out and does not say why".to_owned());
    };
    let before = DateTime::parse_from_rfc3339(before).map_err(|err| err.to_string())?.to_utc();
    let made = commit.timestamp_millis.and_then(DateTime::from_timestamp_millis);
    let latest = made.map(|made| made - TimeDelta::days(i64::from(Retention::DAYS_MIN)));
    // A millisecond for the time of the commit, which has no microseconds.
    if latest.is_none_or(|latest| before > latest + TimeDelta::milliseconds(1)) {
        return Err(format!("it expired events before {before}, which no retention does"));
    }
    let newest = taken_out.iter().filter_map(|(_, file)| Some(file.as_ref()?.event_times.1)).max();
    if newest.is_some_and(|newest| newest >= before.timestamp_micros()) {
        return Err(format!(
            "it says that events before {before} expired, and took newer ones out"
        ));
    }
    Ok(())
}
