//! Expiry: dropping data files whose every event is past retention, and removing what no snapshot
//! shows any more.
//!
//! The two are apart. Dropping is a commit that only names files; a query that runs still reads
//! them. Files are removed by a later run, when no query can read them any more: [`GRACE`] after
//! they were dropped or compacted. A data file that a killed writer left behind, which is in no
//! commit, is removed when it is older than any writer may take: [`UNCOMMITTED_AGE_MIN`].

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;
use object_store::path::Path;
use serde_json::json;
use tracing::info;

use crate::commit::{CommitRecord, CommittedFile};
use crate::data_file::DataFile;
use crate::error::{Error, Result};
use crate::layout::{self, EVENT_TIME_COLUMN};
use crate::local;
use crate::snapshot::Snapshot;
use crate::store::{EventDataStore, Prepared};

/// How long a file that is in no snapshot any more is kept: the longest query, one hour as in
/// CloudTrail Lake, and one hour of grace for clocks that differ and readers that are slow.
pub const GRACE: TimeDelta = TimeDelta::hours(2);

/// How old a data file must be that no snapshot shows before it is removed. A writer commits what
/// it wrote within minutes, and a compaction within [`crate::COMPACTION_MAX`].
pub const UNCOMMITTED_AGE_MIN: TimeDelta = TimeDelta::hours(24);

/// How long a data file that was compacted waits for those who read what arrived and have not seen
/// it, counted from when it was appended: a reader that has stopped must not keep files for ever.
pub const READERS_WAIT_MAX: TimeDelta = TimeDelta::days(7);

/// Data files that one commit drops, at most: some 3 MB of JSON.
const DROPPED_PER_COMMIT_MAX: usize = 10_000;

/// Commits read at the same time when looking for files dropped lately.
const COMMITS_AT_ONCE: u64 = 16;

/// What an expiry did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// The data files dropped from the store, all of whose events are past retention.
    pub dropped: Vec<DataFile>,
    /// The data files past retention that stay because of legal holds.
    pub held: u64,
    /// The files removed from the storage, which no snapshot showed any more.
    pub removed: Vec<RemovedFile>,
}

/// A file removed from the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemovedFile {
    /// Where it was, from the root of the lake.
    pub path: Path,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Set for a staging file, which the object store does not show.
    staging: Option<PathBuf>,
}

impl EventDataStore {
    /// What [`EventDataStore::expire`] would do at `now`; changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`EventDataStore::snapshot`].
    pub async fn plan_expiry(&self, now: DateTime<Utc>) -> Result<Expiry> {
        self.plan_expiry_after(None, now).await
    }

    /// What [`EventDataStore::expire_after`] would do at `now`; changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`EventDataStore::snapshot`].
    pub async fn plan_expiry_after(&self, seen: Option<u64>, now: DateTime<Utc>) -> Result<Expiry> {
        let unreferenced = self.unreferenced_candidates(now).await?;
        let snapshot = self.snapshot().await?;
        if snapshot.settings().deleted_at.is_some() {
            return Ok(Expiry::default());
        }
        let (dropped, held) = expired(&snapshot, now);
        let removed = self.removable(unreferenced, &snapshot, seen, now).await?;
        Ok(Expiry { dropped, held, removed })
    }

    /// Drops the data files that are past retention at `now` and under no legal hold, and removes
    /// files that no snapshot showed for [`GRACE`]. A deleted store is left as it is.
    ///
    /// A crash in between leaves less to do for the next call.
    ///
    /// # Errors
    ///
    /// Those of [`EventDataStore::writer`] and [`Writer::commit`](crate::Writer::commit).
    pub async fn expire(&self, now: DateTime<Utc>, wait_max: Duration) -> Result<Expiry> {
        self.expire_after(None, now, wait_max).await
    }

    /// As [`EventDataStore::expire`], for a store of which others read
    /// [what arrives](EventDataStore::appended) and have seen it up to version `seen`: a data file
    /// that was appended after that and then compacted stays for them, [`READERS_WAIT_MAX`] at most.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn expire_after(
        &self,
        seen: Option<u64>,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Expiry> {
        let held = self.acquire(now, wait_max).await?;
        let done = Box::pin(self.expire_leased(seen, now)).await;
        held.lease.release().await;
        done
    }

    async fn expire_leased(&self, seen: Option<u64>, now: DateTime<Utc>) -> Result<Expiry> {
        let mut dropped = Vec::new();
        loop {
            let snapshot = self.snapshot().await?;
            if snapshot.settings().deleted_at.is_some() {
                return Ok(Expiry::default());
            }
            let (mut expired, held) = expired(&snapshot, now);
            expired.truncate(DROPPED_PER_COMMIT_MAX);
            if expired.is_empty() {
                // Listed before the snapshot is taken that says what they are not in.
                let unreferenced = self.unreferenced_candidates(now).await?;
                let snapshot = self.snapshot().await?;
                let removed = self.removable(unreferenced, &snapshot, seen, now).await?;
                self.remove_files(&removed).await?;
                return Ok(Expiry { dropped, held, removed });
            }
            let prepare = |snapshot: &Snapshot| self.prepare_drop(snapshot, now);
            if let Some(version) = self.commit_on_newest(prepare, now).await? {
                let files = expired.len();
                info!(store = %self.id(), version, files, "expired data files dropped");
            }
            dropped.append(&mut expired);
        }
    }

    fn prepare_drop(&self, snapshot: &Snapshot, now: DateTime<Utc>) -> Result<Option<Prepared>> {
        snapshot.settings().check_not_deleted()?;
        let (mut expired, _) = expired(snapshot, now);
        expired.truncate(DROPPED_PER_COMMIT_MAX);
        let mut record = CommitRecord::new();
        let mut actions = Vec::with_capacity(expired.len());
        for file in &expired {
            let Some(within) = self.within(file) else { continue };
            actions.push(Action::Remove(file.remove(within.as_ref(), true, now)));
            record.removed_files.push(file.committed(within.as_ref()));
        }
        if actions.is_empty() {
            return Ok(None);
        }
        let cutoff = time_text(snapshot.cutoff(now));
        record.note = Some(json!({"expiredBefore": cutoff}));
        let predicate = Some(format!("{EVENT_TIME_COLUMN} < TIMESTAMP '{cutoff}'"));
        Ok(Some(Prepared { record, actions, operation: DeltaOperation::Delete { predicate } }))
    }

    /// The data files of the store's folder that are old enough not to be a writer's.
    async fn unreferenced_candidates(&self, now: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
        let root = layout::store(self.id());
        let mut found = self.files().list_below(&root).await?;
        let is_old = |file: &ObjectMeta| now - file.last_modified >= UNCOMMITTED_AGE_MIN;
        found.retain(|file| is_old(file) && layout::is_data_file(&root, &file.location));
        Ok(found)
    }

    /// Those of `candidates` that neither `snapshot` nor one of the last [`GRACE`] shows and that no
    /// reader waits for, and the staging files of killed writers.
    async fn removable(
        &self,
        mut candidates: Vec<ObjectMeta>,
        snapshot: &Snapshot,
        seen: Option<u64>,
        now: DateTime<Utc>,
    ) -> Result<Vec<RemovedFile>> {
        let files = self.files();
        let present: HashSet<&Path> = snapshot.data_files().iter().map(|file| &file.path).collect();
        candidates.retain(|file| !present.contains(&files.full_path(&file.location)));
        if !candidates.is_empty() {
            let recent = self.dropped_since(now - GRACE, snapshot.version()).await?;
            candidates.retain(|file| !recent.contains_key(&file.location));
        }
        if let Some(seen) = seen.filter(|_| !candidates.is_empty()) {
            let unseen = self.unseen(&candidates, snapshot, seen, now).await?;
            candidates.retain(|file| !unseen.contains(&file.location));
        }
        let removable = |file: ObjectMeta| RemovedFile {
            path: file.location,
            size_bytes: file.size,
            staging: None,
        };
        let mut removable: Vec<RemovedFile> = candidates.into_iter().map(removable).collect();
        removable.extend(self.stale_staging(now).await?);
        Ok(removable)
    }

    /// Those of `candidates` that were appended after version `seen`, not too long ago, and that hold
    /// an event which a reader may see.
    async fn unseen(
        &self,
        candidates: &[ObjectMeta],
        snapshot: &Snapshot,
        seen: u64,
        now: DateTime<Utc>,
    ) -> Result<HashSet<Path>> {
        let candidates: HashSet<&Path> = candidates.iter().map(|file| &file.location).collect();
        let is_candidate = |file: &CommittedFile| {
            candidates.contains(&self.path_in_lake(&Path::from(file.path.as_str())))
        };
        let since = (now - READERS_WAIT_MAX).timestamp_millis();
        let kept = snapshot.kept(now);
        let mut unseen = HashSet::new();
        let mut commits = self.commits(seen.saturating_add(1), snapshot.version());
        while let Some(commit) = commits.try_next().await? {
            let is_waited_for = commit.timestamp_millis.is_none_or(|made| made >= since);
            if !is_waited_for || !commit.data_files.iter().any(is_candidate) {
                continue;
            }
            let appended = self.appended_by(commit.version).await?;
            let appended = appended.iter().filter(|file| kept.overlaps(file.event_times));
            let within = appended.filter_map(|file| self.within(file));
            unseen.extend(within.map(|within| self.path_in_lake(&within)));
        }
        Ok(unseen)
    }

    /// The staging files of killed writers; only a local file system has any.
    async fn stale_staging(&self, now: DateTime<Utc>) -> Result<Vec<RemovedFile>> {
        let Some(lake) = self.files().location().local_path() else { return Ok(Vec::new()) };
        let root = layout::store(self.id());
        let found = local::stale_staging(lake, &root, now - UNCOMMITTED_AGE_MIN).await;
        let found = found.map_err(|err| Error::storage("list", &root, err))?;
        let removable = |(path, size_bytes): (PathBuf, u64)| {
            let within = path.strip_prefix(lake).unwrap_or(&path);
            let named = Path::from(within.to_string_lossy().as_ref());
            RemovedFile { path: named, size_bytes, staging: Some(path) }
        };
        Ok(found.into_iter().map(removable).collect())
    }

    /// The files that commits took out of the store at `since` or later, by path in the lake.
    async fn dropped_since(&self, since: DateTime<Utc>, newest: u64) -> Result<HashMap<Path, i64>> {
        let mut dropped = HashMap::new();
        let mut end = newest + 1;
        while end > 0 {
            let first = end.saturating_sub(COMMITS_AT_ONCE);
            let reads = stream::iter(first..end).map(|version| self.log().read_commit(version));
            let commits: Vec<_> = reads.buffered(16).try_collect().await?;
            let mut any_recent = false;
            for commit in commits.into_iter().flatten() {
                let made = commit.timestamp_millis.unwrap_or(i64::MAX);
                any_recent |= made >= since.timestamp_millis();
                for (path, at) in commit.removed {
                    let at = at.unwrap_or(made).max(made);
                    let path = Path::from_url_path(&path).unwrap_or_else(|_| Path::from(path));
                    if at >= since.timestamp_millis() {
                        dropped.insert(self.path_in_lake(&path), at);
                    }
                }
            }
            if !any_recent {
                break;
            }
            end = first;
        }
        Ok(dropped)
    }

    async fn remove_files(&self, removed: &[RemovedFile]) -> Result<()> {
        for file in removed {
            match &file.staging {
                None => self.files().remove(&file.path).await?,
                Some(staging) => local::remove_staging(staging.clone())
                    .await
                    .map_err(|err| Error::storage("remove", &file.path, err))?,
            }
        }
        if !removed.is_empty() {
            info!(store = %self.id(), files = removed.len(), "unreferenced files removed");
        }
        Ok(())
    }
}

/// The data files all of whose events are past retention and under no hold, and how many more are
/// past retention but held.
fn expired(snapshot: &Snapshot, now: DateTime<Utc>) -> (Vec<DataFile>, u64) {
    let (cutoff, kept) = (snapshot.cutoff(now), snapshot.kept(now));
    let past = snapshot.data_files().iter().filter(|file| file.event_times.1 < cutoff);
    let (held, expired): (Vec<&DataFile>, Vec<&DataFile>) =
        past.partition(|file| kept.overlaps(file.event_times));
    (expired.into_iter().cloned().collect(), held.len() as u64)
}

fn time_text(micros: i64) -> String {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
