//! Signed checkpoints: what a store was at one version, under the lake's signature.
//!
//! It holds the SHA-256 of the newest commit, on which all earlier ones hang (see `chain`), and of
//! the list of data files. Kept where the store's administrators cannot reach, it shows whether the
//! store was rolled back or made anew since; in the store, that it was changed by somebody without
//! the key. (Delta's own checkpoints are another thing: they make its log quicker to read.)
//!
//! ```text
//! {"checkpoint":{"format":1,"storeId":"…","storeName":"trail","version":12,
//!   "commitSha256":"…","filesSha256":"…","dataFiles":3,"rows":4711,"bytes":90123,
//!   "signedAt":"2026-11-22T12:00:00Z","publicKey":"…"},
//!  "publicKeyFingerprint":"…","signature":"…"}
//! ```
//!
//! on one line. What is signed is the text of the inner object, RSA PKCS#1 v1.5 with SHA-256.
//! `filesSha256` is taken of one line for each data file, in the order of their paths: path, SHA-256,
//! bytes and rows with a tab between.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tracing::info;
use uuid::Uuid;

use crate::commit::CommittedFile;
use crate::data_file::{DataFile, sha256_hex};
use crate::error::{Error, Result};
use crate::layout;
use crate::signing_key::{PublicKey, SigningKeys};
use crate::store::EventDataStore;

/// The form of a signed checkpoint.
const FORMAT: u32 = 1;

/// Longest text that is read as one, in bytes: a key of 8192 bits has some 1,400.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// How old the newest one of a store may become before the next is made, where it is made by itself.
pub const SIGN_EVERY: TimeDelta = TimeDelta::hours(24);

/// What a store was at one version, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedCheckpoint {
    checkpoint: CheckpointContent,
    public_key_fingerprint: String,
    signature: String,
}

/// What a [`SignedCheckpoint`] says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckpointContent {
    format: u32,
    /// The store's id.
    pub store_id: Uuid,
    /// Its name at that time.
    pub store_name: String,
    /// The version.
    pub version: u64,
    /// SHA-256 of the file of the commit that made the version.
    pub commit_sha256: String,
    /// SHA-256 of the list of data files.
    pub files_sha256: String,
    /// How many data files there were.
    pub data_files: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
    /// The key to check the signature with: PKCS#1 in DER, in Base64.
    pub public_key: String,
}

impl SignedCheckpoint {
    /// Reads one. It must stand there exactly as it was written.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidCheckpoint`].
    pub fn from_json(text: &[u8]) -> Result<SignedCheckpoint> {
        let invalid = |reason: String| Error::InvalidCheckpoint { reason };
        if text.len() > TEXT_BYTES_MAX {
            return Err(invalid(format!("it has more than {TEXT_BYTES_MAX} bytes")));
        }
        let read: SignedCheckpoint =
            serde_json::from_slice(text).map_err(|err| invalid(err.to_string()))?;
        if read.to_json()?.trim_ascii_end() != text.trim_ascii_end() {
            return Err(invalid("it is not as it was written".into()));
        }
        if read.checkpoint.format != FORMAT {
            let format = read.checkpoint.format;
            return Err(invalid(format!("its format is {format}, and {FORMAT} is known")));
        }
        Ok(read)
    }

    /// The text of it: JSON on one line.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidCheckpoint`] if it cannot be put into JSON, which it always can.
    pub fn to_json(&self) -> Result<Bytes> {
        let mut text = json(self)?;
        text.push(b'\n');
        Ok(text.into())
    }

    /// What it says. Trust it only as far as the signature is checked.
    #[must_use]
    pub fn content(&self) -> &CheckpointContent {
        &self.checkpoint
    }

    /// The fingerprint of the key that signed it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.public_key_fingerprint
    }

    /// The key that it says it was signed with.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidCheckpoint`] if that is no key, or not the one of the fingerprint.
    pub fn public_key(&self) -> Result<PublicKey> {
        let invalid = |reason: String| Error::InvalidCheckpoint { reason };
        let der = BASE64.decode(&self.checkpoint.public_key);
        let der = der.map_err(|err| invalid(format!("its key is no Base64: {err}")))?;
        let key = PublicKey::from_der(der);
        if key.fingerprint != self.public_key_fingerprint {
            return Err(invalid("its key is not the one that its fingerprint names".into()));
        }
        Ok(key)
    }

    /// Whether `key` signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let is_lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        self.signature.bytes().all(is_lower)
            && json(&self.checkpoint).is_ok_and(|text| key.verifies(&text, &self.signature))
    }
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|err| Error::InvalidCheckpoint { reason: err.to_string() })
}

/// The list of data files that a checkpoint has the SHA-256 of, by their paths within the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileList<'a> {
    files: BTreeMap<&'a str, (&'a str, u64, u64)>,
}

impl<'a> FileList<'a> {
    pub(crate) fn add(&mut self, path: &'a str, sha256: &'a str, bytes: u64, rows: u64) {
        self.files.insert(path, (sha256, bytes, rows));
    }

    pub(crate) fn sha256(&self) -> String {
        let mut text = String::new();
        for (path, (sha256, bytes, rows)) in &self.files {
            // Writing to a string cannot fail.
            writeln!(text, "{path}\t{sha256}\t{bytes}\t{rows}").unwrap_or_default();
        }
        sha256_hex(text.as_bytes())
    }
}

impl EventDataStore {
    /// Signs the store as it is now, keeps the result in the store, and returns it.
    ///
    /// It does not look at the data files; [`Catalog::verify`](crate::Catalog::verify) does.
    ///
    /// # Errors
    ///
    /// [`Error::SigningKey`]; [`Error::Damaged`] if the newest commit is missing; those of
    /// [`EventDataStore::snapshot`]; errors of the storage.
    pub async fn sign_checkpoint(
        &self,
        keys: &SigningKeys,
        now: DateTime<Utc>,
    ) -> Result<SignedCheckpoint> {
        let snapshot = self.snapshot().await?;
        let version = snapshot.version();
        let head = snapshot.head().ok_or_else(|| Error::Damaged {
            path: layout::commit(self.id(), version),
            reason: "the newest commit is missing".into(),
        })?;
        let within = |file: &DataFile| Some(file.committed(self.within(file)?.as_ref()));
        let files: Vec<CommittedFile> = snapshot.data_files().iter().filter_map(within).collect();
        let mut list = FileList::default();
        for file in &files {
            list.add(&file.path, &file.sha256, file.bytes, file.rows);
        }
        let key = keys.current(now).await?;
        let checkpoint = CheckpointContent {
            format: FORMAT,
            store_id: self.id(),
            store_name: snapshot.settings().name.clone(),
            version,
            commit_sha256: head.sha256.clone(),
            files_sha256: list.sha256(),
            data_files: files.len() as u64,
            rows: snapshot.rows(),
            bytes: snapshot.size_bytes(),
            signed_at: now,
            public_key: BASE64.encode(&key.public_key().der),
        };
        let signature = key.sign(&json(&checkpoint)?)?;
        let public_key_fingerprint = key.public_key().fingerprint.clone();
        let signed = SignedCheckpoint { checkpoint, public_key_fingerprint, signature };
        // One that is there already says the same of the store.
        self.files().create(&layout::signed(self.id(), version), signed.to_json()?).await?;
        info!(store = %self.id(), version, "checkpoint signed");
        Ok(signed)
    }

    /// The newest signed checkpoint that the store keeps, if it keeps any.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidCheckpoint`]; errors of the storage.
    pub async fn newest_signed_checkpoint(&self) -> Result<Option<SignedCheckpoint>> {
        let folder = layout::signed_folder(self.id());
        let listing = self.files().list(&folder).await?;
        let newest =
            listing.files.iter().filter_map(|(name, _)| layout::commit_version(name)).max();
        let Some(newest) = newest else { return Ok(None) };
        let text = self.files().read(&layout::signed(self.id(), newest)).await?;
        text.map(|text| SignedCheckpoint::from_json(&text)).transpose()
    }

    /// Signs the store if it has changed since the newest checkpoint and that is older than
    /// [`SIGN_EVERY`], and says whether it did.
    ///
    /// # Errors
    ///
    /// As [`EventDataStore::sign_checkpoint`].
    pub async fn sign_checkpoint_if_due(
        &self,
        keys: &SigningKeys,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let version = self.snapshot().await?.version();
        let newest = self.newest_signed_checkpoint().await?;
        let is_recent = newest.is_some_and(|newest| {
            let content = newest.content();
            content.version == version || now - content.signed_at < SIGN_EVERY
        });
        if is_recent {
            return Ok(false);
        }
        self.sign_checkpoint(keys, now).await.map(|_| true)
    }
}
