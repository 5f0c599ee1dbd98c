//! Redaction: fields taken out of named events, by a rewrite that the log records.
//!
//! What an event is and what its fields are, the caller knows; here the rows of data files are given
//! to it and taken back. All other rows are compared before and after by a digest, and one commit
//! puts the new files in the place of the old ones and says who asked for it, why, which events they
//! are, and the SHA-256 of each before. The old files stay on the storage until no query can read
//! them (see [`crate::GRACE`]) and `expire` removes them. Killed at any moment it leaves the old
//! files or the new ones.

use std::collections::HashSet;
use std::fmt::Debug;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use tracing::{debug, info};

use crate::commit::{CommitRecord, RedactedEvent, RedactionRecord};
use crate::data_file::{DataFile, NewDataFile};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::layout;
use crate::lease::Lease;
use crate::merge::{decode_error, open, read, rows_schema};
use crate::parquet_layout::Lasting;
use crate::rows_digest::{RowsDigest, RowsDigester};
use crate::snapshot::Snapshot;
use crate::store::{EventDataStore, Prepared};
use crate::time::TimeRange;
use crate::worker::run_alone;

/// Events that one redaction names, at most: some 3 MB of its commit.
pub const REDACTED_EVENTS_MAX: usize = 10_000;

/// Data files that one redaction rewrites, at most. They are written before the one commit.
const FILES_MAX: usize = 256;

/// Longest reason and longest name of who asks, in bytes.
const TEXT_BYTES_MAX: usize = 1_024;

/// Times that a redaction begins anew because files were expired under it.
const ATTEMPTS_MAX: u32 = 4;

/// The column that names events.
const EVENT_ID_COLUMN: &str = "eventID";

/// Fields to be taken out of events.
#[derive(Clone, Debug)]
pub struct NewRedaction {
    /// The ids of the events. An id that several events have means all of them.
    pub event_ids: HashSet<String>,
    /// Only events of these times; it saves reading the data files of others.
    pub range: TimeRange,
    /// The fields, as the log is to name them.
    pub fields: Vec<String>,
    /// Why: 1 to 1024 bytes.
    pub reason: String,
    /// Who asks for it: 1 to 1024 bytes.
    pub by: String,
    /// Whether only to say what would be done.
    pub is_plan: bool,
}

/// Rows after the fields were taken out.
#[derive(Clone, Debug)]
pub struct RedactedRows {
    /// All rows, in the order and with the columns that they had.
    pub rows: RecordBatch,
    /// For each row whether it is another than before.
    pub is_redacted: Vec<bool>,
    /// What to record of those, in their order.
    pub events: Vec<RedactedEvent>,
}

/// Takes fields out of rows: known to who knows what an event is.
pub trait Redactor: Debug + Send + Sync {
    /// The rows without the fields; `None` if there is nothing to take out of any.
    ///
    /// # Errors
    ///
    /// Why they cannot be redacted. Nothing is committed then.
    fn redact(&self, rows: &RecordBatch) -> Result<Option<RedactedRows>, String>;
}

/// What a redaction did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedactionReport {
    /// The version that it made; `None` if it made none.
    pub version: Option<u64>,
    /// The events that fields were taken out of.
    pub events: Vec<RedactedEvent>,
    /// Data files that were rewritten.
    pub data_files: u64,
    /// All other rows of these, which are as before.
    pub other_rows: u64,
}

/// A data file without the fields.
struct Rewritten {
    old: DataFile,
    new: NewDataFile,
    content: Bytes,
    events: Vec<RedactedEvent>,
    others: RowsDigest,
}

impl EventDataStore {
    /// Takes fields out of events, or says what would be taken out.
    ///
    /// # Errors
    ///
    /// [`Error::RedactionRefused`] if it does not say who and why, if an event is under a legal
    /// hold, or if rows cannot be redacted; [`Error::DamagedDataFile`]; [`Error::StoreDeleted`];
    /// [`Error::LeaseTimeout`], also while a compaction runs; errors of the storage. Nothing was
    /// committed then.
    pub async fn redact(
        &self,
        new: &NewRedaction,
        redactor: &Arc<dyn Redactor>,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<RedactionReport> {
        self.check_new(new)?;
        let what = format!("the compaction of event data store `{}`", self.id());
        let lock = layout::compactor_lock(self.id());
        let lease = Box::pin(Lease::acquire(self.files(), &lock, &what, now, wait_max)).await?;
        let mut redacted = Ok(None);
        for _ in 0..ATTEMPTS_MAX {
            redacted = Box::pin(self.redact_once(new, redactor, now, wait_max)).await;
            if !matches!(redacted, Ok(None)) {
                break;
            }
        }
        lease.release().await;
        let overtaken = || self.refused("its data files kept being taken out meanwhile".into());
        redacted?.ok_or_else(overtaken)
    }

    fn check_new(&self, new: &NewRedaction) -> Result<()> {
        for (what, text) in [("reason", &new.reason), ("name of who asks for it", &new.by)] {
            if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
                let reason = format!("its {what} must have 1 to {TEXT_BYTES_MAX} bytes");
                return Err(self.refused(reason));
            }
        }
        let events = new.event_ids.len();
        if events == 0 || events > REDACTED_EVENTS_MAX || new.fields.is_empty() {
            let reason = format!("it must name fields, and 1 to {REDACTED_EVENTS_MAX} events");
            return Err(self.refused(reason));
        }
        Ok(())
    }

    fn refused(&self, reason: String) -> Error {
        Error::RedactionRefused { store: self.id().to_string(), reason }
    }

    /// `None` if data files were taken out of the store meanwhile.
    async fn redact_once(
        &self,
        new: &NewRedaction,
        redactor: &Arc<dyn Redactor>,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Option<RedactionReport>> {
        let is_plan = new.is_plan;
        let snapshot = self.snapshot().await?;
        snapshot.settings().check_not_deleted()?;
        let mut rewritten = Vec::new();
        let done = async {
            for file in snapshot.data_files_in(new.range) {
                let Some(mut file) = self.rewritten(file, new, redactor).await? else { continue };
                self.check_holds(&snapshot, &file.events)?;
                if rewritten.len() >= FILES_MAX {
                    let reason = format!("the events are in more than {FILES_MAX} data files");
                    return Err(self.refused(reason));
                }
                if !is_plan {
                    self.put_data_file(&file.new, mem::take(&mut file.content)).await?;
                }
                rewritten.push(file);
            }
            let mut report = report(&rewritten);
            if is_plan || rewritten.is_empty() {
                return Ok(Some(report));
            }
            report.version = self.commit_redacted(new, &rewritten, now, wait_max).await?;
            Ok(report.version.map(|_| report))
        };
        let done = Box::pin(done).await;
        let is_committed = matches!(&done, Ok(Some(report)) if report.version.is_some());
        if !is_plan && !is_committed && !matches!(done, Err(Error::CommitUnknown { .. })) {
            self.remove_uncommitted(&rewritten).await;
        }
        done
    }

    /// The data file without the fields; `None` if it has nothing to take out.
    async fn rewritten(
        &self,
        file: &DataFile,
        new: &NewRedaction,
        redactor: &Arc<dyn Redactor>,
    ) -> Result<Option<Rewritten>> {
        let content = match self.within(file) {
            Some(within) if !file.is_ours() => {
                self.files().read(&self.path_in_lake(&within)).await?
            }
            _ => self.read_whole(file).await?,
        };
        let Some(content) = content else {
            let reason = "it is missing".into();
            return Err(Error::Damaged { path: file.path.clone(), reason });
        };
        let (store, old) = (self.id().to_string(), file.clone());
        let (ids, redactor) = (new.event_ids.clone(), Arc::clone(redactor));
        let rewriting = run_alone("redact", move || {
            if !has_any(content.clone(), &ids)? {
                return Ok(None);
            }
            if !old.is_ours() {
                let reason = format!("another program added data file `{}`", old.path);
                return Err(Error::RedactionRefused { store, reason });
            }
            rewrite(&store, old, content, redactor.as_ref())
        });
        rewriting.await.map_err(|err| self.refused(err.to_string()))?
    }

    /// Refuses events that a legal hold covers.
    fn check_holds(&self, snapshot: &Snapshot, events: &[RedactedEvent]) -> Result<()> {
        for event in events {
            let at = (event.event_time_micros, event.event_time_micros);
            let holds = &snapshot.settings().holds;
            if let Some(hold) = holds.iter().find(|hold| hold.range.overlaps(at)) {
                let (event, hold) = (&event.event_id, hold.id);
                let reason = format!("event `{event}` is under legal hold `{hold}`; release it");
                return Err(self.refused(reason));
            }
        }
        Ok(())
    }

    /// Puts the new files in the place of the old ones; `None` if one of those is gone.
    async fn commit_redacted(
        &self,
        new: &NewRedaction,
        rewritten: &[Rewritten],
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Option<u64>> {
        let held = self.acquire(now, wait_max).await?;
        let prepare = |snapshot: &Snapshot| self.prepare_redacted(snapshot, new, rewritten, now);
        let committed = self.commit_on_newest(prepare, now).await;
        held.lease.release().await;
        let committed = committed?;
        if let Some(version) = committed {
            info!(store = %self.id(), version, files = rewritten.len(), "events redacted");
        }
        Ok(committed)
    }

    fn prepare_redacted(
        &self,
        snapshot: &Snapshot,
        new: &NewRedaction,
        rewritten: &[Rewritten],
        now: DateTime<Utc>,
    ) -> Result<Option<Prepared>> {
        snapshot.settings().check_not_deleted()?;
        let mut record = CommitRecord::new();
        let mut actions = Vec::with_capacity(2 * rewritten.len());
        let mut others = RowsDigest::default();
        let mut events = Vec::new();
        for file in rewritten {
            let is_present = snapshot.data_files().contains(&file.old);
            let Some(within) = self.within(&file.old).filter(|_| is_present) else {
                return Ok(None);
            };
            // Placed since the files were written?
            self.check_holds(snapshot, &file.events)?;
            // No row comes or goes, so that who reads what arrived does not read them again.
            actions.push(Action::Remove(file.old.remove(within.as_ref(), false, now)));
            actions.push(Action::Add(file.new.add(false, now)));
            record.removed_files.push(file.old.committed(within.as_ref()));
            record.data_files.push(file.new.committed());
            others.add(&file.others);
            events.extend(file.events.iter().cloned());
        }
        record.redaction = Some(RedactionRecord {
            by: new.by.clone(),
            reason: new.reason.clone(),
            fields: new.fields.clone(),
            events,
            other_rows: others.rows,
            other_rows_digest: others.to_string(),
        });
        let operation = DeltaOperation::Update { predicate: None };
        Ok(Some(Prepared { record, actions, operation }))
    }

    /// Removes files that are in no commit, for sure. What stays, an expiry removes later.
    async fn remove_uncommitted(&self, rewritten: &[Rewritten]) {
        for file in rewritten {
            let path = self.path_in_lake(&Path::from(file.new.path.as_str()));
            if let Err(err) = self.files().remove(&path).await {
                debug!(store = %self.id(), error = %err, "uncommitted data file not removed");
            }
        }
    }
}

fn report(rewritten: &[Rewritten]) -> RedactionReport {
    RedactionReport {
        version: None,
        events: rewritten.iter().flat_map(|file| file.events.iter().cloned()).collect(),
        data_files: rewritten.len() as u64,
        other_rows: rewritten.iter().map(|file| file.others.rows).sum(),
    }
}

/// Whether a data file has an event of one of the ids.
fn has_any(content: Bytes, ids: &HashSet<String>) -> Result<bool> {
    let builder = open(content)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [EVENT_ID_COLUMN]);
    for batch in read(builder.with_projection(mask))? {
        let batch = batch.map_err(decode_error)?;
        let Some(column) = batch.column_by_name(EVENT_ID_COLUMN) else { return Ok(false) };
        let texts = cast(column, &DataType::Utf8).map_err(decode_error)?;
        if texts.as_string::<i32>().iter().flatten().any(|id| ids.contains(id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Rewrites a data file, reads the result again, and compares it with what it should be.
fn rewrite(
    store: &str,
    old: DataFile,
    content: Bytes,
    redactor: &dyn Redactor,
) -> Result<Option<Rewritten>> {
    let refused = |reason: String| Error::RedactionRefused { store: store.to_owned(), reason };
    let builder = open(content)?;
    let schema = rows_schema(&builder)?;
    let mut encoder = Encoder::new(store, &schema, old.calendarmonth, Lasting::Compacted)?;
    let new_digester = || RowsDigester::new(&schema).map_err(decode_error);
    let (mut others, mut redacted) = (new_digester()?, new_digester()?);
    let (mut places, mut events) = (Vec::new(), Vec::new());
    for batch in read(builder)? {
        let batch = batch.map_err(decode_error)?;
        let changed = redactor.redact(&batch).map_err(refused)?;
        let changed = changed.unwrap_or_else(|| RedactedRows {
            is_redacted: vec![false; batch.num_rows()],
            rows: batch.clone(),
            events: Vec::new(),
        });
        if changed.rows.num_rows() != batch.num_rows()
            || changed.is_redacted.len() != batch.num_rows()
        {
            return Err(refused("rows were lost".into()));
        }
        others.add(&chosen(&batch, &changed.is_redacted, false)?).map_err(decode_error)?;
        redacted.add(&chosen(&changed.rows, &changed.is_redacted, true)?).map_err(decode_error)?;
        encoder.write(&changed.rows)?;
        places.extend(changed.is_redacted);
        events.extend(changed.events);
    }
    if events.is_empty() {
        return Ok(None);
    }
    let (new, content) = encoder.finish()?;
    let expected = (others.finish(), redacted.finish());
    let (mut others, mut redacted) = (new_digester()?, new_digester()?);
    let mut places = places.into_iter();
    for batch in read(open(content.clone())?)? {
        let batch = batch.map_err(decode_error)?;
        let is_redacted: Vec<bool> = places.by_ref().take(batch.num_rows()).collect();
        others.add(&chosen(&batch, &is_redacted, false)?).map_err(decode_error)?;
        redacted.add(&chosen(&batch, &is_redacted, true)?).map_err(decode_error)?;
    }
    if (others.finish(), redacted.finish()) != expected {
        return Err(refused("the rows written are not those that should be".into()));
    }
    Ok(Some(Rewritten { old, new, content, events, others: expected.0 }))
}

/// The rows that are redacted, or the others.
fn chosen(rows: &RecordBatch, is_redacted: &[bool], which: bool) -> Result<RecordBatch> {
    let mask: BooleanArray = is_redacted.iter().map(|is| Some(*is == which)).collect();
    filter_record_batch(rows, &mask).map_err(decode_error)
}
