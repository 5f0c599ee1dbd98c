//! Keeping the stores of a lake in order, on its own, in a process that runs for long.

use std::error::Error as StdError;
use std::pin::pin;
use std::time::Duration;

use tokio::select;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::error::Result;
use crate::lake::Lake;

/// Time between two times that a store is put in order. Many small commits are made in it, and
/// compacting them takes seconds.
pub(crate) const MAINTAIN_EVERY: Duration = Duration::from_secs(300);

/// When that is done first: after the rush of a start, and soon enough for a process that is
/// started again and again.
pub(crate) const MAINTAIN_FIRST_AFTER: Duration = Duration::from_secs(10);

impl Lake {
    /// Keeps every store of the lake in order until `stop` completes: [maintains] each every few
    /// minutes, and removes those that were deleted seven days ago.
    ///
    /// Several processes may do so at once. What fails is logged and tried again the next time.
    /// When `stop` completes, what is being done is left; it has lost nothing.
    ///
    /// [maintains]: crate::Store::maintain
    pub async fn maintain(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut pause = MAINTAIN_FIRST_AFTER;
        loop {
            let round = async {
                sleep(pause).await;
                Box::pin(self.maintain_once()).await
            };
            select! {
                () = &mut stop => return,
                done = round => {
                    if let Err(error) = done {
                        warn!(error = &error as &dyn StdError, "stores not maintained");
                    }
                }
            }
            pause = MAINTAIN_EVERY;
        }
    }

    async fn maintain_once(&self) -> Result<()> {
        if let Err(error) = self.collect_audit_events().await {
            warn!(error = &error as &dyn StdError, "audit events not collected");
        }
        for id in self.catalog().store_ids().await? {
            let store = match self.catalog().store(&id.to_string()).await {
                Ok(store) if store.settings().deleted_at.is_none() => self.as_store(store),
                // Gone in the meantime, or never made.
                Ok(_) | Err(towpath_store::Error::StoreNotFound { .. }) => continue,
                Err(error) => {
                    warn!(store = %id, error = &error as &dyn StdError, "store not maintained");
                    continue;
                }
            };
            match Box::pin(store.maintain()).await {
                Ok((compacted, expired)) => debug!(
                    store = %id,
                    files_before = compacted.files_before,
                    files_after = compacted.files_after,
                    files_dropped = expired.dropped.len(),
                    "store maintained"
                ),
                Err(error) => {
                    warn!(store = %id, error = &error as &dyn StdError, "store not maintained");
                }
            }
        }
        self.remove_deleted_stores().await?;
        Ok(())
    }
}
