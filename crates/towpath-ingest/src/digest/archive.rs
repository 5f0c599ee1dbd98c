//! The sources in which digests and log files are looked for and read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use hashbrown::HashSet;
use object_store::{Attribute, Error as ObjectError, ObjectStoreExt, path::Path as Key};
use serde_json::Value;
use tokio::task;
use towpath_event::EventKind;
use towpath_store::Location;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    METADATA_SUFFIX,
    name::{self, Chain, Name, Place},
};
use crate::{
    error::{Error, Result},
    source::{Bucket, Source},
};

/// Digests and log files of one check, at most. Some 250 bytes each; a year of an account with
/// seventeen regions has two million.
const FILES_MAX: usize = 4_000_000;

/// Largest file that is read, in bytes. CloudTrail's own are below 50 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The files there are.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    /// The buckets among the sources, by name.
    buckets: BTreeMap<String, Arc<Bucket>>,
    /// Local folders that have `AWSLogs` in them.
    heads: BTreeSet<PathBuf>,
    /// The digests of each chain and kind, oldest first.
    pub(crate) digests: BTreeMap<(Chain, bool), Vec<Listed>>,
    /// The log files of each account and region.
    pub(crate) log_files: BTreeMap<Place, Vec<Listed>>,
    files: usize,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed {
    /// The time in its name.
    pub(crate) time: DateTime<Utc>,
    pub(crate) key: String,
    /// `None` if it is local.
    pub(crate) bucket: Option<String>,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) bytes: Bytes,
    pub(crate) signature: Option<String>,
    pub(crate) has_backfill_time: bool,
    /// Whether it comes from a bucket, with the metadata that belongs to it.
    pub(crate) is_remote: bool,
}

impl Archive {
    /// Looks through `sources`.
    ///
    /// # Errors
    ///
    /// Those of a source, and [`Error::TooManyDigests`].
    pub(crate) async fn open(sources: &[Location]) -> Result<Archive> {
        let mut archive = Archive::default();
        for location in sources {
            match Source::open(location, EventKind::CloudTrail)? {
                Source::Remote(bucket, prefix) => {
                    let name = location.url().host_str().unwrap_or_default().to_owned();
                    archive.list_bucket(&name, bucket, &prefix).await?;
                }
                Source::LocalFolder(root) | Source::LocalFile(root) => {
                    let root = root.path_of(FilePath::new(""));
                    let walked = task::spawn_blocking(move || walk(&root));
                    let paths = walked.await.map_err(Error::Worker)?.map_err(|source| {
                        Error::ReadSource { location: location.to_string(), source }
                    })?;
                    for path in paths {
                        archive.add_local(&path)?;
                    }
                }
            }
        }
        archive.digests.values_mut().for_each(|digests| {
            digests.sort_unstable();
            digests.dedup();
        });
        Ok(archive)
    }

    async fn list_bucket(&mut self, name: &str, bucket: Arc<Bucket>, prefix: &Key) -> Result<()> {
        let store = Arc::clone(&bucket.store);
        let mut files = store.list(Some(prefix));
        let failed = |source| Error::ListSource { location: bucket.url_of(prefix), source };
        while let Some(meta) = files.try_next().await.map_err(failed)? {
            self.add(meta.location.as_ref(), Some(name))?;
        }
        self.buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    fn add_local(&mut self, path: &FilePath) -> Result<()> {
        let text = path.to_string_lossy();
        let Some(tail) = name::tail(&text) else { return Ok(()) };
        let head = text.get(..text.len() - tail.len()).unwrap_or_default();
        if !self.heads.contains(FilePath::new(head)) {
            self.heads.insert(head.into());
        }
        self.add(tail, None)
    }

    fn add(&mut self, key: &str, bucket: Option<&str>) -> Result<()> {
        let listed = |time| Listed { time, key: key.to_owned(), bucket: bucket.map(str::to_owned) };
        match Name::of(key) {
            Some(Name::Digest { chain, end, is_backfill }) => {
                self.digests.entry((chain, is_backfill)).or_default().push(listed(end));
            }
            Some(Name::LogFile { place, written }) => {
                self.log_files.entry(place).or_default().push(listed(written));
            }
            None => return Ok(()),
        }
        self.files += 1;
        if self.files > FILES_MAX { Err(Error::TooManyDigests { max: FILES_MAX }) } else { Ok(()) }
    }

    /// The accounts and regions of all that was found.
    pub(crate) fn places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> = self.log_files.keys().collect();
        places.extend(self.digests.keys().map(|(chain, _)| &chain.place));
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Reads the file with this key, or returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::ReadLogFile`] and [`Error::ReadSource`] if it cannot be read.
    pub(crate) async fn read(&self, bucket: &str, key: &str) -> Result<Option<Read>> {
        if let Some(bucket) = self.buckets.get(bucket) {
            return read_remote(bucket, key).await;
        }
        let Some(tail) = name::tail(key) else { return Ok(None) };
        for head in &self.heads {
            let path = head.join(tail);
            let read = task::spawn_blocking(move || read_local(&path)).await;
            if let Some(read) = read.map_err(Error::Worker)?? {
                return Ok(Some(read));
            }
        }
        Ok(None)
    }
}

async fn read_remote(bucket: &Bucket, key: &str) -> Result<Option<Read>> {
    let failed = |source| Error::ReadLogFile { path: key.to_owned(), source };
    let Ok(key) = Key::parse(key) else { return Ok(None) };
    let found = match bucket.store.get(&key).await {
        Ok(found) => found,
        Err(ObjectError::NotFound { .. }) => return Ok(None),
        Err(err) => return Err(failed(err)),
    };
    if found.meta.size > FILE_BYTES_MAX {
        return Ok(Some(Read::without_content(true)));
    }
    let metadata = |name: &'static str| {
        found
            .attributes
            .get(&Attribute::Metadata(name.into()))
            .map(|value| value.as_ref().to_owned())
    };
    let has_algorithm = metadata("signature-algorithm").is_some();
    let signature = metadata("signature").filter(|_| has_algorithm);
    let has_backfill_time = metadata("backfill-generation-timestamp").is_some();
    let bytes = found.bytes().await.map_err(failed)?;
    Ok(Some(Read { bytes, signature, has_backfill_time, is_remote: true }))
}

fn read_local(path: &FilePath) -> Result<Option<Read>> {
    let failed = |source| Error::ReadSource { location: path.display().to_string(), source };
    let size = match path.metadata() {
        Ok(metadata) => metadata.len(),
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed(err)),
    };
    if size > FILE_BYTES_MAX {
        return Ok(Some(Read::without_content(false)));
    }
    let bytes = fs::read(path).map_err(failed)?.into();
    let mut beside = path.as_os_str().to_owned();
    beside.push(METADATA_SUFFIX);
    let metadata: Option<Value> =
        fs::read(beside).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let metadata = |name: &str| {
        let all = metadata.as_ref()?;
        Some(all.get("Metadata").unwrap_or(all).get(name)?.as_str()?.to_owned())
    };
    let signature = metadata("signature");
    // Copies keep no metadata. What is signed of a backfill is in the digest itself.
    Ok(Some(Read { bytes, signature, has_backfill_time: true, is_remote: false }))
}

impl Read {
    /// A file that is too large to be CloudTrail's: as good as one without anything in it.
    fn without_content(is_remote: bool) -> Read {
        Read { bytes: Bytes::new(), signature: None, has_backfill_time: false, is_remote }
    }
}

/// All files below `root`, without recursion; a folder that is met again is not read again.
fn walk(root: &FilePath) -> io::Result<Vec<PathBuf>> {
    if !root.metadata()?.is_dir() {
        return Ok(vec![root.to_path_buf()]);
    }
    let (mut folders, mut files) = (vec![root.to_path_buf()], Vec::new());
    let mut visited = HashSet::new();
    while let Some(folder) = folders.pop() {
        let real = folder.canonicalize()?;
        if !visited.insert(xxh3_128(real.as_os_str().as_encoded_bytes())) {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            match path.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(metadata) if metadata.is_file() && files.len() < FILES_MAX => files.push(path),
                _ => {}
            }
        }
    }
    Ok(files)
}
