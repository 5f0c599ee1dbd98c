//! Local files that are really on the disk when a write is said to be done.
//!
//! `object_store`'s own local store never calls fsync. After a power loss the newest commit of a
//! store is then, typically, an empty file, and Delta readers take an empty commit for one that
//! changed nothing. [`DurableFiles`] reads and lists through `object_store`, but writes by itself:
//! a staging file, fsync, a hard link (create) or a rename (overwrite), fsync of the folder.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};
use tokio::task;
use uuid::Uuid;

/// How this store calls itself in errors.
const STORE: &str = "local files";

/// Attempts at making a staging file: its folder may be removed under it, its name be taken.
const STAGING_ATTEMPTS_MAX: u32 = 8;

/// Bytes that are read by the thread that asks for them.
///
/// A query asks for a few pages of a file at a time, which the system mostly has in memory: to wake
/// another thread for them takes longer than to read them. From a disk so much comes in some
/// milliseconds.
const READ_IN_PLACE_BYTES_MAX: u64 = 1 << 20;

/// An object store over local files, whose writes survive a power loss once they are done.
///
/// Paths are absolute: `data/lake` is `/data/lake`.
#[derive(Clone, Debug, Default)]
pub(crate) struct DurableFiles {
    files: LocalFileSystem,
}

impl DurableFiles {
    pub(crate) fn new() -> DurableFiles {
        DurableFiles { files: LocalFileSystem::new() }
    }
}

impl fmt::Display for DurableFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DurableFiles")
    }
}

#[async_trait]
impl ObjectStore for DurableFiles {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let overwrite = match options.mode {
            PutMode::Overwrite => true,
            PutMode::Create => false,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "conditional overwrite".into(),
                    implementer: STORE.into(),
                });
            }
        };
        let path = self.files.path_to_filesystem(location)?;
        task::spawn_blocking(move || {
            let (file, staging) = new_staging(&path)?;
            let written = payload.iter().try_for_each(|bytes| (&file).write_all(bytes));
            let done = written
                .map_err(|err| io_error(&path, err))
                .and_then(|()| publish(&file, &staging, &path, overwrite));
            if done.is_err() {
                // Hidden from listings by its name, so leaving it behind only costs space.
                fs::remove_file(&staging).unwrap_or_default();
            }
            done.map(|()| PutResult { e_tag: None, version: None })
        })
        .await?
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let path = self.files.path_to_filesystem(location)?;
        let upload = task::spawn_blocking(move || {
            let (file, staging) = new_staging(&path)?;
            let file = Arc::new(Mutex::new(file));
            Ok::<_, Error>(DurableUpload { file, staging, path, offset: 0, published: false })
        })
        .await??;
        Ok(Box::new(upload))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let bytes: u64 = ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum();
        if bytes <= READ_IN_PLACE_BYTES_MAX
            && let Ok(path) = self.files.path_to_filesystem(location)
            && let Ok(read) = read_ranges(&path, ranges)
        {
            return Ok(read);
        }
        // It says what is wrong, too.
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}

/// Parts of a file; an error too where it ends before one of them does.
fn read_ranges(path: &FilePath, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
    let mut file = File::open(path)?;
    let read = ranges.iter().map(|range| {
        let length = range.end.checked_sub(range.start).ok_or(io::ErrorKind::InvalidInput)?;
        let wanted = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(wanted);
        file.seek(SeekFrom::Start(range.start))?;
        (&mut file).take(length).read_to_end(&mut bytes)?;
        if bytes.len() < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Bytes::from(bytes))
    });
    read.collect()
}

/// A file written part by part, as the Delta library writes large checkpoints.
#[derive(Debug)]
struct DurableUpload {
    file: Arc<Mutex<File>>,
    staging: PathBuf,
    path: PathBuf,
    offset: u64,
    published: bool,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let offset = self.offset;
        self.offset += payload.content_length() as u64;
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(offset)).map_err(|err| io_error(&path, err))?;
            payload
                .iter()
                .try_for_each(|bytes| file.write_all(bytes))
                .map_err(|err| io_error(&path, err))
        })
        .map(|joined| joined?)
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (file, staging, path) =
            (Arc::clone(&self.file), self.staging.clone(), self.path.clone());
        task::spawn_blocking(move || {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            publish(&file, &staging, &path, true)
        })
        .await??;
        self.published = true;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        self.published = true;
        let (staging, path) = (self.staging.clone(), self.path.clone());
        task::spawn_blocking(move || fs::remove_file(&staging).map_err(|err| io_error(&path, err)))
            .await?
    }
}

impl Drop for DurableUpload {
    fn drop(&mut self) {
        if !self.published {
            fs::remove_file(&self.staging).unwrap_or_default();
        }
    }
}

/// The staging files below `folder` of the lake at `lake` that were last written before `before`,
/// with their sizes. Their writers are gone.
pub(crate) async fn stale_staging(
    lake: &FilePath,
    folder: &Path,
    before: DateTime<Utc>,
) -> Result<Vec<(PathBuf, u64)>> {
    let folder = lake.join(folder.as_ref());
    let root = folder.clone();
    let found = task::spawn_blocking(move || {
        let mut found = Vec::new();
        for holder in [root.clone()].into_iter().chain(folders(&root)?) {
            for file in fs::read_dir(&holder)? {
                let file = file?;
                let name = file.file_name().to_string_lossy().into_owned();
                // Gone since it was listed: its writer published it.
                let Ok(metadata) = file.metadata() else { continue };
                let is_stale = DateTime::<Utc>::from(metadata.modified()?) < before;
                if !is_staging(&name) || !metadata.is_file() || !is_stale {
                    continue;
                }
                found.push((file.path(), metadata.len()));
            }
        }
        Ok::<_, io::Error>(found)
    });
    found.await?.map_err(|err| io_error(&folder, err))
}

/// Removes a staging file that [`stale_staging`] found.
pub(crate) async fn remove_staging(path: PathBuf) -> Result<()> {
    let removed = task::spawn_blocking(move || match fs::remove_file(&path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(io_error(&path, err)),
        _ => Ok(()),
    });
    removed.await?
}

/// The folders in `folder`, one level deep: staging files are only beside what they become.
fn folders(folder: &FilePath) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether a file name is one that [`new_staging`] makes.
fn is_staging(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Opens a new file beside `path`, making the folder when it is missing.
///
/// `object_store` leaves out of its listings what ends in `#` and digits, so a staging file that
/// a crash leaves behind is never taken for an object.
fn new_staging(path: &FilePath) -> Result<(File, PathBuf)> {
    let mut last = None;
    for _ in 0..STAGING_ATTEMPTS_MAX {
        let mut staging = path.as_os_str().to_owned();
        staging.push(format!("#{}", Uuid::new_v4().as_u128()));
        let staging = PathBuf::from(staging);
        match OpenOptions::new().write(true).create_new(true).open(&staging) {
            Ok(file) => return Ok((file, staging)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    create_folder(folder).map_err(|err| io_error(folder, err))?;
                }
                last = Some(err);
            }
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => last = Some(err),
            Err(err) => return Err(io_error(path, err)),
        }
    }
    let err = last.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotFound));
    Err(io_error(path, err))
}

/// Makes the staged bytes durable, then visible under `path`, then makes the name durable.
fn publish(file: &File, staging: &FilePath, path: &FilePath, overwrite: bool) -> Result<()> {
    file.sync_all().map_err(|err| io_error(path, err))?;
    if overwrite {
        fs::rename(staging, path).map_err(|err| io_error(path, err))?;
    } else {
        fs::hard_link(staging, path).map_err(|err| io_error(path, err))?;
        fs::remove_file(staging).unwrap_or_default();
    }
    match path.parent() {
        Some(folder) => sync_folder(folder).map_err(|err| io_error(path, err)),
        None => Ok(()),
    }
}

/// Writes a new file that only its owner may read, durably.
///
/// # Errors
///
/// [`crate::Error::Storage`], also if there is a file of that name; [`crate::Error::OutOfSpace`].
pub(crate) async fn write_private(path: PathBuf, content: Bytes) -> crate::Result<()> {
    let named = Path::from(path.to_string_lossy().as_ref());
    let written = task::spawn_blocking(move || {
        let folder = path.parent().unwrap_or(&path);
        create_folder(folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&path)?;
        file.write_all(&content)?;
        file.sync_all()?;
        sync_folder(folder)
    });
    let failed = |err: io::Error| {
        let source = Error::Generic { store: STORE, source: err.into() };
        crate::Error::storage("write", &named, source)
    };
    written.await.map_err(io::Error::other).flatten().map_err(failed)
}

/// Makes `folder` and the missing folders above it, each durable in the one that holds it.
pub(crate) fn create_folder(folder: &FilePath) -> io::Result<()> {
    let missing: Vec<&FilePath> = folder
        .ancestors()
        .take_while(|folder| {
            !folder.as_os_str().is_empty() && folder.try_exists().is_ok_and(|exists| !exists)
        })
        .collect();
    fs::create_dir_all(folder)?;
    for made in missing {
        if let Some(holder) = made.parent().filter(|holder| !holder.as_os_str().is_empty()) {
            sync_folder(holder)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Only Unix lets a folder be opened and synced; elsewhere the file system's journal must do.
#[cfg(not(unix))]
fn sync_folder(_folder: &FilePath) -> io::Result<()> {
    Ok(())
}

fn io_error(path: &FilePath, source: io::Error) -> Error {
    let path = path.display().to_string();
    match source.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: source.into() },
        io::ErrorKind::NotFound => Error::NotFound { path, source: source.into() },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Error::PermissionDenied { path, source: source.into() }
        }
        _ => Error::Generic { store: STORE, source: source.into() },
    }
}

#[cfg(test)]
mod tests;
