//! How long to wait after something failed: longer each time, up to a minute, and never quite as
//! long as anybody else.

use std::time::Duration;

use rand::Rng;

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait. A source that is back is noticed within a minute.
const LONGEST: Duration = Duration::from_secs(60);

/// Doublings before [`LONGEST`] is reached in any case.
const DOUBLINGS_MAX: u32 = 6;

/// The waits between attempts.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Something worked: the next wait is a short one.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: between a half and the whole of a span that doubles.
    pub(crate) fn next(&mut self) -> Duration {
        let span = FIRST.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        rand::rng().random_range(span / 2..=span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_begin_anew_after_success() {
        let mut backoff = Backoff::default();
        for secs in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let (wait, span) = (backoff.next(), Duration::from_secs(secs));
            assert!(wait >= span / 2 && wait <= span, "{wait:?} of {span:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
