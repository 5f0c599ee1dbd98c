//! Keeping the index: which spans are made, and which are of no use any more.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use tracing::info;

use crate::data_file::{DataFile, sha256_hex};
use crate::error::{Error, Result};
use crate::index::BLOCK_ROWS;
use crate::index::build::{SpanBuilder, fits};
use crate::index::search::StoreIndex;
use crate::index::span::{Span, Spans};
use crate::index::{SPAN_BLOCKS_MAX, SPAN_ROWS_MAX};
use crate::layout;
use crate::lease::Lease;
use crate::store::EventDataStore;
use crate::worker::Worker;

/// A span of fewer rows and blocks than this share of what it may have is small, and is made one
/// with others. So an event is indexed a few times only, however small the appends.
const SMALL_SHARE: u64 = 8;

/// When the index is worth working on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexPolicy {
    /// The fewest data files without an index that are worth a span, or
    pub files_min: usize,
    /// the fewest rows of theirs.
    pub rows_min: u64,
    /// The fewest small spans that are made one, at least 2.
    pub spans_min: usize,
}

impl IndexPolicy {
    /// For running on its own while data files keep arriving.
    pub const AUTOMATIC: IndexPolicy =
        IndexPolicy { files_min: 16, rows_min: 131_072, spans_min: 8 };

    /// For being asked to: everything is covered, by as few spans as may be.
    pub const THOROUGH: IndexPolicy = IndexPolicy { files_min: 1, rows_min: 1, spans_min: 2 };
}

/// What was done to the index of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexReport {
    /// Spans made.
    pub spans_made: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The data files they cover.
    pub data_files: u64,
    /// The rows of those.
    pub rows: u64,
    /// Spans removed: of data files that are no longer in the store, part of a larger one now, or
    /// not whole.
    pub spans_removed: u64,
    /// Whether a compaction of the store was running, so that nothing was done.
    pub is_busy: bool,
}

/// What is to be done.
#[derive(Debug, Default)]
struct Plan {
    /// The data files of each span to be made, by time.
    make: Vec<Vec<DataFile>>,
    remove: Vec<Arc<Span>>,
}

impl EventDataStore {
    /// Makes the index that is missing, and removes what of it is of no use.
    ///
    /// A span that names a data file which is no longer in the store goes, so that no trace of an
    /// event outlives it; its other data files are indexed anew. The data files are compared with
    /// the SHA-256 they were committed with. One that is stopped has lost nothing.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedDataFile`] if a file is not what was committed; [`Error::OutOfSpace`];
    /// errors of the storage.
    pub async fn update_index(
        &self,
        policy: &IndexPolicy,
        now: DateTime<Utc>,
    ) -> Result<IndexReport> {
        let what = format!("the index of event data store `{}`", self.id());
        let lock = layout::compactor_lock(self.id());
        let lease = Lease::acquire(self.files(), &lock, &what, now, Duration::ZERO);
        let lease = match Box::pin(lease).await {
            Ok(lease) => lease,
            Err(Error::LeaseTimeout { .. }) => {
                return Ok(IndexReport { is_busy: true, ..IndexReport::default() });
            }
            Err(err) => return Err(err),
        };
        let updated = Box::pin(self.update_index_leased(policy)).await;
        lease.release().await;
        updated
    }

    async fn update_index_leased(&self, policy: &IndexPolicy) -> Result<IndexReport> {
        let snapshot = self.snapshot().await?;
        let mut report = IndexReport::default();
        if snapshot.settings().deleted_at.is_some() {
            return Ok(report);
        }
        let mut known = Spans::new();
        let spans = self.spans(&mut known).await;
        for (name, _) in known.iter().filter(|(_, span)| span.is_none()) {
            let path = layout::index_folder(self.id()).join(name.as_str());
            self.files().remove(&path).await?;
            report.spans_removed += 1;
        }
        let plan = plan(self, snapshot.data_files(), spans, policy);
        for files in &plan.make {
            let Some(content) = Box::pin(self.make_span(files)).await? else { continue };
            let path = layout::index_span(self.id(), &sha256_hex(&content));
            report.spans_made += 1;
            report.bytes += content.len() as u64;
            report.data_files += files.len() as u64;
            report.rows += files.iter().map(|file| file.rows).sum::<u64>();
            self.files().write(&path, content).await?;
        }
        for span in &plan.remove {
            self.files().remove(&span.path).await?;
            report.spans_removed += 1;
        }
        if report != IndexReport::default() {
            self.known_index().lock().await.forget();
            let (made, removed, rows) = (report.spans_made, report.spans_removed, report.rows);
            info!(store = %self.id(), made, removed, rows, "index brought up to date");
        }
        Ok(report)
    }

    /// The bytes of the span of these data files; `None` if one of them is gone.
    async fn make_span(&self, files: &[DataFile]) -> Result<Option<Bytes>> {
        let worker = joined(Worker::start("index").map(Ok))?;
        let mut builder = SpanBuilder::new(files.iter().map(|file| file.rows).sum());
        for file in files {
            let Some(within) = self.within(file) else { return Ok(None) };
            let Some(content) = self.read_whole(file).await? else { return Ok(None) };
            let file = file.clone();
            let added = worker.run(move || {
                builder.add(within.as_ref(), &file.sha256, file.rows, content)?;
                Ok(builder)
            });
            builder = joined(added.await)?;
        }
        Ok(Some(joined(worker.run(move || builder.finish()).await)?.into()))
    }

    /// Makes every span of data files that are all in the store again and compares it with what is
    /// there; returns the spans that are not what they must be, by path.
    ///
    /// # Errors
    ///
    /// Those of [`EventDataStore::update_index`].
    pub async fn verify_index(&self) -> Result<Vec<Path>> {
        let snapshot = self.snapshot().await?;
        let folder = layout::index_folder(self.id());
        let mut wrong = Vec::new();
        for (name, _) in self.files().list(&folder).await?.files {
            let path = folder.clone().join(name.as_str());
            let Some(content) = self.files().read(&path).await? else { continue };
            let is_named = layout::index_span(self.id(), &sha256_hex(&content)) == path;
            let span = Span::parse(&path, &content).filter(|_| is_named);
            let Some(span) = span else {
                wrong.push(path);
                continue;
            };
            let index = StoreIndex::new(self, vec![Arc::new(span)]);
            let mut files = vec![None; index.covered_files()];
            for file in snapshot.data_files() {
                if let Some((_, place)) = index.locate(file)
                    && let Some(slot) = files.get_mut(place)
                {
                    *slot = Some(file.clone());
                }
            }
            // One of data files that are gone says nothing of those that are here.
            let Some(files) = files.into_iter().collect::<Option<Vec<DataFile>>>() else {
                continue;
            };
            if self.make_span(&files).await?.is_some_and(|made| made != content) {
                wrong.push(path);
            }
        }
        Ok(wrong)
    }
}

/// What a worker came to.
fn joined<T>(done: io::Result<parquet::errors::Result<T>>) -> Result<T> {
    let ended = |err: io::Error| parquet::errors::ParquetError::General(err.to_string());
    done.map_err(ended).flatten().map_err(|source| Error::Decode { source })
}

fn plan(
    store: &EventDataStore,
    files: &[DataFile],
    spans: Vec<Arc<Span>>,
    policy: &IndexPolicy,
) -> Plan {
    let index = StoreIndex::new(store, spans.clone());
    // The data files of the store that each span is the one to cover.
    let mut used: Vec<Vec<&DataFile>> = vec![Vec::new(); spans.len()];
    let mut uncovered: Vec<&DataFile> = Vec::new();
    for file in files.iter().filter(|file| file.is_ours() && file.rows > 0) {
        match index.locate(file).and_then(|(at, _)| used.get_mut(at)) {
            Some(used) => used.push(file),
            None => uncovered.push(file),
        }
    }
    let mut plan = Plan::default();
    let rows: u64 = uncovered.iter().map(|file| file.rows).sum();
    let is_worth_it =
        !uncovered.is_empty() && (uncovered.len() >= policy.files_min || rows >= policy.rows_min);
    let mut anew: Vec<&DataFile> = if is_worth_it { uncovered } else { Vec::new() };
    let mut small = Vec::new();
    for (span, used) in spans.into_iter().zip(used) {
        if used.len() < span.head.files.len() {
            anew.extend(used);
            plan.remove.push(span);
        } else if is_small(&used) {
            small.push((span, used));
        }
    }
    let others = usize::from(!anew.is_empty());
    if small.len() + others >= policy.spans_min.max(2) {
        for (span, used) in small {
            anew.extend(used);
            plan.remove.push(span);
        }
    }
    let chosen: HashSet<&Path> = anew.iter().map(|file| &file.path).collect();
    plan.make = packed(files.iter().filter(|file| chosen.contains(&file.path)));
    plan
}

fn blocks(file: &DataFile) -> u64 {
    file.rows.div_ceil(BLOCK_ROWS)
}

fn is_small(files: &[&DataFile]) -> bool {
    files.iter().map(|file| file.rows).sum::<u64>() < SPAN_ROWS_MAX / SMALL_SHARE
        && files.iter().map(|file| blocks(file)).sum::<u64>() < SPAN_BLOCKS_MAX / SMALL_SHARE
}

/// Puts neighbours together, as many as fit into a span.
fn packed<'a>(files: impl Iterator<Item = &'a DataFile>) -> Vec<Vec<DataFile>> {
    let mut spans: Vec<Vec<DataFile>> = Vec::new();
    let (mut rows, mut used) = (0, 0);
    for file in files {
        let is_first = spans.is_empty();
        if is_first || !fits(rows + file.rows, used + blocks(file)) {
            spans.push(Vec::new());
            (rows, used) = (0, 0);
        }
        rows += file.rows;
        used += blocks(file);
        if let Some(span) = spans.last_mut() {
            span.push(file.clone());
        }
    }
    spans
}
