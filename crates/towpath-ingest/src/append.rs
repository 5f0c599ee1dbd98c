//! Batches of events → the store: expire, filter, deduplicate, sort, commit.
//!
//! All of it happens while this ingest has the store's writer lease, and against the snapshot that
//! the lease came with. So what was checked still holds when it is committed, whoever else ingests
//! into the same store. The log files that the batches came from are recorded in the same commit.

use std::{io, ops::Range, sync::Arc, time::Duration};

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use hashbrown::HashSet;
use tokio::{sync::mpsc, try_join};
use towpath_event::EventIdentity;
use towpath_store::{
    APPEND_DATA_FILES_MAX, Append, Error as StoreError, EventDataStore, NewDataFile, OrderedRows,
    Source as StoredSource, Writer, run_alone,
};

use crate::{
    checkpoint::{Checkpoint, redacted_keys},
    dedup::{Candidate, KnownEvents, Seen, Verdict},
    error::{Error, Result},
    find::LogFile,
    intake::Intake,
    large::{self, LargePart},
    order::{self, MonthRows, RowAt},
    pipeline::Clock,
    read::Batch,
    refusal::{Refusal, Refused},
    report::EventCounts,
};

/// How long an ingest waits for others that write to the same store. They take turns batch by
/// batch, each of which is seconds.
pub(crate) const LEASE_WAIT_MAX: Duration = Duration::from_secs(300);

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

/// What appending a large log file came to.
#[derive(Debug)]
pub(crate) enum LargeAppended {
    Appended { appended: Appended, recorded: StoredSource, text_bytes: u64 },
    Refused(Refused),
}

/// Appends batches to a store, one group of them after the other.
pub(crate) struct Appender<'a> {
    store: &'a EventDataStore,
    intake: Intake,
    /// The event times to take: from the first up to but not including the second.
    wanted: Range<i64>,
    checkpoint: &'a Checkpoint,
    known: KnownEvents,
    /// Events that were redacted since the checkpoint, and the first version that is not looked at.
    redacted: (HashSet<u128>, u64),
    clock: Clock,
}

impl<'a> Appender<'a> {
    pub(crate) fn new(
        store: &'a EventDataStore,
        (intake, wanted): (Intake, Range<i64>),
        checkpoint: &'a Checkpoint,
        clock: Clock,
    ) -> Appender<'a> {
        let redacted = (HashSet::new(), checkpoint.redacted().1);
        let known = KnownEvents::new();
        Appender { store, intake, wanted, checkpoint, known, redacted, clock }
    }

    /// The appender, with what an earlier one knew of the store.
    pub(crate) fn with_known(self, known: KnownEvents) -> Appender<'a> {
        Appender { known, ..self }
    }

    /// What it knows of the store, for the next appender.
    pub(crate) fn into_known(self) -> KnownEvents {
        self.known
    }

    /// Appends the events of `batches` that the store does not have, in one commit. Returns `None`,
    /// and has appended nothing, if they are of more months than one commit takes.
    ///
    /// # Errors
    ///
    /// Those of the store. Then nothing of the batches is committed, except that after
    /// [`StoreError::CommitUnknown`] it is not known.
    pub(crate) async fn append(&mut self, batches: &[Batch]) -> Result<Option<Appended>> {
        let mut attempt = 1;
        loop {
            let appended = self.append_once(batches).await;
            if !is_to_be_tried_again(&appended, &mut attempt) {
                return appended;
            }
        }
    }

    async fn append_once(&mut self, batches: &[Batch]) -> Result<Option<Appended>> {
        let now = (self.clock)();
        let writer = Box::pin(self.store.writer(now, LEASE_WAIT_MAX)).await?;
        let judged = self.judge(&writer, batches, now, &mut Seen::default()).await?;
        let log_files = judged.log_files(batches);
        let events = log_files.iter().map(counts).sum();
        let already_recorded = |file: &StoredSource| {
            self.checkpoint.records(&file.key, file.size)
                && (file.digest.is_none()
                    || file.digest == self.checkpoint.mark(&file.key, file.size))
        };
        if judged.stored.is_empty() && log_files.iter().all(already_recorded) {
            writer.release().await;
            return Ok(Some(Appended { version: None, events }));
        }
        let mut data_files = Vec::new();
        if !write_data_files(&writer, batches, &judged.stored, &mut data_files).await? {
            writer.release().await;
            return Ok(None);
        }
        let append = Append { data_files, sources: log_files };
        let version = Box::pin(writer.commit(append, (self.clock)())).await?;
        self.made(version);
        self.known.remember(version, judged.stored.into_iter());
        Ok(Some(Appended { version: Some(version), events }))
    }

    /// Appends a log file that is read in parts, in one commit. The store is kept from other
    /// writers while it is read.
    ///
    /// # Errors
    ///
    /// As [`Appender::append`], and [`Error::ReadLogFile`].
    pub(crate) async fn append_large(&mut self, log_file: &LogFile) -> Result<LargeAppended> {
        let mut attempt = 1;
        loop {
            let appended = self.append_large_once(log_file).await;
            if !is_to_be_tried_again(&appended, &mut attempt) {
                return appended;
            }
        }
    }

    async fn append_large_once(&mut self, log_file: &LogFile) -> Result<LargeAppended> {
        let writer = Box::pin(self.store.writer((self.clock)(), LEASE_WAIT_MAX)).await?;
        let (sender, parts) = mpsc::channel(1);
        let reading = Box::pin(large::read(log_file, self.intake.kind(), sender));
        let appending = Box::pin(self.append_parts(writer, log_file, parts));
        let ((), appended) = try_join!(reading, appending)?;
        // What was found out about the store took no note of the parts.
        self.known = KnownEvents::new();
        Ok(appended)
    }

    async fn append_parts(
        &mut self,
        writer: Writer,
        log_file: &LogFile,
        mut parts: mpsc::Receiver<LargePart>,
    ) -> Result<LargeAppended> {
        let now = (self.clock)();
        let (mut seen, mut events) = (Seen::default(), EventCounts::default());
        let mut event_times = None;
        let mut data_files = Vec::new();
        let refused = loop {
            match parts.recv().await {
                Some(LargePart::Events(part)) => {
                    let part = [Batch::part(part, log_file)];
                    let judged = self.judge(&writer, &part, now, &mut seen).await?;
                    for file in judged.log_files(&part) {
                        events.add(&counts(&file));
                        event_times = spanning(event_times, file.event_times);
                    }
                    if !write_data_files(&writer, &part, &judged.stored, &mut data_files).await? {
                        break Refusal::TooManyMonths.of(log_file, events.seen);
                    }
                }
                Some(LargePart::End { log_file: mut recorded, text_bytes }) => {
                    record(&mut recorded, &events);
                    recorded.event_times = event_times;
                    let append = Append { data_files, sources: vec![recorded.clone()] };
                    let version = Box::pin(writer.commit(append, (self.clock)())).await?;
                    let appended = Appended { version: Some(version), events };
                    return Ok(LargeAppended::Appended { appended, recorded, text_bytes });
                }
                Some(LargePart::Refused(refused)) => break refused,
                None => {
                    let ended = io::Error::other("reading ended early");
                    break Refusal::Unreadable(ended).of(log_file, events.seen);
                }
            }
        };
        writer.release().await;
        Ok(LargeAppended::Refused(refused))
    }

    /// Decides what becomes of each event, given those that were `seen` before and are not in the
    /// store yet.
    async fn judge(
        &mut self,
        writer: &Writer,
        batches: &[Batch],
        now: DateTime<Utc>,
        seen: &mut Seen,
    ) -> Result<Judged> {
        let snapshot = writer.snapshot();
        self.look_for_redactions(snapshot.version()).await?;
        let (mut outcomes, candidates) = self.judge_alone(batches, snapshot.cutoff(now), seen);
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

    /// Takes note of what was redacted up to `version`. With no commit of others in between, there
    /// is nothing to read.
    async fn look_for_redactions(&mut self, version: u64) -> Result<()> {
        let (keys, next_version) = &mut self.redacted;
        let mut commits = self.store.commits(*next_version, version);
        while let Some(commit) = commits.try_next().await? {
            keys.extend(redacted_keys(&commit));
            *next_version = commit.version + 1;
        }
        Ok(())
    }

    /// Takes note of a version that it made itself, after all that it has looked at.
    fn made(&mut self, version: u64) {
        let (_, next_version) = &mut self.redacted;
        if *next_version == version {
            *next_version = version + 1;
        }
    }

    /// Whether fields were taken out of the event, so that it must not come in again.
    fn is_redacted(&self, event: EventIdentity) -> bool {
        self.redacted.0.contains(&event.key) || self.checkpoint.redacted().0.contains(&event.key)
    }

    /// What can be decided without looking at the store, and the events for which that is not
    /// enough.
    fn judge_alone(
        &self,
        batches: &[Batch],
        cutoff: i64,
        seen: &mut Seen,
    ) -> (Vec<Vec<Outcome>>, Vec<Candidate>) {
        let mut candidates = Vec::new();
        let mut judge = |at: RowAt, event_time: i64, identity: EventIdentity| {
            if !self.wanted.contains(&event_time) {
                return Outcome::Filtered;
            }
            if event_time < cutoff {
                return Outcome::Expired;
            }
            if self.is_redacted(identity) {
                return Outcome::Duplicate;
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
            let taken = self.intake.takes(&events.columns);
            let is_taken = |row: usize| {
                let taken = taken.as_ref().and_then(|taken| taken.get(row));
                taken.copied().unwrap_or(true)
            };
            let times = order::event_times(&events.columns).iter();
            let events = times.zip(&events.identities).enumerate();
            let events = events.map(|(row, (time, event))| {
                if is_taken(row) {
                    judge(RowAt { batch, row }, *time, *event)
                } else {
                    Outcome::Filtered
                }
            });
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
        let log_files = batches.iter().flat_map(|batch| &batch.log_files);
        let mut log_files: Vec<StoredSource> =
            log_files.map(|file| file.recorded.clone()).collect();
        let mut times =
            batches.iter().flat_map(|batch| order::event_times(&batch.events.columns).iter());
        for log_file in &mut log_files {
            let events = usize::try_from(log_file.events).unwrap_or(usize::MAX);
            for time in times.by_ref().take(events) {
                let (oldest, newest) = log_file.event_times.unwrap_or((*time, *time));
                log_file.event_times = Some((oldest.min(*time), newest.max(*time)));
            }
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

fn counts(log_file: &StoredSource) -> EventCounts {
    EventCounts {
        seen: log_file.events,
        stored: log_file.stored,
        duplicate: log_file.duplicate,
        filtered: log_file.filtered,
        expired: log_file.expired,
        rejected: 0,
        conflicting: log_file.conflicting,
    }
}

/// From the earlier of two starts to the later of two ends.
fn spanning(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some((start, end)), Some((first, last))) => Some((start.min(first), end.max(last))),
        (one, other) => one.or(other),
    }
}

fn record(log_file: &mut StoredSource, events: &EventCounts) {
    log_file.stored = events.stored;
    log_file.duplicate = events.duplicate;
    log_file.filtered = events.filtered;
    log_file.expired = events.expired;
    log_file.conflicting = events.conflicting;
}

/// Whether somebody else appended in spite of the lease, and there are attempts left.
fn is_to_be_tried_again<T>(appended: &Result<T>, attempt: &mut u32) -> bool {
    let in_conflict = matches!(appended, Err(Error::Store(StoreError::CommitConflict { .. })));
    *attempt += 1;
    in_conflict && *attempt <= APPEND_ATTEMPTS_MAX
}

/// Writes the events to store, one data file for each month, and adds these to `data_files`.
/// Returns whether they are not more than one commit takes; else nothing is written.
async fn write_data_files(
    writer: &Writer,
    batches: &[Batch],
    stored: &[Candidate],
    data_files: &mut Vec<NewDataFile>,
) -> Result<bool> {
    let columns: Arc<[RecordBatch]> =
        batches.iter().map(|batch| batch.events.columns.clone()).collect();
    let rows: Vec<RowAt> = stored.iter().map(|candidate| candidate.at).collect();
    let all = Arc::clone(&columns);
    let months = run_alone("sort", move || order::by_month(&all, rows.into_iter()));
    let months = months.await.map_err(Error::Thread)?;
    if data_files.len() + months.len() > APPEND_DATA_FILES_MAX {
        return Ok(false);
    }
    for MonthRows { calendarmonth, rows } in months {
        let order = rows.iter().map(|at| (at.batch, at.row)).collect();
        let rows = OrderedRows { batches: Arc::clone(&columns), order };
        data_files.push(Box::pin(writer.write_ordered(calendarmonth, rows)).await?);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::Path as FilePath,
    };

    use object_store::{memory::InMemory, path::Path};
    use towpath_event::{EventBatchBuilder, EventKind, data_file_schema};
    use towpath_store::{Catalog, Location, NewStore, Retention};
    use url::Url;

    use super::*;
    use crate::{find::Place, source::LocalRoot};

    async fn new_store() -> EventDataStore {
        let url = Url::parse("s3://bucket/lake").unwrap();
        let lake = Location::with_store(url, Arc::new(InMemory::new()), Path::from("lake"));
        let catalog = Catalog::create(lake, DateTime::UNIX_EPOCH).await.unwrap();
        let retention = Retention::default();
        let new = NewStore {
            name: "org".into(),
            id: None,
            retention,
            schema: data_file_schema(),
            attributes: BTreeMap::new(),
            termination_protection: false,
        };
        catalog.create_store(new, DateTime::UNIX_EPOCH).await.unwrap()
    }

    fn batch(events: &[&String]) -> Batch {
        let texts: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
        let mut builder = EventBatchBuilder::new();
        let text = format!(r#"{{"Records":[{}]}}"#, texts.join(","));
        builder.append_log_file(text.as_bytes()).unwrap();
        let place = Place::Local(
            Arc::new(LocalRoot::new("/".into(), EventKind::CloudTrail)),
            FilePath::new("a").into(),
        );
        let log_file = LogFile { place, size_bytes: 0, day: None, modified: None, proof: None };
        Batch::part(builder.finish(), &log_file)
    }

    /// 240 events of twelve hours. Each fourth has the id of the one before, each tenth has none.
    fn pool() -> Vec<String> {
        let event = |n: u32| {
            let id = if n % 4 == 3 { n - 1 } else { n };
            let id = if n % 10 == 9 { String::new() } else { format!("{id}") };
            let hour = id.parse::<u32>().unwrap_or(n) % 12;
            format!(
                r#"{{"eventTime":"1970-01-02T{hour:02}:00:00Z","eventName":"{n}","eventID":"{id}"}}"#
            )
        };
        (0..240).map(event).collect()
    }

    #[tokio::test]
    async fn each_event_is_stored_once_however_little_is_kept_in_memory() {
        let pool = pool();
        for identities_max in [0, 1, 9, 60, KnownEvents::IDENTITIES_MAX] {
            let store = new_store().await;
            let checkpoint = Checkpoint::default();
            let clock: Clock = Arc::new(|| DateTime::UNIX_EPOCH);
            let appender = || {
                let wanted = i64::MIN..i64::MAX;
                let mut one = Appender::new(
                    &store,
                    (Intake::default(), wanted),
                    &checkpoint,
                    Arc::clone(&clock),
                );
                one.known = KnownEvents::with_at_most(identities_max);
                one
            };
            let mut appenders = [appender(), appender()];
            let (mut state, mut expected) = (7u64, BTreeSet::new());
            let mut random = |below: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(state >> 33).unwrap() % below
            };
            for _ in 0..24 {
                let events: Vec<&String> = (0..30).map(|_| &pool[random(pool.len())]).collect();
                let new: BTreeSet<&String> = events.iter().copied().collect();
                let new = new.difference(&expected).count();
                expected.extend(&events);
                let (first, second) = events.split_at(random(events.len()));
                let batches = [batch(first), batch(second)];
                let appended = appenders[random(2)].append(&batches).await.unwrap().unwrap();
                assert_eq!(appended.events.stored, u64::try_from(new).unwrap());
                assert!(appended.events.reconcile());
            }
            let rows = store.snapshot().await.unwrap().rows();
            assert_eq!(rows, u64::try_from(expected.len()).unwrap(), "{identities_max} kept");
        }
    }
}
