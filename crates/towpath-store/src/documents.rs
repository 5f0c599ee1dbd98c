//! Small files of a lake that several processes read and change: batch queries, schedules, keys.
//!
//! A document is created if it is not there, and replaced if it is still what was read. Both are
//! atomic: on an object store by a conditional PUT, on a local file system by a lock around the
//! comparison. So of several processes that change one document, one wins and the others know.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use sha2::{Digest, Sha256};

use crate::attempts::Attempts;
use crate::data_file::hex;
use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::layout::{self, LockPaths};
use crate::lease::{Lease, lock_local};
use crate::location::Location;

/// How long a replacement waits for others on a local file system. Each takes a few milliseconds,
/// most of it for the disk.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(30);

/// The documents in one folder.
#[derive(Clone, Debug)]
pub struct Documents {
    files: LakeFiles,
    folder: Path,
}

/// A document as it was when it was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its bytes.
    pub content: Bytes,
    version: UpdateVersion,
}

/// The right to be the only one at something, held until it is released or dropped.
#[derive(Debug)]
pub struct DocumentLease {
    lease: Lease,
}

impl Documents {
    /// The documents in a folder of a lake.
    pub(crate) fn new(files: LakeFiles, folder: &str) -> Documents {
        Documents { files, folder: Path::from(folder) }
    }

    /// The files at `location`, which need not be in a lake.
    #[must_use]
    pub fn at(location: Location) -> Documents {
        Documents { files: LakeFiles::new(location), folder: Path::default() }
    }

    /// Where the document is, as a text for people.
    #[must_use]
    pub fn describe(&self, name: &str) -> String {
        format!("{}/{}", self.files.location(), self.path(name))
    }

    fn path(&self, name: &str) -> Path {
        self.folder.parts().chain(Path::from(name).parts()).collect()
    }

    /// Reads a document; `None` if there is none of that name. A name may have folders in it.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn read(&self, name: &str) -> Result<Option<Document>> {
        let found = self.files.read_versioned(&self.path(name)).await?;
        Ok(found.map(|(content, version)| Document { content, version }))
    }

    /// The SHA-256 of a document in lower-case hexadecimal, whatever its size; `None` if there is
    /// none of that name.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn sha256(&self, name: &str) -> Result<Option<String>> {
        let path = self.path(name);
        let failed = |err| Error::storage("read", &path, err);
        let mut content = match self.files.objects().get(&path).await {
            Ok(found) => found.into_stream(),
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(err) => return Err(failed(err)),
        };
        let mut digest = Sha256::new();
        while let Some(part) = content.try_next().await.map_err(failed)? {
            digest.update(&part);
        }
        Ok(Some(hex(&digest.finalize())))
    }

    /// Creates a document and returns whether it was this call that did; `false` if it was there.
    ///
    /// One that is there with this very content counts as created by this call.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], [`Error::OutOfSpace`].
    pub async fn create(&self, name: &str, content: Bytes) -> Result<bool> {
        self.files.create(&self.path(name), content).await
    }

    /// Replaces a document that is still as it was `read`; `false` if it is not, or is gone.
    ///
    /// One that has this very content already counts as replaced by this call, so content must
    /// tell its writer wherever that matters.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], [`Error::OutOfSpace`]; [`Error::LeaseTimeout`] if others kept the local
    /// lock.
    pub async fn replace(&self, name: &str, read: &Document, content: Bytes) -> Result<bool> {
        let path = self.path(name);
        let Some(lake) = self.files.location().local_path() else {
            return self.replace_object(&path, read, content).await;
        };
        let lock = layout::documents_lock();
        let held = lock_local(lake, &lock, "the lake's documents", LOCK_WAIT_MAX).await?;
        let replaced = match self.files.read(&path).await? {
            Some(found) if found == read.content => {
                self.files.write(&path, content).await?;
                true
            }
            found => found.is_some_and(|found| found == content),
        };
        drop(held);
        Ok(replaced)
    }

    async fn replace_object(&self, path: &Path, read: &Document, content: Bytes) -> Result<bool> {
        let mut attempts = Attempts::new();
        loop {
            let options = PutOptions::from(PutMode::Update(read.version.clone()));
            let put = self.files.objects().put_opts(path, content.clone().into(), options).await;
            let Err(err) = put else { return Ok(true) };
            // A lost answer looks like a lost race; what is there tells.
            if let Ok(found) = self.files.read_versioned(path).await {
                match found {
                    Some((found, _)) if found == content => return Ok(true),
                    Some((_, version)) if version == read.version => {}
                    _ => return Ok(false),
                }
            }
            if !attempts.another(&err).await {
                return Err(Error::storage("replace", path, err));
            }
        }
    }

    /// Writes a document that nobody else writes, over another if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], [`Error::OutOfSpace`].
    pub async fn write(&self, name: &str, content: Bytes) -> Result<()> {
        self.files.write(&self.path(name), content).await
    }

    /// Removes a document; one that is not there is removed already.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn remove(&self, name: &str) -> Result<()> {
        self.files.remove(&self.path(name)).await
    }

    /// The names of the documents in `folder`, sorted; `""` is the folder of all of them.
    /// Those in folders below are not among them.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let listing = self.files.list(&self.path(folder)).await?;
        Ok(listing.files.into_iter().map(|(name, _)| name).collect())
    }

    /// Takes the lease of that name, or returns `None` if another one still has it after
    /// `wait_max`. It is given back when its process ends, on an object store half a minute later.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn lease(
        &self,
        name: &str,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Option<DocumentLease>> {
        let paths = LockPaths::new(&self.folder, name);
        match Box::pin(Lease::acquire(&self.files, &paths, name, now, wait_max)).await {
            Ok(lease) => Ok(Some(DocumentLease { lease })),
            Err(Error::LeaseTimeout { .. }) => Ok(None),
            Err(err) => Err(err),
        }
    }
}

impl DocumentLease {
    /// Gives the lease back, so that the next one need not wait for it to end.
    pub async fn release(self) {
        self.lease.release().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use chrono::DateTime;
    use futures::future::join_all;

    use super::Documents;
    use crate::location::Location;

    /// The same documents on each kind of storage.
    fn everywhere() -> (tempfile::TempDir, [Documents; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let local = Location::local(folder.path()).unwrap();
        (folder, [Documents::at(local), Documents::at(Location::in_memory().unwrap())])
    }

    #[tokio::test]
    async fn a_document_is_created_once_and_replaced_only_as_it_was_read() {
        let (_folder, all) = everywhere();
        for documents in all {
            let text = Bytes::from_static;
            assert!(documents.read("a/b.json").await.unwrap().is_none());
            assert!(documents.create("a/b.json", text(b"1")).await.unwrap());
            assert!(!documents.create("a/b.json", text(b"2")).await.unwrap());

            let read = documents.read("a/b.json").await.unwrap().unwrap();
            assert!(documents.replace("a/b.json", &read, text(b"3")).await.unwrap());
            assert!(!documents.replace("a/b.json", &read, text(b"4")).await.unwrap());
            let read = documents.read("a/b.json").await.unwrap().unwrap();
            assert_eq!(read.content, text(b"3"));

            assert_eq!(documents.names("a").await.unwrap(), ["b.json"]);
            documents.remove("a/b.json").await.unwrap();
            documents.remove("a/b.json").await.unwrap();
            assert!(!documents.replace("a/b.json", &read, text(b"5")).await.unwrap());
            assert!(documents.names("a").await.unwrap().is_empty());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_that_count_up_at_once_none_is_lost() {
        let (_folder, all) = everywhere();
        for documents in all {
            documents.write("count", Bytes::from_static(b"0")).await.unwrap();
            let add = |who: u32| {
                let documents = documents.clone();
                async move {
                    loop {
                        let read = documents.read("count").await.unwrap().unwrap();
                        let text = String::from_utf8(read.content.to_vec()).unwrap();
                        let count: u32 = text.split(' ').next().unwrap().parse().unwrap();
                        // With its writer in it, so that no two contents are equal.
                        let next = Bytes::from(format!("{} {who}", count + 1));
                        if documents.replace("count", &read, next).await.unwrap() {
                            return;
                        }
                    }
                }
            };
            join_all((0..12).map(add)).await;
            let read = documents.read("count").await.unwrap().unwrap();
            assert!(read.content.starts_with(b"12 "), "{read:?}");
        }
    }

    #[tokio::test]
    async fn a_lease_has_one_holder() {
        let (_folder, all) = everywhere();
        let now = DateTime::UNIX_EPOCH;
        for documents in all {
            let held = documents.lease("worker", now, Duration::ZERO).await.unwrap().unwrap();
            assert!(documents.lease("worker", now, Duration::ZERO).await.unwrap().is_none());
            held.release().await;
            assert!(documents.lease("worker", now, Duration::ZERO).await.unwrap().is_some());
        }
    }
}
