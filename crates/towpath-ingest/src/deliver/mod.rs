//! What a trail delivers: the events that were put into stores, as log files, and digests of those.
//!
//! A [`TrailDelivery`] is what is kept of a trail between two looks: up to which version of each store it
//! has delivered, and what the next digests are to say. It survives a crash at any moment if it is
//! kept after [`TrailDelivery::plan`] and before [`TrailDelivery::carry_out`], and again afterwards: what was
//! planned is carried out again, with the same names and the same content.
//!
//! Commits are what is delivered, not events as they come: so whatever brings events into a store is
//! seen, in whichever process, and nothing is missed while nobody delivers.

mod events;

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use object_store::{Error as ObjectError, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use towpath_event::{EventKind, EventSelectors};
use towpath_store::{EventDataStore, SigningKey};
use tracing::warn;
use uuid::Uuid;

use self::events::Gathering;
use crate::{
    digest::{NewDigest, TrailWriter, WrittenDigest, WrittenLogFile},
    error::Result,
    intake::Intake,
    stored::StoredFile,
};

/// Commits of one store that are delivered together. Each has at most some tens of megabytes of
/// text; what is behind waits for the next look, which follows at once.
const COMMITS_MAX: u64 = 16;

/// Log files that wait for their digest. Each takes some 300 bytes of what is kept; when there are
/// as many, delivery waits for the next digest.
const UNDIGESTED_MAX: usize = 20_000;

/// Digests of one region that are made later because nobody was there to make them in time. For a
/// longer absence none are made: the chain begins anew, which says that the trail was off.
const MADE_LATER_MAX: i64 = 48;

/// How long after its end a digest is a backfill digest. AWS's command asks for the keys of the two
/// hours after the time that it checks.
const LATE: TimeDelta = TimeDelta::hours(2);

/// Which events a trail takes.
#[derive(Clone, Debug)]
pub struct TrailRules {
    /// The selectors. `None`: every management event, as a trail without any has it. What comes
    /// from outside of AWS has no category that they choose from, and is always taken.
    pub selectors: Option<EventSelectors>,
    /// The region that it belongs to.
    pub home_region: String,
    /// Whether it takes the events of every region, and not only of its own.
    pub all_regions: bool,
    /// Whether it takes the events of global services, such as IAM, of every region.
    pub global_services: bool,
}

/// How far a trail has delivered. Kept with serde.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailDelivery {
    /// The last version of each store that was delivered.
    delivered: BTreeMap<Uuid, u64>,
    /// What was planned and may have been carried out in part.
    planned: Option<Planned>,
    /// From when on the next digests cover; `None` if the trail has no digests.
    digest_start: Option<DateTime<Utc>>,
    /// The digests of each region.
    chains: BTreeMap<String, Chain>,
    /// When log files were last delivered.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When digests were last delivered.
    pub digested_at: Option<DateTime<Utc>>,
    /// Data files that were removed before they were delivered: the trail was away for too long.
    pub data_files_lost: u64,
}

/// Commits to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    at: DateTime<Utc>,
    /// The last version of each store that has something to deliver.
    through: BTreeMap<Uuid, u64>,
}

/// The digests of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chain {
    previous: Option<WrittenDigest>,
    previous_backfill: Option<WrittenDigest>,
    undigested: Vec<WrittenLogFile>,
}

impl TrailDelivery {
    /// Begins at `now`: what `stores` have already is not delivered. With `has_digests`, chains of
    /// digests begin too.
    ///
    /// # Errors
    ///
    /// Those of the stores.
    pub async fn begin(
        stores: &[EventDataStore],
        now: DateTime<Utc>,
        has_digests: bool,
    ) -> Result<TrailDelivery> {
        let mut delivery = TrailDelivery::default();
        for store in stores {
            delivery.delivered.insert(store.id(), store.snapshot().await?.version());
        }
        delivery.set_digests(has_digests, now);
        Ok(delivery)
    }

    /// Begins chains of digests at `now`, or ends them.
    pub fn set_digests(&mut self, has_digests: bool, now: DateTime<Utc>) {
        if has_digests != self.digest_start.is_some() {
            self.digest_start = has_digests.then(|| whole_second(now));
            self.chains.clear();
        }
    }

    /// Plans what `stores` brought since. Returns whether there is something to carry out.
    ///
    /// A store that is not among them any more is forgotten; a new one is delivered from its start.
    ///
    /// # Errors
    ///
    /// Those of the stores.
    pub async fn plan(&mut self, stores: &[EventDataStore], now: DateTime<Utc>) -> Result<bool> {
        if self.planned.is_some() {
            return Ok(true);
        }
        let undigested: usize = self.chains.values().map(|chain| chain.undigested.len()).sum();
        if undigested >= UNDIGESTED_MAX {
            return Ok(false);
        }
        self.delivered.retain(|id, _| stores.iter().any(|store| store.id() == *id));
        let mut through = BTreeMap::new();
        for store in stores {
            let newest = store.snapshot().await?.version();
            let last = self.delivered.get(&store.id()).copied().unwrap_or_default();
            if newest > last {
                through.insert(store.id(), newest.min(last.saturating_add(COMMITS_MAX)));
            }
        }
        self.planned = (!through.is_empty()).then_some(Planned { at: now, through });
        Ok(self.planned.is_some())
    }

    /// Writes the log files that were planned. Without a plan it does nothing.
    ///
    /// # Errors
    ///
    /// Those of the stores, and [`WriteTrailFile`](crate::Error::WriteTrailFile). The plan then
    /// stays.
    pub async fn carry_out(
        &mut self,
        writer: &TrailWriter,
        rules: &TrailRules,
        stores: &[EventDataStore],
    ) -> Result<()> {
        let Some(planned) = self.planned.clone() else { return Ok(()) };
        let mut gathering = Gathering::new(writer, rules, planned.at);
        let mut lost = 0;
        for store in stores {
            let Some(through) = planned.through.get(&store.id()).copied() else { continue };
            let after = self.delivered.get(&store.id()).copied();
            lost += gather(store, after, through, &mut gathering).await?;
        }
        let written = gathering.finish().await?;
        for (region, log_file) in written {
            self.delivered_at = Some(planned.at);
            if self.digest_start.is_some() {
                self.chains.entry(region).or_default().undigested.push(log_file);
            }
        }
        self.data_files_lost += lost;
        self.delivered.extend(planned.through);
        self.planned = None;
        Ok(())
    }

    /// Whether digests are due: one every `every`, which is an hour.
    #[must_use]
    pub fn is_digest_due(&self, now: DateTime<Utc>, every: TimeDelta) -> bool {
        self.digest_start
            .and_then(|start| start.checked_add_signed(every))
            .is_some_and(|end| end <= now)
    }

    /// Writes the digests that are due, of every region that ever had a log file and of the trail's
    /// own, also for hours without log files.
    ///
    /// # Errors
    ///
    /// As [`TrailWriter::write_digest`]. Those written before stay, and are written again.
    pub async fn digest(
        &mut self,
        writer: &TrailWriter,
        key: &SigningKey,
        now: DateTime<Utc>,
        every: TimeDelta,
    ) -> Result<()> {
        while self.is_digest_due(now, every)
            && let Some(start) = self.digest_start
        {
            let end = start + every;
            self.digest_span(writer, key, (start, end), now).await?;
            let missed = (now - end).num_seconds() / every.num_seconds().max(1);
            if missed > MADE_LATER_MAX {
                // Nobody was there, and nothing was delivered.
                self.chains.values_mut().for_each(Chain::restart);
                self.digest_start = Some(whole_second(now));
            }
        }
        Ok(())
    }

    /// Writes the last digests, up to `now`, and ends the chains.
    ///
    /// # Errors
    ///
    /// As [`TrailDelivery::digest`].
    pub async fn end(
        &mut self,
        writer: &TrailWriter,
        key: &SigningKey,
        now: DateTime<Utc>,
        every: TimeDelta,
    ) -> Result<()> {
        self.digest(writer, key, now, every).await?;
        if let Some(start) = self.digest_start {
            // Up to the end of this second: it names all that was delivered until now, and has
            // another name than the one before it.
            let end = whole_second(now).max(start) + TimeDelta::seconds(1);
            self.digest_span(writer, key, (start, end), now).await?;
        }
        self.digest_start = None;
        self.chains.clear();
        Ok(())
    }

    async fn digest_span(
        &mut self,
        writer: &TrailWriter,
        key: &SigningKey,
        covers: (DateTime<Utc>, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<()> {
        let made_later = (covers.1 + LATE < now).then_some(now);
        self.chains.entry(writer.home_region.clone()).or_default();
        for (region, chain) in &mut self.chains {
            let is_later = |file: &WrittenLogFile| file.delivered_at >= covers.1;
            let (later, log_files): (Vec<_>, Vec<_>) =
                chain.undigested.iter().cloned().partition(is_later);
            let previous = match made_later {
                Some(_) => &mut chain.previous_backfill,
                None => &mut chain.previous,
            };
            let new = NewDigest {
                region,
                covers,
                log_files: &log_files,
                previous: previous.as_ref(),
                made_later,
            };
            *previous = Some(writer.write_digest(&new, key).await?);
            chain.undigested = later;
        }
        self.digest_start = Some(covers.1);
        self.digested_at = Some(now);
        Ok(())
    }
}

/// `time` without parts of a second, which the names and the times of digests do not have.
fn whole_second(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::seconds(1)).unwrap_or(time)
}

impl Chain {
    fn restart(&mut self) {
        self.previous = None;
        self.previous_backfill = None;
    }
}

/// Gathers the events that the commits after `after` brought, and returns how many of their data
/// files are gone.
async fn gather(
    store: &EventDataStore,
    after: Option<u64>,
    through: u64,
    gathering: &mut Gathering<'_>,
) -> Result<u64> {
    let kind = Intake::of(&store.settings())?.kind();
    if !matches!(kind, EventKind::CloudTrail | EventKind::ActivityAuditLog) {
        // CloudTrail delivers those to other places, or not at all.
        return Ok(0);
    }
    let mut lost = 0;
    for file in store.appended(after, through).await?.data_files() {
        if let Err(ObjectError::NotFound { .. }) = store.object_store().head(&file.path).await {
            warn!(store = %store.id(), path = %file.path, "data file is gone before it was delivered");
            lost += 1;
            continue;
        }
        let file = StoredFile::open(store.object_store(), file).await?;
        gathering.take(kind, &file).await?;
    }
    Ok(lost)
}
