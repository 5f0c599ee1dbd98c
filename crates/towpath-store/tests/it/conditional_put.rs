//! Servers whose conditional PUT lies are refused before they lose anything.

use crate::support::{bucket, now};
use async_trait::async_trait;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};
use std::fmt;
use std::sync::Arc;
use towpath_store::Catalog;

#[derive(Clone, Copy, Debug)]
enum Lie {
    /// Looks whether the key is there, then writes it: right in sequence, wrong in a race.
    CheckThenAct,
    /// Takes no notice of the condition.
    IgnoreCreate,
    /// Takes no notice of the `ETag` to be overwritten.
    IgnoreUpdate,
}

#[derive(Debug)]
struct LyingStore {
    objects: InMemory,
    lie: Lie,
}

impl fmt::Display for LyingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LyingStore")
    }
}

#[async_trait]
impl ObjectStore for LyingStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        match (self.lie, &options.mode) {
            (Lie::CheckThenAct, PutMode::Create) => {
                if self.objects.head(location).await.is_ok() {
                    let path = location.to_string();
                    return Err(Error::AlreadyExists { path, source: "there".into() });
                }
                tokio::task::yield_now().await;
                options.mode = PutMode::Overwrite;
            }
            (Lie::IgnoreCreate, PutMode::Create) | (Lie::IgnoreUpdate, PutMode::Update(_)) => {
                options.mode = PutMode::Overwrite;
            }
            _ => {}
        }
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
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn server_that_lies_is_refused_and_keeps_nothing() {
    for lie in [Lie::CheckThenAct, Lie::IgnoreCreate, Lie::IgnoreUpdate] {
        let objects: Arc<dyn ObjectStore> = Arc::new(LyingStore { objects: InMemory::new(), lie });
        let err = Catalog::create(bucket(&objects), now()).await.unwrap_err();
        assert!(matches!(err, towpath_store::Error::UnsafeObjectStore { .. }), "{lie:?}: {err:?}");
        let left: Vec<ObjectMeta> = objects.list(None).try_collect().await.unwrap();
        assert!(left.is_empty(), "{lie:?}: {left:?}");
    }
}

#[tokio::test]
async fn honest_server_is_tested_once() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    Catalog::create(bucket(&objects), now()).await.unwrap();
    let names = |objects: Vec<ObjectMeta>| -> Vec<String> {
        objects.iter().map(|object| object.location.to_string()).collect()
    };
    let found = names(objects.list(None).try_collect().await.unwrap());
    assert_eq!(found, ["some/lake/_towpath/conditional-put.json", "some/lake/towpath.json"]);
}
