//! The lease: at most one holder at a time, in this process and beyond.
//!
//! On a local file system the lease is a lock on a file, which ends with the process that has it.
//! On an object store it is an object that names its holder and when it ends; the holder renews it
//! while it lives, and whoever finds it ended takes it over by a conditional overwrite.
//!
//! Waiting is fair: whoever waits holds a second lock, that of the next one, and whoever comes must
//! have that one first. So a holder that gives its lease back and wants it again at once stands
//! behind one that waits, and among several that wait chance decides, turn by turn.
//!
//! The lease keeps writers from working in vain. It is not what keeps a store right: a holder that
//! was taken over without noticing cannot commit, because a commit names the version it follows.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::path::Path;
use object_store::{ObjectStore, PutMode, PutOptions, UpdateVersion};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::{self, JoinHandle};
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::attempts::{ATTEMPTS_MAX, pause_after};
use crate::error::{Error, Result, is_permanent};
use crate::lake_files::LakeFiles;
use crate::layout::LockPaths;
use crate::local::create_folder;

/// How a lease object lives.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// How long it holds without being renewed: how long others wait after a crash.
    holds: Duration,
    /// How often it is renewed: so that two renewals may fail before it ends.
    renewed: Duration,
    /// How far two machines' clocks may differ before one takes a lease over that is still
    /// renewed. It costs the other one its commit, not the store its events.
    clock_skew: Duration,
}

const TIMING: Timing = Timing {
    holds: Duration::from_secs(30),
    renewed: Duration::from_secs(10),
    clock_skew: Duration::from_secs(10),
};

/// The first pause between two looks at a lease that another one has; it doubles.
const POLL_MILLIS_FIRST: u64 = 5;

/// The longest pause between two looks at a locked file: a system call.
const POLL_FILE_MILLIS_MAX: u64 = 40;

/// The longest pause between two looks at a lease object: a request that costs money.
const POLL_OBJECT_MILLIS_MAX: u64 = 1_000;

/// A lease that is held until it is released or dropped.
#[derive(Debug)]
pub(crate) enum Lease {
    /// Closing the file unlocks it.
    File(File),
    Object(ObjectLease),
}

/// What the time is, as told by the caller and counted on from there.
#[derive(Clone, Copy, Debug)]
struct Clock {
    told: DateTime<Utc>,
    at: Instant,
}

impl Clock {
    fn now(&self) -> DateTime<Utc> {
        self.told + delta(self.at.elapsed())
    }
}

impl Lease {
    /// Waits for the lease, at most `wait_max`.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseTimeout`] naming `what` if another one still has it then.
    pub(crate) async fn acquire(
        files: &LakeFiles,
        paths: &LockPaths,
        what: &str,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Lease> {
        let clock = Clock { told: now, at: Instant::now() };
        let acquired = match files.location().local_path() {
            Some(lake) => lock_in_turn(lake, paths, clock, wait_max).await?.map(Lease::File),
            None => {
                let terms = Terms { clock, timing: TIMING, wait_max };
                ObjectLease::acquire_in_turn(files, paths, terms).await?.map(Lease::Object)
            }
        };
        acquired.ok_or_else(|| Error::LeaseTimeout { what: what.to_owned(), waited: wait_max })
    }

    /// Gives the lease back, so that the next one need not wait for it to end.
    pub(crate) async fn release(self) {
        match self {
            Lease::File(file) => drop(file),
            Lease::Object(mut lease) => lease.release().await,
        }
    }
}

/// Locks a file of a local lake, waiting at most `wait_max`. Dropping the file unlocks it.
///
/// # Errors
///
/// [`Error::LeaseTimeout`] naming `what` if another one still has it then.
pub(crate) async fn lock_local(
    lake: &FilePath,
    path: &Path,
    what: &str,
    wait_max: Duration,
) -> Result<File> {
    let clock = Clock { told: DateTime::UNIX_EPOCH, at: Instant::now() };
    let locked = lock_file(lake.join(path.as_ref()), path, clock, wait_max).await?;
    locked.ok_or_else(|| Error::LeaseTimeout { what: what.to_owned(), waited: wait_max })
}

/// How long to wait for a lease object, and how long it then holds.
#[derive(Clone, Copy, Debug)]
struct Terms {
    clock: Clock,
    timing: Timing,
    wait_max: Duration,
}

/// Locks the file after those who wait for it, or returns `None` after `wait_max`.
async fn lock_in_turn(
    lake: &FilePath,
    paths: &LockPaths,
    clock: Clock,
    wait_max: Duration,
) -> Result<Option<File>> {
    let next = lake.join(paths.next_file.as_ref());
    let Some(_next) = lock_file(next, &paths.next_file, clock, wait_max).await? else {
        return Ok(None);
    };
    lock_file(lake.join(paths.file.as_ref()), &paths.file, clock, wait_max).await
}

/// Locks the file, or returns `None` after `wait_max`.
async fn lock_file(
    path: PathBuf,
    named: &Path,
    clock: Clock,
    wait_max: Duration,
) -> Result<Option<File>> {
    let failed = |source: io::Error| {
        Error::storage(
            "lock",
            named,
            object_store::Error::Generic { store: "local files", source: source.into() },
        )
    };
    let mut poll = Duration::from_millis(POLL_MILLIS_FIRST);
    loop {
        let path = path.clone();
        let tried = task::spawn_blocking(move || try_lock_file(&path)).await;
        if let Some(file) = tried.map_err(io::Error::other).flatten().map_err(failed)? {
            return Ok(Some(file));
        }
        let Some(left) = wait_max.checked_sub(clock.at.elapsed()) else { return Ok(None) };
        sleep(some_of(poll).min(left)).await;
        poll = (poll * 2).min(Duration::from_millis(POLL_FILE_MILLIS_MAX));
    }
}

/// A random part of `pause`, half of it at least, so that none of those who wait always looks first.
fn some_of(pause: Duration) -> Duration {
    let half = pause / 2;
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    let (random, _) = Uuid::new_v4().as_u64_pair();
    half + Duration::from_millis(random % millis.saturating_add(1))
}

fn try_lock_file(path: &FilePath) -> io::Result<Option<File>> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(err)) => Err(err),
    }
}

/// What a lease object says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeaseRecord {
    /// Who has it; none if it was given back.
    holder: Option<Uuid>,
    /// When it ends, in milliseconds since 1970.
    expires_at_millis: i64,
}

impl LeaseRecord {
    fn held(holder: Uuid, terms: &Terms) -> LeaseRecord {
        let expires = terms.clock.now() + delta(terms.timing.holds);
        LeaseRecord { holder: Some(holder), expires_at_millis: expires.timestamp_millis() }
    }

    fn is_over(&self, terms: &Terms) -> bool {
        let now = terms.clock.now() - delta(terms.timing.clock_skew);
        self.holder.is_none() || now.timestamp_millis() > self.expires_at_millis
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or_default()
}

/// A lease that is an object, renewed by a task.
#[derive(Debug)]
pub(crate) struct ObjectLease {
    held: Held,
    renewal: JoinHandle<()>,
    released: bool,
}

/// The lease object as its holder last wrote it.
#[derive(Clone)]
struct Held {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    holder: Uuid,
    terms: Terms,
    version: Arc<Mutex<UpdateVersion>>,
}

impl ObjectLease {
    /// Takes the lease after those who wait for it, or returns `None` after the time to wait.
    async fn acquire_in_turn(
        files: &LakeFiles,
        paths: &LockPaths,
        terms: Terms,
    ) -> Result<Option<ObjectLease>> {
        // Nobody waits, nearly always: then one look is all that being fair costs.
        if is_free(files, &paths.next_object, &terms).await? {
            let at_once = Terms { wait_max: Duration::ZERO, ..terms };
            let lease = ObjectLease::acquire(files, &paths.object, at_once).await?;
            if lease.is_some() {
                return Ok(lease);
            }
        }
        if terms.wait_max.is_zero() {
            return Ok(None);
        }
        let next = ObjectLease::acquire(files, &paths.next_object, terms).await?;
        let Some(mut next) = next else { return Ok(None) };
        let lease = ObjectLease::acquire(files, &paths.object, terms).await;
        next.release().await;
        lease
    }

    async fn acquire(files: &LakeFiles, path: &Path, terms: Terms) -> Result<Option<ObjectLease>> {
        let objects = Arc::clone(files.objects());
        let holder = Uuid::new_v4();
        let mut watch = Watch::default();
        let mut errors = 0;
        let mut poll = Duration::from_millis(POLL_MILLIS_FIRST);
        loop {
            let mode = match files.read_versioned(path).await? {
                None => Some(PutMode::Create),
                Some((text, version)) => match serde_json::from_slice::<LeaseRecord>(&text) {
                    // The answer to the last attempt was lost.
                    Ok(record) if record.holder == Some(holder) => {
                        return Ok(Some(ObjectLease::start(objects, path, holder, terms, version)));
                    }
                    Ok(record)
                        if !record.is_over(&terms) && !watch.is_dead(&version, &terms.timing) =>
                    {
                        None
                    }
                    // Over, dead, or unreadable, which only a foreign hand can have made it.
                    _ => Some(PutMode::Update(version)),
                },
            };
            if let Some(mode) = mode {
                let record = LeaseRecord::held(holder, &terms);
                match put(&objects, path, &record, mode).await {
                    Ok(version) => {
                        return Ok(Some(ObjectLease::start(objects, path, holder, terms, version)));
                    }
                    Err(err) if is_lost_race(&err) => {}
                    Err(err) => {
                        errors += 1;
                        if errors >= ATTEMPTS_MAX || is_permanent(&err) {
                            return Err(Error::storage("take the lease", path, err));
                        }
                        // It may be ours all the same: the next look tells.
                        continue;
                    }
                }
            }
            let waited = terms.clock.at.elapsed();
            let Some(left) = terms.wait_max.checked_sub(waited) else { return Ok(None) };
            sleep(some_of(poll).min(left)).await;
            poll = (poll * 2).min(Duration::from_millis(POLL_OBJECT_MILLIS_MAX));
        }
    }

    fn start(
        objects: Arc<dyn ObjectStore>,
        path: &Path,
        holder: Uuid,
        terms: Terms,
        version: UpdateVersion,
    ) -> ObjectLease {
        let version = Arc::new(Mutex::new(version));
        let held = Held { objects, path: path.clone(), holder, terms, version };
        let renewal = task::spawn(renew(held.clone()));
        ObjectLease { held, renewal, released: false }
    }

    async fn release(&mut self) {
        self.released = true;
        self.renewal.abort();
        self.held.give_back().await;
    }
}

/// Whether nobody has the lease, as far as its object says.
async fn is_free(files: &LakeFiles, path: &Path, terms: &Terms) -> Result<bool> {
    let Some(text) = files.read(path).await? else { return Ok(true) };
    let record = serde_json::from_slice::<LeaseRecord>(&text);
    Ok(record.map_or(true, |record| record.is_over(terms)))
}

impl Drop for ObjectLease {
    fn drop(&mut self) {
        self.renewal.abort();
        if self.released {
            return;
        }
        // Best effort: without a runtime the lease ends by itself.
        if let Ok(runtime) = Handle::try_current() {
            let held = self.held.clone();
            runtime.spawn(async move { held.give_back().await });
        }
    }
}

impl fmt::Debug for Held {
    // Not derived: the clients of buckets print their credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Held {
    /// Says in the object that nobody has it. If that cannot be done, others wait until it ends.
    async fn give_back(&self) {
        let mut version = self.version.lock().await;
        let record = LeaseRecord { holder: None, expires_at_millis: 0 };
        for attempt in 0..ATTEMPTS_MAX {
            let mode = PutMode::Update(version.clone());
            match put(&self.objects, &self.path, &record, mode).await {
                Ok(newer) => {
                    *version = newer;
                    return;
                }
                // Taken over, or given back by an attempt whose answer was lost.
                Err(err) if is_lost_race(&err) => return,
                Err(err) if is_permanent(&err) => break,
                Err(_) => pause_after(attempt).await,
            }
        }
        debug!(path = %self.path, "lease not given back");
    }
}

async fn renew(held: Held) {
    loop {
        sleep(held.terms.timing.renewed).await;
        let mut version = held.version.lock().await;
        let record = LeaseRecord::held(held.holder, &held.terms);
        let mode = PutMode::Update(version.clone());
        match put(&held.objects, &held.path, &record, mode).await {
            Ok(newer) => *version = newer,
            Err(err) if is_lost_race(&err) => {
                warn!(path = %held.path, "lease was taken over");
                return;
            }
            Err(err) => debug!(path = %held.path, error = %err, "lease not renewed, trying again"),
        }
    }
}

/// Notices that a lease is not renewed, whatever its holder's clock says.
#[derive(Default)]
struct Watch {
    seen: Option<(UpdateVersion, Instant)>,
}

impl Watch {
    fn is_dead(&mut self, version: &UpdateVersion, timing: &Timing) -> bool {
        match &self.seen {
            Some((seen, since)) if seen == version => since.elapsed() > timing.holds,
            _ => {
                self.seen = Some((version.clone(), Instant::now()));
                false
            }
        }
    }
}

async fn put(
    objects: &Arc<dyn ObjectStore>,
    path: &Path,
    record: &LeaseRecord,
    mode: PutMode,
) -> object_store::Result<UpdateVersion> {
    let text = serde_json::to_vec(record)
        .map_err(|err| object_store::Error::Generic { store: "lease", source: err.into() })?;
    let done = objects.put_opts(path, text.into(), PutOptions::from(mode)).await?;
    Ok(UpdateVersion { e_tag: done.e_tag, version: done.version })
}

fn is_lost_race(err: &object_store::Error) -> bool {
    matches!(
        err,
        object_store::Error::AlreadyExists { .. }
            | object_store::Error::Precondition { .. }
            | object_store::Error::NotFound { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::{
        Clock, Lease, LeaseRecord, ObjectLease, TIMING, Terms, Timing, is_free, put, try_lock_file,
    };
    use crate::lake_files::LakeFiles;
    use crate::layout::LockPaths;
    use crate::location::Location;
    use chrono::{DateTime, TimeDelta, Utc};
    use futures::future::join;
    use object_store::PutMode;
    use object_store::path::Path;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};
    use uuid::Uuid;

    const BRIEF: Timing = Timing {
        holds: Duration::from_millis(200),
        renewed: Duration::from_millis(20),
        clock_skew: Duration::ZERO,
    };

    fn told() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn terms(timing: Timing, told: DateTime<Utc>, wait_millis: u64) -> Terms {
        let clock = Clock { told, at: Instant::now() };
        Terms { clock, timing, wait_max: Duration::from_millis(wait_millis) }
    }

    fn files() -> LakeFiles {
        LakeFiles::new(Location::in_memory().unwrap())
    }

    #[tokio::test]
    async fn lease_ends_after_its_time_and_the_clocks_skew() {
        let secs = Duration::from_secs;
        let timing = Timing { holds: secs(30), renewed: secs(10), clock_skew: secs(10) };
        let record = LeaseRecord::held(Uuid::new_v4(), &terms(timing, told(), 0));
        let over_after =
            |secs| record.is_over(&terms(timing, told() + TimeDelta::seconds(secs), 0));
        assert!(!over_after(39));
        assert!(over_after(41));
        assert!(LeaseRecord { holder: None, ..record }.is_over(&terms(timing, told(), 0)));
    }

    #[tokio::test]
    async fn living_holder_is_not_taken_over() {
        let (files, path) = (files(), Path::from("x.lease"));
        let acquire = |wait| ObjectLease::acquire(&files, &path, terms(BRIEF, told(), wait));
        let mut held = acquire(0).await.unwrap().unwrap();
        assert!(acquire(600).await.unwrap().is_none(), "three times as long as it holds");
        held.release().await;
        assert!(acquire(0).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn lease_that_is_not_renewed_is_taken_over_whatever_the_clocks_say() {
        let (files, path) = (files(), Path::from("x.lease"));
        // Of a machine whose clock was ten years ahead, and which is gone.
        let ahead = terms(BRIEF, told() + TimeDelta::days(3_650), 0);
        let record = LeaseRecord::held(Uuid::new_v4(), &ahead);
        put(files.objects(), &path, &record, PutMode::Create).await.unwrap();

        let acquire = |wait| ObjectLease::acquire(&files, &path, terms(BRIEF, told(), wait));
        assert!(acquire(50).await.unwrap().is_none());
        assert!(acquire(2_000).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn holder_that_comes_again_stands_behind_the_one_that_waits() {
        let folder = tempfile::tempdir().unwrap();
        let local = LakeFiles::new(Location::local(folder.path()).unwrap());
        for files in [files(), local] {
            let paths = LockPaths::new(&Path::from("locks"), "x");
            let acquire =
                |wait| Lease::acquire(&files, &paths, "x", told(), Duration::from_millis(wait));
            let mut held = acquire(0).await.unwrap();
            for _ in 0..5 {
                let waits = async { Box::pin(acquire(20_000)).await.unwrap() };
                let again = async {
                    // Until the other one waits.
                    while nobody_waits(&files, &paths).await {
                        sleep(Duration::from_millis(1)).await;
                    }
                    held.release().await;
                    assert!(acquire(0).await.is_err(), "it is the other one's turn");
                };
                let (taken, ()) = join(waits, again).await;
                held = taken;
            }
        }
    }

    /// Whether nobody waits.
    async fn nobody_waits(files: &LakeFiles, paths: &LockPaths) -> bool {
        match files.location().local_path() {
            Some(lake) => {
                let path = lake.join(paths.next_file.as_ref());
                try_lock_file(&path).unwrap().is_some()
            }
            None => is_free(files, &paths.next_object, &terms(TIMING, told(), 0)).await.unwrap(),
        }
    }

    #[tokio::test]
    async fn unreadable_lease_is_taken_over() {
        let (files, path) = (files(), Path::from("x.lease"));
        files.write(&path, "not JSON".into()).await.unwrap();
        let acquired = ObjectLease::acquire(&files, &path, terms(BRIEF, told(), 0)).await;
        assert!(acquired.unwrap().is_some());
    }
}
