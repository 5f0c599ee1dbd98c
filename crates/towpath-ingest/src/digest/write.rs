//! Log files and digests of a trail, written as CloudTrail delivers them.
//!
//! A log file is one gzip member under a key of CloudTrail's layout. A digest names the log files
//! delivered in its time with the SHA-256 of their texts, and the digest before it with its
//! signature; its own signature stands in the metadata of the object, and in a folder, where there
//! is no metadata, in a file beside it, which the check of digests reads.

use chrono::{DateTime, SecondsFormat, Utc};
use libdeflater::{CompressionLvl, Compressor};
use object_store::{Attribute, Attributes, ObjectStore as _, PutOptions, path::Path};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use towpath_store::{Location, SigningKey};

use super::{METADATA_SUFFIX, file::hex};
use crate::error::{Error, Result};

/// What digests call the way they are signed, and hashed.
const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
const HASH_ALGORITHM: &str = "SHA-256";

/// Characters at the end of the name of a log file, which tell it from others of its minute.
const UNIQUE_CHARS: usize = 16;

/// What those characters are made of.
const UNIQUE_ALPHABET: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The trail whose files are written, and where they go.
#[derive(Clone, Debug)]
pub struct TrailWriter {
    /// Its name.
    pub trail: String,
    /// The account that it belongs to.
    pub account: String,
    /// The region that it belongs to.
    pub home_region: String,
    /// The bucket as digests name it.
    pub bucket: String,
    /// What stands before `AWSLogs` in the keys, without `/` at its ends; empty for nothing.
    pub prefix: String,
    /// The root of the bucket, or the folder that stands for it.
    pub destination: Location,
}

/// The events of a log file to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewLogFile<'a> {
    /// The region whose events these are.
    pub region: &'a str,
    /// When it is delivered.
    pub delivered_at: DateTime<Utc>,
    /// Tells it from others of the trail that are delivered at the same time.
    pub number: u64,
    /// Its text: an object with `Records`.
    pub text: &'a [u8],
    /// The times of the oldest and the newest of its events.
    pub event_times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A log file that was written, as the next digest is to name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenLogFile {
    /// Its key in the bucket.
    pub key: String,
    /// SHA-256 of its text in lower-case hexadecimal.
    pub sha256: String,
    /// When it was delivered.
    pub delivered_at: DateTime<Utc>,
    /// The times of the oldest and the newest of its events.
    pub event_times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A digest to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewDigest<'a> {
    /// The region whose log files it names.
    pub region: &'a str,
    /// The time that it covers: from the first up to but not including the second.
    pub covers: (DateTime<Utc>, DateTime<Utc>),
    /// The log files that were delivered in that time.
    pub log_files: &'a [WrittenLogFile],
    /// The digest before it; `None` begins a chain.
    pub previous: Option<&'a WrittenDigest>,
    /// When it is made, if that is so late that keys of its own time need not be valid any more:
    /// then it is a backfill digest, of a chain of its own.
    pub made_later: Option<DateTime<Utc>>,
}

/// A digest that was written, as the next one is to name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenDigest {
    /// The bucket that it is in.
    pub bucket: String,
    /// Its key there.
    pub key: String,
    /// SHA-256 of its text in lower-case hexadecimal.
    pub sha256: String,
    /// Its signature in lower-case hexadecimal.
    pub signature: String,
}

impl TrailWriter {
    /// Writes a log file, over the same one if it was written before.
    ///
    /// # Errors
    ///
    /// [`Error::WriteTrailFile`].
    pub async fn write_log_file(&self, new: &NewLogFile<'_>) -> Result<WrittenLogFile> {
        let NewLogFile { region, delivered_at, text, event_times, .. } = *new;
        let name = format!(
            "{account}_CloudTrail_{region}_{}_{}.json.gz",
            delivered_at.format("%Y%m%dT%H%MZ"),
            self.unique(new),
            account = self.account,
        );
        let key = self.key("CloudTrail", region, delivered_at, &name);
        self.put(&key, gzip(text), Attributes::new()).await?;
        let (key, sha256) = (key.to_string(), hex(&Sha256::digest(text)));
        Ok(WrittenLogFile { key, sha256, delivered_at, event_times })
    }

    /// Signs a digest with `signing_key` and writes it, over the same one if it was written before.
    ///
    /// # Errors
    ///
    /// [`Error::WriteTrailFile`], and [`Error::Store`] if it cannot be signed.
    pub async fn write_digest(
        &self,
        new: &NewDigest<'_>,
        signing_key: &SigningKey,
    ) -> Result<WrittenDigest> {
        let (_, end) = new.covers;
        let name = format!(
            "{account}_CloudTrail-Digest_{}_{}_{}_{}{}.json.gz",
            new.region,
            self.trail,
            self.home_region,
            end.format("%Y%m%dT%H%M%SZ"),
            if new.made_later.is_some() { "_backfill" } else { "" },
            account = self.account,
        );
        let key = self.key("CloudTrail-Digest", new.region, end, &name);
        let text = self.digest_text(new, key.as_ref(), &signing_key.public_key().fingerprint);
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        let previous = new.previous.map_or("null", |previous| &previous.signature);
        let signed = format!("{}\n{}/{key}\n{sha256}\n{previous}", seconds(end), self.bucket);
        let signature = signing_key.sign(signed.as_bytes())?;
        let mut metadata = vec![
            ("signature", signature.clone()),
            ("signature-algorithm", SIGNATURE_ALGORITHM.to_owned()),
        ];
        metadata.extend(new.made_later.map(|made| {
            let made = made.to_rfc3339_opts(SecondsFormat::Millis, true);
            ("backfill-generation-timestamp", made)
        }));
        self.put_signed(&key, gzip(text.as_bytes()), &metadata).await?;
        Ok(WrittenDigest { bucket: self.bucket.clone(), key: key.to_string(), sha256, signature })
    }

    fn digest_text(&self, new: &NewDigest<'_>, key: &str, fingerprint: &str) -> String {
        let (start, end) = new.covers;
        let log_files = new.log_files.iter();
        let oldest = log_files.clone().filter_map(|file| Some(file.event_times?.0)).min();
        let newest = log_files.clone().filter_map(|file| Some(file.event_times?.1)).max();
        let log_files: Vec<Value> = log_files
            .map(|file| {
                json!({
                    "s3Bucket": self.bucket,
                    "s3Object": file.key,
                    "hashValue": file.sha256,
                    "hashAlgorithm": HASH_ALGORITHM,
                    "newestEventTime": file.event_times.map(|(_, newest)| seconds(newest)),
                    "oldestEventTime": file.event_times.map(|(oldest, _)| seconds(oldest)),
                })
            })
            .collect();
        let previous = new.previous;
        json!({
            "awsAccountId": self.account,
            "digestStartTime": seconds(start),
            "digestEndTime": seconds(end),
            "digestS3Bucket": self.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": fingerprint,
            "digestSignatureAlgorithm": SIGNATURE_ALGORITHM,
            "newestEventTime": newest.map(seconds),
            "oldestEventTime": oldest.map(seconds),
            "previousDigestS3Bucket": previous.map(|one| &one.bucket),
            "previousDigestS3Object": previous.map(|one| &one.key),
            "previousDigestHashValue": previous.map(|one| &one.sha256),
            "previousDigestHashAlgorithm": previous.map(|_| HASH_ALGORITHM),
            "previousDigestSignature": previous.map(|one| &one.signature),
            "logFiles": log_files,
        })
        .to_string()
    }

    /// The key of a file in the bucket. Characters that keys should not have are encoded, so what
    /// a digest says of itself is taken from here.
    fn key(&self, service: &str, region: &str, day: DateTime<Utc>, name: &str) -> Path {
        let folder = format!(
            "{}/AWSLogs/{}/{service}/{region}/{}/{name}",
            self.prefix,
            self.account,
            day.format("%Y/%m/%d")
        );
        Path::from(folder)
    }

    /// The same for the same log file of the same delivery, so that one that is made again after a
    /// crash takes the place of the first.
    fn unique(&self, new: &NewLogFile<'_>) -> String {
        let seed = format!(
            "{}\n{}\n{}\n{}\n{}",
            self.trail,
            self.account,
            new.region,
            new.delivered_at.timestamp_micros(),
            new.number
        );
        let digest = Sha256::digest(seed.as_bytes());
        let letter = |byte: &u8| {
            let at = usize::from(*byte) % UNIQUE_ALPHABET.len();
            UNIQUE_ALPHABET.get(at).map_or('A', |byte| char::from(*byte))
        };
        digest.iter().take(UNIQUE_CHARS).map(letter).collect()
    }

    /// Writes a digest with its metadata, or with a file beside it that holds them.
    async fn put_signed(
        &self,
        key: &Path,
        content: Vec<u8>,
        metadata: &[(&'static str, String)],
    ) -> Result<()> {
        if self.destination.local_path().is_none() {
            let metadata = metadata.iter();
            let metadata =
                metadata.map(|(name, value)| (Attribute::Metadata((*name).into()), value.clone()));
            return self.put(key, content, metadata.collect()).await;
        }
        let metadata: serde_json::Map<String, Value> = metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())))
            .collect();
        // The signature first: a digest is never there without it.
        let beside = Path::from(format!("{key}{METADATA_SUFFIX}"));
        let text = json!({ "Metadata": metadata }).to_string().into_bytes();
        self.put(&beside, text, Attributes::new()).await?;
        self.put(key, content, Attributes::new()).await
    }

    async fn put(&self, key: &Path, content: Vec<u8>, attributes: Attributes) -> Result<()> {
        let path: Path = self.destination.prefix().parts().chain(key.parts()).collect();
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.destination.store().put_opts(&path, content.into(), options).await;
        let place = || format!("{}/{key}", self.destination.to_string().trim_end_matches('/'));
        put.map(drop).map_err(|source| Error::WriteTrailFile { path: place(), source })
    }
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// One gzip member, which is what AWS's command wants.
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut file = vec![0; compressor.gzip_compress_bound(text.len())];
    // The buffer has the size that the library asks for, which is all that can be wrong.
    let length = compressor.gzip_compress(text, &mut file).unwrap_or_default();
    file.truncate(length);
    file
}
