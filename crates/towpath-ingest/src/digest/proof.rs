//! [`Proofs`]: what the digests of some sources say of their log files, before any of these is read.
//!
//! The log files are then read once, for the ingest itself, and what was read is compared: nothing
//! can change between a check and what is taken.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::{HashMap, HashSet};
use serde::Serialize;
use towpath_store::{DigestMark, Location};

use super::{
    Check, DELIVERY_MAX, DigestOptions, DigestReport, NAMED_LATER_MAX, Shown,
    archive::Archive,
    chain::Covered,
    file::NamedLogFile,
    is_covered,
    name::{Name, Place, tail_hash},
    url_of,
};
use crate::{error::Result, report::REJECTED_NAMED_MAX};

/// What is known of a log file before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) mark: DigestMark,
    /// The SHA-256 of its text, where a valid digest says it.
    pub(crate) sha256: Option<[u8; 32]>,
    /// Whether the digest that will name it may still be on its way.
    pub(crate) is_awaited: bool,
}

/// What the digests of some sources say of their log files.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    named: NamedLogFiles,
    /// The spans that valid digests cover, by their start.
    covered: BTreeMap<Place, Vec<Covered>>,
    now: DateTime<Utc>,
    /// What the digests themselves came to.
    pub(crate) digests: DigestReport,
    /// Log files that valid digests name and that are not there.
    pub(crate) missing: Missing,
}

/// Log files that valid digests name and that are not there, the first so many by their URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    pub(crate) count: u64,
    pub(crate) named: Vec<String>,
}

/// The log files that digests name, by the hash of the part of the key that is the same in every
/// copy. For each, the SHA-256 of its text, if a valid digest names it.
#[derive(Debug, Default)]
pub(crate) struct NamedLogFiles {
    by_tail: HashMap<u128, Option<[u8; 32]>>,
    /// Those that are there.
    listed: HashSet<u128>,
    range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    missing: Missing,
    /// The keys of those that valid digests name, if they are wanted.
    keys: Option<Vec<Box<str>>>,
}

impl Proofs {
    /// Checks the digests of `sources` and notes what they say.
    ///
    /// # Errors
    ///
    /// Those of [`verify_digests`](super::verify_digests).
    pub(crate) async fn read(sources: &[Location], options: &DigestOptions) -> Result<Proofs> {
        let archive = Archive::open(sources).await?;
        let listed =
            archive.log_files.values().flatten().map(|file| tail_hash(&file.key)).collect();
        let to = options.to.unwrap_or(options.now);
        let from = options.from.unwrap_or(DateTime::<Utc>::MIN_UTC);
        let named = NamedLogFiles { listed, range: Some((from, to)), ..NamedLogFiles::default() };
        let mut check = Check {
            archive: &archive,
            options,
            tell: &|_| (),
            report: DigestReport::default(),
            noted: Some(named),
        };
        let mut covered = BTreeMap::new();
        for place in archive.places() {
            let Shown { covered: spans, .. } = check.place(place, to).await?;
            covered.insert(place.clone(), spans);
        }
        let (digests, noted) = (check.report, check.noted.unwrap_or_default());
        let missing = noted.missing.clone();
        Ok(Proofs { named: noted, covered, now: options.now, digests, missing })
    }

    /// What is known of the log file with this key or path.
    pub(crate) fn of(&self, key: &str) -> Proof {
        let proof = |mark, sha256, is_awaited| Proof { mark, sha256, is_awaited };
        if let Some(Some(sha256)) = self.named.by_tail.get(&tail_hash(key)) {
            return proof(DigestMark::Covered, Some(*sha256), false);
        }
        let Some(Name::LogFile { place, written }) = Name::of(key) else {
            return proof(DigestMark::Unverified, None, false);
        };
        let is_named = self.named.by_tail.contains_key(&tail_hash(key));
        let covered = self.covered.get(&place).map(Vec::as_slice).unwrap_or_default();
        if !is_named && is_covered(covered, written, written + NAMED_LATER_MAX) {
            return proof(DigestMark::Planted, None, false);
        }
        let newest = covered.iter().map(|one| one.end).max();
        // It may be named by the digest of its hour, which is written after that.
        let is_awaited = newest.is_none_or(|newest| written + NAMED_LATER_MAX >= newest)
            && written + TimeDelta::hours(1) + DELIVERY_MAX > self.now;
        proof(DigestMark::Unverified, None, is_awaited)
    }
}

impl NamedLogFiles {
    /// One that keeps the keys.
    pub(crate) fn with_keys() -> NamedLogFiles {
        NamedLogFiles { keys: Some(Vec::new()), ..NamedLogFiles::default() }
    }

    /// The keys of the log files that valid digests name.
    pub(crate) fn into_keys(self) -> Vec<Box<str>> {
        self.keys.unwrap_or_default()
    }

    /// Notes what a digest says of a log file. What a valid one says goes before what another does.
    pub(crate) fn note(&mut self, one: &NamedLogFile, is_valid: bool) {
        let tail = tail_hash(&one.key);
        let sha256 = unhex(&one.sha256).filter(|_| is_valid);
        let known = self.by_tail.entry(tail).or_default();
        let is_new = known.is_none();
        *known = known.or(sha256);
        let is_proven = is_new && known.is_some();
        if let Some(keys) = self.keys.as_mut().filter(|_| is_proven) {
            keys.push(one.key.as_str().into());
        }
        if is_proven && !self.listed.contains(&tail) && self.is_meant(&one.key) {
            self.missing.count += 1;
            if self.missing.named.len() < REJECTED_NAMED_MAX {
                self.missing.named.push(url_of(Some(&one.bucket), &one.key));
            }
        }
    }

    fn is_meant(&self, key: &str) -> bool {
        match (Name::of(key), self.range) {
            (Some(Name::LogFile { written, .. }), Some((from, to))) => {
                (from..=to).contains(&written)
            }
            _ => true,
        }
    }
}

/// The bytes of a SHA-256 in hexadecimal.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Some(bytes)
}
