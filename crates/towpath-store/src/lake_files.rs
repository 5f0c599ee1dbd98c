//! The files of a lake, by their paths from its root, with retries where retrying is safe.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    UpdateVersion,
};

use crate::attempts::Attempts;
use crate::error::{Error, Result};
use crate::location::Location;

/// The files of one lake.
#[derive(Clone)]
pub(crate) struct LakeFiles {
    location: Location,
    objects: Arc<dyn ObjectStore>,
}

impl LakeFiles {
    pub(crate) fn new(location: Location) -> LakeFiles {
        let rooted = PrefixStore::new(Arc::clone(location.store()), location.prefix().clone());
        LakeFiles { location, objects: Arc::new(Ordered { objects: Arc::new(rooted) }) }
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// The object store whose root is the lake, and whose listings from an offset are in order.
    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// A path of the lake as a path of [`Location::store`].
    pub(crate) fn full_path(&self, path: &Path) -> Path {
        self.location.prefix().parts().chain(path.parts()).collect()
    }

    /// The content of a file, or `None` if there is no such file.
    pub(crate) async fn read(&self, path: &Path) -> Result<Option<Bytes>> {
        Ok(self.read_versioned(path).await?.map(|(bytes, _version)| bytes))
    }

    /// The bytes of a file in `range`, fewer at its end, or `None` if there is no such file.
    pub(crate) async fn read_range(&self, path: &Path, range: Range<u64>) -> Result<Option<Bytes>> {
        let mut attempts = Attempts::new();
        loop {
            match self.objects.get_range(path, range.clone()).await {
                Ok(content) => return Ok(Some(content)),
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(err) => {
                    if !attempts.another(&err).await {
                        return Err(Error::storage("read", path, err));
                    }
                }
            }
        }
    }

    /// Whether there is such a file.
    pub(crate) async fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.tag(path).await?.is_some())
    }

    /// What tells this writing of a file from any other, if the storage says; `None` if there is no
    /// such file.
    pub(crate) async fn tag(&self, path: &Path) -> Result<Option<Option<String>>> {
        let mut attempts = Attempts::new();
        loop {
            match self.objects.head(path).await {
                Ok(meta) => return Ok(Some(meta.e_tag)),
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(err) => {
                    if !attempts.another(&err).await {
                        return Err(Error::storage("read", path, err));
                    }
                }
            }
        }
    }

    /// The content of a file and what a conditional overwrite of it must name.
    pub(crate) async fn read_versioned(
        &self,
        path: &Path,
    ) -> Result<Option<(Bytes, UpdateVersion)>> {
        let mut attempts = Attempts::new();
        loop {
            let read = async {
                let result = self.objects.get(path).await?;
                let version = UpdateVersion {
                    e_tag: result.meta.e_tag.clone(),
                    version: result.meta.version.clone(),
                };
                Ok::<_, object_store::Error>((result.bytes().await?, version))
            };
            match read.await {
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

    /// Creates a file and returns whether it was this call that did; `false` if it was there.
    ///
    /// A file that is there with this very content counts as created by this call: that is how a
    /// creation looks whose answer was lost. So `content` must not be another caller's.
    pub(crate) async fn create(&self, path: &Path, content: Bytes) -> Result<bool> {
        let mut attempts = Attempts::new();
        loop {
            let put = self.objects.put_opts(path, content.clone().into(), PutMode::Create.into());
            let Err(err) = put.await else { return Ok(true) };
            if let Ok(Some(found)) = self.read(path).await {
                return Ok(found == content);
            }
            if !attempts.another(&err).await {
                return Err(Error::storage("create", path, err));
            }
        }
    }

    /// Writes a file, over another if there is one.
    pub(crate) async fn write(&self, path: &Path, content: Bytes) -> Result<()> {
        let mut attempts = Attempts::new();
        loop {
            let put = self.objects.put(path, content.clone().into());
            let Err(err) = put.await else { return Ok(()) };
            if !attempts.another(&err).await {
                return Err(Error::storage("write", path, err));
            }
        }
    }

    /// Removes a file; one that is not there is removed already.
    pub(crate) async fn remove(&self, path: &Path) -> Result<()> {
        let mut attempts = Attempts::new();
        loop {
            match self.objects.delete(path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Err(err) => {
                    if !attempts.another(&err).await {
                        return Err(Error::storage("remove", path, err));
                    }
                }
            }
        }
    }

    /// The names of the files and of the folders in a folder, each sorted.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Listing> {
        let mut attempts = Attempts::new();
        loop {
            match self.objects.list_with_delimiter(Some(folder)).await {
                Ok(found) => return Ok(Listing::new(&found)),
                Err(object_store::Error::NotFound { .. }) => return Ok(Listing::default()),
                Err(err) => {
                    if !attempts.another(&err).await {
                        return Err(Error::storage("list", folder, err));
                    }
                }
            }
        }
    }

    /// Every file below a folder.
    pub(crate) async fn list_below(&self, folder: &Path) -> Result<Vec<ObjectMeta>> {
        let mut attempts = Attempts::new();
        loop {
            match self.objects.list(Some(folder)).try_collect().await {
                Ok(found) => return Ok(found),
                Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
                Err(err) => {
                    if !attempts.another(&err).await {
                        return Err(Error::storage("list", folder, err));
                    }
                }
            }
        }
    }

    /// Whether any file of the lake's folder does not satisfy `passes`.
    pub(crate) async fn any_file_but(&self, passes: impl Fn(&Path) -> bool) -> Result<bool> {
        let mut attempts = Attempts::new();
        loop {
            let mut files = self.objects.list(None);
            let err = loop {
                match files.next().await {
                    None => return Ok(false),
                    Some(Ok(file)) if passes(&file.location) => {}
                    Some(Ok(_)) => return Ok(true),
                    Some(Err(object_store::Error::NotFound { .. })) => return Ok(false),
                    Some(Err(err)) => break err,
                }
            };
            if !attempts.another(&err).await {
                return Err(Error::storage("list", self.location.prefix(), err));
            }
        }
    }
}

impl fmt::Debug for LakeFiles {
    // Not derived: the clients of buckets print their credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeFiles").field("location", &self.location).finish_non_exhaustive()
    }
}

/// What one folder holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Name and size in bytes of each file.
    pub(crate) files: Vec<(String, u64)>,
    /// Name of each folder.
    pub(crate) folders: Vec<String>,
}

impl Listing {
    fn new(found: &ListResult) -> Listing {
        let name = |path: &Path| path.filename().map(str::to_owned);
        let mut files: Vec<(String, u64)> = found
            .objects
            .iter()
            .filter_map(|object| Some((name(&object.location)?, object.size)))
            .collect();
        let mut folders: Vec<String> = found.common_prefixes.iter().filter_map(name).collect();
        files.sort_unstable();
        folders.sort_unstable();
        Listing { files, folders }
    }
}

/// Lists in the order of the paths, which the Delta library relies on but not every store does.
#[derive(Debug)]
struct Ordered {
    objects: Arc<dyn ObjectStore>,
}

impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ordered({})", self.objects)
    }
}

#[async_trait]
impl ObjectStore for Ordered {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.objects.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.objects.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> object_store::Result<Vec<Bytes>> {
        self.objects.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let listing = self.objects.list_with_offset(prefix, offset);
        stream::once(async move {
            let mut found: Vec<ObjectMeta> = listing.try_collect().await?;
            found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
            Ok::<_, object_store::Error>(stream::iter(found.into_iter().map(Ok)))
        })
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.objects.copy_opts(from, to, options).await
    }

    async fn rename_opts(
        &self,
        from: &Path,
        to: &Path,
        options: RenameOptions,
    ) -> object_store::Result<()> {
        self.objects.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::LakeFiles;
    use crate::location::Location;
    use std::collections::HashMap;

    #[test]
    fn credentials_are_not_printed() {
        let options = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
            .map(|key| (key.to_owned(), "canary".to_owned()));
        let location = Location::parse("s3://bucket/lake", &HashMap::from(options)).unwrap();
        assert!(!format!("{:?}", LakeFiles::new(location)).contains("canary"));
    }
}
