//! Where log files come from: a file, a folder, or part of a bucket.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use object_store::{ObjectStore, path::Path as Key};
use towpath_event::EventKind;
use towpath_store::Location;

use crate::error::{Error, Result};

/// A source after a first look: what finding starts from.
#[derive(Debug)]
pub(crate) enum Source {
    /// One file, which is taken for a log file because it was named itself.
    LocalFile(Arc<LocalRoot>),
    /// A folder to descend.
    LocalFolder(Arc<LocalRoot>),
    /// A key or a prefix of a bucket.
    Remote(Arc<Bucket>, Key),
}

/// A bucket (container), and how its files are called in reports and checkpoints.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The URL of the bucket, without `/` at its end.
    url: String,
    /// The kind of events that its files are looked through for.
    pub(crate) kind: EventKind,
}

/// A local file or folder that was named as a source.
#[derive(Debug)]
pub(crate) struct LocalRoot {
    /// Absolute and without symbolic links, so that it is the same however it was named.
    path: PathBuf,
    /// The kind of events that its files are looked through for.
    pub(crate) kind: EventKind,
}

impl Source {
    /// Looks whether a source is there, which is to be looked through for events of `kind`.
    ///
    /// # Errors
    ///
    /// [`Error::SourceNotFound`] and [`Error::ReadSource`], for a local source only: whether a
    /// bucket can be read shows when it is listed.
    pub(crate) fn open(location: &Location, kind: EventKind) -> Result<Source> {
        match location.local_path() {
            Some(path) => open_local(path, kind),
            None => {
                let bucket = Arc::new(Bucket::of(location, kind));
                Ok(Source::Remote(bucket, location.prefix().clone()))
            }
        }
    }
}

fn open_local(path: &Path, kind: EventKind) -> Result<Source> {
    let failed = |err: io::Error| match err.kind() {
        io::ErrorKind::NotFound => Error::SourceNotFound { location: path.display().to_string() },
        _ => Error::ReadSource { location: path.display().to_string(), source: err },
    };
    let canonical = path.canonicalize().map_err(failed)?;
    let is_folder = canonical.metadata().map_err(failed)?.is_dir();
    let root = Arc::new(LocalRoot::new(canonical, kind));
    Ok(if is_folder { Source::LocalFolder(root) } else { Source::LocalFile(root) })
}

impl Bucket {
    fn of(location: &Location, kind: EventKind) -> Bucket {
        let url = location.url().as_str().trim_end_matches('/');
        // A prefix with characters that URLs escape is not found again: then the whole URL names
        // the bucket, which is unusual to read but just as unique.
        let url = url.strip_suffix(location.prefix().as_ref()).unwrap_or(url);
        let url = url.trim_end_matches('/').to_owned();
        Bucket { store: Arc::clone(location.store()), url, kind }
    }

    /// The URL of the file with this key.
    pub(crate) fn url_of(&self, key: &Key) -> String {
        format!("{}/{key}", self.url)
    }
}

impl LocalRoot {
    /// The root at `path`, which is absolute and without symbolic links.
    pub(crate) fn new(path: PathBuf, kind: EventKind) -> LocalRoot {
        LocalRoot { path, kind }
    }

    /// The absolute path of the file `below` the root.
    pub(crate) fn path_of(&self, below: &Path) -> PathBuf {
        // Joining an empty path would add a `/`.
        if below.as_os_str().is_empty() { self.path.clone() } else { self.path.join(below) }
    }
}
