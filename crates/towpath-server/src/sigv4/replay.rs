//! [`Replays`]: the signatures that were seen, for as long as they could be used again.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

/// Signatures remembered, some 50 MB of them. At five minutes each, that is more than 3,000 new
/// requests a second; beyond, the oldest are forgotten first.
const SIGNATURES_MAX: usize = 1 << 20;

/// How long two different calls can share one signature.
///
/// A signature names a time in whole seconds, so a client that does the same thing twice within one
/// second signs both alike. The two may arrive this far apart, also on a busy machine; a copy that
/// comes later is a replay.
const TWIN_SECS_MAX: i64 = 15;

/// One arrival of a signed request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting<'a> {
    /// The signature, which only a holder of the key can have made.
    pub(crate) signature: &'a [u8],
    /// What tells two calls of a client apart that signed them alike: `amz-sdk-invocation-id`,
    /// which SDKs make anew for each call and do not sign.
    pub(crate) invocation: Option<&'a [u8]>,
    /// Whether doing it twice is doing it once.
    pub(crate) is_read_only: bool,
}

/// What was seen of one signature.
#[derive(Debug)]
struct Seen {
    first_at: DateTime<Utc>,
    invocations: Vec<u64>,
}

/// Signatures that were seen.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    seen: HashMap<u64, Seen>,
    /// Signatures in order of arrival, with the time from which on they are refused for their age.
    expiries: VecDeque<(DateTime<Utc>, u64)>,
}

/// Calls within one second that are told apart; one more is taken for a replay.
const INVOCATIONS_MAX: usize = 4_096;

impl Replays {
    /// Notes `sighting` and returns whether it is the first of its call.
    ///
    /// A copy is refused if it comes later than two calls of one second can, or if it changes
    /// something and names no invocation or that of an earlier one. One that changes nothing may be
    /// what an SDK sends again after an error. `usable_until` is when the request's own time is too
    /// old.
    pub(crate) fn is_first(
        &mut self,
        sighting: Sighting<'_>,
        now: DateTime<Utc>,
        usable_until: DateTime<Utc>,
    ) -> bool {
        self.forget(now);
        let key = fingerprint(sighting.signature);
        let invocation = sighting.invocation.map(fingerprint);
        if let Some(seen) = self.seen.get_mut(&key) {
            let is_twin = now - seen.first_at <= TimeDelta::seconds(TWIN_SECS_MAX);
            return match invocation {
                _ if !is_twin => false,
                _ if sighting.is_read_only => true,
                None => false,
                Some(invocation) => {
                    let is_new = !seen.invocations.contains(&invocation)
                        && seen.invocations.len() < INVOCATIONS_MAX;
                    if is_new {
                        seen.invocations.push(invocation);
                    }
                    is_new
                }
            };
        }
        let invocations = invocation.into_iter().collect();
        self.seen.insert(key, Seen { first_at: now, invocations });
        self.expiries.push_back((usable_until, key));
        true
    }

    /// Forgets a request that was refused before it did anything: the client may send it again, and
    /// signs it alike if it does so within the second.
    pub(crate) fn undo(&mut self, sighting: Sighting<'_>) {
        let key = fingerprint(sighting.signature);
        let Some(seen) = self.seen.get_mut(&key) else { return };
        let invocation = sighting.invocation.map(fingerprint);
        seen.invocations.retain(|seen| Some(*seen) != invocation);
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        while let Some((until, key)) = self.expiries.front().copied() {
            if until >= now && self.seen.len() < SIGNATURES_MAX {
                break;
            }
            self.expiries.pop_front();
            self.seen.remove(&key);
        }
    }
}

/// Eight bytes of a signature are as good as all: nobody without the key can choose them.
fn fingerprint(bytes: &[u8]) -> u64 {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + secs, 0).unwrap()
    }

    fn sighting(invocation: Option<&'static [u8]>, is_read_only: bool) -> Sighting<'static> {
        Sighting { signature: b"s", invocation, is_read_only }
    }

    #[test]
    fn the_same_call_twice_is_a_replay() {
        let mut replays = Replays::default();
        assert!(replays.is_first(sighting(Some(b"1"), false), at(0), at(300)));
        assert!(!replays.is_first(sighting(Some(b"1"), false), at(0), at(300)));
        assert!(!replays.is_first(sighting(Some(b"1"), false), at(299), at(300)));
        assert!(!replays.is_first(sighting(None, false), at(0), at(300)));
        assert!(replays.is_first(sighting(Some(b"1"), true), at(15), at(300)));
        assert!(!replays.is_first(sighting(Some(b"1"), true), at(16), at(300)));
    }

    #[test]
    fn a_call_that_was_refused_may_be_made_again() {
        let mut replays = Replays::default();
        assert!(replays.is_first(sighting(Some(b"1"), false), at(0), at(300)));
        replays.undo(sighting(Some(b"1"), false));
        assert!(replays.is_first(sighting(Some(b"1"), false), at(1), at(300)));
        assert!(!replays.is_first(sighting(Some(b"1"), false), at(1), at(300)));
    }

    #[test]
    fn two_calls_of_one_second_may_share_a_signature() {
        let mut replays = Replays::default();
        assert!(replays.is_first(sighting(Some(b"1"), false), at(0), at(300)));
        assert!(replays.is_first(sighting(Some(b"2"), false), at(1), at(300)));
        assert!(!replays.is_first(sighting(Some(b"3"), false), at(16), at(300)));
        assert!(replays.is_first(sighting(None, true), at(2), at(300)));
        assert!(!replays.is_first(sighting(None, true), at(16), at(300)));
    }

    #[test]
    fn what_is_too_old_to_be_used_is_forgotten() {
        let mut replays = Replays::default();
        assert!(replays.is_first(sighting(None, false), at(0), at(300)));
        let other = Sighting { signature: b"t", ..sighting(None, false) };
        assert!(replays.is_first(other, at(301), at(601)));
        assert_eq!(replays.seen.len(), 1);
        assert_eq!(replays.expiries.len(), 1);
    }
}
