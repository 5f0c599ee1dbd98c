//! Which of a batch's events the store already has.
//!
//! An event delivered twice has the same account, the same id and the same event time both times.
//! So only the hours that a batch touches need a look, in the data files whose event times cover
//! them. What was learnt about an hour is kept for the batches that follow, within
//! [`KnownEvents::IDENTITIES_MAX`]; a batch can be checked against hours of any size, because what does
//! not fit is looked through again instead of kept.
//!
//! Keys are 128-bit hashes (see [`EventIdentity`]). A stored event whose key is also in the batch is
//! read in full to compare contents: one id with two contents is two events, and both are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, TryStreamExt, stream};
use hashbrown::{HashMap, HashSet};
use object_store::ObjectStore;
use parquet::errors::ParquetError;
use towpath_event::{EventIdentity, event_identity};
use towpath_store::{DataFile, Snapshot};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    error::{Error, Result},
    order::RowAt,
    stored::{StoredFile, StoredRow},
};

/// Data files that identities in memory may refer to. Some 250 bytes each.
const LOADED_FILES_MAX: usize = 65_536;

/// Microseconds in an hour: the grain in which identities are loaded and forgotten.
const HOUR_MICROS: i64 = 3_600_000_000;

/// Data files looked into at once. On an object store each takes a few round trips.
const FILES_AT_ONCE_MAX: usize = 8;

/// Stored events whose texts are read in one go to compare contents.
const COMPARED_ROWS_MAX: usize = 16_384;

/// An event of a batch that may be appended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) at: RowAt,
    /// Microseconds since 1970.
    pub(crate) event_time: i64,
    pub(crate) identity: EventIdentity,
}

/// What an event is to the events before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// None has its key.
    New,
    /// One is this very event.
    Duplicate,
    /// There is another content under its key: to be stored beside it.
    Conflicting,
}

/// Events by key and content, to judge others against.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    keys: HashSet<u128>,
    events: HashSet<(u128, u64)>,
}

impl Seen {
    pub(crate) fn verdict(&self, event: EventIdentity) -> Verdict {
        if self.events.contains(&(event.key, event.content)) {
            Verdict::Duplicate
        } else if self.keys.contains(&event.key) {
            Verdict::Conflicting
        } else {
            Verdict::New
        }
    }

    pub(crate) fn insert(&mut self, event: EventIdentity) {
        self.keys.insert(event.key);
        self.events.insert((event.key, event.content));
    }
}

/// What is known of the events of a store, as of one version of it.
#[derive(Debug)]
pub(crate) struct KnownEvents {
    /// Everything the store holds of these hours.
    hours: HashMap<i64, Hour>,
    /// Identities in `hours`, and how many there may be.
    identities: usize,
    identities_max: usize,
    version: Option<u64>,
    /// How often the log was repaired when it was looked at last.
    repairs: u64,
    /// Hashes of the paths of the data files that `hours` account for.
    accounted: HashSet<u128>,
    /// The data files that identities were loaded from. An identity names its file by its index.
    loaded: Vec<DataFile>,
    /// Batches so far, to tell which hour was not needed for the longest time.
    batches: u64,
}

/// The identities of an hour.
#[derive(Debug, Default)]
struct Hour {
    first: HashMap<u128, Content>,
    /// Further contents of keys that have more than one.
    others: HashMap<u128, Vec<Content>>,
    last_batch: u64,
    identities: usize,
}

/// The content of a stored event.
#[derive(Clone, Copy, Debug)]
enum Content {
    Hash(u64),
    /// Not read yet: index of its data file in [`KnownEvents::loaded`], and row.
    Unread(u32, u32),
}

/// The stored events that have the key of a candidate.
#[derive(Debug, Default)]
struct Twins {
    keys: HashSet<u128>,
    seen: Seen,
    /// Rows whose contents are to be read, by data file.
    unread: BTreeMap<u32, BTreeSet<u32>>,
}

/// One data file to look into, and for which hours.
#[derive(Debug)]
struct Look {
    file: u32,
    hours: HashSet<i64>,
}

impl KnownEvents {
    /// Identities of stored events kept in memory, over all hours. One takes some 40 bytes; an
    /// organisation with a hundred events a second has 360,000 in an hour. So many fill a table of
    /// a single hour, which would take twice as much for one more.
    pub(crate) const IDENTITIES_MAX: usize = 7 << 17;

    /// Knows nothing yet.
    pub(crate) fn new() -> KnownEvents {
        KnownEvents::with_at_most(KnownEvents::IDENTITIES_MAX)
    }

    pub(crate) fn with_at_most(identities_max: usize) -> KnownEvents {
        KnownEvents {
            hours: HashMap::new(),
            identities: 0,
            identities_max,
            version: None,
            repairs: 0,
            accounted: HashSet::new(),
            loaded: Vec::new(),
            batches: 0,
        }
    }

    /// Judges `candidates` against the events of `snapshot`. One verdict for each.
    ///
    /// # Errors
    ///
    /// [`crate::Error::ReadDataFile`] and [`crate::Error::UnexpectedColumn`].
    pub(crate) async fn verdicts(
        &mut self,
        store: &Arc<dyn ObjectStore>,
        snapshot: &Snapshot,
        candidates: &[Candidate],
    ) -> Result<Vec<Verdict>> {
        let seen = match self.twins(store, snapshot, candidates).await {
            Ok(seen) => seen,
            Err(err) => {
                // What an error interrupted must not be taken for complete.
                self.forget_all();
                return Err(err);
            }
        };
        Ok(candidates.iter().map(|candidate| seen.verdict(candidate.identity)).collect())
    }

    /// Takes note that `appended` are in the store as of `version`, which followed the snapshot
    /// that was looked at last.
    pub(crate) fn remember(&mut self, version: u64, appended: impl Iterator<Item = Candidate>) {
        for Candidate { event_time, identity, .. } in appended {
            self.insert(hour_of(event_time), identity.key, Content::Hash(identity.content));
        }
        self.version = Some(version);
    }

    async fn twins(
        &mut self,
        store: &Arc<dyn ObjectStore>,
        snapshot: &Snapshot,
        candidates: &[Candidate],
    ) -> Result<Seen> {
        self.batches += 1;
        let is_repaired = self.repairs != snapshot.repairs();
        if self.loaded.len() >= LOADED_FILES_MAX || is_repaired {
            self.forget_all();
        }
        if is_repaired {
            (self.repairs, self.version) = (snapshot.repairs(), None);
        }
        if self.hours.is_empty() {
            // Here, and nowhere in between: the twins found below name these files too.
            self.loaded.clear();
        }
        let mut twins = Twins::default();
        twins.keys.extend(candidates.iter().map(|candidate| candidate.identity.key));
        let touched: BTreeSet<i64> =
            candidates.iter().map(|candidate| hour_of(candidate.event_time)).collect();

        let new_files = self.refresh(snapshot, &touched);
        self.copy_known(candidates, &mut twins);
        let looks = self.plan(snapshot, &touched, &new_files);
        for hour in &touched {
            self.hours.entry(*hour).or_default().last_batch = self.batches;
        }
        let shared = Mutex::new((&mut *self, &mut twins));
        let looks = looks.into_iter().map(|(file, look)| look_into(store, file, look, &shared));
        stream::iter(looks).buffer_unordered(FILES_AT_ONCE_MAX).try_collect::<()>().await?;
        self.read_contents(store, &mut twins).await?;
        Ok(twins.seen)
    }

    /// Brings what is known up to the snapshot's version, as far as that takes no reading.
    /// Returns the hashes of the data files that are new.
    fn refresh(&mut self, snapshot: &Snapshot, touched: &BTreeSet<i64>) -> HashSet<u128> {
        let own_commit = self.version == Some(snapshot.version());
        let mut present = HashSet::with_capacity(snapshot.data_files().len());
        let mut new_files = HashSet::new();
        let mut outdated: Vec<(i64, i64)> = Vec::new();
        for file in snapshot.data_files() {
            let hash = path_hash(file);
            present.insert(hash);
            if !own_commit && !self.accounted.contains(&hash) {
                new_files.insert(hash);
                outdated.push(hours_of(file));
            }
        }
        // Compaction or retention took files away. Their identities may name them still.
        if self.accounted.iter().any(|hash| !present.contains(hash)) {
            self.forget_all();
        }
        self.forget(|hour| {
            !touched.contains(&hour) && outdated.iter().any(|(a, b)| (*a..=*b).contains(&hour))
        });
        self.version = Some(snapshot.version());
        self.accounted = present;
        new_files
    }

    /// The data files to look into: for hours that are not known all that cover them, for hours
    /// that are known the new ones.
    fn plan(
        &mut self,
        snapshot: &Snapshot,
        touched: &BTreeSet<i64>,
        new_files: &HashSet<u128>,
    ) -> Vec<(DataFile, Look)> {
        let mut looks = Vec::new();
        for file in snapshot.data_files() {
            let (first, last) = hours_of(file);
            let mut hours: HashSet<i64> = touched.range(first..=last).copied().collect();
            if !new_files.contains(&path_hash(file)) {
                hours.retain(|hour| !self.hours.contains_key(hour));
            }
            if hours.is_empty() {
                continue;
            }
            let index = u32::try_from(self.loaded.len()).unwrap_or(u32::MAX);
            self.loaded.push(file.clone());
            looks.push((file.clone(), Look { file: index, hours }));
        }
        looks
    }

    /// Copies what is known about the candidates' keys.
    fn copy_known(&self, candidates: &[Candidate], twins: &mut Twins) {
        let mut copied = HashSet::new();
        for Candidate { event_time, identity, .. } in candidates {
            let hour = hour_of(*event_time);
            let Some(known) = self.hours.get(&hour) else { continue };
            if known.first.contains_key(&identity.key) && copied.insert((hour, identity.key)) {
                let contents = known.contents(identity.key);
                contents.for_each(|content| twins.insert(identity.key, content));
            }
        }
    }

    /// Takes note of a stored event, unless its hour is not being kept.
    fn insert(&mut self, hour: i64, key: u128, content: Content) {
        if self.identities >= self.identities_max {
            self.make_room(hour);
        }
        if let Some(hour) = self.hours.get_mut(&hour) {
            hour.insert(key, content);
            self.identities += 1;
        }
    }

    /// Forgets the hours that no recent batch needed, or else the one that has no room.
    fn make_room(&mut self, needed: i64) {
        let oldest = self.hours.values().map(|hour| hour.last_batch).min();
        let batch = self.batches;
        match oldest {
            Some(oldest) if oldest < batch => {
                let old: Vec<i64> = (self.hours.iter())
                    .filter(|(_, hour)| hour.last_batch == oldest)
                    .map(|(hour, _)| *hour)
                    .collect();
                self.forget(|hour| old.contains(&hour));
            }
            _ => self.forget(|hour| hour == needed),
        }
    }

    fn forget(&mut self, which: impl Fn(i64) -> bool) {
        let mut identities = 0;
        self.hours.retain(|hour, known| {
            let stays = !which(*hour);
            identities += if stays { known.identities } else { 0 };
            stays
        });
        self.identities = identities;
    }

    fn forget_all(&mut self) {
        self.forget(|_| true);
    }

    /// Reads the texts of the twins whose contents are not known.
    async fn read_contents(&self, store: &Arc<dyn ObjectStore>, twins: &mut Twins) -> Result<()> {
        for (file, rows) in mem::take(&mut twins.unread) {
            let file = usize::try_from(file).ok().and_then(|file| self.loaded.get(file));
            debug_assert!(file.is_some(), "an identity names a data file that was forgotten");
            let file = file.ok_or_else(forgotten_file)?;
            let rows: Vec<u32> = rows.into_iter().collect();
            let file = StoredFile::open(store, file).await?;
            for rows in rows.chunks(COMPARED_ROWS_MAX) {
                file.identities(rows).await?.into_iter().for_each(|event| twins.seen.insert(event));
            }
        }
        Ok(())
    }
}

/// Passing over a twin that cannot be read would store an event twice.
fn forgotten_file() -> Error {
    let source = ParquetError::General("it was looked into, but is not known any more".into());
    Error::ReadDataFile { path: "unknown".into(), source }
}

/// Looks into one data file and takes note of every event of the hours asked for.
async fn look_into(
    store: &Arc<dyn ObjectStore>,
    file: DataFile,
    look: Look,
    shared: &Mutex<(&mut KnownEvents, &mut Twins)>,
) -> Result<()> {
    let stored = StoredFile::open(store, &file).await?;
    let spans: Vec<Range<i64>> = look.hours.iter().map(|hour| span_of(*hour)).collect();
    let without_id: Mutex<Vec<(u32, i64)>> = Mutex::default();
    let is_wanted = |event_time: i64| look.hours.contains(&hour_of(event_time));
    let each = |row: StoredRow<'_>| match row.event_id {
        Some(event_id) => {
            let key = event_identity(row.account, Some(event_id), "").key;
            note(&mut lock(shared), row.event_time, key, Content::Unread(look.file, row.row));
        }
        None => lock(&without_id).push((row.row, row.event_time)),
    };
    stored.rows(&spans, &is_wanted, &each).await?;

    // Without an id the text is the key, so it has to be read.
    let without_id = mem::take(&mut *lock(&without_id));
    for part in without_id.chunks(COMPARED_ROWS_MAX) {
        let rows: Vec<u32> = part.iter().map(|(row, _)| *row).collect();
        let identities = stored.identities(&rows).await?;
        for (event, (_, event_time)) in identities.into_iter().zip(part) {
            note(&mut lock(shared), *event_time, event.key, Content::Hash(event.content));
        }
    }
    Ok(())
}

/// Takes note of a stored event, and of it as a twin if a candidate has its key.
fn note(
    (known, twins): &mut (&mut KnownEvents, &mut Twins),
    event_time: i64,
    key: u128,
    content: Content,
) {
    if twins.keys.contains(&key) {
        twins.insert(key, content);
    }
    known.insert(hour_of(event_time), key, content);
}

/// A lock that is only ever held between two awaits of one task.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hour {
    fn insert(&mut self, key: u128, content: Content) {
        self.identities += 1;
        if self.first.contains_key(&key) {
            self.others.entry(key).or_default().push(content);
        } else {
            self.first.insert(key, content);
        }
    }

    fn contents(&self, key: u128) -> impl Iterator<Item = Content> {
        let others = self.others.get(&key).into_iter().flatten();
        self.first.get(&key).into_iter().chain(others).copied()
    }
}

impl Twins {
    fn insert(&mut self, key: u128, content: Content) {
        match content {
            Content::Hash(content) => self.seen.insert(EventIdentity { key, content }),
            Content::Unread(file, row) => {
                self.unread.entry(file).or_default().insert(row);
            }
        }
    }
}

fn path_hash(file: &DataFile) -> u128 {
    xxh3_128(file.path.as_ref().as_bytes())
}

fn hour_of(event_time: i64) -> i64 {
    event_time.div_euclid(HOUR_MICROS)
}

/// The event times of an hour.
fn span_of(hour: i64) -> Range<i64> {
    hour.saturating_mul(HOUR_MICROS)..hour.saturating_add(1).saturating_mul(HOUR_MICROS)
}

/// The first and the last hour that a data file may have events of.
fn hours_of(file: &DataFile) -> (i64, i64) {
    (hour_of(file.event_times.0), hour_of(file.event_times.1))
}
