//! Which of the log files that were found are to be taken now: those that are new and whole.
//!
//! A log file in a bucket is whole when it is there. One in a folder may still be being written. So
//! one that was written to a moment ago is left for a moment, and one that is not a whole log file
//! yet is not called broken before nobody has written to it for a minute.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    checkpoint::Checkpoint,
    find::{Found, LogFile, Place},
    report::{RejectReason, Rejected},
};

/// A local file is left alone this long after it was last written to. Copying writes many times a
/// second; what pauses longer is caught by its content.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// A local file that is no whole log file is waited for this long after it was last written to.
const WHOLE_AFTER: Duration = Duration::from_secs(60);

/// Log files that may be waited for. Beyond that they are taken as they are. Some 40 bytes each.
const HELD_MAX: usize = 65_536;

/// Refused log files that are remembered, so that they are not read and named again at every look.
/// Beyond that all are forgotten, and named again. Some 20 bytes each.
const REFUSED_MAX: usize = 262_144;

/// A moment: by the clock that files are stamped with, and by one that never jumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) time: DateTime<Utc>,
    pub(crate) instant: Instant,
}

/// What is known of log files that are not in the store.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Files by version, and until when each is left alone.
    held: HashMap<u128, Instant>,
    /// Refused files by version, and whether only because they could not be read.
    refused: HashMap<u128, bool>,
    /// When the first file that was left for a moment can be taken.
    settled_at: Option<Instant>,
}

impl Sieve {
    /// Begins a look at the sources. A `complete` one tries files again that could not be read.
    pub(crate) fn begin(&self, complete: bool, at: Instant) {
        let mut state = self.state();
        state.settled_at = None;
        state.held.retain(|_, until| *until + WHOLE_AFTER > at);
        if complete {
            state.refused.retain(|_, unreadable| !*unreadable);
        }
    }

    /// When the next file can be taken that the last look left for a moment.
    pub(crate) fn settled_at(&self) -> Option<Instant> {
        self.state().settled_at
    }

    /// Whether what was found is to be taken now.
    pub(crate) fn takes(&self, found: &Found, checkpoint: &Checkpoint, now: Now) -> bool {
        match found {
            Found::LogFile(log_file) => self.takes_log_file(log_file, checkpoint, now),
            Found::LeftOut(_) => false,
            // Renamed or removed while the folder was being read.
            Found::Unreadable { error, .. } if error.kind() == io::ErrorKind::NotFound => false,
            Found::Unreadable { path, .. } => {
                let mut state = self.state();
                let hash = xxh3_128(path.as_bytes());
                !state.refused.contains_key(&hash) && {
                    state.refuse(hash, true);
                    true
                }
            }
        }
    }

    fn takes_log_file(&self, log_file: &LogFile, checkpoint: &Checkpoint, now: Now) -> bool {
        if checkpoint.records(&log_file.place.checkpoint_key(), log_file.size_bytes) {
            return false;
        }
        let version = log_file.version();
        let mut state = self.state();
        if state.refused.contains_key(&version) {
            return false;
        }
        let until = match state.held.get(&version) {
            Some(until) => *until,
            None => match left_of(SETTLED_AFTER, log_file, now.time) {
                Some(left) if state.held.len() < HELD_MAX => {
                    let until = now.instant + left;
                    state.held.insert(version, until);
                    state.settled_at = Some(state.settled_at.map_or(until, |at| at.min(until)));
                    until
                }
                _ => return true,
            },
        };
        if until <= now.instant {
            state.held.remove(&version);
            return true;
        }
        false
    }

    /// A log file was refused. Returns whether that is final: if not, it may be being written, and
    /// is tried again when it has changed or has been left alone for a minute.
    pub(crate) fn refused(
        &self,
        rejected: &Rejected,
        log_file: Option<&LogFile>,
        now: Now,
    ) -> bool {
        let Some(log_file) = log_file else { return true };
        let mut state = self.state();
        let unreadable = rejected.reason == RejectReason::Unreadable;
        if !unreadable
            && let Some(left) = left_of(WHOLE_AFTER, log_file, now.time)
            && state.held.len() < HELD_MAX
        {
            state.held.insert(log_file.version(), now.instant + left);
            return false;
        }
        state.refuse(log_file.version(), unreadable);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse(&mut self, version: u128, unreadable: bool) {
        if self.refused.len() >= REFUSED_MAX {
            self.refused.clear();
        }
        self.refused.insert(version, unreadable);
    }
}

/// What is left of `span` since a local file was written to. None for one of a bucket, and for one
/// whose time lies so far ahead that it says nothing.
fn left_of(span: Duration, log_file: &LogFile, now: DateTime<Utc>) -> Option<Duration> {
    let Place::Local(..) = log_file.place else { return None };
    let age = now - log_file.modified?;
    match age.to_std() {
        Ok(age) => span.checked_sub(age).filter(|left| !left.is_zero()),
        // Clocks of file servers are a little ahead at times.
        Err(_) if -age < chrono::TimeDelta::from_std(span).ok()? => Some(span),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use chrono::TimeDelta;
    use object_store::memory::InMemory;
    use towpath_store::Location;
    use url::Url;

    use towpath_event::EventKind;

    use super::*;
    use crate::source::{LocalRoot, Source};

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    /// A sieve and the time.
    struct Watched {
        sieve: Sieve,
        now: Now,
    }

    impl Watched {
        fn new() -> Watched {
            let now = Now { time: START, instant: Instant::now() };
            Watched { sieve: Sieve::default(), now }
        }

        fn wait(&mut self, secs: u32) {
            self.now.time += TimeDelta::seconds(secs.into());
            self.now.instant += Duration::from_secs(secs.into());
        }

        fn begin(&self, complete: bool) {
            self.sieve.begin(complete, self.now.instant);
        }

        fn takes(&self, log_file: &LogFile) -> bool {
            let found = Found::LogFile(log_file.clone());
            self.sieve.takes(&found, &Checkpoint::default(), self.now)
        }

        fn refuses(&self, log_file: &LogFile, reason: RejectReason) -> bool {
            let path = log_file.place.name();
            let rejected = Rejected { path, reason, message: String::new(), place: None };
            self.sieve.refused(&rejected, Some(log_file), self.now)
        }
    }

    /// A local file that was last written so many seconds after the start.
    fn local(name: &str, size_bytes: u64, written_secs: i64) -> LogFile {
        let place = Place::Local(
            Arc::new(LocalRoot::new("/logs".into(), EventKind::CloudTrail)),
            Path::new(name).into(),
        );
        let modified = Some(START + TimeDelta::seconds(written_secs));
        LogFile { place, size_bytes, day: None, modified, proof: None }
    }

    #[test]
    fn a_local_file_is_left_for_a_moment_after_it_was_written_to() {
        let mut watched = Watched::new();
        assert!(watched.takes(&local("old", 1, -3600)));
        assert_eq!(watched.sieve.settled_at(), None);
        assert!(!watched.takes(&local("new", 1, -1)));
        assert_eq!(watched.sieve.settled_at(), Some(watched.now.instant + Duration::from_secs(1)));
        watched.wait(1);
        assert!(!watched.takes(&local("new", 2, 1)), "it has grown");
        assert!(watched.takes(&local("new", 1, -1)));
        // A clock far ahead must not keep a file out.
        assert!(watched.takes(&local("ahead", 1, 3600)));
        assert!(!watched.takes(&local("a little ahead", 1, 2)));
    }

    #[test]
    fn an_unfinished_file_is_tried_again_and_refused_after_a_minute() {
        let mut watched = Watched::new();
        let file = local("a", 1, -10);
        assert!(watched.takes(&file));
        assert!(!watched.refuses(&file, RejectReason::Truncated));
        assert!(!watched.takes(&file), "not before it has changed");
        assert!(watched.takes(&local("a", 2, -5)), "it has changed");
        watched.wait(50);
        assert!(watched.takes(&file), "nobody has written to it for a minute");
        assert!(watched.refuses(&file, RejectReason::Truncated));
        watched.begin(true);
        assert!(!watched.takes(&file));
    }

    #[test]
    fn what_is_remembered_is_bounded_however_long_the_watch_is() {
        let mut watched = Watched::new();
        for n in 0..u128::try_from(REFUSED_MAX).unwrap() * 2 + 1 {
            watched.sieve.state().refuse(n, false);
        }
        assert!(watched.sieve.state().refused.len() <= REFUSED_MAX);
        for size in 0..u64::try_from(HELD_MAX).unwrap() + 100 {
            watched.takes(&local("grows", size, 0));
        }
        assert_eq!(watched.sieve.state().held.len(), HELD_MAX);
        assert!(watched.takes(&local("grows", u64::MAX, 0)), "one too many is taken as it is");
        // What was waited for and never came back is forgotten.
        watched.wait(3 * 60);
        watched.begin(false);
        assert!(watched.sieve.state().held.is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_tried_again_at_a_complete_look() {
        let watched = Watched::new();
        let url = Url::parse("s3://trail").unwrap();
        let location = Location::with_store(url, Arc::new(InMemory::new()), "".into());
        let Source::Remote(bucket, _) = Source::open(&location, EventKind::CloudTrail).unwrap()
        else {
            panic!()
        };
        let place = Place::Remote(bucket, "a.json.gz".into());
        let file = LogFile { place, size_bytes: 1, day: None, modified: Some(START), proof: None };
        assert!(watched.takes(&file), "in a bucket it is whole at once");
        assert!(watched.refuses(&file, RejectReason::Unreadable));
        watched.begin(false);
        assert!(!watched.takes(&file));
        watched.begin(true);
        assert!(watched.takes(&file));
        assert!(watched.refuses(&file, RejectReason::Truncated));
        watched.begin(true);
        assert!(!watched.takes(&file));
    }
}
