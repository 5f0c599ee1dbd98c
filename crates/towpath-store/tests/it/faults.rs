//! One failed operation of the storage, at every place it can fail.

use crate::support::{append_within, bucket, new_store, now};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use towpath_store::{Append, Catalog, EventDataStore};

/// How long an append waits for a lease that the same process could not give back.
const LEASE_WAIT: Duration = Duration::from_millis(200);

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
}

/// An object store whose operation number `at` (counted from 0) fails.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    objects: Arc<dyn ObjectStore>,
    fault: Fault,
    at: u64,
    done: AtomicU64,
}

impl FaultyStore {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, fault: Fault, at: u64) -> Arc<FaultyStore> {
        Arc::new(FaultyStore { objects, fault, at, done: AtomicU64::new(0) })
    }

    pub(crate) fn operations(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Whether this operation fails: before it is done, or after.
    fn next(&self, write: bool) -> (Option<Error>, Option<Error>) {
        let number = self.done.fetch_add(1, Ordering::SeqCst);
        let error = |kind: io::ErrorKind| {
            Some(Error::Generic { store: "faulty", source: io::Error::from(kind).into() })
        };
        let dead = || Some(Error::PermissionDenied { path: "any".into(), source: "dead".into() });
        match self.fault {
            Fault::Before if number == self.at => (error(io::ErrorKind::TimedOut), None),
            Fault::After if number == self.at => (None, error(io::ErrorKind::TimedOut)),
            Fault::Crash if number >= self.at => (dead(), None),
            Fault::DiskFull if number >= self.at && write => {
                (error(io::ErrorKind::StorageFull), None)
            }
            _ => (None, None),
        }
    }

    async fn around<T: Send>(&self, write: bool, operation: BoxFuture<'_, Result<T>>) -> Result<T> {
        let (before, after) = self.next(write);
        if let Some(err) = before {
            return Err(err);
        }
        let done = operation.await;
        after.map_or(done, Err)
    }

    fn around_list(
        &self,
        listing: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.next(false) {
            (Some(err), _) | (_, Some(err)) => stream::once(async { Err(err) }).boxed(),
            _ => listing,
        }
    }
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
        self.around(true, self.objects.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.around(true, self.objects.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.around(false, self.objects.get_opts(location, options)).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.around(false, self.objects.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.next(true) {
            (Some(err), _) | (_, Some(err)) => stream::once(async { Err(err) }).boxed(),
            _ => self.objects.delete_stream(locations),
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
        self.around(false, self.objects.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.around(true, self.objects.copy_opts(from, to, options).boxed()).await
    }
}

/// Opens a lake through `objects`, makes a store, appends three times; says what was acknowledged.
async fn create_and_append(objects: Arc<dyn ObjectStore>) -> (Vec<&'static str>, Vec<String>) {
    let (mut acknowledged, mut errors) = (Vec::new(), Vec::new());
    let created = async {
        let catalog = Catalog::create(bucket(&objects), now()).await?;
        catalog.create_store(new_store("trail"), now()).await
    };
    let store = match created.await {
        Ok(store) => store,
        Err(err) => return (acknowledged, vec![format!("{err:?}")]),
    };
    for id in ["first", "second", "third"] {
        match append_within(LEASE_WAIT, &store, &[id]).await {
            Ok(_) => acknowledged.push(id),
            // As a command would: it ends.
            Err(err) => {
                errors.push(format!("{err:?}"));
                break;
            }
        }
    }
    (acknowledged, errors)
}

/// The ids of the log files that the store has, which are in the same commits as the rows.
async fn present(store: &EventDataStore) -> Vec<&'static str> {
    let snapshot = store.snapshot().await.unwrap();
    let index = store.sources(&snapshot).await.unwrap();
    let present: Vec<_> =
        ["first", "second", "third"].into_iter().filter(|id| index.contains(id, 101)).collect();
    assert_eq!(snapshot.rows(), present.len() as u64, "rows and their sources are in together");
    present
}

/// A lake whose server has passed the self-test, which is not what these tests fail.
async fn tested_objects() -> Arc<dyn ObjectStore> {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    Catalog::create(bucket(&objects), now()).await.unwrap();
    objects
}

async fn operations_without_a_fault() -> u64 {
    let faulty = FaultyStore::new(tested_objects().await, Fault::Before, u64::MAX);
    let (acknowledged, errors) = create_and_append(Arc::clone(&faulty) as _).await;
    assert_eq!((acknowledged.len(), errors.len()), (3, 0), "{errors:?}");
    faulty.operations()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lost_operation_or_answer_anywhere_is_survived_without_a_false_error() {
    let operations = operations_without_a_fault().await;
    for fault in [Fault::Before, Fault::After] {
        for at in 0..operations {
            let objects = tested_objects().await;
            let faulty = FaultyStore::new(Arc::clone(&objects), fault, at);
            let (acknowledged, errors) = create_and_append(faulty).await;

            assert_eq!(acknowledged, ["first", "second", "third"], "{fault:?} {at}: {errors:?}");
            let catalog = Catalog::open(bucket(&objects)).await.unwrap();
            let store = catalog.store("trail").await.unwrap();
            assert_eq!(present(&store).await, acknowledged, "{fault:?} {at}");
            let snapshot = store.snapshot().await.unwrap();
            assert_eq!(snapshot.version(), 3, "{fault:?} {at}: nothing was committed twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_anywhere_leaves_what_was_acknowledged_and_can_be_gone_on_from() {
    let operations = operations_without_a_fault().await;
    for fault in [Fault::Crash, Fault::DiskFull] {
        for at in 0..operations {
            let objects = tested_objects().await;
            let faulty = FaultyStore::new(Arc::clone(&objects), fault, at);
            let (acknowledged, errors) = create_and_append(faulty).await;

            // A later process, an hour on, so that leases of the dead one are over.
            let later = now() + chrono::TimeDelta::hours(1);
            let catalog = Catalog::create(bucket(&objects), later).await.unwrap();
            let store = match catalog.store("trail").await {
                Ok(store) => store,
                Err(_) => catalog.create_store(new_store("trail"), later).await.unwrap(),
            };
            let found = present(&store).await;
            assert!(found.starts_with(&acknowledged), "{fault:?} {at}: {found:?} {acknowledged:?}");
            let unacknowledged = found.len() - acknowledged.len();
            assert!(unacknowledged <= 1, "{fault:?} {at}: {found:?} {errors:?}");
            if fault == Fault::DiskFull {
                assert_eq!(unacknowledged, 0, "{at}");
                let clear =
                    |err: &String| err.starts_with("OutOfSpace") || err.starts_with("LeaseTimeout");
                assert!(errors.iter().all(clear), "{errors:?}");
            }
            let writer = store.writer(later, crate::support::WAIT).await.unwrap();
            writer.commit(Append::default(), later).await.unwrap();
        }
    }
}
