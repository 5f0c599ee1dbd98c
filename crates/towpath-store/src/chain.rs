//! The chain of commits: what a new commit says of those before it.
//!
//! A commit of ours holds the SHA-256 of the commit file before it, and of the ones that other
//! programs made since our last. So nothing before a commit can be altered, taken out or put in
//! without altering that commit too, up to the newest; and a signed checkpoint holds the SHA-256 of
//! that one (see `signed_checkpoint`).

use crate::commit::{ChainLink, DeltaCheckpoint};
use crate::data_file::sha256_hex;
use crate::delta_log::CHECKPOINT_COMMITS;
use crate::error::Result;
use crate::layout;
use crate::snapshot::{Head, Snapshot};
use crate::store::EventDataStore;

/// Commits of other programs in a row that one of ours names, at most: some 660 kB of it. What is
/// before them is not covered then, and `verify` says so.
const LINK_COMMITS_MAX: usize = 10_000;

impl EventDataStore {
    /// What the commit after `snapshot` says of those before it.
    ///
    /// Known from the snapshot alone, but for commits of other programs, which are read, and for
    /// one in a hundred, which names Delta's checkpoint.
    pub(crate) async fn chain_link(&self, snapshot: &Snapshot) -> Result<ChainLink> {
        let mut previous = Vec::new();
        let mut version = snapshot.version();
        let mut next = snapshot.head().cloned();
        while let Some(Head { sha256, is_ours }) = next.take() {
            previous.push(sha256);
            if is_ours || version == 0 || previous.len() >= LINK_COMMITS_MAX {
                break;
            }
            version -= 1;
            let commit = self.log().read_commit(version).await?;
            next = commit
                .map(|commit| Head { sha256: commit.sha256, is_ours: commit.record.is_some() });
        }
        previous.reverse();
        let delta_checkpoint = self.delta_checkpoint(snapshot.version()).await?;
        Ok(ChainLink { previous, delta_checkpoint })
    }

    /// Delta's checkpoint of `version`, if one is due and was written.
    async fn delta_checkpoint(&self, version: u64) -> Result<Option<DeltaCheckpoint>> {
        if !(version + 1).is_multiple_of(CHECKPOINT_COMMITS) {
            return Ok(None);
        }
        let id = self.id();
        let Some(content) = self.files().read(&layout::delta_checkpoint(id, version)).await? else {
            return Ok(None);
        };
        let hint = self.files().read(&layout::delta_checkpoint_hint(id)).await?;
        Ok(Some(DeltaCheckpoint {
            version,
            sha256: sha256_hex(&content),
            hint_sha256: hint.map(|hint| sha256_hex(&hint)),
        }))
    }
}
