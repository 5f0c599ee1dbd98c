//! `result_sign.json`: what says that delivered results are whole and from this lake.
//!
//! The format is CloudTrail Lake's, as `aws cloudtrail verify-query-results` checks it: the SHA-256
//! of each compressed file, and an RSA signature over these hashes, joined by single spaces.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use towpath_store::{Documents, Location, PublicKey, SigningKey, SigningKeys};

use crate::audit::{Audit, AuditEvent};
use crate::error::{Error, Result};
use crate::lake::Lake;

/// The name of the file.
pub(crate) const SIGN_FILE_NAME: &str = "result_sign.json";

/// Longest sign file that is read, in bytes: a hundred thousand files of results.
const SIGN_FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

const HASH_ALGORITHM: &str = "SHA-256";
const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";

/// The content of a sign file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignFile {
    version: String,
    region: String,
    files: Vec<SignedFile>,
    hash_algorithm: String,
    signature_algorithm: String,
    query_complete_time: String,
    hash_signature: String,
    public_key_fingerprint: String,
}

/// One file of results, as the sign file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedFile {
    pub(crate) file_hash_value: String,
    pub(crate) file_name: String,
}

/// Delivered results that were found to be as they were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedResults {
    /// The names of the files of results.
    pub files: Vec<String>,
    /// When the query was complete, as the sign file says.
    pub completed_at: String,
    /// The fingerprint of the key that signed them.
    pub fingerprint: String,
}

impl SignFile {
    pub(crate) fn new(
        region: &str,
        files: Vec<SignedFile>,
        completed_at: DateTime<Utc>,
        key: &SigningKey,
    ) -> Result<SignFile> {
        let hash_signature = key.sign(string_to_sign(&files).as_bytes())?;
        Ok(SignFile {
            version: "1.0".into(),
            region: region.to_owned(),
            files,
            hash_algorithm: HASH_ALGORITHM.into(),
            signature_algorithm: SIGNATURE_ALGORITHM.into(),
            query_complete_time: completed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            hash_signature,
            public_key_fingerprint: key.public_key().fingerprint.clone(),
        })
    }

    pub(crate) fn to_json(&self) -> Result<Bytes> {
        let text = serde_json::to_vec(self);
        text.map(Bytes::from).map_err(|error| Error::InvalidSignFile(error.to_string()))
    }
}

impl Lake {
    /// Checks results that were delivered to the folder at `url` against the lake's own keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unverified`](crate::ErrorKind::Unverified) if a file is missing or changed, if
    /// the signature is not right, or if the lake does not have the key; storage errors.
    pub async fn verify_results(&self, url: &str) -> Result<VerifiedResults> {
        let documents = Documents::at(Location::parse(url, &self.options().storage_options)?);
        let sign_file = read(&documents).await?;
        let fingerprint = &sign_file.public_key_fingerprint;
        // The fingerprint is a part of a path.
        let is_fingerprint = fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = match is_fingerprint {
            true => self.signing_keys().public_key(fingerprint).await?,
            false => None,
        };
        let key = key.ok_or_else(|| {
            Error::InvalidSignFile(format!("the lake has no public key `{fingerprint}`"))
        })?;
        verify(&documents, sign_file, &key).await
    }

    /// The key to sign with at `now`. That one was made is recorded.
    pub(crate) async fn signing_key(&self, now: DateTime<Utc>) -> Result<SigningKey> {
        let keys = self.signing_keys();
        recording_new_keys(self.audit(), &keys, async { Ok(keys.current(now).await?) }).await
    }

    /// The lake's signing keys.
    pub(crate) fn signing_keys(&self) -> SigningKeys {
        self.catalog().signing_keys(self.options().key_passphrase.clone())
    }

    /// Every public key that the lake ever signed with, oldest first.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn public_keys(&self) -> Result<Vec<PublicKey>> {
        Ok(self.signing_keys().public_keys().await?)
    }
}

/// Does what signs with the current key of `keys`, and records the key that was made for it, if one
/// was.
pub(crate) async fn recording_new_keys<T>(
    audit: &Audit,
    keys: &SigningKeys,
    sign: impl Future<Output = Result<T>>,
) -> Result<T> {
    let known = keys.public_keys().await?;
    let signed = sign.await?;
    for PublicKey { fingerprint, valid_to, .. } in keys.public_keys().await? {
        if known.iter().any(|known| known.fingerprint == fingerprint) {
            continue;
        }
        let event = AuditEvent::new("CreateSigningKey").of_towpath();
        let event = event.with_request(json!({"validTo": valid_to}));
        let begun = audit.begin(event, false).await?;
        begun.end(&Ok(json!({"fingerprint": fingerprint}))).await;
    }
    Ok(signed)
}

/// Checks results that were delivered to the folder at `url` against `key`, without a lake.
///
/// # Errors
///
/// As [`Lake::verify_results`].
pub async fn verify_results(
    url: &str,
    storage_options: &HashMap<String, String>,
    key: &PublicKey,
) -> Result<VerifiedResults> {
    let documents = Documents::at(Location::parse(url, storage_options)?);
    let sign_file = read(&documents).await?;
    verify(&documents, sign_file, key).await
}

async fn read(documents: &Documents) -> Result<SignFile> {
    let Some(document) = documents.read(SIGN_FILE_NAME).await? else {
        let place = documents.describe(SIGN_FILE_NAME);
        return Err(Error::InvalidSignFile(format!("there is no `{place}`")));
    };
    if document.content.len() > SIGN_FILE_BYTES_MAX {
        return Err(Error::InvalidSignFile(format!(
            "it has more than {SIGN_FILE_BYTES_MAX} bytes"
        )));
    }
    serde_json::from_slice(&document.content)
        .map_err(|error| Error::InvalidSignFile(error.to_string()))
}

async fn verify(
    documents: &Documents,
    sign_file: SignFile,
    key: &PublicKey,
) -> Result<VerifiedResults> {
    let invalid = |what: String| Err(Error::InvalidSignFile(what));
    if sign_file.hash_algorithm != HASH_ALGORITHM
        || sign_file.signature_algorithm != SIGNATURE_ALGORITHM
    {
        return invalid(format!("it is not of {HASH_ALGORITHM} and {SIGNATURE_ALGORITHM}"));
    }
    if sign_file.files.is_empty() {
        return invalid("it names no files".into());
    }
    for file in &sign_file.files {
        let name = &file.file_name;
        if name.contains('/') {
            return invalid(format!("it names file `{name}` outside of its folder"));
        }
        match documents.sha256(name).await? {
            Some(hash) if hash == file.file_hash_value => {}
            Some(_) => return invalid(format!("file `{name}` was changed")),
            None => return invalid(format!("file `{name}` is missing")),
        }
    }
    if key.fingerprint != sign_file.public_key_fingerprint {
        return invalid(format!("it is signed with key `{}`", sign_file.public_key_fingerprint));
    }
    if !key.verifies(string_to_sign(&sign_file.files).as_bytes(), &sign_file.hash_signature) {
        return invalid("its signature is not right".into());
    }
    Ok(VerifiedResults {
        files: sign_file.files.into_iter().map(|file| file.file_name).collect(),
        completed_at: sign_file.query_complete_time,
        fingerprint: sign_file.public_key_fingerprint,
    })
}

fn string_to_sign(files: &[SignedFile]) -> String {
    let hashes: Vec<&str> = files.iter().map(|file| file.file_hash_value.as_str()).collect();
    hashes.join(" ")
}
