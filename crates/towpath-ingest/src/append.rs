//! Batches of events → the store: expire, filter, deduplicate, sort, commit.
//!
//! All of it happens while this ingest has the store's writer lease, and against the snapshot that
//! the lease came with. So what was checked still holds when it is committed, whoever else ingests
//! into the same store. The log files that the batches came from are recorded in the same commit.

use std::{ops::Range, sync::Arc, time::Duration};

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use tokio::task;
use towpath_event::EventIdentity;
use towpath_store::{
    Append, Error as StoreError, EventDataStore, NewDataFile, Source as StoredSource, Writer,
};

use crate::{
    checkpoint::Checkpoint,
    dedup::{Candidate, KnownEvents, Seen, Verdict},
    error::{Error, Result},
    order::{self, MonthRows, RowAt},
    pipeline::Clock,
    read::Batch,
    report::EventCounts,
};

/// How long an ingest waits for others that write to the same store. They take turns batch by
/// batch, each of which is seconds.
const LEASE_WAIT_MAX: Duration = Duration::from_secs(300);

/// Times that batches are checked and committed anew because somebody else appended in spite of the
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

/// What appending some batches came to.
#[derive(Debug)]
pub(crate) struct Appended {
    /// The version of the store that has them; `None` if nothing was left to commit.
    pub(crate) version: Option<u64>,
    pub(crate) events: EventCounts,
}

/// Appends batches to a store, one group of them after the other.
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

    /// Appends the events of `batches` that the store does not have, in one commit.
    ///
    /// # Errors
    ///
    /// Those of the store. Then nothing of the batches is committed, except that after
    /// [`StoreError::CommitUnknown`] it is not known.
    pub(crate) async fn append(&mut self, batches: &[Batch]) -> Result<Appended> {
        let mut attempt = 1;
        loop {
            match self.append_once(batches).await {
                Err(Error::Store(StoreError::CommitConflict { .. }))
                    if attempt < APPEND_ATTEMPTS_MAX =>
                {
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn append_once(&mut self, batches: &[Batch]) -> Result<Appended> {
        let now = (self.clock)();
        let writer = Box::pin(self.store.writer(now, LEASE_WAIT_MAX)).await?;
        let judged = self.judge(&writer, batches, now).await?;
        let log_files = judged.log_files(batches);
        let events = count(&log_files);
        let already_recorded = |file: &StoredSource| self.checkpoint.records(&file.key, file.size);
        if judged.stored.is_empty() && log_files.iter().all(already_recorded) {
            writer.release().await;
            return Ok(Appended { version: None, events });
        }
        let data_files = write_data_files(&writer, batches, &judged.stored).await?;
        let append = Append { data_files, sources: log_files };
        let version = Box::pin(writer.commit(append, (self.clock)())).await?;
        self.known.remember(version, judged.stored.into_iter());
        Ok(Appended { version: Some(version), events })
    }

    /// Decides what becomes of each event.
    async fn judge(
        &mut self,
        writer: &Writer,
        batches: &[Batch],
        now: DateTime<Utc>,
    ) -> Result<Judged> {
        let snapshot = writer.snapshot();
        let (mut outcomes, candidates) = self.judge_alone(batches, snapshot.cutoff(now));
        let store = self.store.object_store();
        let verdicts = Box::pin(self.known.verdicts(store, snapshot, &candidates)).await?;
        let mut stored = Vec::new();
        for (candidate, verdict) in candidates.iter().zip(verdicts) {
            let Candidate { at, .. } = candidate;
            let outcome = outcomes.get_mut(at.batch).and_then(|batch| batch.get_mut(at.row));
            let Some(outcome) = outcome else { continue };
            // Differing from an event beside it is as much a conflict as from a stored one.
            if verdict != Verdict::New {
                *outcome = Outcome::of(verdict);
            }
            if verdict != Verdict::Duplicate {
                stored.push(*candidate);
            }
        }
        Ok(Judged { outcomes, stored })
    }

    /// What can be decided without looking at the store, and the events for which that is not
    /// enough.
    fn judge_alone(&self, batches: &[Batch], cutoff: i64) -> (Vec<Vec<Outcome>>, Vec<Candidate>) {
        let mut seen = Seen::default();
        let mut candidates = Vec::new();
        let mut judge = |at: RowAt, event_time: i64, identity: EventIdentity| {
            if !self.wanted.contains(&event_time) {
                return Outcome::Filtered;
            }
            if event_time < cutoff {
                return Outcome::Expired;
            }
            let verdict = seen.verdict(identity);
            if verdict != Verdict::Duplicate {
                seen.insert(identity);
                candidates.push(Candidate { at, event_time, identity });
            }
            Outcome::of(verdict)
        };
        let mut outcomes = Vec::with_capacity(batches.len());
        for (batch, Batch { events, .. }) in batches.iter().enumerate() {
            let times = order::event_times(&events.columns).iter();
            let events = times.zip(&events.identities).enumerate();
            let events =
                events.map(|(row, (time, event))| judge(RowAt { batch, row }, *time, *event));
            outcomes.push(events.collect());
        }
        (outcomes, candidates)
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

/// What is to become of the events of some batches.
struct Judged {
    /// One for each event of each batch.
    outcomes: Vec<Vec<Outcome>>,
    /// The events to store, in the order of the batches.
    stored: Vec<Candidate>,
}

impl Judged {
    /// The log files of the batches with the counts of what becomes of their events.
    fn log_files(&self, batches: &[Batch]) -> Vec<StoredSource> {
        let mut outcomes = self.outcomes.iter().flatten();
        let mut log_files: Vec<StoredSource> =
            batches.iter().flat_map(|batch| &batch.log_files).cloned().collect();
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
    batches: &[Batch],
    stored: &[Candidate],
) -> Result<Vec<NewDataFile>> {
    let columns: Arc<[RecordBatch]> =
        batches.iter().map(|batch| batch.events.columns.clone()).collect();
    let rows: Vec<RowAt> = stored.iter().map(|candidate| candidate.at).collect();
    let all = Arc::clone(&columns);
    let months = task::spawn_blocking(move || order::by_month(&all, rows.into_iter()));
    let mut data_files = Vec::new();
    for MonthRows { calendarmonth, rows } in months.await.map_err(Error::Worker)? {
        let all = Arc::clone(&columns);
        let sorted = task::spawn_blocking(move || order::take_rows(&all, &rows));
        let sorted = sorted.await.map_err(Error::Worker)?.map_err(Error::Sort)?;
        data_files.push(Box::pin(writer.write_data_file(calendarmonth, &[sorted])).await?);
    }
    Ok(data_files)
}
