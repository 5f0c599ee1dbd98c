//! The pipeline: find → read and decode → append, all at once.
//!
//! ```text
//! find ──found──► feed ──jobs──► lanes ──batches──► append
//!                 sorts,         gunzip, decode      deduplicates,
//!                 downloads      on threads          sorts, commits
//! ```
//!
//! Every arrow is a bounded queue, and what is behind the arrows is bounded in bytes, so that the
//! slowest part sets the pace and memory does not grow with what is ingested. The parts are futures
//! of one task: dropping the ingest stops them all, and what was committed stays.

use std::{io, mem, num::NonZero, ops::Range, sync::Arc, thread, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, future::try_join_all, stream};
use object_store::{Error as ObjectError, ObjectStoreExt};
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc},
    try_join,
};
use towpath_event::EventKind;
use towpath_store::{DigestMark, EventDataStore, Location, Worker};
use tracing::info;

use crate::{
    append::{Appender, LargeAppended},
    budget::Budget,
    checkpoint::Checkpoint,
    dedup::KnownEvents,
    digest::{DigestKeys, DigestOptions, Proof, Proofs},
    error::{Error, Result},
    find::{self, FOUND_QUEUE_MAX, Found, LogFile, Place},
    gunzip::{GunzipError, TEXT_BYTES_MAX},
    intake::Intake,
    log_file::{DeliveryDays, LeftOut},
    marks,
    read::{Batch, COMMIT_TEXT_BYTES, Job, Reader, Taken, is_large},
    refusal::{Refusal, Refused},
    report::{IngestReport, Progress},
    tally::{ProgressOnly, Tally},
};

/// What time it is, from whoever may read the clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Threads that decode. Appending takes about as much computing as decoding, and is one thread, so
/// more lanes than these would wait for it.
const LANES_MAX: usize = 4;

/// Log files that are put in order together. Some 200 bytes each, so 40 MB; a trail of one account
/// has a year or so of them.
const ORDERED_LOG_FILES_MAX: usize = 200_000;

/// Log files being downloaded at once: enough to hide an object store's latency.
const DOWNLOADS_MAX: usize = 16;

/// Bytes of downloaded log files that wait to be decoded, compressed.
const DOWNLOADED_BYTES_MAX: u64 = 32 << 20;

/// Log files in one commit, at which it is made. A batch has at most as many again.
const LOG_FILES_MAX: usize = 4096;

/// Days before the first event time that is wanted, and after the last, on which such events can
/// have been delivered.
const DAYS_EARLY: i64 = 1;
const DAYS_LATE: i64 = 3;

/// What to ingest of the sources, and how.
#[derive(Clone, Copy, Debug)]
pub struct IngestOptions {
    /// Only events at or after this time. `None`: from the oldest.
    pub from: Option<DateTime<Utc>>,
    /// Only events before this time. `None`: to the newest.
    pub to: Option<DateTime<Utc>>,
    /// Whether the store's selectors choose which events are taken. Not by default: history is
    /// imported whole, as CloudTrail Lake does it.
    pub apply_selectors: bool,
    /// Text of the events that are committed together, in bytes; 48 MiB by default. More makes
    /// larger and fewer data files and takes more memory, some three times as much.
    pub commit_text_bytes: u64,
}

impl Default for IngestOptions {
    fn default() -> IngestOptions {
        IngestOptions {
            from: None,
            to: None,
            apply_selectors: false,
            commit_text_bytes: COMMIT_TEXT_BYTES,
        }
    }
}

impl IngestOptions {
    /// The event times to take, in microseconds since 1970.
    pub(crate) fn event_times(&self) -> Result<Range<i64>> {
        let from = self.from.map_or(i64::MIN, |from| from.timestamp_micros());
        let to = self.to.map_or(i64::MAX, |to| to.timestamp_micros());
        if from < to { Ok(from..to) } else { Err(Error::EmptyRange) }
    }

    /// The days of delivery that can hold such events. Only CloudTrail's own are laid out by day.
    pub(crate) fn days(&self, kind: EventKind) -> Option<DeliveryDays> {
        if kind != EventKind::CloudTrail {
            return None;
        }
        DeliveryDays::of(self.from.map(|from| from.date_naive()), self.to.map(|to| to.date_naive()))
    }
}

/// Ingests the log files of `sources` into `store` and reports what became of every one.
///
/// A log file is in whole or not at all: its events and the note that it was ingested are one
/// commit. One that cannot be taken is named in the report and stops nothing. Log files that an
/// earlier ingest dealt with are not read again, and an event that the store has is not stored
/// again, wherever it comes from. So an ingest that was stopped at any moment, also by dropping this
/// future, is completed by running it again.
///
/// With [`IngestOptions::from`] or [`IngestOptions::to`], folders of CloudTrail's layout are only
/// looked into if their day is near the range: one day before to two days after. Their files are
/// not counted.
///
/// `progress` is called often, from the task that polls this future; it must return quickly.
/// Needs a Tokio runtime. Memory stays below 512 MB, whatever the size of the log files.
///
/// # Errors
///
/// [`Error::EmptyRange`] and [`Error::UnknownIntake`] before anything is done;
/// [`Error::SourceNotFound`], [`Error::ReadSource`], [`Error::ListSource`] and
/// [`Error::ReadLogFile`] if a source cannot be read; [`Error::Store`], [`Error::ReadDataFile`] and others if the store cannot be. What was
/// committed before stays.
pub async fn ingest(
    store: &EventDataStore,
    sources: &[Location],
    options: &IngestOptions,
    now: Clock,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<IngestReport> {
    Box::pin(run(store, sources, options, None, (now, progress))).await
}

/// What to ingest, and what to ask of CloudTrail's digests.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// What to ingest.
    pub ingest: IngestOptions,
    /// The public keys of the home region of the trail.
    pub keys: DigestKeys,
    /// Whether only log files are taken that a valid digest names. One whose digest may still be on
    /// its way is left alone and taken later; another one is rejected.
    pub require_digest: bool,
}

/// Ingests as [`ingest`] does, and asks the digests in `sources` about every log file.
///
/// Each log file is compared, as it is read, with what a valid digest says of it. One that has been
/// altered is rejected, and what is known of the others stands with them in the store:
/// [`Source::digest`](towpath_store::Source). Log files that are missing or altered are recorded
/// there too. What was ingested before without such a mark, or before its digest was there, is read
/// again, which doubles no event.
///
/// # Errors
///
/// As [`ingest`] and [`verify_digests`](crate::verify_digests).
pub async fn ingest_verified(
    store: &EventDataStore,
    sources: &[Location],
    options: &VerifyOptions,
    now: Clock,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<IngestReport> {
    let VerifyOptions { ingest: options, keys, require_digest } = options;
    options.event_times()?;
    let days = |time: Option<DateTime<Utc>>, days| {
        time.and_then(|time| time.checked_add_signed(TimeDelta::days(days)))
    };
    let digests = DigestOptions {
        // The days of delivery that can hold such events.
        from: days(options.from, -DAYS_EARLY),
        to: days(options.to, DAYS_LATE).filter(|to| *to < now()),
        now: now(),
        keys: keys.clone(),
    };
    let proofs = Box::pin(Proofs::read(sources, &digests)).await?;
    let asked = Asked { proofs: &proofs, require_digest: *require_digest };
    Box::pin(run(store, sources, options, Some(asked), (now, progress))).await
}

/// What digests say of the log files that a pass finds.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    proofs: &'a Proofs,
    require_digest: bool,
}

async fn run(
    store: &EventDataStore,
    sources: &[Location],
    options: &IngestOptions,
    asked: Option<Asked<'_>>,
    (now, progress): (Clock, &(dyn Fn(&Progress) + Sync)),
) -> Result<IngestReport> {
    let began = Instant::now();
    options.event_times()?;
    let checkpoint = Box::pin(Checkpoint::load(store)).await?;
    let listener = ProgressOnly(progress);
    let tally = Tally::new(&listener);
    let (found_sender, found) = mpsc::channel(FOUND_QUEUE_MAX);
    let kind = Intake::of(&store.settings())?.kind();
    let finding = find::find(sources, kind, options.days(kind), found_sender);
    let committing = AsyncMutex::default();
    let pass = Pass {
        store,
        options,
        checkpoint: &checkpoint,
        asked,
        clock: Arc::clone(&now),
        tally: &tally,
        committing: &committing,
    };
    Box::pin(pass.run(finding, found, KnownEvents::new())).await?;
    let (mut report, altered) = tally.report();
    if let Some(Asked { proofs, .. }) = asked {
        Box::pin(marks::record(store, &checkpoint, proofs, altered, &now)).await?;
        let marks = report.digests.get_or_insert_default();
        marks.digests = proofs.digests.clone();
        marks.missing = proofs.missing.count;
        marks.missing_log_files.clone_from(&proofs.missing.named);
    }
    report.set_elapsed(began.elapsed());
    log_report(store, &report);
    Ok(report)
}

/// One pass of log files through the pipeline.
pub(crate) struct Pass<'a> {
    pub(crate) store: &'a EventDataStore,
    pub(crate) options: &'a IngestOptions,
    /// The log files that need not be read again.
    pub(crate) checkpoint: &'a Checkpoint,
    /// What digests say of the log files, if they are asked.
    pub(crate) asked: Option<Asked<'a>>,
    pub(crate) clock: Clock,
    pub(crate) tally: &'a Tally<'a>,
    /// Held while something is appended: who holds it may drop the pass and stops no commit.
    pub(crate) committing: &'a AsyncMutex<()>,
}

impl Pass<'_> {
    /// Runs `finding` and ingests what it sends to `found`. What is `known` of the store is given
    /// back for the next pass.
    ///
    /// # Errors
    ///
    /// Those of `finding` and of [`ingest`].
    pub(crate) async fn run(
        self,
        finding: impl Future<Output = Result<()>>,
        found: mpsc::Receiver<Found>,
        known: KnownEvents,
    ) -> Result<KnownEvents> {
        let Pass { store, options, checkpoint, asked, clock, tally, committing } = self;
        let intake = Intake::of(&store.settings())?.with_selectors(options.apply_selectors);
        let kind = intake.kind();
        let appender = Appender::new(store, (intake, options.event_times()?), checkpoint, clock);
        let appender = appender.with_known(known);
        let lanes = thread::available_parallelism().map_or(1, NonZero::get).min(LANES_MAX);
        // What is being committed, and half as much again being gathered.
        let commit_text_bytes = options.commit_text_bytes;
        let text_budget = Budget::new(commit_text_bytes.saturating_add(commit_text_bytes / 2));
        let batch_text_bytes = options.commit_text_bytes / u64::try_from(lanes).unwrap_or(1);
        let (jobs_sender, jobs) = mpsc::channel(2 * lanes);
        let (offers_sender, offers) = mpsc::channel(2 * lanes);
        let jobs = AsyncMutex::new(jobs);
        let lanes = (0..lanes).map(|_| {
            let reader = Reader::new(kind, batch_text_bytes, text_budget.clone());
            run_lane(reader, &jobs, offers_sender.clone(), &text_budget, tally)
        });
        let lanes = try_join_all(lanes.collect::<Vec<_>>());
        drop(offers_sender);

        let limits = (options.commit_text_bytes, &text_budget);
        let ((), (), _, known) = try_join!(
            Box::pin(finding),
            Box::pin(feed(found, (checkpoint, asked), jobs_sender, tally)),
            lanes,
            Box::pin(append_all(appender, offers, limits, committing, tally)),
        )?;
        Ok(known)
    }
}

fn log_report(store: &EventDataStore, report: &IngestReport) {
    let (log_files, events) = (&report.log_files, &report.events);
    info!(
        store = %store.id(),
        log_files = log_files.found,
        log_files_rejected = log_files.rejected,
        events = events.seen,
        events_stored = events.stored,
        elapsed_ms = report.elapsed_ms,
        "ingested"
    );
}

/// Takes what was found, puts the log files in order, and hands on those that are to be read.
async fn feed(
    mut found: mpsc::Receiver<Found>,
    (checkpoint, asked): (&Checkpoint, Option<Asked<'_>>),
    jobs: mpsc::Sender<Job>,
    tally: &Tally<'_>,
) -> Result<()> {
    let budget = Budget::new(DOWNLOADED_BYTES_MAX);
    loop {
        let mut log_files = next_log_files(&mut found, asked, tally).await;
        if log_files.is_empty() {
            return Ok(());
        }
        log_files.sort_by(|a, b| a.order().cmp(&b.order()));
        let to_read = log_files.into_iter().filter(|log_file| {
            let key = log_file.place.checkpoint_key();
            let is_in = checkpoint.contains(&key, log_file.size_bytes)
                && is_marked(log_file, checkpoint.mark(&key, log_file.size_bytes));
            if is_in {
                tally.already_ingested(log_file.size_bytes);
            }
            !is_in
        });
        let to_read = to_read.filter(|log_file| {
            let is_refused = asked.is_some_and(|asked| asked.refuses(log_file));
            if is_refused {
                tally.refused(Refusal::NotCovered.of(log_file, 0));
            }
            !is_refused
        });
        let mut downloads = stream::iter(to_read)
            .map(|log_file| download(log_file, &budget))
            .buffered(DOWNLOADS_MAX);
        while let Some(download) = downloads.next().await {
            match download? {
                Download::Job(job) => {
                    if jobs.send(job).await.is_err() {
                        return Ok(());
                    }
                }
                Download::Refused(refused) => tally.refused(refused),
            }
        }
    }
}

/// Whether the mark that a log file has in the store says what digests say of it now.
fn is_marked(log_file: &LogFile, mark: Option<DigestMark>) -> bool {
    match log_file.proof {
        None => true,
        Some(_) if mark == Some(DigestMark::Covered) => true,
        Some(proof) => mark == Some(proof.mark),
    }
}

impl Asked<'_> {
    /// Whether a log file is not to be taken because no valid digest names it.
    fn refuses(&self, log_file: &LogFile) -> bool {
        let is_covered = |proof: Proof| proof.mark == DigestMark::Covered;
        self.require_digest && !log_file.proof.is_some_and(is_covered)
    }

    /// Whether a log file is to wait for its digest.
    fn leaves(&self, log_file: &LogFile) -> bool {
        self.require_digest && log_file.proof.is_some_and(|proof| proof.is_awaited)
    }
}

/// The next log files that are put in order together, none at the end.
async fn next_log_files(
    found: &mut mpsc::Receiver<Found>,
    asked: Option<Asked<'_>>,
    tally: &Tally<'_>,
) -> Vec<LogFile> {
    let mut log_files = Vec::new();
    while log_files.len() < ORDERED_LOG_FILES_MAX {
        match found.recv().await {
            Some(Found::LogFile(mut log_file)) => {
                log_file.proof = asked.map(|asked| asked.proofs.of(&log_file.place.name()));
                if asked.is_some_and(|asked| asked.leaves(&log_file)) {
                    tally.found_other(Found::LeftOut(LeftOut::AwaitsDigest));
                    continue;
                }
                tally.marked(&log_file);
                tally.found(log_file.size_bytes);
                log_files.push(log_file);
            }
            Some(other) => tally.found_other(other),
            None => {
                tally.found_all();
                break;
            }
        }
    }
    log_files
}

/// What asking for the bytes of a log file comes to.
enum Download {
    Job(Job),
    Refused(Refused),
}

/// Downloads a log file of a bucket. A local one is read later, by the thread that decodes it, and
/// a large one later and in pieces.
async fn download(log_file: LogFile, budget: &Budget) -> Result<Download> {
    if log_file.size_bytes > TEXT_BYTES_MAX {
        return Ok(Download::Refused(Refusal::Gunzip(GunzipError::TooLarge).of(&log_file, 0)));
    }
    let bucket_and_key = match &log_file.place {
        Place::Remote(bucket, key) if !is_large(&log_file) => Some((bucket, key)),
        _ => None,
    };
    let Some((bucket, key)) = bucket_and_key else {
        return Ok(Download::Job(Job { log_file, downloaded: None, room: None }));
    };
    let room = budget.share(log_file.size_bytes).await;
    let downloaded = async { bucket.store.get(key).await?.bytes().await }.await;
    match downloaded {
        Ok(bytes) => {
            let downloaded = room.map(|room| (bytes, room));
            Ok(Download::Job(Job { log_file, downloaded, room: None }))
        }
        // This one file, and likely not the next: gone since it was listed, or not for us.
        Err(
            err @ (ObjectError::NotFound { .. }
            | ObjectError::PermissionDenied { .. }
            | ObjectError::Unauthenticated { .. }),
        ) => {
            let refusal = Refusal::Unreadable(io::Error::other(err));
            Ok(Download::Refused(refusal.of(&log_file, 0)))
        }
        Err(source) => Err(Error::ReadLogFile { path: log_file.place.name(), source }),
    }
}

/// One lane: decodes log files into batches and hands these on.
async fn run_lane(
    mut reader: Reader,
    jobs: &AsyncMutex<mpsc::Receiver<Job>>,
    offers: mpsc::Sender<Offer>,
    budget: &Budget,
    tally: &Tally<'_>,
) -> Result<()> {
    let worker = Worker::start("decode").map_err(Error::Thread)?;
    loop {
        let next = jobs.lock().await.recv().await;
        let Some(mut job) = next else { break };
        loop {
            let taken;
            (reader, taken) = take(&worker, reader, job).await?;
            match taken {
                Taken::Gathered { size_bytes, events } => tally.read(size_bytes, events),
                Taken::Refused(refused) => tally.refused(refused),
                Taken::Large(log_file) => {
                    if offers.send(Offer::Large(log_file)).await.is_err() {
                        return Ok(());
                    }
                }
                Taken::NoRoom { job: given_back, text_bytes } => {
                    // Without this, lanes could wait for ever for what they all hold.
                    let handed_on = hand_on(&mut reader, &offers).await;
                    if !handed_on || offers.send(Offer::NoRoom { text_bytes }).await.is_err() {
                        return Ok(());
                    }
                    let room = budget.share(text_bytes).await;
                    job = Job { room, ..given_back };
                    continue;
                }
            }
            break;
        }
        if reader.is_full() && !hand_on(&mut reader, &offers).await {
            return Ok(());
        }
    }
    hand_on(&mut reader, &offers).await;
    Ok(())
}

/// Reads one log file on the thread of the lane.
async fn take(worker: &Worker, mut reader: Reader, job: Job) -> Result<(Reader, Taken)> {
    let taken = worker.run(move || {
        let taken = reader.take(job);
        (reader, taken)
    });
    taken.await.map_err(Error::Thread)
}

/// What a lane tells the appender.
#[derive(Debug)]
enum Offer {
    Batch(Batch),
    /// A log file that has to be read and appended in parts.
    Large(LogFile),
    /// The lane waits for room for so much text.
    NoRoom {
        text_bytes: u64,
    },
}

/// Hands on the batch that was gathered. Returns whether anybody still takes batches.
async fn hand_on(reader: &mut Reader, offers: &mpsc::Sender<Offer>) -> bool {
    match reader.finish() {
        Some(batch) => offers.send(Offer::Batch(batch)).await.is_ok(),
        None => true,
    }
}

/// Appends batches, as many together as make a commit of the size that is wanted.
async fn append_all(
    mut appender: Appender<'_>,
    mut offers: mpsc::Receiver<Offer>,
    (commit_text_bytes, budget): (u64, &Budget),
    committing: &AsyncMutex<()>,
    tally: &Tally<'_>,
) -> Result<KnownEvents> {
    let mut batches = Vec::new();
    while let Some(offer) = offers.recv().await {
        let must_append = match &offer {
            Offer::Batch(_) => false,
            Offer::Large(_) => true,
            // It may have been given room since it asked.
            Offer::NoRoom { text_bytes } => !budget.has_room(*text_bytes),
        };
        if must_append {
            let _committing = committing.lock().await;
            append_batches(&mut appender, mem::take(&mut batches), tally).await?;
        }
        match offer {
            Offer::Batch(batch) => batches.push(batch),
            Offer::Large(log_file) => {
                let _committing = committing.lock().await;
                append_large(&mut appender, &log_file, tally).await?;
            }
            Offer::NoRoom { .. } => {}
        }
        if text_bytes(&batches) >= commit_text_bytes || log_files(&batches) >= LOG_FILES_MAX {
            let _committing = committing.lock().await;
            append_batches(&mut appender, mem::take(&mut batches), tally).await?;
        }
    }
    let _committing = committing.lock().await;
    append_batches(&mut appender, batches, tally).await?;
    Ok(appender.into_known())
}

async fn append_batches(
    appender: &mut Appender<'_>,
    batches: Vec<Batch>,
    tally: &Tally<'_>,
) -> Result<()> {
    if batches.is_empty() {
        return Ok(());
    }
    if let Some(appended) = Box::pin(appender.append(&batches)).await? {
        tally.appended(&batches, &appended);
        return Ok(());
    }
    // Events of more months than a commit takes. Times that far apart are made up, but as long as
    // no single log file has too many, each can be committed.
    for batch in batches.into_iter().flat_map(Batch::into_single_log_files) {
        let batch = [batch];
        match Box::pin(appender.append(&batch)).await? {
            Some(appended) => tally.appended(&batch, &appended),
            None => batch.iter().flat_map(|batch| &batch.log_files).for_each(|one| {
                let refusal = Refusal::TooManyMonths;
                tally.refused_when_read(refusal.of(&one.log_file, one.recorded.events));
            }),
        }
    }
    Ok(())
}

async fn append_large(
    appender: &mut Appender<'_>,
    log_file: &LogFile,
    tally: &Tally<'_>,
) -> Result<()> {
    match Box::pin(appender.append_large(log_file)).await? {
        LargeAppended::Appended { appended, recorded, text_bytes } => {
            tally.appended_large(&appended, &recorded, text_bytes);
        }
        LargeAppended::Refused(refused) => tally.refused(refused),
    }
    Ok(())
}

fn text_bytes(batches: &[Batch]) -> u64 {
    batches.iter().map(Batch::text_bytes).sum()
}

fn log_files(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.log_files.len()).sum()
}
