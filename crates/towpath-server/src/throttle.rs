//! [`Throttle`]: how many requests each key may make.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Seconds' worth of requests that a key which was quiet may make at once.
const BURST_SECS: f64 = 2.0;

/// What each key has left. There are no more entries than keys.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_sec: f64,
    left: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Throttle {
    pub(crate) fn new(requests_per_sec_max: u32) -> Throttle {
        Throttle { per_sec: f64::from(requests_per_sec_max), left: Mutex::default() }
    }

    /// Takes a request of the key `access_key_id` into account; `false` if it is one too many.
    pub(crate) fn admits(&self, access_key_id: &str, now: Instant) -> bool {
        let most = self.per_sec * BURST_SECS;
        // Nothing in here can panic half-way.
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, at) = left.entry(access_key_id.to_owned()).or_insert((most, now));
        let refilled = *tokens + now.saturating_duration_since(*at).as_secs_f64() * self.per_sec;
        *tokens = refilled.min(most);
        *at = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let throttle = Throttle::new(5);
        let start = Instant::now();
        let admitted = (0..20).filter(|_| throttle.admits("a", start)).count();
        assert_eq!(admitted, 10);
        assert!(throttle.admits("b", start));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..20).filter(|_| throttle.admits("a", later)).count(), 5);
    }
}
