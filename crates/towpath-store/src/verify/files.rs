//! Files compared with what was committed: there, of that size, of that SHA-256.

use std::collections::HashMap;
use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::thread;

use aws_lc_rs::digest::{Context, SHA256};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetResultPayload, ObjectMeta, ObjectStoreExt};
use tokio::task;

use super::Verification;
use super::report::FindingKind;
use crate::attempts::Attempts;
use crate::data_file::hex;
use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;

/// Files of an object store read at the same time: more than there are processors, because most of
/// each is waiting.
const REMOTE_FILES_AT_ONCE: usize = 16;

/// Bytes of a local file read at a time.
const READ_BYTES: usize = 1 << 20;

/// A file that is to be read and compared.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Where it is, from the root of the store.
    pub(super) path: String,
    /// Where it is, from the root of the lake.
    pub(super) location: Path,
    /// Its size in bytes, where that is known.
    pub(super) bytes: Option<u64>,
    pub(super) sha256: String,
    /// Whether it may be removed between being listed and being read.
    pub(super) may_go: bool,
}

impl Expected {
    /// Itself, to be read, if it is listed with its size; else tells what is wrong.
    pub(super) fn listed(
        self,
        listing: &HashMap<String, ObjectMeta>,
        report: &mut Verification,
    ) -> Option<Expected> {
        let Some(found) = listing.get(&self.path) else {
            report.find(FindingKind::FileMissing, &self.path, "it is not there");
            return None;
        };
        if let Some(bytes) = self.bytes.filter(|bytes| *bytes != found.size) {
            let detail = format!("it has {} bytes, and {bytes} were committed", found.size);
            report.find(FindingKind::FileAltered, &self.path, detail);
            return None;
        }
        Some(self)
    }
}

/// Reads all of `expected` and tells what is not as expected.
pub(super) async fn compare(files: &LakeFiles, expected: Vec<Expected>, report: &mut Verification) {
    let at_once = match files.location().local_path() {
        Some(_) => thread::available_parallelism().map_or(1, NonZero::get),
        None => REMOTE_FILES_AT_ONCE,
    };
    let read = |expected: Expected| async move {
        let found = sha256_of(files, &expected.location).await;
        (expected, found)
    };
    let mut reads = stream::iter(expected).map(read).buffer_unordered(at_once);
    while let Some((expected, found)) = reads.next().await {
        let path = &expected.path;
        match found {
            Ok(None) if expected.may_go => {}
            Ok(None) => report.find(FindingKind::FileMissing, path, "it is not there"),
            Err(err) => report.find(FindingKind::FileUnreadable, path, chain(&err)),
            Ok(Some((bytes, sha256))) => {
                report.files_read += 1;
                report.bytes_read += bytes;
                if expected.bytes.is_some_and(|expected| expected != bytes) {
                    let detail = format!(
                        "it has {bytes} bytes, and {} were committed",
                        expected.bytes.unwrap_or_default()
                    );
                    report.find(FindingKind::FileAltered, path, detail);
                } else if sha256 != expected.sha256 {
                    let detail =
                        format!("its SHA-256 is {sha256}, and {} was committed", expected.sha256);
                    report.find(FindingKind::FileAltered, path, detail);
                }
            }
        }
    }
}

/// An error with its causes.
pub(super) fn chain(err: &Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        text.push_str(": ");
        text.push_str(&err.to_string());
        cause = err.source();
    }
    text
}

/// Size and SHA-256 of a file; `None` if it is not there.
pub(crate) async fn sha256_of(files: &LakeFiles, path: &Path) -> Result<Option<(u64, String)>> {
    let mut attempts = Attempts::new();
    loop {
        match sha256_once(files, path).await {
            Ok(found) => return Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(err) => {
                if !attempts.another(&err).await {
                    return Err(Error::storage("read", path, err));
                }
            }
        }
    }
}

async fn sha256_once(files: &LakeFiles, path: &Path) -> object_store::Result<(u64, String)> {
    let failed = |source: io::Error| object_store::Error::Generic {
        store: "local files",
        source: source.into(),
    };
    match files.objects().get(path).await?.payload {
        GetResultPayload::File(file, _) => {
            task::spawn_blocking(move || sha256_of_file(file)).await?.map_err(failed)
        }
        GetResultPayload::Stream(mut content) => {
            let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
            while let Some(part) = content.try_next().await? {
                bytes += part.len() as u64;
                digest.update(&part);
            }
            Ok((bytes, hex(digest.finish().as_ref())))
        }
    }
}

fn sha256_of_file(mut file: File) -> io::Result<(u64, String)> {
    let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(digest.finish().as_ref()))),
            Ok(read) => {
                bytes += read as u64;
                digest.update(buffer.get(..read).unwrap_or_default());
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
}
