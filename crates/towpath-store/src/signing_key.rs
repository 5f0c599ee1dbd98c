//! The keys with which a lake signs what it hands out, as CloudTrail signs results and digests.
//!
//! RSA of 2048 bits, PKCS#1 v1.5 with SHA-256; a key signs for 29 days and is valid for 30, so that
//! the validity of one overlaps that of the next. A public key is named by the MD5 of its DER bytes
//! (CloudTrail's own fingerprint, a name and no protection) and kept for ever: what was signed with
//! it can be checked as long as the lake exists.
//!
//! ```text
//! <lake>/keys/<fingerprint>.json              a public key: PKCS#1 DER, valid from and to
//! <lake>/keys/private/<fingerprint>.json      its private key: PKCS#8
//! ```
//!
//! A private key is sealed with AES-256-GCM under a passphrase if there is one. Without one it is
//! kept only on a local file system, in a file that nobody but its owner may read; in a bucket,
//! where this program cannot say who reads, a passphrase is needed.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use aws_lc_rs::{pbkdf2, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use md5::{Digest, Md5};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use tokio::task;

use crate::data_file::hex;
use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::local::write_private;

/// For how many days a key is valid: as long as CloudTrail's own.
const VALID_DAYS: i64 = 30;

/// A key that is valid for less than this signs no more. Whoever checks a signature may have a
/// clock that differs from the signer's by as much.
const OVERLAP_DAYS: i64 = 1;

/// Rounds of PBKDF2 between a passphrase and the key it seals with: OWASP's figure for SHA-256.
const PASSPHRASE_ROUNDS: u32 = 600_000;

/// Bytes of the salt of a passphrase.
const SALT_BYTES: usize = 16;

/// Public keys of one lake, at most: 300 years of one a month, and room for some made twice.
const KEYS_MAX: usize = 4_096;

/// The signing keys of a lake.
#[derive(Clone)]
pub struct SigningKeys {
    files: LakeFiles,
    passphrase: Option<String>,
}

/// A public key, and when it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// MD5 of [`PublicKey::der`] in lower-case hexadecimal.
    pub fingerprint: String,
    /// The key as a PKCS#1 `RSAPublicKey` in DER.
    pub der: Vec<u8>,
    /// The first moment at which it may sign.
    pub valid_from: DateTime<Utc>,
    /// The first moment at which it may not.
    pub valid_to: DateTime<Utc>,
}

/// A key pair that may sign.
#[derive(Debug)]
pub struct SigningKey {
    public: PublicKey,
    pair: KeyPair,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicFile {
    fingerprint: String,
    public_key: String,
    valid_from_millis: i64,
    valid_to_millis: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "protection")]
enum PrivateFile {
    /// Readable by who can read the file.
    File { pkcs8: String },
    /// AES-256-GCM under PBKDF2-HMAC-SHA-256 of a passphrase.
    Passphrase { rounds: u32, salt: String, nonce: String, sealed: String },
}

impl SigningKeys {
    pub(crate) fn new(files: LakeFiles, passphrase: Option<String>) -> SigningKeys {
        let passphrase = passphrase.filter(|passphrase| !passphrase.is_empty());
        SigningKeys { files, passphrase }
    }

    /// The key to sign with at `now`; a new one if there is none or the newest ends soon.
    ///
    /// # Errors
    ///
    /// [`Error::SigningKey`] if the private key cannot be opened or may not be kept here;
    /// [`Error::Damaged`]; errors of the storage.
    pub async fn current(&self, now: DateTime<Utc>) -> Result<SigningKey> {
        let last = now + TimeDelta::days(OVERLAP_DAYS);
        let keys = self.public_keys().await?;
        let newest = keys.into_iter().filter(|key| key.valid_to > last).max_by_key(|key| {
            // Of two made at once, every signer takes the same.
            (key.valid_from, key.fingerprint.clone())
        });
        match newest {
            Some(public) => self.open(public).await,
            None => self.create(now).await,
        }
    }

    /// All public keys there ever were, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if one is not what it says; errors of the storage.
    pub async fn public_keys(&self) -> Result<Vec<PublicKey>> {
        let listing = self.files.list(&folder()).await?;
        let names = listing.files.iter().filter_map(|(name, _)| name.strip_suffix(".json"));
        let mut keys = Vec::new();
        for fingerprint in names.take(KEYS_MAX) {
            keys.extend(self.public_key(fingerprint).await?);
        }
        keys.sort_by(|a, b| (a.valid_from, &a.fingerprint).cmp(&(b.valid_from, &b.fingerprint)));
        Ok(keys)
    }

    /// The public key of that fingerprint, if the lake has it.
    ///
    /// # Errors
    ///
    /// As [`SigningKeys::public_keys`].
    pub async fn public_key(&self, fingerprint: &str) -> Result<Option<PublicKey>> {
        let path = public_path(fingerprint);
        let Some(text) = self.files.read(&path).await? else { return Ok(None) };
        let damaged = |reason: String| Error::Damaged { path: path.clone(), reason };
        let file: PublicFile =
            serde_json::from_slice(&text).map_err(|err| damaged(err.to_string()))?;
        let der = BASE64.decode(&file.public_key).map_err(|err| damaged(err.to_string()))?;
        let key = PublicKey {
            fingerprint: fingerprint_of(&der),
            der,
            valid_from: moment(file.valid_from_millis),
            valid_to: moment(file.valid_to_millis),
        };
        if key.fingerprint != fingerprint {
            return Err(damaged("it is not the key that its name says".into()));
        }
        Ok(Some(key))
    }

    async fn create(&self, now: DateTime<Utc>) -> Result<SigningKey> {
        let (pair, private) = self.generate().await?;
        let der = pair.public_key().as_ref().to_vec();
        let public = PublicKey {
            fingerprint: fingerprint_of(&der),
            der,
            valid_from: moment(now.timestamp_millis()),
            valid_to: moment((now + TimeDelta::days(VALID_DAYS)).timestamp_millis()),
        };
        // The private key first: a public one that nobody can sign with would be taken for current.
        let path = private_path(&public.fingerprint);
        match self.files.location().local_path() {
            Some(lake) => write_private(lake.join(path.as_ref()), private).await?,
            None => self.files.write(&path, private).await?,
        }
        let file = PublicFile {
            fingerprint: public.fingerprint.clone(),
            public_key: BASE64.encode(&public.der),
            valid_from_millis: public.valid_from.timestamp_millis(),
            valid_to_millis: public.valid_to.timestamp_millis(),
        };
        let path = public_path(&public.fingerprint);
        self.files.write(&path, encode(&file, &public.fingerprint)?).await?;
        Ok(SigningKey { public, pair })
    }

    /// A new key pair, and the file that keeps it.
    async fn generate(&self) -> Result<(KeyPair, Bytes)> {
        if self.passphrase.is_none() && self.files.location().local_path().is_none() {
            return Err(failed("keep a new signing key", NEEDS_PASSPHRASE));
        }
        let passphrase = self.passphrase.clone();
        let made = task::spawn_blocking(move || {
            let pair = KeyPair::generate(KeySize::Rsa2048)
                .map_err(|_| failed("make a signing key", "no random numbers"))?;
            let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'static>>::as_der(&pair)
                .map_err(|_| failed("make a signing key", "it has no PKCS#8 form"))?;
            let file = match passphrase {
                Some(passphrase) => seal(pkcs8.as_ref(), &passphrase)?,
                None => PrivateFile::File { pkcs8: BASE64.encode(pkcs8.as_ref()) },
            };
            Ok((pair, encode(&file, "new")?))
        });
        made.await.map_err(|err| failed("make a signing key", &err.to_string()))?
    }

    async fn open(&self, public: PublicKey) -> Result<SigningKey> {
        let path = private_path(&public.fingerprint);
        let Some(text) = self.files.read(&path).await? else {
            return Err(failed(&format!("open `{path}`"), "it is missing"));
        };
        let file: PrivateFile = serde_json::from_slice(&text).map_err(|_| Error::Damaged {
            path: path.clone(),
            // The parser's own words may quote the key.
            reason: "it is no private key of this program".into(),
        })?;
        let passphrase = self.passphrase.clone();
        let what = format!("open signing key `{}`", public.fingerprint);
        let failed_open = what.clone();
        let opened = task::spawn_blocking(move || {
            let pkcs8 = match file {
                PrivateFile::File { pkcs8 } => BASE64.decode(pkcs8).ok(),
                PrivateFile::Passphrase { rounds, salt, nonce, sealed } => {
                    let passphrase =
                        passphrase.ok_or_else(|| failed(&what, "it needs its passphrase"))?;
                    unseal(&passphrase, rounds, &salt, &nonce, &sealed)
                }
            };
            let pkcs8 = pkcs8.ok_or_else(|| failed(&what, "the passphrase is not the one"))?;
            KeyPair::from_pkcs8(&pkcs8).map_err(|_| failed(&what, "it is no RSA key"))
        });
        let pair = opened.await.map_err(|err| failed(&failed_open, &err.to_string()))??;
        if pair.public_key().as_ref() != public.der {
            return Err(failed(&failed_open, "private and public key are not a pair"));
        }
        Ok(SigningKey { public, pair })
    }
}

impl fmt::Debug for SigningKeys {
    // Not derived: it would print the passphrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("files", &self.files).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`; the signature is in lower-case hexadecimal.
    ///
    /// # Errors
    ///
    /// [`Error::SigningKey`] if the library cannot sign, which it always can with a whole key.
    pub fn sign(&self, message: &[u8]) -> Result<String> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| failed("sign", "the key is not whole"))?;
        Ok(hex(&signature))
    }
}

impl PublicKey {
    /// A key that is known only by its DER bytes, valid at any time.
    #[must_use]
    pub fn from_der(der: Vec<u8>) -> PublicKey {
        PublicKey {
            fingerprint: fingerprint_of(&der),
            der,
            valid_from: DateTime::<Utc>::MIN_UTC,
            valid_to: DateTime::<Utc>::MAX_UTC,
        }
    }

    /// Whether `signature`, in hexadecimal, is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.der);
        unhex(signature).is_some_and(|signature| key.verify(message, &signature).is_ok())
    }

    /// Whether it is valid at any moment from `start` to `end`.
    #[must_use]
    pub fn is_valid_between(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        self.valid_from <= end && self.valid_to > start
    }
}

const NEEDS_PASSPHRASE: &str = "in a bucket a private key is kept only under a passphrase; \
     set one (`TOWPATH_KEY_PASSPHRASE` of the command)";

fn failed(what: &str, reason: &str) -> Error {
    Error::SigningKey { what: what.to_owned(), reason: reason.to_owned() }
}

fn folder() -> Path {
    Path::from("keys")
}

fn public_path(fingerprint: &str) -> Path {
    folder().join(format!("{fingerprint}.json"))
}

fn private_path(fingerprint: &str) -> Path {
    folder().join("private").join(format!("{fingerprint}.json"))
}

/// `millis` since 1970, which every key of ours has; 1970 itself for a time beyond the calendar.
fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}

fn encode<T: Serialize>(file: &T, name: &str) -> Result<Bytes> {
    let mut text = serde_json::to_vec(file)
        .map_err(|err| failed(&format!("write key `{name}`"), &err.to_string()))?;
    text.push(b'\n');
    Ok(text.into())
}

fn fingerprint_of(der: &[u8]) -> String {
    hex(&Md5::digest(der))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(nibble(*high)? * 16 + nibble(*low)?)).collect()
}

/// The key that a passphrase stands for.
fn derived(passphrase: &str, rounds: u32, salt: &[u8]) -> Option<RandomizedNonceKey> {
    let mut key = [0; 32];
    let rounds = NonZeroU32::new(rounds.clamp(1, 10 * PASSPHRASE_ROUNDS))?;
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, passphrase.as_bytes(), &mut key);
    RandomizedNonceKey::new(&AES_256_GCM, &key).ok()
}

fn seal(pkcs8: &[u8], passphrase: &str) -> Result<PrivateFile> {
    let failed = || failed("seal a signing key", "the library could not encrypt it");
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt).map_err(|_| failed())?;
    let key = derived(passphrase, PASSPHRASE_ROUNDS, &salt).ok_or_else(failed)?;
    let mut sealed = pkcs8.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::empty(), &mut sealed).map_err(|_| failed())?;
    Ok(PrivateFile::Passphrase {
        rounds: PASSPHRASE_ROUNDS,
        salt: BASE64.encode(salt),
        nonce: BASE64.encode(nonce.as_ref()),
        sealed: BASE64.encode(&sealed),
    })
}

fn unseal(passphrase: &str, rounds: u32, salt: &str, nonce: &str, sealed: &str) -> Option<Vec<u8>> {
    let key = derived(passphrase, rounds, &BASE64.decode(salt).ok()?)?;
    let nonce = Nonce::try_assume_unique_for_key(&BASE64.decode(nonce).ok()?).ok()?;
    let mut sealed = BASE64.decode(sealed).ok()?;
    key.open_in_place(nonce, Aad::empty(), &mut sealed).ok().map(|opened| opened.to_vec())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{PublicKey, SigningKeys};
    use crate::lake_files::LakeFiles;
    use crate::location::Location;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn local(folder: &tempfile::TempDir, passphrase: Option<&str>) -> SigningKeys {
        let files = LakeFiles::new(Location::local(folder.path()).unwrap());
        SigningKeys::new(files, passphrase.map(str::to_owned))
    }

    #[tokio::test]
    async fn what_was_signed_is_verified_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let key = local(&folder, None).current(now()).await.unwrap();
        let signature = key.sign(b"hello").unwrap();
        assert_eq!(signature.len(), 512);
        let public = PublicKey::from_der(key.public_key().der.clone());
        assert_eq!(public.fingerprint, key.public_key().fingerprint);
        assert_eq!((public.fingerprint.len(), public.der.len()), (32, 270));
        assert!(public.verifies(b"hello", &signature));
        assert!(!public.verifies(b"hellp", &signature));
        for broken in ["", "0", "zz", signature.get(2..).unwrap(), &signature.replace('0', "1")] {
            assert!(!public.verifies(b"hello", broken), "{broken}");
        }
    }

    #[tokio::test]
    async fn keys_rotate_with_overlap_and_old_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let keys = local(&folder, None);
        let at = |days| now() + TimeDelta::days(days);
        let first = keys.current(at(0)).await.unwrap().public_key().clone();
        assert_eq!(keys.current(at(28)).await.unwrap().public_key(), &first);
        let second = keys.current(at(29)).await.unwrap().public_key().clone();
        assert_ne!(first, second);
        assert!(second.valid_from < first.valid_to, "they overlap");
        assert_eq!(first.valid_to - first.valid_from, TimeDelta::days(30));
        assert_eq!(keys.public_keys().await.unwrap(), [first.clone(), second]);
        assert!(first.is_valid_between(at(29), at(49)));
        assert!(!first.is_valid_between(at(30), at(49)));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_private_key_without_a_passphrase_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let key = local(&folder, None).current(now()).await.unwrap();
        let name = format!("keys/private/{}.json", key.public_key().fingerprint);
        let metadata = std::fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_bucket_takes_a_private_key_only_under_a_passphrase() {
        let location = Location::in_memory().unwrap();
        let keys = |passphrase: Option<&str>| {
            SigningKeys::new(LakeFiles::new(location.clone()), passphrase.map(str::to_owned))
        };
        let err = keys(None).current(now()).await.unwrap_err();
        assert!(err.to_string().contains("TOWPATH_KEY_PASSPHRASE"), "{err}");

        let key = keys(Some("correct horse")).current(now()).await.unwrap();
        let again = keys(Some("correct horse")).current(now()).await.unwrap();
        assert_eq!(key.public_key(), again.public_key());
        assert!(key.public_key().verifies(b"x", &again.sign(b"x").unwrap()));
        for wrong in [None, Some("battery staple")] {
            let err = keys(wrong).current(now()).await.unwrap_err();
            assert!(err.to_string().contains("passphrase"), "{err}");
        }
        assert!(!format!("{:?}", keys(Some("correct horse"))).contains("correct"));
    }
}
