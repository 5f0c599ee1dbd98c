//! A digest file: what it says, and what was signed of it.

use std::io::{self, BufRead, ErrorKind, Read};

use chrono::{DateTime, Utc};
use flate2::bufread::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Text of one digest, at most. An hour of a large account has some thousand log files, of half a
/// kilobyte each.
const DIGEST_TEXT_BYTES_MAX: u64 = 256 << 20;

/// Text of one log file, at most, as for an ingest.
const LOG_TEXT_BYTES_MAX: u64 = 1 << 30;

/// The first bytes of gzip.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes of text looked at together.
const STEP_BYTES: usize = 64 << 10;

/// What a digest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    /// Where the digest before it is.
    pub(crate) previous: Option<(String, String)>,
    /// The signature of the digest before it.
    pub(crate) previous_signature: Option<String>,
    pub(crate) log_files: Vec<NamedLogFile>,
    /// What is signed.
    pub(crate) signed: String,
}

/// A log file as a digest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedLogFile {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// SHA-256 of its text in hexadecimal.
    pub(crate) sha256: String,
}

/// What the content of a log file turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text {
        sha256: String,
    },
    /// The gzip stream ends early.
    Truncated,
    /// Something follows the gzip stream.
    Trailing,
    /// Not gzip, or damaged.
    Malformed,
}

impl Digest {
    /// Reads a digest from the bytes of its file; `None` if they are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Digest> {
        let mut text = Vec::new();
        GzDecoder::new(bytes).take(DIGEST_TEXT_BYTES_MAX).read_to_end(&mut text).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        let string = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let time = |name: &str| string(name)?.parse::<DateTime<Utc>>().ok();
        let previous_signature = match value.get("previousDigestSignature")? {
            Value::Null => None,
            signature => Some(signature.as_str()?.to_owned()),
        };
        let (bucket, key) = (string("digestS3Bucket")?, string("digestS3Object")?);
        let log_files: Option<Vec<NamedLogFile>> =
            value.get("logFiles")?.as_array()?.iter().map(NamedLogFile::of).collect();
        let signed = format!(
            "{}\n{bucket}/{key}\n{}\n{}",
            string("digestEndTime")?,
            hex(&Sha256::digest(&text)),
            previous_signature.as_deref().unwrap_or("null"),
        );
        Some(Digest {
            start: time("digestStartTime")?,
            end: time("digestEndTime")?,
            fingerprint: string("digestPublicKeyFingerprint")?,
            previous: string("previousDigestS3Bucket").zip(string("previousDigestS3Object")),
            previous_signature,
            log_files: log_files?,
            bucket,
            key,
            signed,
        })
    }
}

impl NamedLogFile {
    fn of(value: &Value) -> Option<NamedLogFile> {
        let string = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let (bucket, key) = (string("s3Bucket")?, string("s3Object")?);
        Some(NamedLogFile { bucket, key, sha256: string("hashValue")? })
    }
}

impl Content {
    /// Decompresses a log file, of one gzip member as CloudTrail writes it, and hashes its text.
    pub(crate) fn of(bytes: &[u8]) -> Content {
        let mut text = GzDecoder::new(bytes).take(LOG_TEXT_BYTES_MAX);
        let (mut hash, mut step) = (Sha256::new(), vec![0; STEP_BYTES]);
        loop {
            match text.read(&mut step) {
                Ok(0) => break,
                Ok(length) => hash.update(step.get(..length).unwrap_or_default()),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::UnexpectedEof && begins_as_gzip(bytes) => {
                    return Content::Truncated;
                }
                Err(_) => return Content::Malformed,
            }
        }
        match has_more(text.into_inner().into_inner()) {
            Ok(false) => Content::Text { sha256: hex(&hash.finalize()) },
            _ => Content::Trailing,
        }
    }
}

fn begins_as_gzip(bytes: &[u8]) -> bool {
    GZIP_MAGIC.iter().zip(bytes).all(|(expected, byte)| expected == byte)
}

fn has_more(mut bytes: &[u8]) -> io::Result<bool> {
    Ok(!bytes.fill_buf()?.is_empty())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
