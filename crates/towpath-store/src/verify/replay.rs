//! What a commit says, in full, and what all of them come to.

use std::collections::{BTreeMap, HashMap, HashSet};

use deltalake::kernel::{Add, Metadata};
use object_store::path::Path;
use serde::Deserialize;
use serde_json::Value;

use crate::commit::{self, CommitRecord, CommittedFile};
use crate::data_file::data_file;
use crate::repair::TornReason;

/// A commit as the walk reads it.
#[derive(Debug, Default)]
pub(super) struct ReadCommit {
    pub(super) sha256: String,
    /// Our record, if the commit is ours.
    pub(super) record: Option<CommitRecord>,
    pub(super) timestamp_millis: Option<i64>,
    pub(super) operation: Option<String>,
    /// What made it, in its own words.
    pub(super) engine: Option<String>,
    pub(super) metadata: Option<Metadata>,
    /// By path from the root of the store.
    pub(super) added: Vec<(String, LiveFile)>,
    /// Path, and when, in milliseconds since 1970.
    pub(super) removed: Vec<(String, Option<i64>)>,
    /// An action that cannot be understood.
    pub(super) fault: Option<String>,
}

/// A data file that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveFile {
    /// Empty if another program added it.
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) event_times: (i64, i64),
}

/// A data file that a commit took out of the store.
#[derive(Clone, Debug)]
pub(super) struct DroppedFile {
    pub(super) sha256: String,
    pub(super) bytes: Option<u64>,
    pub(super) at_millis: i64,
}

/// What the commits so far come to.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) live: BTreeMap<String, LiveFile>,
    pub(super) dropped: HashMap<String, DroppedFile>,
    pub(super) metadata: Option<Metadata>,
    /// Those of `live` that were in the store before the walk began.
    pub(super) before: HashSet<String>,
    /// Files that were taken out and were in the store before the walk began.
    pub(super) removed_from_before: Vec<CommittedFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    commit_info: Option<InfoLine>,
    add: Option<Add>,
    remove: Option<RemoveLine>,
    meta_data: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InfoLine {
    engine_info: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveLine {
    path: String,
    deletion_timestamp: Option<i64>,
}

/// Reads the text of a commit; an error says why it is not whole.
pub(super) fn read(text: &[u8]) -> Result<ReadCommit, TornReason> {
    let parsed = commit::parse(text)?;
    let mut read = ReadCommit {
        sha256: parsed.sha256,
        record: parsed.record,
        timestamp_millis: parsed.timestamp_millis,
        operation: parsed.operation,
        ..ReadCommit::default()
    };
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => read.add(line),
            Err(err) => read.fault = Some(err.to_string()),
        }
    }
    Ok(read)
}

impl ReadCommit {
    fn add(&mut self, line: Line) {
        if let Some(info) = line.commit_info {
            self.engine = info.engine_info.and_then(|info| Some(info.as_str()?.to_owned()));
        }
        self.metadata = line.meta_data.or(self.metadata.take());
        if let Some(add) = line.add {
            match data_file(Path::default(), &add) {
                Ok(file) => {
                    let file = LiveFile {
                        sha256: file.sha256,
                        bytes: file.size_bytes,
                        rows: file.rows,
                        event_times: file.event_times,
                    };
                    self.added.push((decoded(&add.path), file));
                }
                Err(fault) => self.fault = Some(fault),
            }
        }
        if let Some(remove) = line.remove {
            self.removed.push((decoded(&remove.path), remove.deletion_timestamp));
        }
    }

    /// Who made it, as a text for people.
    pub(super) fn maker(&self) -> String {
        self.engine.clone().unwrap_or_else(|| "an unnamed program".to_owned())
    }
}

/// A path as files have it: in the log, it is part of a URL.
fn decoded(path: &str) -> String {
    match Path::from_url_path(path) {
        Ok(path) => path.to_string(),
        Err(_) => path.to_owned(),
    }
}

impl Replay {
    /// Takes in a commit and returns what it took out that was in the store, as far as known.
    pub(super) fn apply(&mut self, commit: &ReadCommit) -> Vec<(String, Option<LiveFile>)> {
        let recorded: HashMap<&str, &CommittedFile> = commit
            .record
            .iter()
            .flat_map(|record| &record.removed_files)
            .map(|file| (file.path.as_str(), file))
            .collect();
        let mut taken_out = Vec::with_capacity(commit.removed.len());
        for (path, at) in &commit.removed {
            let known = self.live.remove(path);
            let recorded = recorded.get(path.as_str());
            if known.is_none() {
                self.removed_from_before.extend(recorded.map(|file| (*file).clone()));
            }
            let sha256 = known.as_ref().map(|known| known.sha256.clone());
            let sha256 = sha256.or_else(|| Some(recorded?.sha256.clone())).unwrap_or_default();
            let bytes = known.as_ref().map(|known| known.bytes);
            let bytes = bytes.or_else(|| Some(recorded?.bytes));
            // The later of both: whoever reads may count from either.
            let at_millis = (*at).max(commit.timestamp_millis).unwrap_or(i64::MAX);
            self.dropped.insert(path.clone(), DroppedFile { sha256, bytes, at_millis });
            taken_out.push((path.clone(), known));
        }
        for (path, file) in &commit.added {
            self.dropped.remove(path);
            self.live.insert(path.clone(), file.clone());
        }
        if let Some(metadata) = &commit.metadata {
            self.metadata = Some(metadata.clone());
        }
        taken_out
    }

    /// The path of a data file that is other than `told`, or is only here or there.
    pub(super) fn differ_from(&self, told: &BTreeMap<String, CommittedFile>) -> Option<String> {
        let is_told = |(path, file): &(&String, &LiveFile)| {
            told.get(*path).is_some_and(|told| {
                (told.bytes, told.rows, &told.sha256) == (file.bytes, file.rows, &file.sha256)
            })
        };
        let other = self.live.iter().find(|file| !is_told(file)).map(|(path, _)| path);
        let other = other.or_else(|| told.keys().find(|path| !self.live.contains_key(*path)));
        other.cloned()
    }

    /// Adds the data files that were in the store before the walk began and still are.
    pub(super) fn add_before(&mut self, files: BTreeMap<String, CommittedFile>) {
        for (path, CommittedFile { sha256, bytes, rows, .. }) in files {
            self.before.insert(path.clone());
            let event_times = (i64::MIN, i64::MAX);
            self.live.insert(path, LiveFile { sha256, bytes, rows, event_times });
        }
    }
}
