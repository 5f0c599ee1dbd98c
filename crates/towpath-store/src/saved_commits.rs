//! What commits did, block by block, saved beside the log so that it is read faster.
//!
//! Who wants to know which log files are in a store needs what every commit did, and after years
//! there are hundreds of thousands. So what a whole block of them did is saved as one file, by
//! whoever read them first. The commits stay the truth: a file that is missing, torn or of another
//! form is made anew from them, and one that cannot be written is done without.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tracing::debug;
use uuid::Uuid;

use crate::commit::ParsedCommit;
use crate::error::{Error, Result};
use crate::layout;
use crate::sources::CommitSummary;
use crate::store::EventDataStore;

/// Commits in one saved block.
pub(crate) const BLOCK_COMMITS: u64 = 256;

/// Commits after a block before it is saved: a repair moves fewer aside, so that a saved one is
/// never of commits that are made anew.
const SETTLED_COMMITS: u64 = 64;

/// Commits read at the same time. Each may be some megabytes; on an object store, reading one
/// takes tens of milliseconds, most of it waiting.
const COMMITS_IN_FLIGHT_MAX: usize = 16;

/// Blocks read at the same time. Each may take some megabytes.
const BLOCKS_IN_FLIGHT_MAX: usize = 4;

/// Bytes that a block may have unpacked: 256 commits of twenty thousand log files each would have
/// more, and are read one by one.
const BLOCK_BYTES_MAX: u64 = 256 << 20;

/// The form of a saved block.
const FORMAT: u32 = 1;

/// A block as it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    store: Uuid,
    commits: Vec<CommitSummary>,
}

impl EventDataStore {
    /// What the commits `first..=last` did, oldest first, read as they are asked for.
    ///
    /// # Errors
    ///
    /// The stream ends with [`Error::Damaged`] if a commit is missing, with [`Error::TornCommit`]
    /// if one is not whole, or with an error of the storage.
    pub fn commits(
        &self,
        first: u64,
        last: u64,
    ) -> impl futures::Stream<Item = Result<CommitSummary>> + Send + Unpin + '_ {
        let blocks =
            if first <= last { first / BLOCK_COMMITS..last / BLOCK_COMMITS + 1 } else { 0..0 };
        stream::iter(blocks)
            .map(move |block| {
                let start = block * BLOCK_COMMITS;
                let end = start + BLOCK_COMMITS - 1;
                Box::pin(self.block(start, start.max(first), end.min(last)))
            })
            .buffered(BLOCKS_IN_FLIGHT_MAX)
            .map_ok(|commits| stream::iter(commits.into_iter().map(Ok)))
            .try_flatten()
    }

    /// What the commits `first..=last` did, all of the block that begins with `start`.
    async fn block(&self, start: u64, first: u64, last: u64) -> Result<Vec<CommitSummary>> {
        let end = start + BLOCK_COMMITS - 1;
        let is_settled = end + SETTLED_COMMITS <= self.latest().version();
        if is_settled && let Some(mut commits) = self.saved_block(start).await {
            commits.retain(|commit| (first..=last).contains(&commit.version));
            return Ok(commits);
        }
        let reads = stream::iter(first..=last).map(|version| self.commit_summary(version));
        let commits: Vec<CommitSummary> =
            reads.buffered(COMMITS_IN_FLIGHT_MAX).try_collect().await?;
        if is_settled && (first, last) == (start, end) {
            self.save_block(start, &commits).await;
        }
        Ok(commits)
    }

    /// The saved block that begins with `start`; `None` if there is none, or it is not whole.
    pub(crate) async fn saved_block(&self, start: u64) -> Option<Vec<CommitSummary>> {
        let content = self.files().read(&layout::saved_commits(self.id(), start)).await.ok()??;
        let mut text = Vec::new();
        // Its end has a checksum and a length, without which this fails.
        GzDecoder::new(&*content).take(BLOCK_BYTES_MAX + 1).read_to_end(&mut text).ok()?;
        let saved: Saved = serde_json::from_slice(&text).ok()?;
        let versions = saved.commits.iter().map(|commit| commit.version);
        let is_whole = versions.eq(start..start + BLOCK_COMMITS);
        (saved.format == FORMAT && saved.store == self.id() && is_whole).then_some(saved.commits)
    }

    async fn save_block(&self, start: u64, commits: &[CommitSummary]) {
        let saved = Saved { format: FORMAT, store: self.id(), commits: commits.to_vec() };
        let Ok(text) = serde_json::to_vec(&saved) else { return };
        if text.len() as u64 > BLOCK_BYTES_MAX {
            return;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(&text).and_then(|()| encoder.finish());
        let Ok(packed) = packed else { return };
        let path = layout::saved_commits(self.id(), start);
        if let Err(err) = self.files().write(&path, Bytes::from(packed)).await {
            debug!(store = %self.id(), error = %err, "what commits did not saved");
        }
    }

    async fn commit_summary(&self, version: u64) -> Result<CommitSummary> {
        let commit = self.log().read_commit(version).await?.ok_or_else(|| Error::Damaged {
            path: layout::commit(self.id(), version),
            reason: "the commit is missing".into(),
        })?;
        let ParsedCommit { timestamp_millis, operation, record, .. } = commit;
        Ok(CommitSummary::new(version, timestamp_millis, operation, record))
    }
}
