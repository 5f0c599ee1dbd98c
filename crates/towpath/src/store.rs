//! [`Store`]: one event data store of a lake.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use towpath_event::EventSelectors;
use towpath_ingest::{IngestOptions, IngestReport, Intake, Progress};
use towpath_store::{
    Catalog, CompactionPolicy, CompactionReport, EventDataStore, Expiry, Hold, IndexPolicy,
    IndexReport, Location, NewHold, Retention, SettingsChange,
};
use tracing::warn;
use uuid::Uuid;

use crate::audit::{Audit, AuditEvent, check_not_audit, check_not_reserved};
use crate::connect::{Files, Shown, Tool, script};
use crate::error::{Error, Result};
use crate::lake::LakeOptions;
use crate::readers::seen_by_all;

/// How long a change waits for others that write to the store: an append is seconds.
pub(crate) const CHANGE_WAIT_MAX: Duration = Duration::from_secs(60);

/// Sources of an ingest that are recorded, at most: a shell's pattern may have named many files.
const SOURCES_TOLD_MAX: usize = 100;

/// What a store to be created is to be.
#[derive(Clone, Debug)]
pub struct NewStore {
    /// 3 to 128 characters of letters, digits, `.`, `_` and `-`, as AWS has it.
    pub name: String,

    /// The id of a store that lived in CloudTrail Lake, a UUID, so that old queries run unchanged.
    /// `None`: a new one.
    pub id: Option<Uuid>,

    /// How long events are kept, by their event time.
    pub retention: Retention,

    /// Whether deleting the store is refused until that is changed.
    pub termination_protection: bool,

    /// Which events it takes, and with them its columns.
    pub intake: Intake,
}

impl NewStore {
    /// A store with a new id and without termination protection, for every management, data and
    /// network activity event.
    pub fn new(name: impl Into<String>, retention: Retention) -> NewStore {
        let (id, termination_protection, intake) = (None, false, Intake::default());
        NewStore { name: name.into(), id, retention, termination_protection, intake }
    }
}

impl NewStore {
    /// As the parameters of a request.
    pub(crate) fn parameters(&self) -> Value {
        json!({
            "name": self.name,
            "eventDataStoreId": self.id,
            "retentionPeriod": self.retention.as_days(),
            "terminationProtectionEnabled": self.termination_protection,
            "eventCategory": self.intake.kind().name(),
            "advancedEventSelectors": self.intake.selectors().map(selectors),
        })
    }
}

/// Selectors as the parameter of a request.
fn selectors(selectors: &EventSelectors) -> Value {
    // They are JSON already; were they not, their text would do.
    let text = selectors.to_json();
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// What is to change in a store. What is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct StoreChange {
    /// The name from now on.
    pub name: Option<String>,

    /// How long events are kept from now on. What has expired does not come back.
    pub retention: Option<Retention>,

    /// Whether deleting the store is refused from now on.
    pub termination_protection: Option<bool>,

    /// Which events of its kind it takes from now on.
    pub selectors: Option<EventSelectors>,
}

impl StoreChange {
    /// As the parameters of a request.
    fn parameters(&self) -> Value {
        json!({
            "name": self.name,
            "retentionPeriod": self.retention.as_ref().map(Retention::as_days),
            "terminationProtectionEnabled": self.termination_protection,
            "advancedEventSelectors": self.selectors.as_ref().map(selectors),
        })
    }
}

/// How a store is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreStatus {
    /// It is in use.
    Enabled,
    /// It was deleted: it takes no events and answers no queries.
    PendingDeletion {
        /// When it was deleted.
        deleted_at: DateTime<Utc>,
        /// Until when it can be restored; then it is removed for good.
        restorable_until: DateTime<Utc>,
    },
}

/// One event data store of a [`Lake`](crate::Lake). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) store: EventDataStore,
    pub(crate) catalog: Catalog,
    pub(crate) options: Arc<LakeOptions>,
    pub(crate) audit: Audit,
}

/// What is ingested, as the parameters of a request.
pub(crate) fn import_parameters<S: AsRef<str>>(sources: &[S], options: &IngestOptions) -> Value {
    let sources: Vec<&str> = sources.iter().take(SOURCES_TOLD_MAX).map(AsRef::as_ref).collect();
    json!({"importSource": sources, "startEventTime": options.from, "endEventTime": options.to})
}

/// What a store holds at one version. Expired events that still lie in a data file are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSummary {
    /// The version of the store's log.
    pub version: u64,
    /// Events in all data files.
    pub events: u64,
    /// Data files.
    pub data_files: u64,
    /// Bytes of all data files.
    pub bytes: u64,
    /// The oldest and the newest event time. `None`: the store is empty.
    pub event_times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Store {
    /// An operation on this store, to be recorded.
    pub(crate) fn event(&self, name: &str, request: Value) -> AuditEvent {
        let mut request = request;
        if let Value::Object(members) = &mut request {
            members.insert("eventDataStore".to_owned(), json!(self.audit.arn(self.id())));
        }
        AuditEvent::new(name).about(self.id()).with_request(request)
    }

    /// The UUID that statements and AWS clients know the store by.
    pub fn id(&self) -> Uuid {
        self.store.id()
    }

    /// The name, as it was given.
    pub fn name(&self) -> String {
        self.store.name()
    }

    /// How long events are kept, by their event time.
    pub fn retention(&self) -> Retention {
        self.store.retention()
    }

    /// When the store was created.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.store.created_at()
    }

    /// When its settings were last changed.
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.store.settings().updated_at
    }

    /// Whether deleting the store is refused.
    pub fn termination_protection(&self) -> bool {
        self.store.settings().termination_protection
    }

    /// Which events the store takes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) if a newer version of towpath made it.
    pub fn intake(&self) -> Result<Intake> {
        Ok(Intake::of(&self.store.settings())?)
    }

    /// Whether it is in use or deleted.
    pub fn status(&self) -> StoreStatus {
        let settings = self.store.settings();
        match settings.deleted_at.zip(settings.restorable_until()) {
            None => StoreStatus::Enabled,
            Some((deleted_at, restorable_until)) => {
                StoreStatus::PendingDeletion { deleted_at, restorable_until }
            }
        }
    }

    /// The legal holds on the store, oldest first.
    pub fn holds(&self) -> Vec<Hold> {
        self.store.settings().holds
    }

    /// Changes the store, all of `change` at once. It acts on the next query.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreExists`](crate::ErrorKind::StoreExists) if another store has the name;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a name that no store
    /// may have and for selectors of another kind of events;
    /// [`ErrorKind::StoreInactive`](crate::ErrorKind::StoreInactive) if it is deleted;
    /// storage errors.
    pub async fn update(&self, change: StoreChange) -> Result<()> {
        let event = self.event("UpdateEventDataStore", {
            let mut parameters = change.parameters();
            parameters["retentionPeriodBefore"] = json!(self.retention().as_days());
            parameters
        });
        let done = |(): &()| Value::Null;
        self.audit.change(event, Box::pin(self.update_unrecorded(change)), done).await
    }

    async fn update_unrecorded(&self, change: StoreChange) -> Result<()> {
        check_not_audit(self.id())?;
        let mut changed = SettingsChange::default();
        if let Some(name) = &change.name {
            check_not_reserved(name, None)?;
        }
        changed.name = change.name;
        changed.retention = change.retention;
        changed.termination_protection = change.termination_protection;
        if let Some(selectors) = change.selectors {
            let (is, asked) = (self.intake()?.kind(), selectors.kind());
            if is != asked {
                return Err(Error::OtherColumns { store: self.name(), is, asked });
            }
            changed.attributes = Intake::selected(selectors).attributes();
        }
        Ok(self.store.change_settings(&changed, self.now(), CHANGE_WAIT_MAX).await?)
    }

    /// Deletes the store. It can be [restored](Store::restore) for seven days.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TerminationProtected`](crate::ErrorKind::TerminationProtected);
    /// [`ErrorKind::OnHold`](crate::ErrorKind::OnHold); storage errors.
    pub async fn delete(&self) -> Result<()> {
        let delete = async {
            check_not_audit(self.id())?;
            Ok(self.store.delete(self.now(), CHANGE_WAIT_MAX).await?)
        };
        let event = self.event("DeleteEventDataStore", json!({"name": self.name()}));
        self.audit.change(event, Box::pin(delete), |()| Value::Null).await
    }

    /// Takes a deletion back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRestorable`](crate::ErrorKind::NotRestorable) if it is not deleted or the
    /// seven days are over; storage errors.
    pub async fn restore(&self) -> Result<()> {
        let restore = async { Ok(self.store.restore(self.now(), CHANGE_WAIT_MAX).await?) };
        let event = self.event("RestoreEventDataStore", json!({"name": self.name()}));
        self.audit.change(event, Box::pin(restore), |()| Value::Null).await
    }

    /// Places a legal hold: what it covers stays, above retention and deletion, until it is
    /// released.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it does not say why
    /// and who; storage errors.
    pub async fn place_hold(&self, new: NewHold) -> Result<Hold> {
        let time = DateTime::from_timestamp_micros;
        let request = json!({
            "reason": new.reason,
            "placedBy": new.placed_by,
            "from": time(new.range.start()),
            "to": time(new.range.end()),
        });
        let place = async { Ok(self.store.place_hold(new, self.now(), CHANGE_WAIT_MAX).await?) };
        let event = self.event("PlaceHold", request).of_towpath();
        self.audit.change(event, Box::pin(place), |hold| json!({"holdId": hold.id})).await
    }

    /// Releases a legal hold. Who did is recorded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if there is no such hold;
    /// storage errors.
    pub async fn release_hold(&self, id: Uuid, released_by: &str) -> Result<()> {
        let release = async {
            Ok(self.store.release_hold(id, released_by, self.now(), CHANGE_WAIT_MAX).await?)
        };
        let request = json!({"holdId": id, "releasedBy": released_by});
        let event = self.event("ReleaseHold", request).of_towpath();
        self.audit.change(event, Box::pin(release), |()| Value::Null).await
    }

    /// What [`Store::expire`] would do now; changes nothing.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn plan_expiry(&self) -> Result<Expiry> {
        let seen = seen_by_all(&self.catalog, self.id()).await?;
        Ok(self.store.plan_expiry_after(seen, self.now()).await?)
    }

    /// Drops the data files that hold nothing but expired events, and removes files that no query
    /// can be reading any more. What legal holds cover stays.
    ///
    /// Queries never return an expired event, also before this is run. What was compacted and a
    /// schedule of the lake has yet to see stays, for a week at most.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn expire(&self) -> Result<Expiry> {
        let planned = self.plan_expiry().await?;
        if planned.dropped.is_empty() {
            // Nothing that a query could ever have returned goes away.
            return self.expire_unrecorded().await;
        }
        let dropped = |expiry: &Expiry| {
            let events: u64 = expiry.dropped.iter().map(|file| file.rows).sum();
            json!({"dataFiles": expiry.dropped.len(), "events": events})
        };
        let request = json!({"name": self.name(), "retentionPeriod": self.retention().as_days()});
        let event = self.event("ExpireEvents", request).of_towpath();
        self.audit.change(event, Box::pin(self.expire_unrecorded()), dropped).await
    }

    async fn expire_unrecorded(&self) -> Result<Expiry> {
        let seen = seen_by_all(&self.catalog, self.id()).await?;
        Ok(self.store.expire_after(seen, self.now(), CHANGE_WAIT_MAX).await?)
    }

    /// Maintains the store of the audit trail, which leaves no events in it.
    pub(crate) async fn maintain_unrecorded(&self) -> Result<()> {
        self.compact(&CompactionPolicy::AUTOMATIC).await?;
        self.expire_unrecorded().await?;
        Ok(())
    }

    /// Makes small data files fewer. It changes no answer, and queries and ingests go on meanwhile.
    ///
    /// # Errors
    ///
    /// Storage errors, and those of a data file that is not what was committed.
    pub async fn compact(&self, policy: &CompactionPolicy) -> Result<CompactionReport> {
        let report = self.store.compact(policy, self.now(), CHANGE_WAIT_MAX).await?;
        let index = if policy.is_patient { IndexPolicy::AUTOMATIC } else { IndexPolicy::THOROUGH };
        self.update_index(&index).await;
        Ok(report)
    }

    /// Brings the index up to date: where values are that people look for, and how often others
    /// occur. [`Store::compact`] and [`Store::ingest`] do so too. Without it answers are the same,
    /// only slower.
    ///
    /// # Errors
    ///
    /// Storage errors, and those of a data file that is not what was committed.
    pub async fn index(&self, policy: &IndexPolicy) -> Result<IndexReport> {
        Ok(Box::pin(self.store.update_index(policy, self.now())).await?)
    }

    /// As [`Store::index`], where an index that cannot be made is no reason to fail: what was to
    /// be done before it is done.
    pub(crate) async fn update_index(&self, policy: &IndexPolicy) {
        if let Err(err) = self.index(policy).await {
            let error: &(dyn StdError + 'static) = &err;
            warn!(store = %self.id(), error, "index not brought up to date");
        }
    }

    /// Does what keeps a store in order while events keep arriving: [compacts](Store::compact)
    /// patiently, [expires](Store::expire), and once a day [signs](Store::sign_checkpoint). Meant
    /// to be run every few minutes; with nothing to do it costs a look at the store.
    ///
    /// # Errors
    ///
    /// Those of all three.
    pub async fn maintain(&self) -> Result<(CompactionReport, Expiry)> {
        let compacted = self.compact(&CompactionPolicy::AUTOMATIC).await?;
        let expired = self.expire().await?;
        self.sign_if_due().await?;
        Ok((compacted, expired))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.options.now)()
    }

    /// What the store holds now.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn summary(&self) -> Result<StoreSummary> {
        let snapshot = self.store.snapshot().await?;
        let files = snapshot.data_files();
        let at = |micros: Option<i64>| micros.and_then(DateTime::from_timestamp_micros);
        let oldest = at(files.iter().map(|file| file.event_times.0).min());
        let newest = at(files.iter().map(|file| file.event_times.1).max());
        Ok(StoreSummary {
            version: snapshot.version(),
            events: files.iter().map(|file| file.rows).sum(),
            data_files: files.len() as u64,
            bytes: files.iter().map(|file| file.size_bytes).sum(),
            event_times: oldest.zip(newest),
        })
    }

    /// Ingests the CloudTrail log files at `sources`, each a file, a folder or an object store URL
    /// whose prefix is searched, and returns the account of it.
    ///
    /// A log file is in whole or not at all; one that is not in is named in the report and does
    /// not fail the run. What is in is committed batch by batch: an ingest that is dropped or
    /// killed has lost nothing that it had committed, and running it again doubles nothing.
    /// `progress` is called now and then, from the task that runs the ingest.
    ///
    /// # Errors
    ///
    /// A source that does not exist, and storage errors.
    pub async fn ingest<S: AsRef<str> + Sync>(
        &self,
        sources: &[S],
        options: &IngestOptions,
        progress: &(dyn Fn(&Progress) + Sync),
    ) -> Result<IngestReport> {
        let ingest = async {
            check_not_audit(self.id())?;
            let locations = sources
                .iter()
                .map(|source| Location::parse(source.as_ref(), &self.options.storage_options))
                .collect::<std::result::Result<Vec<Location>, _>>()?;
            let now = Arc::clone(&self.options.now);
            let ingest = towpath_ingest::ingest(&self.store, &locations, options, now, progress);
            let report = ingest.await?;
            self.update_index(&IndexPolicy::AUTOMATIC).await;
            Ok(report)
        };
        let done = |report: &IngestReport| {
            json!({
                "eventsStored": report.events.stored,
                "logFilesIngested": report.log_files.ingested,
                "logFilesRejected": report.log_files.rejected,
            })
        };
        let event = self.event("StartImport", import_parameters(sources, options));
        self.audit.change(event, Box::pin(ingest), done).await
    }

    /// The text with which another tool reads this store, presented as towpath presents it: rows
    /// nested, `calendarday` computed, nothing past retention. `eventJson` and its checksum are
    /// not among the columns, because only towpath can put them together.
    ///
    /// The tool follows the store's log and sees what is ingested later; with `is_fixed` it gets
    /// the data files by name, needs to know nothing of Delta, and sees the store as it is now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a fixed list in
    /// [`Tool::Trino`], which reads tables only; storage errors.
    pub async fn connection(&self, tool: Tool, is_fixed: bool) -> Result<String> {
        let files = if is_fixed {
            if tool == Tool::Trino {
                return Err(Error::InvalidArgument(
                    "Trino reads a store by its log only".to_owned(),
                ));
            }
            let snapshot = self.store.snapshot().await?;
            let files = snapshot.data_files().iter();
            Files::Listed(files.map(|file| self.store.data_file_address(file)).collect())
        } else {
            Files::Table(self.store.address())
        };
        let columns = self.intake()?.kind().table();
        let (name, retention) = (self.name(), self.retention());
        Ok(script(tool, &Shown { name: &name, columns, retention, files }))
    }
}
