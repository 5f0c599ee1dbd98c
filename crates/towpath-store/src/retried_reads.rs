//! An object store whose single reads are tried again.
//!
//! Delta's library loads a log by dozens of reads and fails as a whole when one of them does.
//! Loading all of it again only draws again: where three reads of ten fail, hardly one load in a
//! thousand would get through. So each read below the library is tried again by itself, its body
//! included, which the client of a bucket does not do once the body has begun. Writes pass through:
//! whoever makes one knows whether it may be made twice.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::attempts::Attempts;

/// The largest body that is read whole before it is given on, in bytes. A commit of ten thousand
/// data files has 10 MB; checkpoints, which are larger, are read in ranges.
const BODY_BYTES_MAX: u64 = 64 << 20;

/// The object store, its reads tried again.
#[derive(Debug)]
pub(crate) struct RetriedReads {
    objects: Arc<dyn ObjectStore>,
}

impl RetriedReads {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>) -> RetriedReads {
        RetriedReads { objects }
    }
}

/// Tries a read until it is done, is refused for good, or was tried often enough.
async fn retried<T, F>(read: impl Fn() -> F + Send) -> Result<T>
where
    F: Future<Output = Result<T>> + Send,
{
    let mut attempts = Attempts::new();
    loop {
        match read().await {
            Err(err) if !is_answer(&err) => {
                if !attempts.another(&err).await {
                    return Err(err);
                }
            }
            answered => return answered,
        }
    }
}

/// Whether the error is what the storage has to say, rather than a failure to say it.
fn is_answer(err: &object_store::Error) -> bool {
    matches!(
        err,
        object_store::Error::NotFound { .. }
            | object_store::Error::NotModified { .. }
            | object_store::Error::Precondition { .. }
            | object_store::Error::AlreadyExists { .. }
    )
}

/// The listing, all of it or an error, as a stream again.
fn retried_list<F>(
    list: impl Fn() -> F + Send + Sync + 'static,
) -> BoxStream<'static, Result<ObjectMeta>>
where
    F: Future<Output = Result<Vec<ObjectMeta>>> + Send + 'static,
{
    stream::once(async move { retried(list).await })
        .map_ok(|found| stream::iter(found.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

impl fmt::Display for RetriedReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetriedReads({})", self.objects)
    }
}

#[async_trait]
impl ObjectStore for RetriedReads {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.objects.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        retried(|| async {
            let mut found = self.objects.get_opts(location, options.clone()).await?;
            let bytes = found.range.end.saturating_sub(found.range.start);
            if options.head || bytes > BODY_BYTES_MAX {
                return Ok(found);
            }
            found.payload = match found.payload {
                GetResultPayload::Stream(body) => {
                    let parts: Vec<Bytes> = body.try_collect().await?;
                    GetResultPayload::Stream(stream::iter(parts.into_iter().map(Ok)).boxed())
                }
                file => file,
            };
            Ok(found)
        })
        .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        retried(|| self.objects.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (objects, prefix) = (Arc::clone(&self.objects), prefix.cloned());
        retried_list(move || objects.list(prefix.as_ref()).try_collect())
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let objects = Arc::clone(&self.objects);
        let (prefix, offset) = (prefix.cloned(), offset.clone());
        retried_list(move || objects.list_with_offset(prefix.as_ref(), &offset).try_collect())
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        retried(|| self.objects.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.objects.rename_opts(from, to, options).await
    }
}
