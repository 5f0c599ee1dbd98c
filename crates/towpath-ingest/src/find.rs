//! The log files of a source, found while they are being ingested.
//!
//! Finding runs beside ingesting and at most [`FOUND_QUEUE_MAX`] files ahead of whoever takes them,
//! so that a bucket of millions of files needs no list of them in memory.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use futures::{StreamExt, TryStreamExt, stream::FuturesUnordered};
use hashbrown::HashSet;
use object_store::{ListResult, ObjectMeta, ObjectStoreExt as _, path::Path as Key};
use tokio::{sync::mpsc, task};
use towpath_event::EventKind;
use towpath_store::Location;
use url::Url;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::{
    digest::Proof,
    error::{Error, Result},
    log_file::{self, DeliveryDays, LeftOut},
    source::{Bucket, LocalRoot, Source},
};

/// Files found that nobody has taken yet. Enough to keep a listing of a thousand keys a page
/// running while batches are being committed.
pub(crate) const FOUND_QUEUE_MAX: usize = 4096;

/// Listings of one bucket under way at once. S3 answers one in some tens of milliseconds, and a
/// week of an organisation's trail can be a thousand of them.
const LISTINGS_MAX: usize = 16;

/// Folders between the start of a source and `AWSLogs` that are listed one level at a time. Below
/// that a bucket does not look like CloudTrail's and is listed as a whole.
const LEVELS_BEFORE_LAYOUT_MAX: usize = 4;

/// One thing that a listing came across.
#[derive(Debug)]
pub(crate) enum Found {
    LogFile(LogFile),
    LeftOut(LeftOut),
    /// A folder or a file of which not even the size could be read.
    Unreadable {
        path: String,
        is_folder: bool,
        error: io::Error,
    },
}

/// A file to ingest.
#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    pub(crate) place: Place,
    pub(crate) size_bytes: u64,
    /// The day of its delivery, if its path tells.
    pub(crate) day: Option<NaiveDate>,
    /// When it was last written, if the file system or the object store tells.
    pub(crate) modified: Option<DateTime<Utc>>,
    /// What digests say of it, if they were asked.
    pub(crate) proof: Option<Proof>,
}

/// Where the bytes of a log file are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Local(Arc<LocalRoot>, Box<Path>),
    Remote(Arc<Bucket>, Key),
}

impl LogFile {
    /// The order of ingesting: by day, so that a batch covers a short span of time, then by path.
    pub(crate) fn order(&self) -> (Option<NaiveDate>, &[u8]) {
        let path = match &self.place {
            Place::Local(_, below) => below.as_os_str().as_encoded_bytes(),
            Place::Remote(_, key) => key.as_ref().as_bytes(),
        };
        (self.day, path)
    }

    /// This content under this name, as far as that can be told without reading it.
    pub(crate) fn version(&self) -> u128 {
        let mut hash = Xxh3::new();
        hash.update(&self.size_bytes.to_le_bytes());
        let modified = self.modified.map_or(i64::MIN, |time| time.timestamp_micros());
        hash.update(&modified.to_le_bytes());
        hash.update(self.place.checkpoint_key().as_bytes());
        hash.digest128()
    }
}

impl Place {
    /// What to call the log file in a report.
    pub(crate) fn name(&self) -> String {
        match self {
            Place::Local(root, below) => root.path_of(below).display().to_string(),
            Place::Remote(bucket, key) => bucket.url_of(key),
        }
    }

    /// What the log file is remembered by: its URL, which is the same however it was reached.
    pub(crate) fn checkpoint_key(&self) -> String {
        match self {
            Place::Local(root, below) => {
                let url = Url::from_file_path(root.path_of(below));
                url.map_or_else(|()| self.name(), String::from)
            }
            Place::Remote(bucket, key) => bucket.url_of(key),
        }
    }
}

/// Finds the log files of `sources` that can hold events of `kind`, one source after the other, and sends them to `found`.
///
/// Ends early, without an error, when nobody takes them any more.
///
/// # Errors
///
/// [`Error::SourceNotFound`], [`Error::ReadSource`] or [`Error::ListSource`]. What was sent before
/// stays valid.
pub(crate) async fn find(
    sources: &[Location],
    kind: EventKind,
    days: Option<DeliveryDays>,
    found: mpsc::Sender<Found>,
) -> Result<()> {
    // A source that is not there is said before the others are ingested.
    let sources: Vec<Source> =
        sources.iter().map(|source| Source::open(source, kind)).collect::<Result<_>>()?;
    for source in sources {
        match source {
            Source::LocalFolder(root) => {
                let found = found.clone();
                task::spawn_blocking(move || Walk::new(&root, days, &found).run())
                    .await
                    .map_err(Error::Worker)?;
            }
            Source::LocalFile(root) => send_named_file(&root, &found).await,
            Source::Remote(bucket, prefix) => find_remote(&bucket, &prefix, days, &found).await?,
        }
    }
    Ok(())
}

/// Sends a local file that was named itself.
async fn send_named_file(root: &Arc<LocalRoot>, found: &mpsc::Sender<Found>) {
    let place = Place::Local(Arc::clone(root), PathBuf::new().into());
    let path = root.path_of(Path::new(""));
    let text = slashed(&path);
    let metadata = task::spawn_blocking(move || path.metadata()).await;
    let one = match metadata.map_err(io::Error::other).flatten() {
        Ok(metadata) if metadata.is_file() => {
            let day = log_file::day(&text);
            let modified = modified(&metadata);
            let size_bytes = metadata.len();
            Found::LogFile(LogFile { place, size_bytes, day, modified, proof: None })
        }
        Ok(_) => {
            let error = io::Error::other("not a regular file");
            Found::Unreadable { path: place.name(), is_folder: false, error }
        }
        Err(error) => Found::Unreadable { path: place.name(), is_folder: false, error },
    };
    // Nobody listening means that the ingest has ended.
    let _ended = found.send(one).await.is_err();
}

/// A descent into a local folder, without recursion.
struct Walk<'a> {
    root: &'a Arc<LocalRoot>,
    days: Option<DeliveryDays>,
    found: &'a mpsc::Sender<Found>,
    /// Folders still to read, below the root; the next one last.
    folders: Vec<PathBuf>,
    /// Hashes of the real paths of folders read: a symbolic link may lead back to one.
    visited: HashSet<u128>,
}

/// The other side takes no more files.
struct Ended;

impl<'a> Walk<'a> {
    fn new(
        root: &'a Arc<LocalRoot>,
        days: Option<DeliveryDays>,
        found: &'a mpsc::Sender<Found>,
    ) -> Walk<'a> {
        Walk { root, days, found, folders: vec![PathBuf::new()], visited: HashSet::new() }
    }

    fn run(mut self) {
        while let Some(folder) = self.folders.pop() {
            match self.read_folder(&folder) {
                Ok(Ok(())) => {}
                Ok(Err(Ended)) => return,
                Err(error) => {
                    let path = self.root.path_of(&folder).display().to_string();
                    if self.send(Found::Unreadable { path, is_folder: true, error }).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn read_folder(&mut self, folder: &Path) -> io::Result<Result<(), Ended>> {
        let real_path = self.root.path_of(folder).canonicalize()?;
        if !self.visited.insert(xxh3_128(real_path.as_os_str().as_encoded_bytes())) {
            return Ok(Ok(()));
        }
        let mut below = Vec::new();
        for entry in fs::read_dir(&real_path)? {
            let name = entry?.file_name();
            if let Err(Ended) = self.look_at(folder, &name, &mut below) {
                return Ok(Err(Ended));
            }
        }
        // The last one is read next; reading in order keeps days together.
        below.sort_unstable_by(|a, b| b.cmp(a));
        self.folders.append(&mut below);
        Ok(Ok(()))
    }

    fn look_at(&self, folder: &Path, name: &OsStr, below: &mut Vec<PathBuf>) -> Result<(), Ended> {
        let path = folder.join(name);
        let full_path = self.root.path_of(&path);
        // Follows symbolic links: what they lead to is what counts.
        let text = slashed(&full_path);
        let metadata = match full_path.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return self.unreadable(&path, text, error),
        };
        if metadata.is_dir() {
            if self.days.is_none_or(|days| days.may_be_in(&text)) {
                below.push(path);
            }
            return Ok(());
        }
        // A named pipe or a device would block or never end.
        let kind =
            if metadata.is_file() { self.left_out(&path, &text) } else { Some(LeftOut::OtherName) };
        self.send(match kind {
            Some(kind) => Found::LeftOut(kind),
            None => Found::LogFile(LogFile {
                place: Place::Local(Arc::clone(self.root), path.into()),
                size_bytes: metadata.len(),
                day: log_file::day(&text),
                modified: modified(&metadata),
                proof: None,
            }),
        })
    }

    /// A file, or a link that leads nowhere: of interest if it has the name of a log file.
    fn unreadable(&self, below: &Path, full_path: String, error: io::Error) -> Result<(), Ended> {
        self.send(match self.left_out(below, &full_path) {
            Some(kind) => Found::LeftOut(kind),
            None => Found::Unreadable { path: full_path, is_folder: false, error },
        })
    }

    /// Judges a file by CloudTrail's layout wherever it begins, and else by what is below the root:
    /// how the user called the folders above says nothing.
    fn left_out(&self, below: &Path, full_path: &str) -> Option<LeftOut> {
        let from_layout = full_path.find("/AWSLogs/").and_then(|at| full_path.get(at..));
        match from_layout {
            Some(path) => log_file::left_out(self.root.kind, path),
            None => log_file::left_out(self.root.kind, &slashed(below)),
        }
    }

    fn send(&self, found: Found) -> Result<(), Ended> {
        self.found.blocking_send(found).map_err(|_| Ended)
    }
}

/// `path` as text, for judging by its segments only.
fn slashed(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// When a local file was last written.
fn modified(metadata: &fs::Metadata) -> Option<DateTime<Utc>> {
    metadata.modified().ok().map(DateTime::from)
}

/// A part of a bucket still to be listed.
#[derive(Debug)]
struct Part {
    prefix: Key,
    /// Levels that may still be listed one by one before the layout begins.
    levels_left: usize,
}

/// Sends the log files of a bucket below `prefix`, or the one that has this very key.
async fn find_remote(
    bucket: &Arc<Bucket>,
    prefix: &Key,
    days: Option<DeliveryDays>,
    found: &mpsc::Sender<Found>,
) -> Result<()> {
    if let Some(log_file) = named_key(bucket, prefix).await? {
        let _ended = found.send(Found::LogFile(log_file)).await.is_err();
        return Ok(());
    }
    let is_empty = match days {
        Some(days) => list_by_level(bucket, prefix, days, found).await?,
        None => list_whole(bucket, prefix, found).await?,
    };
    if is_empty { Err(Error::SourceNotFound { location: bucket.url_of(prefix) }) } else { Ok(()) }
}

/// The log file whose key is `key`, if there is one: then it was named itself.
async fn named_key(bucket: &Arc<Bucket>, key: &Key) -> Result<Option<LogFile>> {
    if key.filename().is_none() {
        return Ok(None);
    }
    match bucket.store.head(key).await {
        // Some tools leave an empty file that stands for a folder.
        Ok(meta) if meta.size == 0 && !key.as_ref().contains(".json") => Ok(None),
        Ok(meta) => Ok(Some(log_file_at(bucket, meta))),
        // Without the right to list, S3 answers 403 for a key that is not there: listing tells.
        Err(
            object_store::Error::NotFound { .. } | object_store::Error::PermissionDenied { .. },
        ) => Ok(None),
        Err(err) => Err(list_error(bucket, key, err)),
    }
}

/// Lists everything below `prefix`. Returns whether there was nothing.
async fn list_whole(
    bucket: &Arc<Bucket>,
    prefix: &Key,
    found: &mpsc::Sender<Found>,
) -> Result<bool> {
    let mut files = bucket.store.list(Some(prefix));
    let mut is_empty = true;
    while let Some(meta) = files.try_next().await.map_err(|err| list_error(bucket, prefix, err))? {
        is_empty = false;
        if found.send(judge(bucket, meta)).await.is_err() {
            break;
        }
    }
    Ok(is_empty)
}

/// Lists only the parts of the bucket that may hold log files of `days`. Returns whether there was
/// nothing at all at `prefix`.
async fn list_by_level(
    bucket: &Arc<Bucket>,
    prefix: &Key,
    days: DeliveryDays,
    found: &mpsc::Sender<Found>,
) -> Result<bool> {
    let mut parts = vec![Part { prefix: prefix.clone(), levels_left: LEVELS_BEFORE_LAYOUT_MAX }];
    let mut listings = FuturesUnordered::new();
    let mut is_empty = true;
    loop {
        while listings.len() < LISTINGS_MAX {
            let Some(part) = parts.pop() else { break };
            listings.push(list_part(bucket, part, days, found));
        }
        let Some(listed) = listings.next().await else { return Ok(is_empty) };
        let Listed { mut below, files } = listed?;
        is_empty &= below.is_empty() && files == 0;
        below.sort_unstable_by(|a, b| b.prefix.cmp(&a.prefix));
        parts.append(&mut below);
    }
}

/// What the listing of one part came to.
struct Listed {
    below: Vec<Part>,
    files: usize,
}

async fn list_part(
    bucket: &Arc<Bucket>,
    part: Part,
    days: DeliveryDays,
    found: &mpsc::Sender<Found>,
) -> Result<Listed> {
    let Part { prefix, levels_left } = part;
    let levels_below = match log_file::above_days(prefix.as_ref()) {
        Some(true) => Some(levels_left),
        Some(false) => levels_left.checked_sub(1),
        None => None,
    };
    if let Some(folders) = days.folders_below(prefix.as_ref()) {
        let below = folders.map(|folder| Part { prefix: Key::from(folder), levels_left: 0 });
        return Ok(Listed { below: below.collect(), files: 1 });
    }
    let Some(levels_left) = levels_below else {
        let is_empty = list_whole(bucket, &prefix, found).await?;
        return Ok(Listed { below: Vec::new(), files: usize::from(!is_empty) });
    };
    let listed = bucket.store.list_with_delimiter(Some(&prefix)).await;
    let ListResult { common_prefixes, objects, .. } =
        listed.map_err(|err| list_error(bucket, &prefix, err))?;
    let files = objects.len() + common_prefixes.len();
    for meta in objects {
        if found.send(judge(bucket, meta)).await.is_err() {
            return Ok(Listed { below: Vec::new(), files });
        }
    }
    let wanted = common_prefixes.into_iter().filter(|prefix| days.may_be_in(prefix.as_ref()));
    let below = wanted.map(|prefix| Part { prefix, levels_left }).collect();
    Ok(Listed { below, files })
}

/// What a file of a bucket is, as far as its key tells.
pub(crate) fn judge(bucket: &Arc<Bucket>, meta: ObjectMeta) -> Found {
    match log_file::left_out(bucket.kind, meta.location.as_ref()) {
        Some(kind) => Found::LeftOut(kind),
        None => Found::LogFile(log_file_at(bucket, meta)),
    }
}

fn log_file_at(bucket: &Arc<Bucket>, meta: ObjectMeta) -> LogFile {
    LogFile {
        day: log_file::day(meta.location.as_ref()),
        size_bytes: meta.size,
        modified: Some(meta.last_modified),
        proof: None,
        place: Place::Remote(Arc::clone(bucket), meta.location),
    }
}

fn list_error(bucket: &Bucket, prefix: &Key, source: object_store::Error) -> Error {
    Error::ListSource { location: bucket.url_of(prefix), source }
}
