//! The newest snapshot, saved beside the log so that a store is opened faster.
//!
//! Delta's library reads its checkpoint and every commit after it, and makes columns of each: some
//! hundredths of a second for a thousand data files and the same for a hundred commits, each time a
//! process starts. So whoever had to do that saves what it came to as one file, and who opens the
//! store next reads that file and the commits after it. The log stays the truth:
//!
//! * The file has the SHA-256 of the commit it was made after. If that commit is gone or another
//!   one, because a repair moved it aside, the file counts for nothing.
//! * It is only gone on from by commits of ours, whole and without a gap, that add and remove data
//!   files or change settings. Whatever else there is, the library reads the log.
//! * One that is missing, torn or of another form is made anew, and one that cannot be written is
//!   done without. `verify` compares it with the log.

use std::collections::HashMap;

use bytes::Bytes;
use deltalake::kernel::{Add, Metadata};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tracing::debug;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::commit::{self, ParsedCommit};
use crate::data_file::{DataFile, data_file};
use crate::lake_files::LakeFiles;
use crate::layout;
use crate::snapshot::{Head, Snapshot};

/// Commits since the saved snapshot after which it is saved again: reading them takes some
/// milliseconds, and saving it as long as a commit.
pub(crate) const SAVE_AFTER_COMMITS: u64 = 32;

/// Commits that are read after the saved snapshot, at most. After more of them Delta's library,
/// which has a checkpoint for every hundred, is the faster one.
const COMMITS_MAX: u64 = 256;

/// Commits that are asked for at the same time, without knowing whether they are there.
const COMMITS_AT_ONCE: usize = 16;

/// Bytes that the file may have: some four million data files.
const BYTES_MAX: usize = 1 << 30;

/// The form of the file.
const FORMAT: u32 = 1;

/// Digits of the checksum that the file begins with, before a line break.
const CHECKSUM_DIGITS: usize = 16;

/// A snapshot as it is saved.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    format: u32,
    store: Uuid,
    version: u64,
    /// SHA-256 of the file of the commit that made this version.
    commit_sha256: String,
    metadata: Metadata,
    data_files: Vec<SavedFile>,
}

/// Path from the root of the store, bytes, rows, least and greatest event time, month, SHA-256.
#[derive(Serialize, Deserialize)]
struct SavedFile(String, u64, u64, i64, i64, i64, String);

/// A snapshot that was made from the saved one, or from an earlier one of this process.
pub(crate) struct Followed {
    pub(crate) snapshot: Snapshot,
    /// What tells the newest commit's file from another one.
    pub(crate) tag: Option<String>,
    /// Commits that were read after the snapshot it began with.
    pub(crate) commits: u64,
}

/// What a snapshot is made of, apart from its newest commit.
struct State {
    metadata: Metadata,
    /// By path.
    data_files: HashMap<Path, DataFile>,
}

/// A line of a commit that can be gone on by. Any other action is an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    #[serde(rename = "commitInfo")]
    _commit_info: Option<IgnoredAny>,
    #[serde(rename = "txn")]
    _txn: Option<IgnoredAny>,
    add: Option<Add>,
    remove: Option<RemoveLine>,
    meta_data: Option<Metadata>,
}

#[derive(Deserialize)]
struct RemoveLine {
    path: String,
}

/// A commit that was read.
struct Read {
    text: Bytes,
    tag: Option<String>,
    parsed: ParsedCommit,
}

/// The newest snapshot of the store, from the saved one on; `None` if the log has to be read.
pub(crate) async fn open(files: &LakeFiles, id: Uuid) -> Option<Followed> {
    let content = files.read(&layout::saved_snapshot(id)).await.ok()??;
    let saved = decoded(&content).filter(|saved| saved.format == FORMAT && saved.store == id)?;
    let root = files.full_path(&layout::store(id));
    let mut data_files = HashMap::with_capacity(saved.data_files.len());
    for SavedFile(within, size_bytes, rows, least, greatest, calendarmonth, sha256) in
        saved.data_files
    {
        let path: Path = root.parts().chain(Path::parse(within).ok()?.parts()).collect();
        let event_times = (least, greatest);
        let file =
            DataFile { path: path.clone(), size_bytes, rows, event_times, calendarmonth, sha256 };
        data_files.insert(path, file);
    }
    let state = State { metadata: saved.metadata, data_files };
    follow(files, id, state, (saved.version, &saved.commit_sha256)).await
}

/// The newest snapshot from `known` on; `None` if the log has to be read.
pub(crate) async fn follow_known(
    files: &LakeFiles,
    id: Uuid,
    known: &Snapshot,
) -> Option<Followed> {
    let sha256 = &known.head()?.sha256;
    let data_files = known.data_files().iter().map(|file| (file.path.clone(), file.clone()));
    let state = State { metadata: known.metadata().clone(), data_files: data_files.collect() };
    follow(files, id, state, (known.version(), sha256)).await
}

/// Takes in the commits after `version`, whose commit must have that SHA-256.
async fn follow(
    files: &LakeFiles,
    id: Uuid,
    mut state: State,
    (version, sha256): (u64, &str),
) -> Option<Followed> {
    let root = files.full_path(&layout::store(id));
    let (mut at, mut newest): (u64, Option<Read>) = (version, None);
    'rounds: loop {
        let versions = at..at.saturating_add(COMMITS_AT_ONCE as u64);
        let reads = stream::iter(versions).map(|version| read(files, id, version));
        let round: Vec<Option<Read>> = reads.buffered(COMMITS_AT_ONCE).try_collect().await.ok()?;
        // One that is missing before one that is there is for the library to judge.
        let is_gapless = round.is_sorted_by_key(Option::is_none);
        if !is_gapless || at - version > COMMITS_MAX {
            return None;
        }
        for read in round {
            let Some(read) = read else { break 'rounds };
            if at == version {
                (read.parsed.sha256 == sha256).then_some(())?;
            } else {
                state.apply(&root, &read)?;
            }
            newest = Some(read);
            at += 1;
        }
    }
    let newest = newest?;
    let commits = at - 1 - version;
    let snapshot = state.into_snapshot(at - 1, &newest.parsed)?;
    Some(Followed { snapshot, tag: newest.tag, commits })
}

/// The commit of a version, if there is one. What is not whole is an error.
async fn read(files: &LakeFiles, id: Uuid, version: u64) -> Result<Option<Read>, ()> {
    let found = files.read_versioned(&layout::commit(id, version)).await.map_err(|_err| ())?;
    let Some((text, update)) = found else { return Ok(None) };
    let parsed = commit::parse(&text).map_err(|_reason| ())?;
    Ok(Some(Read { text, tag: update.e_tag, parsed }))
}

impl State {
    /// Takes in a commit; `None` if it is not ours, or does what is not known here.
    fn apply(&mut self, root: &Path, read: &Read) -> Option<()> {
        read.parsed.record.as_ref()?;
        let full = |within: &str| -> Option<Path> {
            Some(root.parts().chain(Path::from_url_path(within).ok()?.parts()).collect())
        };
        let lines = read.text.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            let line: Line = serde_json::from_slice(line).ok()?;
            if let Some(RemoveLine { path }) = line.remove {
                self.data_files.remove(&full(&path)?)?;
            }
            if let Some(add) = line.add {
                let path = full(&add.path).filter(|_| add.deletion_vector.is_none())?;
                let file = data_file(path.clone(), &add).ok().filter(DataFile::is_ours)?;
                self.data_files.insert(path, file);
            }
            if let Some(metadata) = line.meta_data {
                self.metadata = metadata;
            }
        }
        Some(())
    }

    fn into_snapshot(self, version: u64, newest: &ParsedCommit) -> Option<Snapshot> {
        let head = Head { sha256: newest.sha256.clone(), is_ours: newest.record.is_some() };
        let data_files = self.data_files.into_values().collect();
        Snapshot::restored(version, data_files, self.metadata, (head, newest.txn_version?)).ok()
    }
}

/// Saves a snapshot, if it is one that can be gone on from.
pub(crate) async fn save(files: &LakeFiles, id: Uuid, snapshot: &Snapshot) {
    let Some(content) = encoded(files, id, snapshot) else { return };
    if let Err(err) = files.write(&layout::saved_snapshot(id), content).await {
        debug!(store = %id, error = %err, "snapshot not saved");
    }
}

fn encoded(files: &LakeFiles, id: Uuid, snapshot: &Snapshot) -> Option<Bytes> {
    let head = snapshot.head().filter(|head| head.is_ours && snapshot.is_writable())?;
    let root = files.full_path(&layout::store(id));
    let mut data_files = Vec::with_capacity(snapshot.data_files().len());
    for file in snapshot.data_files() {
        let within: Path = file.path.prefix_match(&root)?.collect();
        let (least, greatest) = file.event_times;
        let (month, sha256) = (file.calendarmonth, file.sha256.clone());
        let (bytes, rows) = (file.size_bytes, file.rows);
        data_files.push(SavedFile(within.into(), bytes, rows, least, greatest, month, sha256));
    }
    let saved = Saved {
        format: FORMAT,
        store: id,
        version: snapshot.version(),
        commit_sha256: head.sha256.clone(),
        metadata: snapshot.metadata().clone(),
        data_files,
    };
    let text = serde_json::to_string(&saved).ok().filter(|text| text.len() <= BYTES_MAX)?;
    Some(format!("{:016x}\n{text}", xxh3_64(text.as_bytes())).into())
}

/// What was saved, if it is whole.
fn decoded(content: &[u8]) -> Option<Saved> {
    let (checksum, text) = content.split_at_checked(CHECKSUM_DIGITS)?;
    let text = text.strip_prefix(b"\n")?;
    (format!("{:016x}", xxh3_64(text)).as_bytes() == checksum).then_some(())?;
    serde_json::from_slice(text).ok()
}
