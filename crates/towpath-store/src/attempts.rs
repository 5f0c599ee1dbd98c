//! Trying an operation of the storage again: how often, how long, after which pauses.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::is_permanent;

/// Attempts at one operation of the storage. The client of a bucket retries by itself before; this
/// is for what it gives up on or does not see, such as an answer that was cut. Where three
/// operations of ten fail, six attempts fail once in 1,400.
pub(crate) const ATTEMPTS_MAX: u32 = 6;

/// How long after the first attempt another one is begun: a server that is not there makes each
/// attempt of its client last for seconds.
const ATTEMPTS_SECS_MAX: u64 = 10;

/// The first pause between attempts; it doubles, up to [`PAUSE_MILLIS_MAX`].
const PAUSE_MILLIS_FIRST: u64 = 25;

/// The longest pause between attempts, of whatever is tried more often.
const PAUSE_MILLIS_MAX: u64 = 1_000;

/// Waits before attempt `attempt` (counted from 0) is followed by another.
pub(crate) async fn pause_after(attempt: u32) {
    let doubled = PAUSE_MILLIS_FIRST.saturating_mul(1 << attempt.min(16));
    sleep(Duration::from_millis(doubled.min(PAUSE_MILLIS_MAX))).await;
}

/// The attempts at one operation.
#[derive(Debug)]
pub(crate) struct Attempts {
    failed: u32,
    max: u32,
    began: Instant,
}

impl Attempts {
    /// Before the first of [`ATTEMPTS_MAX`] attempts.
    pub(crate) fn new() -> Attempts {
        Attempts::at_most(ATTEMPTS_MAX)
    }

    /// Before the first of `max` attempts.
    pub(crate) fn at_most(max: u32) -> Attempts {
        Attempts { failed: 0, max, began: Instant::now() }
    }

    /// Counts an attempt that failed with `err`; waits and says `true` if another may help.
    pub(crate) async fn another(&mut self, err: &object_store::Error) -> bool {
        self.another_if(!is_permanent(err)).await
    }

    /// As [`Attempts::another`], where the caller knows whether it may help.
    pub(crate) async fn another_if(&mut self, may_help: bool) -> bool {
        self.failed += 1;
        let is_late = self.began.elapsed() >= Duration::from_secs(ATTEMPTS_SECS_MAX);
        if !may_help || self.failed >= self.max || is_late {
            return false;
        }
        pause_after(self.failed - 1).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{ATTEMPTS_MAX, ATTEMPTS_SECS_MAX, Attempts};
    use std::time::Duration;
    use tokio::time::Instant;

    fn shed() -> object_store::Error {
        object_store::Error::Generic { store: "test", source: "503".into() }
    }

    #[tokio::test]
    async fn attempts_end_by_number_by_time_and_by_what_waiting_does_not_mend() {
        let mut attempts = Attempts::new();
        for _ in 1..ATTEMPTS_MAX {
            assert!(attempts.another(&shed()).await);
        }
        assert!(!attempts.another(&shed()).await);

        let began = Instant::now().checked_sub(Duration::from_secs(ATTEMPTS_SECS_MAX)).unwrap();
        let mut attempts = Attempts { began, ..Attempts::new() };
        assert!(!attempts.another(&shed()).await);

        let denied = object_store::Error::PermissionDenied { path: "x".into(), source: "".into() };
        assert!(!Attempts::new().another(&denied).await);
    }
}
