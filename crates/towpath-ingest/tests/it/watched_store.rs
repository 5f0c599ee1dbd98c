//! An object store that notes what is asked of it and can refuse to go on.

use std::{
    fmt,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};
use tokio::sync::Notify;

/// When to stop: the number of the operation from which on all fail, and whether it is still done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StopAt {
    pub(crate) operation: u64,
    pub(crate) is_done: bool,
}

/// What an operation may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answer,
    DoAndFail,
    Fail,
}

#[derive(Debug)]
pub(crate) struct WatchedStore {
    inner: Arc<dyn ObjectStore>,
    stop_at: Option<StopAt>,
    operations: AtomicU64,
    stopped: AtomicBool,
    stop: Notify,
    asked: Mutex<Vec<String>>,
}

impl WatchedStore {
    pub(crate) fn new(inner: &Arc<dyn ObjectStore>, stop_at: Option<StopAt>) -> Arc<WatchedStore> {
        Arc::new(WatchedStore {
            inner: Arc::clone(inner),
            stop_at,
            operations: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            stop: Notify::new(),
            asked: Mutex::default(),
        })
    }

    /// Returns when the store has stopped. Whoever uses it then sees nothing more of it, and what
    /// it has done is all that was done: as if the user had been killed.
    pub(crate) async fn stopped(&self) {
        let stop = self.stop.notified();
        if !self.stopped.load(Ordering::SeqCst) {
            stop.await;
        }
    }

    /// Whether the store has stopped.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// What was asked, `operation path`, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn note(&self, operation: &str, path: Option<&Path>) -> Fate {
        let path = path.map(Path::as_ref).unwrap_or_default();
        self.asked.lock().unwrap().push(format!("{operation} {path}"));
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.stop_at {
            Some(StopAt { operation, .. }) if number > operation => Fate::Fail,
            Some(StopAt { operation, is_done }) if number == operation => {
                if is_done {
                    Fate::DoAndFail
                } else {
                    Fate::Fail
                }
            }
            _ => Fate::Answer,
        }
    }

    /// An error that nobody tries again on.
    fn fail(&self) -> Error {
        self.stopped.store(true, Ordering::SeqCst);
        self.stop.notify_waiters();
        Error::PermissionDenied { path: "stopped".into(), source: "stopped".into() }
    }

    async fn around<T>(
        &self,
        (operation, path): (&str, &Path),
        done: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match self.note(operation, Some(path)) {
            Fate::Answer => done.await,
            Fate::DoAndFail => {
                // The answer is lost, whatever it was.
                drop(done.await);
                Err(self.fail())
            }
            Fate::Fail => Err(self.fail()),
        }
    }
}

impl fmt::Display for WatchedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedStore")
    }
}

#[async_trait]
impl ObjectStore for WatchedStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let done = self.inner.put_opts(location, payload, options);
        self.around(("put", location), done).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let done = self.inner.put_multipart_opts(location, options);
        self.around(("put", location), done).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = if options.head { "head" } else { "get" };
        let done = self.inner.get_opts(location, options);
        self.around((operation, location), done).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.around(("get", location), self.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.note("delete", None) {
            Fate::Answer => self.inner.delete_stream(locations),
            _ => stream::iter([Err(self.fail())]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.note("list", prefix) {
            Fate::Answer => self.inner.list(prefix),
            _ => stream::iter([Err(self.fail())]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Path::default();
        let done = self.inner.list_with_delimiter(prefix);
        self.around(("list_level", prefix.unwrap_or(&root)), done).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.around(("copy", from), self.inner.copy_opts(from, to, options)).await
    }
}
