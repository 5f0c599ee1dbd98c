//! What a check of digests finds, as it goes and in the end.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What is wrong with a digest, in the words of `aws cloudtrail validate-logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum DigestFault {
    /// Another digest names it, and it is not there.
    NotFound,
    /// Not gzip of JSON with the fields of a digest.
    Format,
    /// It says that it lies elsewhere.
    Moved,
    /// No public key has its fingerprint.
    NoKey {
        /// The home region of the trail.
        region: String,
        /// The fingerprint.
        fingerprint: String,
    },
    /// The public key is not a PKCS#1 `RSAPublicKey`.
    KeyForm {
        /// The fingerprint.
        fingerprint: String,
    },
    /// The signature is not that of this content, or there is none.
    Signature,
}

/// What is wrong with a log file that a digest names, in the words of `validate-logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum LogFault {
    /// It is not there.
    NotFound,
    /// It is not gzip, or damaged.
    Format,
    /// Something follows its gzip stream.
    Trailing,
    /// Its text is another.
    Hash,
}

/// Why no valid digest covers a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UncoveredWhy {
    /// The trail was off: the next digest, which is valid, says that none was before it.
    TrailOff,
    /// Digests should be there and are not, or are not valid.
    Missing,
}

/// Something that a check of digests found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DigestEvent {
    /// The digests of one trail, account and region are checked from here on.
    Began {
        /// The trail.
        trail_arn: String,
        /// The account whose log files these are.
        account: String,
        /// The region whose log files these are.
        region: String,
        /// From when log files are checked.
        from: DateTime<Utc>,
        /// Until when.
        to: DateTime<Utc>,
    },
    /// A digest was checked.
    Digest {
        /// Its URL.
        url: String,
        /// Whether it was made later, for a time for which there was none.
        backfill: bool,
        /// What is wrong with it; `None` if it is valid.
        fault: Option<DigestFault>,
    },
    /// A log file that a valid digest names was checked.
    LogFile {
        /// Its URL.
        url: String,
        /// What is wrong with it; `None` if it is valid.
        fault: Option<LogFault>,
    },
    /// The chain of digests begins anew, and an older one ends here: the trail was off.
    Gap {
        /// The end of the older one.
        from: DateTime<Utc>,
        /// The start of the newer one.
        to: DateTime<Utc>,
        /// Whether these are backfill digests.
        backfill: bool,
    },
    /// The digests of the trail, account and region are checked.
    Ended(ChainReport),
    /// No valid digest covers a span of time. `validate-logs` does not say so.
    Uncovered {
        /// Its start.
        from: DateTime<Utc>,
        /// Its end.
        to: DateTime<Utc>,
        /// Why.
        why: UncoveredWhy,
    },
    /// A log file is named by a digest that is not valid. Whether its hash is the one named there
    /// proves nothing.
    Unproven {
        /// Its URL.
        url: String,
        /// Whether its content is what the digest says.
        matches: bool,
    },
    /// No digest names a log file, though valid ones cover its time: it was put there by somebody
    /// else, or by another trail that writes no digests.
    Planted {
        /// Its URL.
        url: String,
    },
    /// No digest names a log file, and none covers its time.
    Unverified {
        /// Its URL.
        url: String,
    },
}

/// What the digests of one trail, account and region came to: what `validate-logs` counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChainReport {
    /// From the earliest start to the latest end of a valid digest, within what was asked for.
    pub found: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Valid digests.
    pub digests_valid: u64,
    /// Digests that are not.
    pub digests_invalid: u64,
    /// Valid backfill digests.
    pub backfill_valid: u64,
    /// Backfill digests that are not.
    pub backfill_invalid: u64,
    /// Log files that are as a valid digest says.
    pub logs_valid: u64,
    /// Log files that are not.
    pub logs_invalid: u64,
}

/// What a check of digests came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DigestReport {
    /// Trails, accounts and regions that have digests.
    pub chains: u64,
    /// What was counted, over all of them.
    pub counts: ChainReport,
    /// Spans of time for which digests should be there and are not.
    pub spans_missing: u64,
    /// Spans of time in which a trail was off.
    pub spans_off: u64,
    /// Log files that are named only by digests that are not valid.
    pub logs_unproven: u64,
    /// Log files that no digest names though valid ones cover their time.
    pub logs_planted: u64,
    /// Log files that no digest names, at times that none covers.
    pub logs_unverified: u64,
}

impl DigestReport {
    /// Whether `validate-logs` would find nothing wrong.
    #[must_use]
    pub fn is_valid_to_aws(&self) -> bool {
        let ChainReport { digests_invalid, backfill_invalid, logs_invalid, .. } = self.counts;
        digests_invalid + backfill_invalid + logs_invalid == 0
    }

    /// Whether every log file is as it was delivered, none is missing and none was added, at any
    /// time at which the trail was on.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.is_valid_to_aws()
            && self.spans_missing == 0
            && self.logs_unproven + self.logs_planted + self.logs_unverified == 0
            && self.chains > 0
    }
}

impl ChainReport {
    pub(crate) fn add(&mut self, other: &ChainReport) {
        self.digests_valid += other.digests_valid;
        self.digests_invalid += other.digests_invalid;
        self.backfill_valid += other.backfill_valid;
        self.backfill_invalid += other.backfill_invalid;
        self.logs_valid += other.logs_valid;
        self.logs_invalid += other.logs_invalid;
        self.found = match (self.found, other.found) {
            (Some((from, to)), Some((start, end))) => Some((from.min(start), to.max(end))),
            (one, another) => one.or(another),
        };
    }
}

impl fmt::Display for DigestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DigestFault::NotFound => f.write_str("not found"),
            DigestFault::Format => f.write_str("invalid format"),
            DigestFault::Moved => f.write_str("has been moved from its original location"),
            DigestFault::NoKey { region, fingerprint } => {
                write!(f, "public key not found in region {region} for fingerprint {fingerprint}")
            }
            DigestFault::KeyForm { fingerprint } => {
                write!(f, "Unable to load PKCS #1 key with fingerprint {fingerprint}")
            }
            DigestFault::Signature => f.write_str("signature verification failed"),
        }
    }
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogFault::NotFound => "not found",
            LogFault::Format => "invalid format",
            LogFault::Trailing => "unexpected data after end of compressed stream",
            LogFault::Hash => "hash value doesn't match",
        })
    }
}

impl From<DigestFault> for String {
    fn from(fault: DigestFault) -> String {
        fault.to_string()
    }
}

impl From<LogFault> for String {
    fn from(fault: LogFault) -> String {
        fault.to_string()
    }
}
