//! Batches of events → the store: expire, filter, deduplicate, sort, commit.
//!
//! All of it happens while this ingest has the store's writer lease, and against the snapshot that
//! the lease came with. So what was checked still holds when it is committed, whoever else ingests
//! into the same store. The log files that a batch came from are recorded in the same commit.

use std::{ops::Range, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::task;
use towpath_store::{
    Append, Error as StoreError, EventDataStore, NewDataFile, Source as StoredSource, Writer,
};

use crate::{
    checkpoint::Checkpoint,
    dedup::{Candidate, KnownEvents, Seen, Verdict},
    error::{Error, Result},
    order::{self, MonthRows},
    pipeline::Clock,
    read::Batch,
    report::EventCounts,
};

/// How long an ingest waits for others that write to the same store. They take turns batch by
/// batch, each of which is seconds.
const LEASE_WAIT_MAX: Duration = Duration::from_secs(300);

/// Times that a batch is checked and committed anew because somebody else appended in spite of the
/// lease, which takes a lease that expired while its holder was stopped.
const APPEND_ATTEMPTS_MAX: u32 = 10;

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Stored,
    Conflicting,
    Duplicate,
    Filtered,
    Expired,
}

/// What a batch came to.
#[derive(Debug)]
pub(crate) struct Appended {
    /// The version of the store that has it; `None` if nothing was left to commit.
    pub(crate) version: Option<u64>,
    pub(crate) events: EventCounts,
}

/// Appends batches to a store, one after the other.
pub(crate) struct Appender<'a> {
    store: &'a EventDataStore,
    /// The event times to take: from the first up to but not including the second.
    wanted: Range<i64>,
    checkpoint: &'a Checkpoint,
    known: KnownEvents,
    clock: Clock,
}

impl<'a> Appender<'a> {
    pub(crate) fn new(
        store: &'a EventDataStore,
        wanted: Range<i64>,
        checkpoint: &'a Checkpoint,
        clock: Clock,
    ) -> Appender<'a> {
        Appender { store, wanted, checkpoint, known: KnownEvents::default(), clock }
    }

    /// Appends the events of `batch` that the store does not have, in one commit.
    ///
    /// # Errors
    ///
    /// Those of the store. Then nothing of the batch is committed, except that of
    /// [`StoreError::CommitUnknown`] it is not known.
    pub(crate) async fn append(&mut self, batch: &Batch) -> Result<Appended> {
        let mut attempt = 1;
        loop {
            match self.append_once(batch).await {
                Err(Error::Store(StoreError::CommitConflict { .. }))
                    if attempt < APPEND_ATTEMPTS_MAX =>
                {
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn append_once(&mut self, batch: &Batch) -> Result<Appended> {
        let now = (self.clock)();
        let writer = Box::pin(self.store.writer(now, LEASE_WAIT_MAX)).await?;
        let judged = self.judge(&writer, batch, now).await?;
        let log_files = judged.log_files(batch);
        let events = count(&log_files);
        let already_recorded = |file: &StoredSource| self.checkpoint.records(&file.key, file.size);
        if judged.stored.is_empty() && log_files.iter().all(already_recorded) {
            writer.release().await;
            return Ok(Appended { version: None, events });
        }
        let data_files = write_data_files(&writer, batch, &judged.stored).await?;
        let append = Append { data_files, sources: log_files };
        let version = Box::pin(writer.commit(append, (self.clock)())).await?;
        self.known.remember(version, judged.stored.into_iter());
        Ok(Appended { version: Some(version), events })
    }

    /// Decides what becomes of each event of the batch.
    async fn judge(&mut self, writer: &Writer, batch: &Batch, now: DateTime<Utc>) -> Result<Judged> {
        let snapshot = writer.snapshot();
        let mut outcomes = Vec::with_capacity(batch.events.identities.len());
        let mut candidates = Vec::new();
        let mut seen = Seen::default();
        let times = order::event_times(&batch.events.columns).unwrap_or_default();
        let cutoff = snapshot.cutoff(now);
        for ((row, event_time), identity) in (0..).zip(times).zip(&batch.events.identities) {
            let outcome = if !self.wanted.contains(event_time) {
                Outcome::Filtered
            } else if *event_time < cutoff {
                Outcome::Expired
            } else {
                let verdict = seen.verdict(*identity);
                seen.insert(*identity);
                Outcome::of(verdict)
            };
            if matches!(outcome, Outcome::Stored | Outcome::Conflicting) {
                let (event_time, identity) = (*event_time, *identity);
                candidates.push(Candidate { row, event_time, identity });
            }
            outcomes.push(outcome);
        }
        drop(seen);

        let store = self.store.object_store();
        let verdicts = Box::pin(self.known.verdicts(store, snapshot, &candidates)).await?;
        let mut stored = Vec::new();
        for (candidate, verdict) in candidates.iter().zip(verdicts) {
            let Some(outcome) = outcomes.get_mut(order::to_index(candidate.row)) else { continue };
            // Differing from an event of the same batch is as much a conflict.
            if verdict != Verdict::New {
                *outcome = Outcome::of(verdict);
            }
            if verdict != Verdict::Duplicate {
                stored.push(*candidate);
            }
        }
        Ok(Judged { outcomes, stored })
    }
}

impl Outcome {
    fn of(verdict: Verdict) -> Outcome {
        match verdict {
            Verdict::New => Outcome::Stored,
            Verdict::Duplicate => Outcome::Duplicate,
            Verdict::Conflicting => Outcome::Conflicting,
        }
    }
}

/// What is to become of the events of a batch.
struct Judged {
    /// One for each event.
    outcomes: Vec<Outcome>,
    /// The events to store, in the order of the batch.
    stored: Vec<Candidate>,
}

impl Judged {
    /// The log files of the batch with the counts of what becomes of their events.
    fn log_files(&self, batch: &Batch) -> Vec<StoredSource> {
        let mut outcomes = self.outcomes.iter();
        let mut log_files = batch.log_files.clone();
        for log_file in &mut log_files {
            let events = usize::try_from(log_file.events).unwrap_or(usize::MAX);
            for outcome in outcomes.by_ref().take(events) {
                match outcome {
                    Outcome::Stored => log_file.stored += 1,
                    Outcome::Duplicate => log_file.duplicate += 1,
                    Outcome::Filtered => log_file.filtered += 1,
                    Outcome::Expired => log_file.expired += 1,
                    Outcome::Conflicting => {
                        log_file.stored += 1;
                        log_file.conflicting += 1;
                    }
                }
            }
        }
        log_files
    }
}

fn count(log_files: &[StoredSource]) -> EventCounts {
    let mut events = EventCounts::default();
    for log_file in log_files {
        events.add(&EventCounts {
            seen: log_file.events,
            stored: log_file.stored,
            duplicate: log_file.duplicate,
            filtered: log_file.filtered,
            expired: log_file.expired,
            rejected: 0,
            conflicting: log_file.conflicting,
        });
    }
    events
}

/// Writes the events to store, one data file for each month.
async fn write_data_files(
    writer: &Writer,
    batch: &Batch,
    stored: &[Candidate],
) -> Result<Vec<NewDataFile>> {
    let rows: Vec<u32> = stored.iter().map(|candidate| candidate.row).collect();
    let columns = batch.events.columns.clone();
    let months = task::spawn_blocking(move || order::by_month(&columns, rows.into_iter()));
    let mut data_files = Vec::new();
    for MonthRows { calendarmonth, rows } in months.await.map_err(Error::Worker)? {
        let columns = batch.events.columns.clone();
        let sorted = task::spawn_blocking(move || order::take_rows(&columns, &rows));
        let sorted = sorted.await.map_err(Error::Worker)?.map_err(Error::Sort)?;
        data_files.push(Box::pin(writer.write_data_file(calendarmonth, &[sorted])).await?);
    }
    Ok(data_files)
}
