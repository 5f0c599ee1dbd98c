//! What a store has of what was delivered: per account, region and hour, log files that digests name
//! beside those that were ingested, the time that no digest covers, and how late everything came.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use futures::TryStreamExt;
use hashbrown::{HashMap, HashSet};
use serde::Serialize;
use towpath_store::{DigestMark, EventDataStore, Location, Source as StoredSource};

use super::{
    Check, DigestEvent, DigestKeys, DigestOptions, DigestReport, UncoveredWhy,
    archive::Archive,
    name::{Name, Place, tail_hash},
    proof::NamedLogFiles,
};
use crate::error::{Error, Result};

/// Hours of all accounts and regions in one report: more than seven years of sixteen regions.
const HOURS_MAX: usize = 1_000_000;

/// What to look at, and with which keys.
#[derive(Clone, Debug)]
pub struct CoverageOptions {
    /// Log files delivered from then on. `None`: from the first.
    pub from: Option<DateTime<Utc>>,
    /// Log files delivered until then. `None`: until now.
    pub to: Option<DateTime<Utc>>,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// The public keys of the home region. `None`: signatures are not checked, and what digests say
    /// is believed.
    pub keys: Option<DigestKeys>,
}

/// What a store has of what was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CoverageReport {
    /// The hours in which log files were delivered or digests cover something, by account, region
    /// and time.
    pub hours: Vec<CoverageHour>,
    /// The time that no digest covers.
    pub gaps: Vec<CoverageGap>,
    /// What the digests came to; `None` if no source of digests was given.
    pub digests: Option<DigestReport>,
    /// Whether the signatures of the digests were checked.
    pub signatures_checked: bool,
    /// Log files in the store whose names do not say where and when they were delivered.
    pub unplaced: u64,
}

/// One hour of one account and region, by the time in the names of log files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CoverageHour {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// Its start.
    pub hour: DateTime<Utc>,
    /// Seconds of it that digests cover, of 3,600; `None` if no source of digests was given.
    pub digest_secs: Option<u64>,
    /// Log files that digests name; `None` likewise.
    pub named: Option<u64>,
    /// Log files that were ingested.
    pub ingested: u64,
    /// Log files that digests name and that were not ingested.
    pub not_ingested: u64,
    /// Log files that were ingested and that no digest names.
    pub not_named: u64,
    /// Log files that an ingest found altered, or missing, and that were not put right since.
    pub altered: u64,
    /// See `altered`.
    pub missing: u64,
    /// Events in the log files that were ingested.
    pub events: u64,
    /// Of these, events that are in the store because of them and not of other log files.
    pub stored: u64,
    /// From an event to the delivery of its log file, in seconds: the least and the most.
    pub delivery_lag_secs: Option<(i64, i64)>,
    /// From an event to its being in the store, in seconds: the least and the most.
    pub ingest_lag_secs: Option<(i64, i64)>,
}

/// Time of one account and region that no digest covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CoverageGap {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// Why.
    pub why: UncoveredWhy,
}

impl CoverageReport {
    /// Whether everything that digests name was ingested as it was delivered, and no digest is
    /// missing or invalid, and nothing was ingested that no digest names. Never without digests.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_whole = |hour: &CoverageHour| {
            hour.not_ingested + hour.not_named + hour.altered + hour.missing == 0
        };
        let digests_are_whole = self.digests.as_ref().is_some_and(|digests| {
            digests.is_valid_to_aws() && digests.spans_missing == 0 && digests.chains > 0
        });
        digests_are_whole && self.hours.iter().all(is_whole)
    }
}

/// Compares what the digests in `sources` name with what `store` says it ingested. Without
/// `sources`, only the second is told.
///
/// # Errors
///
/// Those of [`verify_digests`](super::verify_digests) and of the store;
/// [`Error::TooManyHours`].
pub async fn coverage(
    store: &EventDataStore,
    sources: &[Location],
    options: &CoverageOptions,
) -> Result<CoverageReport> {
    let mut report =
        CoverageReport { signatures_checked: options.keys.is_some(), ..CoverageReport::default() };
    let mut hours = Hours { options, rows: BTreeMap::new(), has_digests: !sources.is_empty() };
    let mut named = HashSet::new();
    if !sources.is_empty() {
        let digests = Digests::read(sources, options).await?;
        for key in &digests.named {
            if named.insert(tail_hash(key))
                && let Some(row) = hours.of_key(key)?
            {
                row.named = Some(row.named.unwrap_or_default() + 1);
                row.not_ingested += 1;
            }
        }
        for (place, spans) in &digests.covered {
            for span in spans {
                hours.cover(place, *span)?;
            }
        }
        (report.gaps, report.digests) = (digests.gaps, Some(digests.report));
    }
    for ingested in ingested(store).await?.values() {
        let Some(row) = hours.of_key(&ingested.source.key)? else {
            report.unplaced += u64::from(Name::of(&ingested.source.key).is_none());
            continue;
        };
        let is_named = named.contains(&tail_hash(&ingested.source.key));
        row.add(ingested, is_named);
    }
    report.hours = hours.rows.into_values().collect();
    Ok(report)
}

/// A log file as the store last recorded it.
struct Ingested {
    source: StoredSource,
    /// When, in milliseconds since 1970.
    at: Option<i64>,
}

/// The log files that the commits of `store` name.
async fn ingested(store: &EventDataStore) -> Result<HashMap<u128, Ingested>> {
    let newest = store.snapshot().await?.version();
    let mut commits = store.commits(0, newest);
    let mut ingested: HashMap<u128, Ingested> = HashMap::new();
    while let Some(commit) = commits.try_next().await? {
        for source in commit.sources {
            let key = tail_hash(&source.key);
            let before = ingested.remove(&key);
            ingested.insert(key, Ingested::after(before, source, commit.timestamp_millis));
        }
    }
    Ok(ingested)
}

impl Ingested {
    /// What is known of a log file now that another commit names it. One that was read again, to be
    /// marked, brought its events the first time.
    fn after(before: Option<Ingested>, source: StoredSource, at: Option<i64>) -> Ingested {
        match before {
            Some(before) if before.source.is_in() && source.is_in() => {
                let stored = before.source.stored + source.stored;
                Ingested { source: StoredSource { stored, ..source }, at: before.at }
            }
            // An ingest found it altered, and still has what it took before.
            Some(before) if before.source.is_in() && !source.is_in() => {
                let digest = source.digest;
                Ingested { source: StoredSource { digest, ..before.source }, at: before.at }
            }
            _ => Ingested { source, at },
        }
    }
}

/// The rows of a report under way.
struct Hours<'a> {
    options: &'a CoverageOptions,
    rows: BTreeMap<(String, String, DateTime<Utc>), CoverageHour>,
    has_digests: bool,
}

impl Hours<'_> {
    /// The hour of the log file with this key; `None` if that does not tell, or is not meant.
    fn of_key(&mut self, key: &str) -> Result<Option<&mut CoverageHour>> {
        let Some(Name::LogFile { place, written }) = Name::of(key) else { return Ok(None) };
        if !self.is_meant(written) {
            return Ok(None);
        }
        self.row(&place, written).map(Some)
    }

    fn is_meant(&self, time: DateTime<Utc>) -> bool {
        let CoverageOptions { from, to, .. } = self.options;
        from.is_none_or(|from| time >= from) && to.is_none_or(|to| time < to)
    }

    fn row(&mut self, place: &Place, time: DateTime<Utc>) -> Result<&mut CoverageHour> {
        let hour = time.duration_trunc(TimeDelta::hours(1)).unwrap_or(time);
        let (account, region) = (place.account.clone(), place.region.clone());
        if self.rows.len() >= HOURS_MAX {
            return Err(Error::TooManyHours { max: HOURS_MAX });
        }
        let none = self.has_digests.then_some(0);
        Ok(self.rows.entry((account.clone(), region.clone(), hour)).or_insert_with(|| {
            CoverageHour {
                account,
                region,
                hour,
                digest_secs: none,
                named: none,
                ..CoverageHour::default()
            }
        }))
    }

    /// Notes that digests cover a span, which overlaps no other.
    fn cover(&mut self, place: &Place, (start, end): (DateTime<Utc>, DateTime<Utc>)) -> Result<()> {
        let CoverageOptions { from, to, .. } = self.options;
        let mut at = from.map_or(start, |from| from.max(start));
        let end = to.map_or(end, |to| to.min(end));
        while at < end {
            let hour = at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
            let next = end.min(hour + TimeDelta::hours(1));
            let secs = u64::try_from((next - at).num_seconds()).unwrap_or_default();
            let row = self.row(place, at)?;
            row.digest_secs = Some(row.digest_secs.unwrap_or_default() + secs);
            at = next;
        }
        Ok(())
    }
}

impl CoverageHour {
    fn add(&mut self, ingested: &Ingested, is_named: bool) {
        let Ingested { source, at } = ingested;
        match source.digest {
            Some(DigestMark::Altered) => self.altered += 1,
            Some(DigestMark::Missing) => self.missing += 1,
            _ => {}
        }
        if source.sha256.is_empty() {
            // Recorded, and never read.
            return;
        }
        self.ingested += 1;
        if is_named {
            self.not_ingested = self.not_ingested.saturating_sub(1);
        } else if self.named.is_some() {
            self.not_named += 1;
        }
        self.events += source.events;
        self.stored += source.stored;
        let Some((oldest, newest)) = source.event_times else { return };
        if let Some(Name::LogFile { written, .. }) = Name::of(&source.key) {
            let delivered = written.timestamp_micros();
            self.delivery_lag_secs = wider(self.delivery_lag_secs, lag(delivered, oldest, newest));
        }
        if let Some(at) = at {
            let at = at.saturating_mul(1_000);
            self.ingest_lag_secs = wider(self.ingest_lag_secs, lag(at, oldest, newest));
        }
    }
}

/// Seconds from the newest and from the oldest event to `at`; none below zero, as names tell minutes
/// only.
fn lag(at: i64, oldest: i64, newest: i64) -> (i64, i64) {
    let secs = |event: i64| (at.saturating_sub(event) / 1_000_000).max(0);
    (secs(newest), secs(oldest))
}

fn wider(one: Option<(i64, i64)>, other: (i64, i64)) -> Option<(i64, i64)> {
    let (least, most) = one.unwrap_or(other);
    Some((least.min(other.0), most.max(other.1)))
}

/// A span of time: its start, and its end, which is not in it.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// What the digests of some sources say.
struct Digests {
    /// The keys of the log files that valid digests name.
    named: Vec<Box<str>>,
    /// The spans that valid digests cover, without overlaps.
    covered: Vec<(Place, Vec<Span>)>,
    gaps: Vec<CoverageGap>,
    report: DigestReport,
}

impl Digests {
    async fn read(sources: &[Location], options: &CoverageOptions) -> Result<Digests> {
        let archive = Archive::open(sources).await?;
        let digest_options = DigestOptions {
            from: options.from,
            to: options.to,
            now: options.now,
            keys: options.keys.clone().unwrap_or_else(DigestKeys::unchecked),
        };
        let uncovered = Mutex::new(Vec::new());
        let tell = |event: &DigestEvent| {
            if let DigestEvent::Uncovered { from, to, why } = event {
                uncovered.lock().unwrap_or_else(PoisonError::into_inner).push((*from, *to, *why));
            }
        };
        let mut check = Check {
            archive: &archive,
            options: &digest_options,
            tell: &tell,
            report: DigestReport::default(),
            noted: Some(NamedLogFiles::with_keys()),
        };
        let (mut covered, mut gaps) = (Vec::new(), Vec::new());
        for place in archive.places() {
            let shown = check.place(place, options.to.unwrap_or(options.now)).await?;
            let found =
                std::mem::take(&mut *uncovered.lock().unwrap_or_else(PoisonError::into_inner));
            let (account, region) = (&place.account, &place.region);
            gaps.extend(found.into_iter().map(|(from, to, why)| {
                let (account, region) = (account.clone(), region.clone());
                CoverageGap { account, region, from, to, why }
            }));
            let spans = shown.covered.iter().map(|one| (one.start, one.end));
            covered.push((place.clone(), without_overlaps(spans)));
        }
        let named = check.noted.map(NamedLogFiles::into_keys).unwrap_or_default();
        Ok(Digests { named, covered, gaps, report: check.report })
    }
}

/// `spans`, which are sorted, each without what those before it have.
fn without_overlaps(
    spans: impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut until = DateTime::<Utc>::MIN_UTC;
    let mut apart = Vec::new();
    for (start, end) in spans {
        let start = start.max(until);
        if start < end {
            apart.push((start, end));
            until = end;
        }
    }
    apart
}
