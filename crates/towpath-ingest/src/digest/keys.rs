//! CloudTrail's public keys, as `aws cloudtrail list-public-keys` prints them.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hashbrown::HashMap;
use serde::Deserialize;
use serde_json::json;
use towpath_store::PublicKey;

use crate::error::{Error, Result};

/// Tags of DER: a sequence, and an integer.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// The public keys that digests may be signed with.
///
/// AWS gives them out for a time only: keep what `aws cloudtrail list-public-keys` prints beside the
/// log files.
#[derive(Clone, Debug, Default)]
pub struct DigestKeys {
    keys: HashMap<String, PublicKey>,
    /// Every signature is taken for good, and none need be there.
    is_unchecked: bool,
}

/// What a signature comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    Holds,
    Fails,
    UnknownKey,
    /// The key is not a PKCS#1 `RSAPublicKey`.
    KeyForm,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    public_key_list: Vec<ListedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    value: String,
    fingerprint: Option<String>,
}

impl DigestKeys {
    /// Reads the answer of `aws cloudtrail list-public-keys`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPublicKeys`] if it is none, or has no key in it.
    pub fn from_json(text: &str) -> Result<DigestKeys> {
        let invalid = |reason: String| Error::InvalidPublicKeys { reason };
        let listed: Listed = serde_json::from_str(text).map_err(|err| {
            invalid(format!(
                "they are not JSON of \
                `aws cloudtrail list-public-keys`: {err}"
            ))
        })?;
        let mut keys = DigestKeys::default();
        for ListedKey { value, fingerprint } in listed.public_key_list {
            let der = BASE64.decode(value.as_bytes());
            let key = PublicKey::from_der(der.map_err(|err| invalid(err.to_string()))?);
            keys.keys.insert(fingerprint.unwrap_or_else(|| key.fingerprint.clone()), key);
        }
        if keys.keys.is_empty() {
            return Err(invalid("there are none".to_owned()));
        }
        Ok(keys)
    }

    /// Keys with which every signature is taken for good: for a look that proves nothing.
    pub(crate) fn unchecked() -> DigestKeys {
        DigestKeys { is_unchecked: true, ..DigestKeys::default() }
    }

    pub(crate) fn is_unchecked(&self) -> bool {
        self.is_unchecked
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes in the keys of `other`.
    pub fn extend(&mut self, other: DigestKeys) {
        self.keys.extend(other.keys);
    }

    /// Each key as [`DigestKeys::from_json`] reads it, with a name that is made of its bytes alone.
    #[must_use]
    pub fn to_documents(&self) -> Vec<(String, String)> {
        let document = |(fingerprint, key): (&String, &PublicKey)| {
            let value = BASE64.encode(&key.der);
            let key_list = json!([{ "Value": value, "Fingerprint": fingerprint }]);
            // The fingerprint may be anything that somebody wrote into the file.
            (key.fingerprint.clone(), json!({ "PublicKeyList": key_list }).to_string())
        };
        self.keys.iter().map(document).collect()
    }

    pub(crate) fn check(&self, fingerprint: &str, signed: &str, signature: &str) -> Signature {
        match self.keys.get(fingerprint) {
            None => Signature::UnknownKey,
            Some(key) if !is_pkcs1(&key.der) => Signature::KeyForm,
            Some(key) if key.verifies(signed.as_bytes(), signature) => Signature::Holds,
            Some(_) => Signature::Fails,
        }
    }
}

/// Whether a key is a sequence of integers: other forms have another sequence first.
fn is_pkcs1(der: &[u8]) -> bool {
    let (Some(&SEQUENCE), Some(&length)) = (der.first(), der.get(1)) else { return false };
    // A length of 128 and more says first how many bytes it takes.
    let content = if length < 0x80 { 2 } else { 2 + usize::from(length & 0x7f) };
    der.get(content) == Some(&INTEGER)
}
