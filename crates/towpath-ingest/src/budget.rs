//! A limit on bytes in memory, shared by those who fill it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The grain of a budget, in bytes: a permit for each byte would be more than can be counted.
const PERMIT_BYTES: u64 = 1024;

/// A number of bytes of which shares can be held. A share is given back by dropping it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    permits: Arc<Semaphore>,
    total: u32,
}

impl Budget {
    /// A budget of `bytes`, rounded up, and never nothing.
    pub(crate) fn new(bytes: u64) -> Budget {
        let total = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let total = total.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX)).max(1);
        let permits = usize::try_from(total).unwrap_or(Semaphore::MAX_PERMITS);
        Budget { permits: Arc::new(Semaphore::new(permits)), total }
    }

    /// A share for `bytes` if there is one now.
    pub(crate) fn try_share(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_many_owned(self.permits_for(bytes)).ok()
    }

    /// A share for `bytes` as soon as there is one. In the order of asking.
    pub(crate) async fn share(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.permits).acquire_many_owned(self.permits_for(bytes));
        // The semaphore is never closed, so there is always a share in the end.
        permits.await.ok()
    }

    /// Whether there is a share for `bytes` that nobody waits for.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let wanted = usize::try_from(self.permits_for(bytes)).unwrap_or(usize::MAX);
        self.permits.available_permits() >= wanted
    }

    /// What is larger than the whole budget takes all of it, and so goes alone.
    fn permits_for(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fit_in_the_budget_and_come_back() {
        let budget = Budget::new(10 * PERMIT_BYTES);
        let first = budget.try_share(6 * PERMIT_BYTES).unwrap();
        assert!(budget.try_share(4 * PERMIT_BYTES + 1).is_none());
        let second = budget.try_share(4 * PERMIT_BYTES).unwrap();
        assert!(budget.try_share(0).is_none());
        drop((first, second));
        assert!(budget.try_share(u64::MAX).is_some());
        assert!(Budget::new(0).try_share(u64::MAX).is_some());
    }
}
