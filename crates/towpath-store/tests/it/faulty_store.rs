//! An object store whose operations fail on purpose.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not done.
    Before,
    /// It is done, but the answer is lost.
    After,
    /// It and every later one are not done, as if the process had been killed.
    Crash,
    /// The disk is full: it and every later write are not done.
    DiskFull,
    /// The disk has room for that many bytes.
    FullAfterBytes,
    /// Three operations of ten fail in one way or another, at random; the number is the seed.
    Chaos,
}

/// An object store whose operation number `at` (counted from 0) fails.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    objects: Arc<dyn ObjectStore>,
    fault: Fault,
    at: u64,
    done: AtomicU64,
    written: AtomicU64,
}

/// What becomes of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    NotDone(io::ErrorKind),
    /// Done, but its answer is lost.
    Unanswered,
    /// The answer ends early.
    Cut,
    /// No operation is ever done any more.
    Dead,
}

impl FaultyStore {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, fault: Fault, at: u64) -> Arc<FaultyStore> {
        let (done, written) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(FaultyStore { objects, fault, at, done, written })
    }

    pub(crate) fn operations(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// What becomes of the next operation, which writes that many bytes, if it writes.
    fn next(&self, writes: Option<u64>) -> Fate {
        let number = self.done.fetch_add(1, Ordering::SeqCst);
        let bytes = writes.unwrap_or_default();
        let written = bytes + self.written.fetch_add(bytes, Ordering::SeqCst);
        match self.fault {
            Fault::Before if number == self.at => Fate::NotDone(io::ErrorKind::TimedOut),
            Fault::After if number == self.at => Fate::Unanswered,
            Fault::Crash if number >= self.at => Fate::Dead,
            Fault::DiskFull if number >= self.at && writes.is_some() => {
                Fate::NotDone(io::ErrorKind::StorageFull)
            }
            Fault::FullAfterBytes if writes.is_some() && written > self.at => {
                Fate::NotDone(io::ErrorKind::StorageFull)
            }
            Fault::Chaos => match random(self.at, number) % 100 {
                // A server that sheds load, and a connection that was reset.
                0..8 => Fate::NotDone(io::ErrorKind::WouldBlock),
                8..16 => Fate::NotDone(io::ErrorKind::ConnectionReset),
                16..24 => Fate::Unanswered,
                24..30 => Fate::Cut,
                _ => Fate::Done,
            },
            _ => Fate::Done,
        }
    }

    async fn around<T: Send>(
        &self,
        writes: Option<u64>,
        operation: BoxFuture<'_, Result<T>>,
    ) -> Result<T> {
        match self.next(writes) {
            Fate::Done => operation.await,
            Fate::Unanswered | Fate::Cut => {
                drop(operation.await);
                Err(failed(io::ErrorKind::TimedOut))
            }
            Fate::NotDone(kind) => Err(failed(kind)),
            Fate::Dead => Err(dead()),
        }
    }

    fn around_list(
        &self,
        listing: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.next(None) {
            Fate::Done => listing,
            // Some of it came.
            Fate::Cut | Fate::Unanswered => {
                let cut = stream::once(async { Err(failed(io::ErrorKind::UnexpectedEof)) });
                listing.take(1).chain(cut).boxed()
            }
            Fate::NotDone(kind) => stream::once(async move { Err(failed(kind)) }).boxed(),
            Fate::Dead => stream::once(async { Err(dead()) }).boxed(),
        }
    }
}

fn failed(kind: io::ErrorKind) -> Error {
    Error::Generic { store: "faulty", source: io::Error::from(kind).into() }
}

fn dead() -> Error {
    Error::PermissionDenied { path: "any".into(), source: "dead".into() }
}

/// A number that looks random and is the same for the same seed and operation.
fn random(seed: u64, number: u64) -> u64 {
    let mut mixed =
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^= mixed >> 31;
    mixed = mixed.wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 29)
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let bytes = payload.content_length() as u64;
        self.around(Some(bytes), self.objects.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.around(Some(0), self.objects.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.next(None) {
            Fate::Done => self.objects.get_opts(location, options).await,
            Fate::Cut => {
                let mut found = self.objects.get_opts(location, options).await?;
                let cut = stream::once(async { Err(failed(io::ErrorKind::UnexpectedEof)) });
                found.payload = GetResultPayload::Stream(cut.boxed());
                Ok(found)
            }
            Fate::Unanswered => Err(failed(io::ErrorKind::TimedOut)),
            Fate::NotDone(kind) => Err(failed(kind)),
            Fate::Dead => Err(dead()),
        }
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.around(None, self.objects.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        // Removing gives space back, so a full disk does not keep from it.
        match self.next(None) {
            Fate::Done => self.objects.delete_stream(locations),
            Fate::Unanswered | Fate::Cut => {
                let lost = |_| stream::once(async { Err(failed(io::ErrorKind::TimedOut)) });
                let objects = Arc::clone(&self.objects);
                let done =
                    async move { objects.delete_stream(locations).collect::<Vec<_>>().await };
                stream::once(done).flat_map(lost).boxed()
            }
            Fate::NotDone(kind) => stream::once(async move { Err(failed(kind)) }).boxed(),
            Fate::Dead => stream::once(async { Err(dead()) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.around_list(self.objects.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.around_list(self.objects.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.around(None, self.objects.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.around(Some(0), self.objects.copy_opts(from, to, options).boxed()).await
    }
}
