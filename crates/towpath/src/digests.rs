//! Whether a trail's log files are as CloudTrail signed them, and what a store has of them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use towpath_ingest::{
    CoverageOptions, CoverageReport, DigestEvent, DigestKeys, DigestOptions, DigestReport,
    IngestReport, Progress, VerifyOptions,
};
use towpath_store::Location;

use crate::error::Result;
use crate::lake::Lake;
use crate::store::Store;

/// The folder of the lake that public keys of CloudTrail are kept in, one document each.
const KEYS_FOLDER: &str = "digest-keys";

/// Public keys that are kept, at most: those of forty regions for as many years.
const KEYS_MAX: usize = 20_000;

/// Checks the digests in `sources`, folders or buckets of CloudTrail's layout, and the log files
/// that they name; finds the hours without a valid digest, and the log files that none names.
///
/// It needs no lake. `storage_options` are those of [`LakeOptions`](crate::LakeOptions). `tell` is
/// called for everything that is found, in the order of the check.
///
/// # Errors
///
/// A source that is not there or cannot be read. What is wrong with a log file is no error.
pub async fn verify_digests<S: AsRef<str> + Sync>(
    sources: &[S],
    storage_options: &HashMap<String, String>,
    options: &DigestOptions,
    tell: &(dyn Fn(&DigestEvent) + Sync),
) -> Result<DigestReport> {
    let locations = locations(sources, storage_options)?;
    Ok(towpath_ingest::verify_digests(&locations, options, tell).await?)
}

/// Asks CloudTrail in `region`, the home region of a trail, for the public keys that were valid at
/// some time of a span.
///
/// `storage_options` are those of [`LakeOptions`](crate::LakeOptions); `aws_endpoint_url_cloudtrail`
/// among them is asked instead of AWS.
///
/// # Errors
///
/// That it did not answer, or has no keys of that time.
pub async fn fetch_digest_keys(
    region: &str,
    storage_options: &HashMap<String, String>,
    span: (DateTime<Utc>, DateTime<Utc>),
) -> Result<DigestKeys> {
    Ok(towpath_ingest::fetch_public_keys(region, storage_options, span).await?)
}

impl Lake {
    /// Keeps public keys for as long as the lake is there: AWS gives them out for some time only.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn keep_digest_keys(&self, keys: &DigestKeys) -> Result<()> {
        let documents = self.documents(KEYS_FOLDER);
        for (name, key) in keys.to_documents() {
            // One that is there already is the same: its name is made of its bytes.
            documents.create(&format!("{name}.json"), Bytes::from(key)).await?;
        }
        Ok(())
    }

    /// The public keys that were kept; none if there are none.
    ///
    /// # Errors
    ///
    /// Storage errors, and that of a document that is no key.
    pub async fn kept_digest_keys(&self) -> Result<DigestKeys> {
        let documents = self.documents(KEYS_FOLDER);
        let mut keys = DigestKeys::default();
        for name in documents.names("").await?.iter().take(KEYS_MAX) {
            if let Some(document) = documents.read(name).await? {
                let text = String::from_utf8_lossy(&document.content);
                keys.extend(DigestKeys::from_json(&text)?);
            }
        }
        Ok(keys)
    }
}

impl Store {
    /// Ingests as [`Store::ingest`] does, and asks the digests in `sources` about every log file:
    /// one that has been altered is rejected, and what is known of the others stands with them in
    /// the store.
    ///
    /// # Errors
    ///
    /// Those of [`Store::ingest`] and of [`verify_digests`].
    pub async fn ingest_verified<S: AsRef<str> + Sync>(
        &self,
        sources: &[S],
        options: &VerifyOptions,
        progress: &(dyn Fn(&Progress) + Sync),
    ) -> Result<IngestReport> {
        let locations = locations(sources, &self.options.storage_options)?;
        let now = Arc::clone(&self.options.now);
        let ingesting =
            towpath_ingest::ingest_verified(&self.store, &locations, options, now, progress);
        Ok(Box::pin(ingesting).await?)
    }

    /// Compares what the digests in `sources` name with what the store says it ingested. Without
    /// sources, only the second is told.
    ///
    /// # Errors
    ///
    /// Those of [`verify_digests`], and storage errors.
    pub async fn coverage<S: AsRef<str> + Sync>(
        &self,
        sources: &[S],
        options: &CoverageOptions,
    ) -> Result<CoverageReport> {
        let locations = locations(sources, &self.options.storage_options)?;
        Ok(Box::pin(towpath_ingest::coverage(&self.store, &locations, options)).await?)
    }
}

fn locations<S: AsRef<str>>(
    sources: &[S],
    storage_options: &HashMap<String, String>,
) -> Result<Vec<Location>> {
    let locations = sources.iter().map(|source| Location::parse(source.as_ref(), storage_options));
    Ok(locations.collect::<std::result::Result<_, _>>()?)
}
