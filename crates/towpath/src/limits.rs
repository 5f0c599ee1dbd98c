//! [`QueryLimits`]: what one query may cost.

use std::time::Duration;

/// Limits on one query.
///
/// There is no default: a person at a prompt, a batch query and a server want different ones.
/// What a limit stops fails with [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded);
/// nothing is ever cut silently.
#[derive(Clone, Copy, Debug)]
pub struct QueryLimits {
    /// Longest run, planning and reading of all rows included. CloudTrail Lake stops a query after
    /// one hour.
    pub run_secs_max: u64,

    /// Most rows of the result. `None`: as many as there are.
    pub result_rows_max: Option<u64>,
}

impl QueryLimits {
    /// The longest run as a duration.
    pub(crate) fn run_max(&self) -> Duration {
        Duration::from_secs(self.run_secs_max)
    }
}
