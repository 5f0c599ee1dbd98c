//! CloudTrail's public keys, as `aws cloudtrail list-public-keys` prints them.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hashbrown::HashMap;
use serde::Deserialize;
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
