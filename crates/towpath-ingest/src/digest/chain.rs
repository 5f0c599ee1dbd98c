//! The walk through one chain of digests, from the newest to the oldest.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use hashbrown::HashSet;
use tokio::task;

use super::{
    archive::{Archive, Listed},
    event::{ChainReport, DigestEvent, DigestFault, LogFault},
    file::{Content, Digest, NamedLogFile},
    keys::{DigestKeys, Signature},
    name,
    proof::NamedLogFiles,
    url_of,
};
use crate::error::{Error, Result};

/// Log files read at once. Each may be some megabytes, and its text is not kept.
const LOG_FILES_AT_ONCE: usize = 8;

/// A span that a valid digest covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    /// Whether the digest says that there was none before it.
    pub(crate) begins: bool,
}

pub(crate) struct Walk<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) keys: &'a DigestKeys,
    pub(crate) tell: &'a (dyn Fn(&DigestEvent) + Sync),
    pub(crate) home_region: &'a str,
    pub(crate) range: (DateTime<Utc>, DateTime<Utc>),
    pub(crate) is_backfill: bool,
    pub(crate) report: ChainReport,
    pub(crate) covered: &'a mut Vec<Covered>,
    pub(crate) named: &'a mut HashSet<String>,
    /// Where to note what digests say of log files, which are then not read.
    pub(crate) noted: Option<&'a mut NamedLogFiles>,
    pub(crate) unproven: u64,
}

/// The next digest of a walk.
struct Next {
    bucket: String,
    key: String,
    time: DateTime<Utc>,
    /// Its signature, from the valid digest after it.
    signature: Option<String>,
}

/// What reading a digest came to.
struct Judged {
    digest: Option<Digest>,
    fault: Option<DigestFault>,
}

impl Walk<'_> {
    /// Walks from the newest of `listed`, which are sorted, through what the digests name. Where
    /// that ends or is broken, it goes on with the next older one of `listed`.
    pub(crate) async fn run(&mut self, mut listed: Vec<Listed>) -> Result<()> {
        let mut next = listed.pop().map(Next::of);
        let mut walked = HashSet::new();
        let mut last_start = None;
        while let Some(mut at) = next.take() {
            // A chain that leads back to itself is signed by nobody, but must not be walked for ever.
            if last_start.is_some_and(|start| start < self.range.0)
                || !walked.insert(at.key.clone())
            {
                break;
            }
            let Judged { digest, fault } = self.judge(&at).await?;
            let is_valid = fault.is_none();
            if at.bucket.is_empty() {
                // In a copy only the digest says where it was.
                at.bucket =
                    digest.as_ref().map_or_else(String::new, |digest| digest.bucket.clone());
            }
            self.count(&at, fault);
            let Some(digest) = digest else {
                next = before(&mut listed, at.time).map(Next::of);
                continue;
            };
            self.log_files(&digest, is_valid).await?;
            if !is_valid {
                next = before(&mut listed, at.time).map(Next::of);
                continue;
            }
            last_start = Some(digest.start);
            self.cover(&digest);
            next = match digest.previous.clone() {
                Some((bucket, key)) => {
                    let signature = digest.previous_signature.clone();
                    let time = name_time(&key).unwrap_or(digest.start);
                    Some(Next { bucket, key, time, signature })
                }
                None => {
                    let older = before(&mut listed, at.time);
                    if let Some(older) = &older {
                        let (from, to) = (older.time, digest.start);
                        let backfill = self.is_backfill;
                        (self.tell)(&DigestEvent::Gap { from, to, backfill });
                    }
                    older.map(Next::of)
                }
            };
        }
        Ok(())
    }

    /// Reads and checks a digest, in AWS's order.
    async fn judge(&self, at: &Next) -> Result<Judged> {
        let fault = |digest, fault| Ok(Judged { digest, fault: Some(fault) });
        let Some(read) = self.archive.read(&at.bucket, &at.key).await? else {
            return fault(None, DigestFault::NotFound);
        };
        let Some(digest) = Digest::read(&read.bytes) else {
            return fault(None, DigestFault::Format);
        };
        let signature =
            if read.is_remote { read.signature } else { read.signature.or(at.signature.clone()) };
        if self.keys.is_unchecked() {
            return Ok(Judged { digest: Some(digest), fault: None });
        }
        let Some(signature) = signature else { return fault(Some(digest), DigestFault::Signature) };
        if self.is_backfill && !read.has_backfill_time {
            return fault(Some(digest), DigestFault::Format);
        }
        let is_there = if read.is_remote {
            digest.bucket == at.bucket && digest.key == at.key
        } else {
            name::tail(&digest.key) == name::tail(&at.key)
        };
        if !is_there {
            return fault(Some(digest), DigestFault::Moved);
        }
        let fingerprint = digest.fingerprint.clone();
        match self.keys.check(&fingerprint, &digest.signed, &signature) {
            Signature::Holds => Ok(Judged { digest: Some(digest), fault: None }),
            Signature::Fails => fault(Some(digest), DigestFault::Signature),
            Signature::KeyForm => fault(Some(digest), DigestFault::KeyForm { fingerprint }),
            Signature::UnknownKey => {
                let region = self.home_region.to_owned();
                fault(Some(digest), DigestFault::NoKey { region, fingerprint })
            }
        }
    }

    fn count(&mut self, at: &Next, fault: Option<DigestFault>) {
        let ChainReport {
            digests_valid, digests_invalid, backfill_valid, backfill_invalid, ..
        } = &mut self.report;
        *match (self.is_backfill, fault.is_none()) {
            (false, true) => digests_valid,
            (false, false) => digests_invalid,
            (true, true) => backfill_valid,
            (true, false) => backfill_invalid,
        } += 1;
        let url = url_of(Some(&at.bucket).filter(|bucket| !bucket.is_empty()), &at.key);
        (self.tell)(&DigestEvent::Digest { url, backfill: self.is_backfill, fault });
    }

    fn cover(&mut self, digest: &Digest) {
        let (from, to) = self.range;
        let (start, end) = (digest.start.max(from), digest.end.min(to));
        self.report.found = match self.report.found {
            Some((first, last)) => Some((first.min(start), last.max(end))),
            None => Some((start, end)),
        };
        let begins = digest.previous.is_none();
        self.covered.push(Covered { start: digest.start, end: digest.end, begins });
    }

    /// Checks the log files that a digest names. Those of one that is not valid prove nothing.
    async fn log_files(&mut self, digest: &Digest, is_valid: bool) -> Result<()> {
        for one in &digest.log_files {
            self.named.insert(name::tail(&one.key).unwrap_or(&one.key).to_owned());
        }
        if let Some(noted) = &mut self.noted {
            digest.log_files.iter().for_each(|one| noted.note(one, is_valid));
            return Ok(());
        }
        let checks = digest.log_files.iter().map(|one| check(self.archive, one));
        let mut checks = stream::iter(checks).buffered(LOG_FILES_AT_ONCE);
        while let Some((one, fault)) = checks.try_next().await? {
            let url = url_of(Some(&one.bucket), &one.key);
            if !is_valid {
                self.unproven += 1;
                (self.tell)(&DigestEvent::Unproven { url, matches: fault.is_none() });
                continue;
            }
            *match fault {
                None => &mut self.report.logs_valid,
                Some(_) => &mut self.report.logs_invalid,
            } += 1;
            (self.tell)(&DigestEvent::LogFile { url, fault });
        }
        Ok(())
    }
}

impl Next {
    fn of(listed: Listed) -> Next {
        let Listed { time, key, bucket } = listed;
        Next { bucket: bucket.unwrap_or_default(), key, time, signature: None }
    }
}

/// The next older one of `listed`, whose newer ones are dropped.
fn before(listed: &mut Vec<Listed>, time: DateTime<Utc>) -> Option<Listed> {
    loop {
        let one = listed.pop()?;
        if one.time < time {
            return Some(one);
        }
    }
}

/// The time in the name of a digest.
fn name_time(key: &str) -> Option<DateTime<Utc>> {
    match name::Name::of(key)? {
        name::Name::Digest { end, .. } => Some(end),
        name::Name::LogFile { .. } => None,
    }
}

async fn check<'a>(
    archive: &Archive,
    one: &'a NamedLogFile,
) -> Result<(&'a NamedLogFile, Option<LogFault>)> {
    let Some(read) = archive.read(&one.bucket, &one.key).await? else {
        return Ok((one, Some(LogFault::NotFound)));
    };
    let content = task::spawn_blocking(move || Content::of(&read.bytes));
    let fault = match content.await.map_err(Error::Worker)? {
        Content::Text { sha256 } if sha256.eq_ignore_ascii_case(&one.sha256) => None,
        // AWS's command hashes what there is. Without only the checksum at its end, that would hold.
        Content::Text { .. } | Content::Truncated => Some(LogFault::Hash),
        Content::Trailing => Some(LogFault::Trailing),
        Content::Malformed => Some(LogFault::Format),
    };
    Ok((one, fault))
}
