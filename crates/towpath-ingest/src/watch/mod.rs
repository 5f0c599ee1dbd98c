//! Ingesting without an end: what arrives in the sources is in the store within seconds.
//!
//! A watch looks at its sources over and over, and every look is a pass through the same pipeline
//! that a plain ingest uses, over what is new. Most looks are at the days just past: a bucket or
//! folder of CloudTrail's layout is only listed there. Or a queue tells what was written, and the
//! sources are looked at rarely. What was taken in is remembered by the store alone, so that a
//! watch that was ended goes on where it was, and messages are deleted only after the commit.

mod backoff;
mod event;
mod messages;
mod notification;
mod queue;
mod sieve;

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Days, NaiveDate, Timelike, Utc};
use object_store::Error as ObjectError;
use tokio::{
    select,
    sync::{Mutex as AsyncMutex, mpsc},
    time::{Instant, sleep, sleep_until, timeout},
    try_join,
};
use towpath_event::EventKind;
use towpath_store::{Error as StoreError, EventDataStore, Location};
use tracing::{info, warn};

pub use self::event::{WatchEvent, WatchReport};
pub use self::notification::{Message, NotificationQueue};
pub use self::queue::{QueueError, SqsQueue};
use self::{
    backoff::Backoff,
    messages::{Inbox, MESSAGES_MAX},
    sieve::{Now, Sieve},
};
use crate::{
    append::Appended,
    checkpoint::Checkpoint,
    dedup::KnownEvents,
    error::{Error, Result},
    find::{self, FOUND_QUEUE_MAX, Found, LogFile},
    intake::Intake,
    log_file::DeliveryDays,
    pipeline::{Clock, IngestOptions, Pass},
    report::{RejectReason, Rejected},
    source::{Bucket, Source},
    tally::{Listener, Tally},
};

/// Time between looks at the whole of yesterday and tomorrow: log files that AWS delivered late,
/// and clocks that are not right.
const NEAR_DAYS_EVERY: Duration = Duration::from_secs(60);

/// Time between looks at the last [`WIDE_DAYS`].
const WIDE_DAYS_EVERY: Duration = Duration::from_secs(60 * 60);

/// Days before today that such a look goes back. AWS repeats a delivery that failed for hours, and
/// says that thirty days are possible; those are found by the complete look.
const WIDE_DAYS: u64 = 7;

/// Time between looks at everything.
const COMPLETE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Hours of a day in which log files of the day before still arrive as a rule: CloudTrail takes
/// some five minutes, and a quarter of an hour at most.
const HOURS_OF_YESTERDAY: u32 = 1;

/// Looking takes no more than a fourth of the time: a wait is this often as long as the look was.
const WAIT_TO_LOOK: u32 = 3;

/// Seconds to wait for messages in one request, and after the first of them.
const FIRST_MESSAGE_SECS: u64 = 20;
const MORE_MESSAGES_SECS: u64 = 1;

/// For how long messages are gathered for one commit.
const GATHERING_MAX: Duration = Duration::from_secs(3);

/// How long the running commit is waited for when the watch is to end. One takes seconds; more only
/// if another writer has the store, and then nothing is lost.
const END_WAIT_MAX: Duration = Duration::from_secs(30);

/// Log files of messages that could not be read, by name. There are no more in one look.
const UNREADABLE_MAX: usize = MESSAGES_MAX;

/// Causes of an error that are told. Chains are a handful long; the limit is against one that loops.
const CAUSES_MAX: usize = 16;

/// What to watch, and how.
#[derive(Clone)]
pub struct WatchOptions {
    /// What to ingest. Log files that the store has a record of are not read again, also if an
    /// earlier ingest took only a part of them because of a range.
    pub ingest: IngestOptions,
    /// Time between two looks at the sources; seconds. A log file is visible after it and the time
    /// of a commit. With a queue it does not matter.
    pub look_every: Duration,
    /// Tells what was written. The sources are then only looked at completely, at the start and
    /// once a day, and for the last week once an hour.
    pub queue: Option<Arc<dyn NotificationQueue>>,
    /// What time it is.
    pub clock: Clock,
}

impl fmt::Debug for WatchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchOptions")
            .field("ingest", &self.ingest)
            .field("look_every", &self.look_every)
            .field("queue", &self.queue.is_some())
            .finish_non_exhaustive()
    }
}

/// Ingests what is in `sources` and whatever arrives there, until `stop` completes.
///
/// A log file is taken once and whole, as by [`ingest`](crate::ingest()): one in a folder when
/// nobody writes to it any more. When `stop` completes, the running commit is finished and nothing
/// more is begun. Dropping the future ends it at once; nothing committed is lost either way, and
/// another watch goes on from there.
///
/// After the first look at the sources nothing ends the watch but `stop`: what fails is told and
/// tried again, after waits that double up to a minute. A bucket may be empty at first.
///
/// `tell` is called from the task that polls this future; it must return quickly. Memory is that of
/// an ingest and some 30 bytes for every log file that the store has a record of.
///
/// # Errors
///
/// Those of [`ingest`](crate::ingest()) at the first look, unless they may pass.
pub async fn watch(
    store: &EventDataStore,
    sources: &[Location],
    options: &WatchOptions,
    tell: &(dyn Fn(&WatchEvent) + Sync),
    stop: impl Future<Output = ()>,
) -> Result<WatchReport> {
    options.ingest.event_times()?;
    let committing = AsyncMutex::default();
    let notes = Notes {
        sieve: Sieve::default(),
        clock: Arc::clone(&options.clock),
        tell,
        noted: Mutex::default(),
    };
    let mut watch = Watch {
        store,
        sources,
        options,
        notes: &notes,
        committing: &committing,
        checkpoint: Checkpoint::default(),
        known: KnownEvents::new(),
        plan: Plan::default(),
        inbox: Inbox::default(),
        first_messages: None,
        has_caught_up: false,
    };
    let mut stopped = pin!(async {
        stop.await;
        timeout(END_WAIT_MAX, committing.lock()).await.ok()
    });
    let mut watching = Box::pin(watch.run());
    select! {
        biased;
        ended = &mut watching => match ended? {},
        // With the lock, no commit begins until the watch is dropped.
        _committing = &mut stopped => {}
    }
    drop(watching);
    let report = notes.noted().report;
    info!(store = %store.id(), log_files = report.log_files, commits = report.commits, "watch ended");
    Ok(report)
}

/// Which part of the sources to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Complete,
    Days(NaiveDate, NaiveDate),
}

struct Watch<'a> {
    store: &'a EventDataStore,
    sources: &'a [Location],
    options: &'a WatchOptions,
    notes: &'a Notes<'a>,
    committing: &'a AsyncMutex<()>,
    checkpoint: Checkpoint,
    known: KnownEvents,
    plan: Plan,
    /// The buckets among the sources, for messages.
    inbox: Inbox,
    /// What the queue gave out at the very start; `None` before that.
    first_messages: Option<Vec<Message>>,
    has_caught_up: bool,
}

/// When which look is due.
#[derive(Debug, Default)]
struct Plan {
    complete: Option<Instant>,
    wide: Option<Instant>,
    near: Option<Instant>,
    /// The end of the last look, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Watch<'_> {
    /// Looks and ingests. Only returns with an error, and only before the first look is done.
    async fn run(&mut self) -> Result<Infallible> {
        let mut backoff = Backoff::default();
        loop {
            match self.step().await {
                Ok(()) => backoff.reset(),
                Err(err) if !self.has_caught_up && is_final(&err) => return Err(err),
                Err(err) => {
                    let wait = backoff.next();
                    let retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                    let error = with_causes(&err);
                    warn!(%error, retry_ms, "watch failed and goes on");
                    self.notes.tell(&WatchEvent::Failed { error, retry_ms });
                    sleep(wait).await;
                }
            }
        }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.options.clock)()
    }

    /// Waits for what is next and does it.
    async fn step(&mut self) -> Result<()> {
        let began = Instant::now();
        if let Some(queue) = &self.options.queue
            && self.first_messages.is_none()
        {
            // Asked first, because a queue that is not there is to be said at once.
            self.first_messages = Some(receive(&**queue, 0).await?);
        }
        if let Some(look) = self.plan.due(began, self.now(), self.options.queue.is_some()) {
            self.look(look).await?;
            self.plan.done(look, began, self.now());
            if look == Look::Complete && !self.has_caught_up {
                self.has_caught_up = true;
                self.notes.tell(&WatchEvent::CaughtUp);
            }
            return Ok(());
        }
        match &self.options.queue {
            Some(queue) => {
                let queue = Arc::clone(queue);
                self.receive(&*queue).await
            }
            None => {
                sleep_until(self.plan.next(self.options.look_every, self.notes.sieve.settled_at()))
                    .await;
                self.plan.last = None;
                Ok(())
            }
        }
    }

    /// Looks at a part of the sources and ingests what is new there.
    async fn look(&mut self, look: Look) -> Result<()> {
        let kind = Intake::of(&self.store.settings())?.kind();
        let days = self.days(look, kind);
        let sources = self.sources;
        let may_be_empty = |location: &Location| location.local_path().is_none();
        self.pass(look == Look::Complete, async |found| {
            for source in sources {
                let source_alone = std::slice::from_ref(source);
                match Box::pin(find::find(source_alone, kind, days, found.clone())).await {
                    // A trail's bucket before its first delivery.
                    Err(Error::SourceNotFound { .. }) if may_be_empty(source) => {}
                    looked => looked?,
                }
            }
            Ok(())
        })
        .await
    }

    /// The days of delivery to look at: none for all. Only CloudTrail's own events are laid out by
    /// day.
    fn days(&self, look: Look, kind: EventKind) -> Option<DeliveryDays> {
        let wanted = self.options.ingest.days(kind);
        match look {
            _ if kind != EventKind::CloudTrail => None,
            Look::Complete => wanted,
            Look::Days(first, last) => Some(DeliveryDays::by_name(first, last, wanted)),
        }
    }

    /// Receives messages and ingests the log files that they name.
    async fn receive(&mut self, queue: &dyn NotificationQueue) -> Result<()> {
        let began = Instant::now();
        let mut messages = match self.first_messages.as_mut().map(std::mem::take) {
            Some(first) if !first.is_empty() => first,
            _ => receive(queue, FIRST_MESSAGE_SECS).await?,
        };
        while !messages.is_empty()
            && messages.len() < MESSAGES_MAX
            && began.elapsed() < GATHERING_MAX
        {
            let more = receive(queue, MORE_MESSAGES_SECS).await?;
            if more.is_empty() {
                break;
            }
            messages.extend(more);
        }
        if messages.is_empty() {
            return Ok(());
        }
        if self.inbox.is_empty() {
            let kind = Intake::of(&self.store.settings())?.kind();
            self.inbox = Inbox::of(&remote_sources(self.sources, kind)?);
        }
        let mut read = self.inbox.read(messages).await?;
        let log_files = std::mem::take(&mut read.log_files);
        self.notes.noted().unreadable.clear();
        // What could not be read is tried again with every message.
        self.pass(true, async |found| {
            for log_file in log_files {
                // Nobody listening means that the pass has failed and says so itself.
                if found.send(log_file).await.is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await?;
        let unreadable = std::mem::take(&mut self.notes.noted().unreadable);
        let done = read.done(&unreadable, |event| self.notes.tell(&event));
        queue.delete(&done).await.map_err(Error::Queue)
    }

    /// Takes what `finding` sends through the sieve and the pipeline.
    async fn pass(
        &mut self,
        complete: bool,
        finding: impl AsyncFnOnce(mpsc::Sender<Found>) -> Result<()>,
    ) -> Result<()> {
        if Box::pin(self.checkpoint.refresh(self.store)).await? {
            // Log files of any day may be missing now.
            self.plan.complete = None;
        }
        let sieve = &self.notes.sieve;
        sieve.begin(complete, Instant::now());
        let (all_sender, mut all) = mpsc::channel(FOUND_QUEUE_MAX);
        let (new_sender, new) = mpsc::channel(FOUND_QUEUE_MAX);
        let (checkpoint, clock) = (&self.checkpoint, &self.options.clock);
        let sifting = async {
            while let Some(found) = all.recv().await {
                let now = Now { time: clock(), instant: Instant::now() };
                if sieve.takes(&found, checkpoint, now) && new_sender.send(found).await.is_err() {
                    break;
                }
            }
            drop(new_sender);
            Ok(())
        };
        let finding = async {
            let ((), ()) = try_join!(finding(all_sender), sifting)?;
            Ok(())
        };
        let tally = Tally::new(self.notes);
        let pass = Pass {
            store: self.store,
            options: &self.options.ingest,
            checkpoint,
            asked: None,
            clock: Arc::clone(clock),
            tally: &tally,
            committing: self.committing,
        };
        let known = std::mem::replace(&mut self.known, KnownEvents::new());
        self.known = Box::pin(pass.run(finding, new, known)).await?;
        Ok(())
    }
}

impl Plan {
    /// The look that is due, if one is.
    fn due(&self, at: Instant, now: DateTime<Utc>, has_queue: bool) -> Option<Look> {
        let is_due = |last: Option<Instant>, every| last.is_none_or(|last| last + every <= at);
        let today = now.date_naive();
        let ago = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
        if is_due(self.complete, COMPLETE_EVERY) {
            return Some(Look::Complete);
        }
        if is_due(self.wide, WIDE_DAYS_EVERY) {
            return Some(Look::Days(ago(WIDE_DAYS), tomorrow));
        }
        if has_queue || self.last.is_some() {
            return None;
        }
        if is_due(self.near, NEAR_DAYS_EVERY) {
            return Some(Look::Days(ago(1), tomorrow));
        }
        let first = if now.hour() < HOURS_OF_YESTERDAY { ago(1) } else { today };
        Some(Look::Days(first, today))
    }

    /// A look that `began` then is done. One that went further back does for the smaller ones.
    fn done(&mut self, look: Look, began: Instant, now: DateTime<Utc>) {
        let days_back = match look {
            Look::Complete => u64::MAX,
            Look::Days(first, _) => {
                u64::try_from((now.date_naive() - first).num_days()).unwrap_or_default()
            }
        };
        if look == Look::Complete {
            self.complete = Some(began);
        }
        if days_back >= WIDE_DAYS {
            self.wide = Some(began);
        }
        if days_back >= 1 {
            self.near = Some(began);
        }
        self.last = Some((Instant::now(), began.elapsed()));
    }

    /// When to look again, given when a file that was left for a moment can be taken.
    fn next(&self, look_every: Duration, settled_at: Option<Instant>) -> Instant {
        let Some((ended, took)) = self.last else { return Instant::now() };
        let next = ended + look_every.max(took * WAIT_TO_LOOK);
        settled_at.map_or(next, |settled_at| next.min(settled_at))
    }
}

/// What happens during the passes of a watch, kept and passed on.
struct Notes<'a> {
    sieve: Sieve,
    clock: Clock,
    tell: &'a (dyn Fn(&WatchEvent) + Sync),
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    report: WatchReport,
    /// Names of log files of this look that could not be read.
    unreadable: Vec<String>,
}

impl Notes<'_> {
    fn tell(&self, event: &WatchEvent) {
        let mut noted = self.noted();
        match event {
            WatchEvent::Failed { .. } => noted.report.failures += 1,
            WatchEvent::MessageNotUnderstood { deleted: true, .. } => {
                noted.report.messages_deleted_unread += 1;
            }
            _ => {}
        }
        drop(noted);
        (self.tell)(event);
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Notes<'_> {
    fn appended(&self, log_files: u64, appended: &Appended) {
        let mut noted = self.noted();
        noted.report.log_files += log_files;
        noted.report.events.add(&appended.events);
        let Some(store_version) = appended.version else { return };
        noted.report.commits += 1;
        drop(noted);
        let events = appended.events;
        (self.tell)(&WatchEvent::Committed { store_version, log_files, events });
    }

    fn rejected(&self, rejected: &Rejected, log_file: Option<&LogFile>) {
        let now = Now { time: (self.clock)(), instant: Instant::now() };
        if !self.sieve.refused(rejected, log_file, now) {
            return;
        }
        warn!(path = %rejected.path, error = %rejected.message, "log file rejected");
        let mut noted = self.noted();
        noted.report.rejected += 1;
        if rejected.reason == RejectReason::Unreadable && noted.unreadable.len() < UNREADABLE_MAX {
            noted.unreadable.push(rejected.path.clone());
        }
        drop(noted);
        (self.tell)(&WatchEvent::Rejected(rejected.clone()));
    }
}

async fn receive(queue: &dyn NotificationQueue, wait_secs: u64) -> Result<Vec<Message>> {
    queue.receive(wait_secs).await.map_err(Error::Queue)
}

/// The buckets among the sources, each with the prefix in it.
fn remote_sources(
    sources: &[Location],
    kind: EventKind,
) -> Result<Vec<(String, Arc<Bucket>, object_store::path::Path)>> {
    let mut remote = Vec::new();
    for location in sources {
        if let Source::Remote(bucket, prefix) = Source::open(location, kind)? {
            let name = location.url().host_str().unwrap_or_default().to_owned();
            remote.push((name, bucket, prefix));
        }
    }
    Ok(remote)
}

/// Whether waiting does not help: what was asked for is not there or not allowed.
fn is_final(err: &Error) -> bool {
    match err {
        Error::InvalidSource { .. }
        | Error::SourceNotFound { .. }
        | Error::EmptyRange
        | Error::Queue(QueueError::Refused { status: 400..500, .. }) => true,
        Error::ListSource { source, .. } => matches!(
            source,
            ObjectError::NotFound { .. }
                | ObjectError::PermissionDenied { .. }
                | ObjectError::Unauthenticated { .. }
        ),
        Error::Store(err) => matches!(
            err,
            StoreError::TornCommit { .. }
                | StoreError::Damaged { .. }
                | StoreError::UnsupportedTable { .. }
        ),
        _ => false,
    }
}

fn with_causes(err: &Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    for _ in 0..CAUSES_MAX {
        let Some(next) = cause else { break };
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
