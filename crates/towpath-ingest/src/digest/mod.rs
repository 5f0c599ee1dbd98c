//! CloudTrail's log file integrity: digests, their chain and signatures, and what they cover.
//!
//! Every hour CloudTrail writes a digest with the SHA-256 of each log file that it delivered and
//! with the signature of the digest before, and signs it ([AWS's description]). The chain is walked
//! from its newest digest to the oldest, as `aws cloudtrail validate-logs` does and with its
//! verdicts. Then what was walked is laid beside what is there: hours that no valid digest covers,
//! and log files that none names. Of those AWS's command says nothing, so that it finds a trail
//! valid whose newest digests, or all of them, were deleted.
//!
//! [AWS's description]: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html

mod archive;
mod chain;
mod coverage;
mod event;
mod fetch;
mod file;
mod keys;
mod name;
mod proof;
mod write;

use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::HashSet;
use towpath_store::Location;

pub use self::coverage::{CoverageGap, CoverageHour, CoverageOptions, CoverageReport, coverage};
pub use self::event::{
    ChainReport, DigestEvent, DigestFault, DigestReport, LogFault, UncoveredWhy,
};
pub use self::fetch::fetch_public_keys;
pub use self::keys::DigestKeys;
pub(crate) use self::proof::{Proof, Proofs};
pub use self::write::{NewDigest, NewLogFile, TrailWriter, WrittenDigest, WrittenLogFile};
use self::{
    archive::{Archive, Listed},
    chain::{Covered, Walk},
    name::{Chain, Place},
    proof::NamedLogFiles,
};
use crate::error::{Error, Result};

/// What is added to the name of a local digest for the file with the metadata that S3 kept, in the
/// form that `aws s3api head-object` prints.
const METADATA_SUFFIX: &str = ".metadata.json";

/// How long after the end of its hour a digest may still be on its way.
const DELIVERY_MAX: TimeDelta = TimeDelta::hours(2);

/// How much later than the minute in its name a log file may be delivered, and so be named by the
/// next digest.
const NAMED_LATER_MAX: TimeDelta = TimeDelta::minutes(15);

/// What to check of the digests, and with which keys.
#[derive(Clone, Debug)]
pub struct DigestOptions {
    /// Log files delivered from then on. `None`: from the start of the oldest digest.
    pub from: Option<DateTime<Utc>>,
    /// Log files delivered until then. `None`: until now; then only the time up to the newest
    /// digest, or to the newest log file, is expected to be covered.
    pub to: Option<DateTime<Utc>>,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// The public keys of the home region.
    pub keys: DigestKeys,
}

/// Checks the digests in `sources`, folders or buckets, and the log files that they name.
///
/// `sources` are to hold both, in CloudTrail's layout; a chain that goes on in another bucket is
/// followed if that is among them. A copy in a folder has no signatures beside its files: there the
/// signature of a digest is taken from the digest after it, and that of the newest from a file
/// beside it, `….json.gz.metadata.json`, with what `aws s3api head-object` prints.
///
/// `tell` is called for everything that is found, in the order of the check.
///
/// # Errors
///
/// [`Error::EmptyRange`]; those of a source that cannot be read; [`Error::TooManyDigests`]. What is
/// wrong with a digest or a log file is no error.
pub async fn verify_digests(
    sources: &[Location],
    options: &DigestOptions,
    tell: &(dyn Fn(&DigestEvent) + Sync),
) -> Result<DigestReport> {
    let to = options.to.unwrap_or(options.now);
    if options.from.is_some_and(|from| from > to) {
        return Err(Error::EmptyRange);
    }
    let archive = Archive::open(sources).await?;
    let report = DigestReport::default();
    let mut check = Check { archive: &archive, options, tell, report, noted: None };
    for place in archive.places() {
        check.place(place, to).await?;
    }
    Ok(check.report)
}

struct Check<'a> {
    archive: &'a Archive,
    options: &'a DigestOptions,
    tell: &'a (dyn Fn(&DigestEvent) + Sync),
    report: DigestReport,
    /// Where to note what digests say of log files, which are then not read.
    noted: Option<NamedLogFiles>,
}

/// What the chains of one account and region have shown.
#[derive(Debug, Default)]
struct Shown {
    /// Spans that valid digests cover, by their start, and whether the trail was off before each.
    covered: Vec<Covered>,
    /// Tails of the keys of log files that a digest names, valid or not.
    named: HashSet<String>,
}

impl Check<'_> {
    /// Checks the chains of one account and region, and then what they leave out.
    async fn place(&mut self, place: &Place, to: DateTime<Utc>) -> Result<Shown> {
        let mut shown = Shown::default();
        let chains: Vec<&Chain> = self
            .archive
            .digests
            .keys()
            .map(|(chain, _)| chain)
            .filter(|chain| chain.place == *place)
            .collect();
        let mut last = None;
        for chain in chains {
            if last == Some(chain) {
                continue;
            }
            last = Some(chain);
            self.chain(chain, to, &mut shown).await?;
        }
        shown.covered.sort_unstable_by_key(|one| (one.start, one.end));
        self.look_beside(place, to, &shown);
        Ok(shown)
    }

    /// Walks the digests of one trail: first those of every hour, then those made later.
    async fn chain(&mut self, chain: &Chain, to: DateTime<Utc>, shown: &mut Shown) -> Result<()> {
        let none = Vec::new();
        let of_kind = |is_backfill: bool| {
            self.archive.digests.get(&(chain.clone(), is_backfill)).unwrap_or(&none)
        };
        let (hourly, backfill) = (of_kind(false), of_kind(true));
        let oldest = hourly.iter().chain(backfill).map(|digest| digest.time).min().unwrap_or(to);
        let from = self.options.from.unwrap_or(oldest - TimeDelta::hours(1));
        (self.tell)(&DigestEvent::Began {
            trail_arn: chain.arn(),
            account: chain.place.account.clone(),
            region: chain.place.region.clone(),
            from,
            to,
        });
        let mut walk = Walk {
            archive: self.archive,
            keys: &self.options.keys,
            tell: self.tell,
            home_region: &chain.home_region,
            range: (from, to),
            is_backfill: false,
            report: ChainReport::default(),
            covered: &mut shown.covered,
            named: &mut shown.named,
            noted: self.noted.as_mut(),
            unproven: 0,
        };
        walk.run(in_range(hourly, from, to)).await?;
        walk.is_backfill = true;
        walk.run(in_range(backfill, from, to)).await?;
        self.report.logs_unproven += walk.unproven;
        let report = walk.report;
        self.report.chains += 1;
        self.report.counts.add(&report);
        (self.tell)(&DigestEvent::Ended(report));
        Ok(())
    }

    /// Finds the spans that no valid digest covers, and the log files that no digest names.
    fn look_beside(&mut self, place: &Place, to: DateTime<Utc>, shown: &Shown) {
        let Shown { covered, named } = shown;
        let none = Vec::new();
        let log_files = self.archive.log_files.get(place).unwrap_or(&none);
        let is_meant =
            |time: DateTime<Utc>| self.options.from.is_none_or(|from| time >= from) && time <= to;
        let newest = log_files.iter().map(|file| file.time).filter(|time| is_meant(*time)).max();
        self.tell_uncovered(covered, to, newest);
        for file in log_files.iter().filter(|file| is_meant(file.time)) {
            let tail = name::tail(&file.key).unwrap_or(&file.key);
            if named.contains(tail) {
                continue;
            }
            let url = url_of(file.bucket.as_deref(), &file.key);
            if is_covered(covered, file.time, file.time + NAMED_LATER_MAX) {
                self.report.logs_planted += 1;
                (self.tell)(&DigestEvent::Planted { url });
            } else {
                self.report.logs_unverified += 1;
                (self.tell)(&DigestEvent::Unverified { url });
            }
        }
    }

    fn tell_uncovered(
        &mut self,
        covered: &[Covered],
        to: DateTime<Utc>,
        newest: Option<DateTime<Utc>>,
    ) {
        let mut until = self.options.from;
        for one in covered {
            if let Some(until) = until
                && until < one.start
            {
                let why = if one.begins { UncoveredWhy::TrailOff } else { UncoveredWhy::Missing };
                self.uncovered(until, one.start, why);
            }
            until = Some(until.map_or(one.end, |until| until.max(one.end)));
        }
        // What is expected at the end: all that was asked for, or that something was delivered.
        let due = self.options.now - DELIVERY_MAX;
        let expected = match self.options.to {
            Some(to) => to.min(due),
            None => newest.map_or(DateTime::<Utc>::MIN_UTC, |newest| newest.min(to)),
        };
        match until {
            Some(until) if until < expected => {
                self.uncovered(until, expected, UncoveredWhy::Missing);
            }
            Some(_) => {}
            // No valid digest at all: its log files tell the rest.
            None => self.report.spans_missing += 1,
        }
    }

    fn uncovered(&mut self, from: DateTime<Utc>, to: DateTime<Utc>, why: UncoveredWhy) {
        match why {
            UncoveredWhy::TrailOff => self.report.spans_off += 1,
            UncoveredWhy::Missing => self.report.spans_missing += 1,
        }
        (self.tell)(&DigestEvent::Uncovered { from, to, why });
    }
}

/// The digests that a walk starts from, as AWS selects them: by the time in their names, with an
/// hour more at the end for log files that spilled over.
fn in_range(digests: &[Listed], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Listed> {
    let to = to.checked_add_signed(TimeDelta::hours(1)).unwrap_or(to);
    digests.iter().filter(|digest| digest.time >= from && digest.time <= to).cloned().collect()
}

/// Whether all of a span is covered by spans that are sorted by their start.
fn is_covered(covered: &[Covered], from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
    let mut until = from;
    for one in covered {
        if one.start <= until && one.end > until {
            until = one.end;
        }
        if until >= to {
            return true;
        }
    }
    false
}

/// What to call a file: its URL, or its key in a folder.
fn url_of<S: AsRef<str>>(bucket: Option<S>, key: &str) -> String {
    bucket.map_or_else(|| key.to_owned(), |bucket| format!("s3://{}/{key}", bucket.as_ref()))
}
