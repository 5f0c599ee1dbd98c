//! Where a lake or a trail of log files is: a URL, opened as an object store.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

use crate::error::{Error, Result};
use crate::local::DurableFiles;

/// Retries of one request to an object store, by its own client, on answers like 503.
///
/// With the client's backoff (doubling from 100 ms) five retries last a few seconds: enough for a
/// server that sheds load, while an unreachable one is reported before a user gives up.
const REQUEST_RETRIES_MAX: usize = 5;

/// The longest time that one request may be retried for.
const REQUEST_RETRY_SECS_MAX: u64 = 60;

/// A place that holds a lake or log files: a local folder or file, or a prefix of a bucket.
#[derive(Clone)]
pub struct Location {
    url: Url,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    local: Option<PathBuf>,
}

impl Location {
    /// Opens `location`: a local path, or a `file://`, `s3://`, `gs://` or `az://` URL.
    ///
    /// `options` go to the object store's client unchanged (`aws_endpoint`, `aws_allow_http`,
    /// `google_service_account`, `azure_storage_account_name`, …; see `object_store`'s
    /// documentation). Keys count without regard to case, so a caller may pass `AWS_*` variables
    /// of its environment as they are; keys of no meaning to the client are left out. What the
    /// options do not give, the client's chain of credentials looks for (web identity, container,
    /// instance metadata). Nothing is read or written yet.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidLocation`] if the text is no such path or URL, or the options contradict.
    pub fn parse(location: &str, options: &HashMap<String, String>) -> Result<Location> {
        let invalid =
            |reason: String| Error::InvalidLocation { location: location.to_owned(), reason };
        if location.is_empty() {
            return Err(invalid("it is empty".into()));
        }
        match Url::parse(location) {
            // A scheme of one letter is a Windows drive.
            Ok(url) if url.scheme().len() > 1 => match url.scheme() {
                "file" => {
                    let path = url
                        .to_file_path()
                        .map_err(|()| invalid("a `file://` URL needs an absolute path".into()))?;
                    Location::local(&path)
                }
                _ => Location::remote(url, options),
            },
            _ => Location::local(FilePath::new(location)),
        }
    }

    /// Opens a local folder or file. It need not exist.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidLocation`] if the path has no absolute form in UTF-8.
    pub fn local(path: &FilePath) -> Result<Location> {
        let invalid = |reason: String| Error::InvalidLocation {
            location: path.display().to_string(),
            reason,
        };
        let absolute = absolute(path).map_err(|err| invalid(err.to_string()))?;
        let prefix = Path::from_absolute_path(&absolute).map_err(|err| invalid(err.to_string()))?;
        let url = Url::from_file_path(&absolute)
            .map_err(|()| invalid("it has no absolute form".into()))?;
        let store = Arc::new(DurableFiles::new());
        Ok(Location { url, store, prefix, local: Some(absolute) })
    }

    /// A place on an object store that the caller opened, at `prefix`; `url` is only for display.
    #[must_use]
    pub fn with_store(url: Url, store: Arc<dyn ObjectStore>, prefix: Path) -> Location {
        Location { url, store, prefix, local: None }
    }

    /// A place in the memory of this process.
    ///
    /// # Errors
    ///
    /// None in practice; the URL is fixed.
    pub fn in_memory() -> Result<Location> {
        let url = Url::parse("memory:///").map_err(|err| Error::InvalidLocation {
            location: "memory:///".into(),
            reason: err.to_string(),
        })?;
        Ok(Location::with_store(url, Arc::new(InMemory::new()), Path::default()))
    }

    fn remote(url: Url, options: &HashMap<String, String>) -> Result<Location> {
        let invalid = |reason: String| Error::InvalidLocation { location: url.to_string(), reason };
        let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|_err| {
            invalid(
                "it must be a local path or a `file://`, `s3://`, `gs://` or `az://` URL".into(),
            )
        })?;
        if scheme == ObjectStoreScheme::AmazonS3 && is_plain_http_unasked(options) {
            return Err(invalid(
                "its endpoint is plain HTTP; set `aws_allow_http` to `true`".into(),
            ));
        }
        let store: Result<Arc<dyn ObjectStore>, object_store::Error> = match scheme {
            ObjectStoreScheme::AmazonS3 => with_options(
                AmazonS3Builder::new().with_url(url.as_str()).with_retry(retries()),
                options,
                AmazonS3Builder::with_config,
            )
            .build()
            .map(|store| Arc::new(store) as _),
            ObjectStoreScheme::GoogleCloudStorage => with_options(
                GoogleCloudStorageBuilder::new().with_url(url.as_str()).with_retry(retries()),
                options,
                GoogleCloudStorageBuilder::with_config,
            )
            .build()
            .map(|store| Arc::new(store) as _),
            ObjectStoreScheme::MicrosoftAzure => with_options(
                MicrosoftAzureBuilder::new().with_url(url.as_str()).with_retry(retries()),
                options,
                MicrosoftAzureBuilder::with_config,
            )
            .build()
            .map(|store| Arc::new(store) as _),
            _ => {
                return Err(invalid(
                    "it must be a local path or a `file://`, `s3://`, `gs://` or `az://` URL"
                        .into(),
                ));
            }
        };
        let store = store.map_err(|err| invalid(err.to_string()))?;
        Ok(Location { url, store, prefix, local: None })
    }

    /// The place as a URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The object store; its root is the root of the bucket or of the local file system.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The path of the place from the root of [`Location::store`].
    #[must_use]
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The place as an absolute path, if it is on the local file system.
    #[must_use]
    pub fn local_path(&self) -> Option<&FilePath> {
        self.local.as_deref()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.local {
            Some(path) => write!(f, "{}", path.display()),
            None => write!(f, "{}", self.url),
        }
    }
}

impl fmt::Debug for Location {
    // Not derived: the clients print their configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Location").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: REQUEST_RETRIES_MAX,
        retry_timeout: Duration::from_secs(REQUEST_RETRY_SECS_MAX),
        ..RetryConfig::default()
    }
}

/// Gives those of `options` to `builder` whose keys it knows.
fn with_options<B, K: std::str::FromStr>(
    builder: B,
    options: &HashMap<String, String>,
    with_config: impl Fn(B, K, String) -> B,
) -> B {
    options.iter().fold(builder, |builder, (key, value)| match key.to_ascii_lowercase().parse() {
        Ok(key) => with_config(builder, key, value.clone()),
        Err(_) => builder,
    })
}

/// Whether the endpoint is one that the client will refuse, with an error that does not say why.
fn is_plain_http_unasked(options: &HashMap<String, String>) -> bool {
    let has = |is_key: fn(&str) -> bool, is_value: fn(&str) -> bool| {
        options.iter().any(|(key, value)| {
            let key = key.to_ascii_lowercase();
            is_key(key.strip_prefix("aws_").unwrap_or(&key)) && is_value(value)
        })
    };
    let is_endpoint = |key: &str| matches!(key, "endpoint" | "endpoint_url" | "endpoint_url_s3");
    has(is_endpoint, |value| value.starts_with("http://"))
        && !has(
            |key| key == "allow_http",
            |value| value.eq_ignore_ascii_case("true") || value == "1",
        )
}

/// The absolute form of `path`, symlinks resolved as far as the path exists.
///
/// Resolving matters for `..`, which object paths cannot hold.
fn absolute(path: &FilePath) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut missing: Vec<Component<'_>> = Vec::new();
    let mut existing = path.as_path();
    loop {
        match existing.canonicalize() {
            Ok(mut resolved) => {
                for component in missing.into_iter().rev() {
                    match component {
                        Component::ParentDir => {
                            resolved.pop();
                        }
                        Component::CurDir => {}
                        other => resolved.push(other),
                    }
                }
                return Ok(resolved);
            }
            Err(err) => {
                let mut components = existing.components();
                match components.next_back() {
                    Some(last) => missing.push(last),
                    None => return Err(err),
                }
                existing = components.as_path();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Location;
    use crate::error::Error;
    use std::collections::HashMap;

    fn parse(text: &str) -> Result<Location, Error> {
        Location::parse(text, &HashMap::new())
    }

    #[test]
    fn local_paths_become_absolute() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let text = root.join("not/../there/./yet");
        let location = parse(text.to_str().unwrap()).unwrap();
        assert_eq!(location.local_path().unwrap(), root.join("there/yet"));
        assert_eq!(format!("/{}", location.prefix()), root.join("there/yet").to_str().unwrap());
        let url = location.url().to_string();
        assert_eq!(parse(&url).unwrap().local_path(), location.local_path());
    }

    #[test]
    fn buckets_keep_their_prefix() {
        let location = parse("s3://bucket/some/prefix/").unwrap();
        assert_eq!(location.prefix().as_ref(), "some/prefix");
        assert_eq!(location.local_path(), None);
        let options = HashMap::from([("GOOGLE_SKIP_SIGNATURE".to_owned(), "true".to_owned())]);
        assert_eq!(Location::parse("gs://b/p", &options).unwrap().prefix().as_ref(), "p");
    }

    #[test]
    fn options_count_in_any_case_and_secrets_stay_out_of_debug() {
        let options = HashMap::from([
            ("AWS_ENDPOINT".to_owned(), "http://127.0.0.1:9".to_owned()),
            ("aws_allow_http".to_owned(), "true".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "canary".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "id".to_owned()),
            ("HOME".to_owned(), "/home/someone".to_owned()),
        ]);
        let location = Location::parse("s3://bucket/lake", &options).unwrap();
        assert!(location.store().to_string().contains("bucket"));
        assert!(!format!("{location:?} {location}").contains("canary"));
    }

    #[test]
    fn plain_http_must_be_asked_for() {
        let endpoint = ("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:9".to_owned());
        let mut options = HashMap::from([endpoint]);
        let err = Location::parse("s3://bucket/lake", &options).unwrap_err();
        assert!(err.to_string().contains("set `aws_allow_http`"), "{err}");
        options.insert("AWS_ALLOW_HTTP".to_owned(), "true".to_owned());
        assert!(Location::parse("s3://bucket/lake", &options).is_ok());
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in ["", "ftp://host/x", "http://host/x", "s3:"] {
            let err = parse(text).unwrap_err();
            assert!(matches!(err, Error::InvalidLocation { .. }), "{text}: {err}");
        }
    }
}
