//! Compaction: small data files of one month into larger ones, beside readers and writers.
//!
//! A compaction changes no answer. The files it reads are compared with the SHA-256 they were
//! committed with, the file it writes is decoded and compared with them row by row, and one commit
//! takes the old ones out and the new one in, or fails. Appends wait for that commit only. The old
//! files stay on the storage until no query can read them (see [`crate::GRACE`]). Killed at any
//! moment it leaves the old files or the new one, and at worst a file that nobody sees.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use object_store::path::Path;
use serde_json::json;
use tokio::time::Instant;
use tracing::{debug, info};

use crate::commit::CommitRecord;
use crate::data_file::{DATA_FILE_ROWS_MAX, DataFile, sha256_hex};
use crate::error::{Error, Result};
use crate::layout;
use crate::lease::Lease;
use crate::merge::{Merged, merge};
use crate::snapshot::Snapshot;
use crate::store::{EventDataStore, Prepared};
use crate::worker::Worker;

/// The size that compaction makes data files of, in bytes: a million events or so.
///
/// The files that become one are in memory together, compressed, and so is the one they become: the
/// whole of it is to stay below 512 MB. Larger files would save little: at this size a month of a
/// hundred events a second is 250 files.
pub const COMPACTION_TARGET_BYTES: u64 = 96 << 20;

/// Data files that become one, at most. Beside its bytes each takes some 20 MB while it is merged,
/// most of them to decompress its columns, all of which are read at once.
const FILES_MAX: usize = 10;

/// How long one compaction goes on making new groups. What is left is for the next one.
pub const COMPACTION_MAX: Duration = Duration::from_secs(4 * 60 * 60);

/// Times that one compaction looks for what is worth it. What came of the first goes into the next,
/// so four make ten thousand files one; more would only follow new files for as long as they come.
const ROUNDS_MAX: u32 = 4;

/// Groups that may be overtaken by expiry or another compaction before a compaction gives up.
const OVERTAKEN_MAX: u64 = 8;

/// When files are worth compacting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionPolicy {
    /// The size to make data files of, in bytes. Files of half this size and more are left alone.
    pub target_bytes: u64,
    /// The fewest files that are made one, at least 2.
    pub files_min: usize,
    /// Whether a file is left alone until the others of its group are together as large, so that
    /// an event is rewritten a few times only, however small the appends.
    pub is_patient: bool,
}

impl CompactionPolicy {
    /// For running on its own while small files keep arriving.
    pub const AUTOMATIC: CompactionPolicy =
        CompactionPolicy { target_bytes: COMPACTION_TARGET_BYTES, files_min: 8, is_patient: true };

    /// For being asked to: everything that can become fewer files does.
    pub const THOROUGH: CompactionPolicy =
        CompactionPolicy { target_bytes: COMPACTION_TARGET_BYTES, files_min: 2, is_patient: false };
}

/// Data files of one month that are to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactionGroup {
    /// The month of all their events, YYYYMM.
    pub calendarmonth: i64,
    /// The files, by time. Two at least.
    pub files: Vec<DataFile>,
    /// The size in bytes that was aimed at.
    pub target_bytes: u64,
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactionReport {
    /// Data files that were made fewer.
    pub files_before: u64,
    /// Data files that they became.
    pub files_after: u64,
    /// Their rows, which are the same before and after.
    pub rows: u64,
    /// Their bytes before.
    pub bytes_before: u64,
    /// Their bytes after.
    pub bytes_after: u64,
    /// Groups that were left because their files had gone in the meantime.
    pub overtaken: u64,
    /// Whether another compaction of the store was running, so that nothing was done.
    pub is_busy: bool,
}

/// Which data files of `snapshot` are worth compacting into one, by month and time.
///
/// Neighbours in time become one, so that each file covers a span of its own and a query of a few
/// hours reads few of them. Files that another program added are left alone.
#[must_use]
pub fn compaction_plan(snapshot: &Snapshot, policy: &CompactionPolicy) -> Vec<CompactionGroup> {
    let files = snapshot.data_files();
    let is_small = |file: &DataFile| {
        file.is_ours() && file.size_bytes < policy.target_bytes / 2 && file.rows > 0
    };
    files
        .chunk_by(|a, b| a.calendarmonth == b.calendarmonth)
        .flat_map(|month| month.split(|file| !is_small(file)))
        .flat_map(|run| packed(run, policy))
        .flat_map(|run| worthwhile(run, policy))
        .map(|files| CompactionGroup {
            calendarmonth: files.first().map_or(0, |file| file.calendarmonth),
            files: files.to_vec(),
            target_bytes: policy.target_bytes,
        })
        .collect()
}

/// Splits neighbours into runs that each fit into one file.
fn packed<'a>(files: &'a [DataFile], policy: &CompactionPolicy) -> Vec<&'a [DataFile]> {
    let mut runs = Vec::new();
    let (mut start, mut bytes, mut rows) = (0, 0, 0);
    for (place, file) in files.iter().enumerate() {
        let fits = bytes + file.size_bytes <= policy.target_bytes
            && rows + file.rows <= DATA_FILE_ROWS_MAX
            && place - start < FILES_MAX;
        if !fits {
            runs.extend(files.get(start..place));
            (start, bytes, rows) = (place, 0, 0);
        }
        bytes += file.size_bytes;
        rows += file.rows;
    }
    runs.extend(files.get(start..));
    runs
}

/// The parts of a run that are worth making one, without the files that are too large for that.
fn worthwhile<'a>(run: &'a [DataFile], policy: &CompactionPolicy) -> Vec<&'a [DataFile]> {
    let mut found = Vec::new();
    let mut left = vec![run];
    while let Some(run) = left.pop() {
        if run.len() < policy.files_min.max(2) {
            continue;
        }
        let bytes: u64 = run.iter().map(|file| file.size_bytes).sum();
        let largest = run.iter().enumerate().max_by_key(|(_, file)| file.size_bytes);
        let Some((place, largest)) = largest else { continue };
        if !policy.is_patient || 2 * largest.size_bytes <= bytes {
            found.push(run);
        } else {
            left.extend(run.get(..place));
            left.extend(run.get(place + 1..));
        }
    }
    found
}

/// How the compaction of one group ended.
enum Ended {
    Compacted { bytes: u64 },
    Overtaken,
}

impl EventDataStore {
    /// Makes small data files fewer, until none are worth it, but not for as long as new ones come.
    ///
    /// Only one compaction of a store runs at a time; another one is told so in the report. Each
    /// group of files is one commit, so one that is stopped has lost nothing.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedDataFile`] if a file is not what was committed, [`Error::CompactionMismatch`]
    /// if the rows written are not those read: nothing was committed then. [`Error::LeaseTimeout`];
    /// [`Error::OutOfSpace`]; errors of the storage.
    pub async fn compact(
        &self,
        policy: &CompactionPolicy,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<CompactionReport> {
        let what = format!("the compaction of event data store `{}`", self.id());
        let lock = layout::compactor_lock(self.id());
        let lease = Lease::acquire(self.files(), &lock, &what, now, Duration::ZERO);
        let lease = match Box::pin(lease).await {
            Ok(lease) => lease,
            Err(Error::LeaseTimeout { .. }) => {
                return Ok(CompactionReport { is_busy: true, ..CompactionReport::default() });
            }
            Err(err) => return Err(err),
        };
        let compacted = Box::pin(self.compact_leased(policy, now, wait_max)).await;
        lease.release().await;
        compacted
    }

    async fn compact_leased(
        &self,
        policy: &CompactionPolicy,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<CompactionReport> {
        let began = Instant::now();
        let mut report = CompactionReport::default();
        let worker = Worker::start("compact").map_err(|err| self.not_merged(&err))?;
        for _ in 0..ROUNDS_MAX {
            if began.elapsed() >= COMPACTION_MAX || report.overtaken >= OVERTAKEN_MAX {
                break;
            }
            let snapshot = self.snapshot().await?;
            if snapshot.settings().deleted_at.is_some() {
                break;
            }
            let groups = compaction_plan(&snapshot, policy);
            if groups.is_empty() {
                break;
            }
            for group in groups {
                let at = now + TimeDelta::from_std(began.elapsed()).unwrap_or_default();
                match Box::pin(self.compact_group(&group, &worker, at, wait_max)).await? {
                    Ended::Compacted { bytes } => report.add(&group, bytes),
                    Ended::Overtaken => report.overtaken += 1,
                }
            }
        }
        Ok(report)
    }

    async fn compact_group(
        &self,
        group: &CompactionGroup,
        worker: &Worker,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Ended> {
        let mut contents = Vec::with_capacity(group.files.len());
        for file in &group.files {
            match self.read_whole(file).await? {
                Some(content) => contents.push(content),
                None => return Ok(Ended::Overtaken),
            }
        }
        let (store, calendarmonth) = (self.id().to_string(), group.calendarmonth);
        let merged = worker.run(move || merge(&store, calendarmonth, contents)).await;
        let merged = merged.map_err(|err| self.not_merged(&err))??;
        self.put_data_file(&merged.file, merged.content.clone()).await?;

        let committed = self.commit_compacted(group, &merged, now, wait_max).await;
        if !matches!(committed, Ok(true) | Err(Error::CommitUnknown { .. })) {
            // In no commit, for sure. If it stays, an expiry removes it later.
            let path = self.path_in_lake(&Path::from(merged.file.path.as_str()));
            if let Err(err) = self.files().remove(&path).await {
                debug!(store = %self.id(), error = %err, "uncommitted data file not removed");
            }
        }
        let bytes = merged.file.size_bytes();
        committed.map(|done| if done { Ended::Compacted { bytes } } else { Ended::Overtaken })
    }

    fn not_merged(&self, err: &io::Error) -> Error {
        let (store, reason) = (self.id().to_string(), err.to_string());
        Error::CompactionMismatch { store, reason }
    }

    /// The bytes of a data file, if it is there and is what was committed.
    pub(crate) async fn read_whole(&self, file: &DataFile) -> Result<Option<Bytes>> {
        let Some(within) = self.within(file) else { return Ok(None) };
        let read = self.files().read(&self.path_in_lake(&within)).await?;
        let Some(content) = read else { return Ok(None) };
        let found = sha256_hex(&content);
        if found != file.sha256 {
            return Err(Error::DamagedDataFile {
                path: file.path.clone(),
                what: "SHA-256",
                expected: file.sha256.clone(),
                found,
            });
        }
        Ok(Some(content))
    }

    /// Puts the merged file in the place of the group's files; `false` if one of those is gone.
    async fn commit_compacted(
        &self,
        group: &CompactionGroup,
        merged: &Merged,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<bool> {
        let held = self.acquire(now, wait_max).await?;
        let prepare = |snapshot: &Snapshot| self.prepare_compacted(snapshot, group, merged, now);
        let committed = self.commit_on_newest(prepare, now).await;
        held.lease.release().await;
        let Some(version) = committed? else { return Ok(false) };
        let (files, rows) = (group.files.len(), merged.digest.rows);
        info!(store = %self.id(), version, files, rows, "data files compacted");
        Ok(true)
    }

    fn prepare_compacted(
        &self,
        snapshot: &Snapshot,
        group: &CompactionGroup,
        merged: &Merged,
        now: DateTime<Utc>,
    ) -> Result<Option<Prepared>> {
        let is_present = |file: &DataFile| snapshot.data_files().contains(file);
        let rows: u64 = group.files.iter().map(|file| file.rows).sum();
        if !group.files.iter().all(is_present) || snapshot.settings().deleted_at.is_some() {
            return Ok(None);
        }
        if rows != merged.digest.rows {
            let reason = format!("{rows} rows were committed, {} are there", merged.digest.rows);
            return Err(Error::CompactionMismatch { store: self.id().to_string(), reason });
        }
        let mut record = CommitRecord::new();
        let mut actions = Vec::with_capacity(group.files.len() + 1);
        for file in &group.files {
            let Some(within) = self.within(file) else { return Ok(None) };
            actions.push(Action::Remove(file.remove(within.as_ref(), false, now)));
            record.removed_files.push(file.committed(within.as_ref()));
        }
        actions.push(Action::Add(merged.file.add(false, now)));
        record.data_files.push(merged.file.committed());
        let digest = merged.digest.to_string();
        record.note = Some(json!({"compactedRows": rows, "rowsDigest": digest}));
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size: i64::try_from(group.target_bytes).unwrap_or(i64::MAX),
        };
        Ok(Some(Prepared { record, actions, operation }))
    }
}

impl CompactionReport {
    fn add(&mut self, group: &CompactionGroup, bytes_after: u64) {
        self.files_before += group.files.len() as u64;
        self.files_after += 1;
        self.rows += group.files.iter().map(|file| file.rows).sum::<u64>();
        self.bytes_before += group.files.iter().map(|file| file.size_bytes).sum::<u64>();
        self.bytes_after += bytes_after;
    }
}

#[cfg(test)]
mod tests {
    use super::{CompactionPolicy, packed, worthwhile};
    use crate::data_file::DataFile;
    use object_store::path::Path;
    use proptest::prelude::{any, prop, prop_assert, proptest};

    fn files(sizes: &[u64]) -> Vec<DataFile> {
        let file = |(place, size): (usize, &u64)| DataFile {
            path: Path::from(format!("{place}")),
            size_bytes: *size,
            rows: 1,
            event_times: (0, 0),
            calendarmonth: 202_401,
            sha256: "x".into(),
        };
        sizes.iter().enumerate().map(file).collect()
    }

    fn groups(sizes: &[u64], policy: &CompactionPolicy) -> Vec<Vec<u64>> {
        let files = files(sizes);
        let runs = packed(&files, policy);
        let runs = runs.into_iter().flat_map(|run| worthwhile(run, policy));
        runs.map(|run| run.iter().map(|file| file.size_bytes).collect()).collect()
    }

    const PATIENT: CompactionPolicy =
        CompactionPolicy { target_bytes: 100, files_min: 3, is_patient: true };

    #[test]
    fn large_file_waits_until_the_small_ones_beside_it_are_as_much() {
        assert_eq!(groups(&[40, 1, 1], &PATIENT), Vec::<Vec<u64>>::new());
        assert_eq!(groups(&[40, 1, 1, 1], &PATIENT), [[1, 1, 1]]);
        assert_eq!(groups(&[40, 20, 20], &PATIENT), [[40, 20, 20]]);
        let thorough = CompactionPolicy { files_min: 2, is_patient: false, ..PATIENT };
        assert_eq!(groups(&[40, 1], &thorough), [[40, 1]]);
        assert_eq!(groups(&[40], &thorough), Vec::<Vec<u64>>::new());
    }

    proptest! {
        #[test]
        fn count_of_files_stays_flat_and_each_byte_is_rewritten_a_few_times(
            appends in prop::collection::vec(1..6_u64, 1..400),
            is_even in any::<bool>(),
        ) {
            let policy = CompactionPolicy { target_bytes: 1 << 12, files_min: 8, is_patient: true };
            let (mut sizes, mut rewritten, mut total) = (Vec::new(), 0, 0);
            for size in appends {
                let size = if is_even { 3 } else { size };
                sizes.push(size);
                total += size;
                for group in groups(&sizes, &policy) {
                    let bytes: u64 = group.iter().sum();
                    prop_assert!(group.len() >= 8 && bytes <= policy.target_bytes);
                    let place =
                        sizes.windows(group.len()).position(|window| window == group).unwrap();
                    sizes.splice(place..place + group.len(), [bytes]);
                    rewritten += bytes;
                }
                // Eight of each of the twelve doublings there are, at the very most.
                prop_assert!(sizes.len() <= 96, "{} files", sizes.len());
            }
            prop_assert!(rewritten <= 12 * total, "{rewritten} of {total}");
        }
    }
}
