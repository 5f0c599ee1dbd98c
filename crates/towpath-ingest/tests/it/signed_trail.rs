//! A trail with digests that are signed as CloudTrail signs them, made in the test.

use std::{
    collections::BTreeMap,
    fs,
    path::Path as FilePath,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use object_store::{Attribute, Attributes, ObjectStore, PutOptions, memory::InMemory, path::Path};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use towpath_store::{Location, PublicKey};
use url::Url;

use crate::{
    support::at,
    trail::{ACCOUNT, event, gzip, log_text},
};

pub(crate) const BUCKET: &str = "trail";

/// A key pair for all tests: making one takes long.
pub(crate) fn key_pair() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

/// Another one.
pub(crate) fn other_key_pair() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

pub(crate) fn fingerprint(key: &KeyPair) -> String {
    PublicKey::from_der(key.public_key().as_ref().to_vec()).fingerprint
}

/// What `aws cloudtrail list-public-keys` prints for a key under a fingerprint.
pub(crate) fn key_list(der: &[u8], fingerprint: &str) -> String {
    let key = json!({
        "Value": BASE64.encode(der), "Fingerprint": fingerprint,
        "ValidityStartTime": "2024-01-01T00:00:00Z", "ValidityEndTime": "2024-01-31T00:00:00Z",
    });
    json!({ "PublicKeyList": [key] }).to_string()
}

pub(crate) fn keys() -> String {
    key_list(key_pair().public_key().as_ref(), &fingerprint(key_pair()))
}

/// The key in the form of X.509, which AWS's command does not take.
pub(crate) fn spki_keys() -> String {
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(key_pair().public_key()).unwrap();
    key_list(der.as_ref(), &fingerprint(key_pair()))
}

/// A file of a bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) content: Vec<u8>,
    pub(crate) metadata: BTreeMap<&'static str, String>,
}

/// A digest that was written.
#[derive(Clone, Debug)]
struct Previous {
    bucket: String,
    key: String,
    sha256: String,
    signature: String,
}

/// The files of a trail of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct SignedTrail {
    pub(crate) objects: BTreeMap<(String, String), Object>,
    pub(crate) digests: Vec<String>,
    pub(crate) logs: Vec<String>,
    pub(crate) bucket: String,
    /// What stands before the account: a prefix, an organisation.
    head: String,
    region: &'static str,
    previous: Option<Previous>,
}

impl SignedTrail {
    pub(crate) fn new() -> SignedTrail {
        SignedTrail::at("AWSLogs", "us-east-1")
    }

    /// A trail below a head such as `prefix/AWSLogs/o-1234567890`.
    pub(crate) fn at(head: &str, region: &'static str) -> SignedTrail {
        SignedTrail {
            objects: BTreeMap::new(),
            digests: Vec::new(),
            logs: Vec::new(),
            bucket: BUCKET.into(),
            head: head.into(),
            region,
            previous: None,
        }
    }

    /// Six hours from midnight with three log files each.
    pub(crate) fn six_hours() -> SignedTrail {
        let mut trail = SignedTrail::new();
        (0..6).for_each(|hour| trail.hour(hour, 3));
        trail
    }

    /// The digest of an hour of 10 January 2024, and its log files.
    pub(crate) fn hour(&mut self, hour: u32, logs: u32) {
        let start = at(&format!("2024-01-10T{hour:02}:00:00Z"));
        let log_files = self.log_files(start, logs);
        self.digest(start, &log_files, false);
    }

    /// The same, made later by CloudTrail.
    pub(crate) fn backfill(&mut self, hour: u32, logs: u32) {
        let start = at(&format!("2024-01-10T{hour:02}:00:00Z"));
        let log_files = self.log_files(start, logs);
        self.previous = None;
        self.digest(start, &log_files, true);
    }

    /// The trail was switched off and on.
    pub(crate) fn restart(&mut self) {
        self.previous = None;
    }

    fn log_files(&mut self, start: DateTime<Utc>, count: u32) -> Vec<Value> {
        let log_file = |n: u32| {
            let time = start + TimeDelta::minutes(5 * i64::from(n) + 1);
            let text = log_text(&[event(&format!("{start}-{n}"), &time.to_rfc3339())]);
            let key = format!(
                "{}/{ACCOUNT}/CloudTrail/{region}/{}/{ACCOUNT}_CloudTrail_{region}_{}_{n:016}.json.gz",
                self.head,
                time.format("%Y/%m/%d"),
                time.format("%Y%m%dT%H%MZ"),
                region = self.region,
            );
            (key, text)
        };
        let log_files: Vec<(String, Vec<u8>)> = (0..count).map(log_file).collect();
        let mut named = Vec::new();
        for (key, text) in log_files {
            named.push(json!({
                "s3Bucket": self.bucket, "s3Object": key, "hashAlgorithm": "SHA-256",
                "hashValue": sha256(&text), "newestEventTime": null, "oldestEventTime": null,
            }));
            self.put(&key, gzip(&text));
            self.logs.push(key);
        }
        named
    }

    fn digest(&mut self, start: DateTime<Utc>, log_files: &[Value], is_backfill: bool) {
        let end = start + TimeDelta::hours(1);
        let key = format!(
            "{}/{ACCOUNT}/CloudTrail-Digest/{region}/{}/{ACCOUNT}_CloudTrail-Digest_{region}_my-trail_us-east-1_{}{}.json.gz",
            self.head,
            end.format("%Y/%m/%d"),
            end.format("%Y%m%dT%H%M%SZ"),
            if is_backfill { "_backfill" } else { "" },
            region = self.region,
        );
        let previous = self.previous.as_ref();
        let end_time = end.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let text = json!({
            "awsAccountId": ACCOUNT,
            "digestStartTime": start.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "digestEndTime": end_time,
            "digestS3Bucket": self.bucket, "digestS3Object": key,
            "digestPublicKeyFingerprint": fingerprint(key_pair()),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|one| &one.bucket),
            "previousDigestS3Object": previous.map(|one| &one.key),
            "previousDigestHashValue": previous.map(|one| &one.sha256),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|one| &one.signature),
            "logFiles": log_files,
        })
        .to_string();
        let signed = format!(
            "{end_time}\n{}/{key}\n{}\n{}",
            self.bucket,
            sha256(text.as_bytes()),
            previous.map_or("null", |one| &one.signature)
        );
        let signature = sign(&signed);
        let object = self.put(&key, gzip(text.as_bytes()));
        object.metadata.insert("signature", signature.clone());
        object.metadata.insert("signature-algorithm", "SHA256withRSA".into());
        if is_backfill {
            let made = "2024-01-11T00:00:00.000Z".to_owned();
            object.metadata.insert("backfill-generation-timestamp", made);
        }
        let (bucket, sha256) = (self.bucket.clone(), sha256(text.as_bytes()));
        if !is_backfill {
            self.previous = Some(Previous { bucket, key: key.clone(), sha256, signature });
        }
        self.digests.push(key);
    }

    fn put(&mut self, key: &str, content: Vec<u8>) -> &mut Object {
        let object = self.objects.entry((self.bucket.clone(), key.to_owned())).or_default();
        object.content = content;
        object
    }

    pub(crate) fn object(&mut self, key: &str) -> &mut Object {
        self.objects.get_mut(&(BUCKET.to_owned(), key.to_owned())).unwrap()
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.objects.remove(&(BUCKET.to_owned(), key.to_owned())).unwrap();
    }

    /// The buckets, each a source.
    pub(crate) async fn buckets(&self) -> Vec<Location> {
        let mut stores: BTreeMap<&str, Arc<InMemory>> = BTreeMap::new();
        stores.entry(BUCKET).or_default();
        for ((bucket, key), object) in &self.objects {
            let store = stores.entry(bucket).or_default();
            let metadata = object.metadata.iter();
            let metadata =
                metadata.map(|(name, value)| (Attribute::Metadata((*name).into()), value.clone()));
            let options = PutOptions {
                attributes: metadata.collect::<Attributes>(),
                ..PutOptions::default()
            };
            let content = object.content.clone().into();
            store.put_opts(&Path::from(key.as_str()), content, options).await.unwrap();
        }
        let location = |(bucket, store): (&str, Arc<InMemory>)| {
            let url = Url::parse(&format!("s3://{bucket}/")).unwrap();
            Location::with_store(url, store as Arc<dyn ObjectStore>, Path::default())
        };
        stores.into_iter().map(location).collect()
    }

    /// Writes a copy as `aws s3 sync` does: without metadata.
    pub(crate) fn copy_to(&self, folder: &FilePath) -> Location {
        for ((_, key), object) in &self.objects {
            crate::trail::write(folder, key, &object.content);
        }
        fs::create_dir_all(folder).unwrap();
        Location::local(folder).unwrap()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(text: &str) -> String {
    let key = key_pair();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    signature.iter().map(|byte| format!("{byte:02x}")).collect()
}
