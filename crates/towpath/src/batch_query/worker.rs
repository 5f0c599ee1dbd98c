//! The worker: takes the queries that wait, runs them, keeps and delivers their rows.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::Write as _;
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::{self, AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::archive::{QueryArchive, id_millis};
use super::delivery::{Delivered, deliver};
use super::record::{BatchStatistics, CLAIM_SECS, QueryRecord, QueryStatus, ResultIndex};
use super::results::ResultWriter;
use crate::error::{Error, Result};
use crate::lake::{Asked, Lake};
use crate::limits::QueryLimits;
use crate::rows::Rows;

/// Queries that a worker runs at once, unless its options say otherwise: as many as CloudTrail
/// Lake does.
const CONCURRENT_DEFAULT: usize = 10;

/// How often a worker looks for queries of other processes: one listing each time.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// How often a worker looks whether the query that it runs was cancelled: one small read.
const CANCEL_PAUSE: Duration = Duration::from_millis(500);

/// How often a claim is renewed: three times before it ends.
const RENEW_PAUSE: Duration = Duration::from_secs(CLAIM_SECS.unsigned_abs() / 3);

/// How often a worker removes the queries that have expired.
const EXPIRY_PAUSE: Duration = Duration::from_secs(60 * 60);

/// How often a worker looks for schedules that are due: one listing, and one read for each.
const SCHEDULES_PAUSE: Duration = Duration::from_secs(10);

/// Looks in a row that may fail before the worker gives up: half a minute of a storage that does
/// not answer.
const FAILED_LOOKS_MAX: u32 = 30;

/// How old a mark without a query must be to be removed. The query comes right after its mark.
const MARK_AGE_MILLIS_MAX: i64 = 10 * 60 * 1_000;

/// Times that the end of a query is written anew when the storage fails.
const END_ATTEMPTS_MAX: u32 = 5;

/// Causes of an error that are kept with a query.
const CAUSES_MAX: usize = 8;

/// The lease of a worker that is to be alone.
const LEASE: &str = "worker";

/// How long such a worker waits for another one to end. One that ends looks a last time for what
/// is left, so either it ends within this time, or it will still find what this one would have.
const LEASE_WAIT_MAX: Duration = Duration::from_secs(10);

/// How a worker works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// Queries that it runs at once.
    pub concurrent_max: usize,
    /// Whether it ends when nothing is queued or running, rather than wait for more.
    pub until_idle: bool,
    /// Whether it ends at once if another worker of which this is true has the lake, so that of
    /// many that are started one stays.
    pub alone: bool,
}

impl Default for WorkerOptions {
    fn default() -> WorkerOptions {
        WorkerOptions { concurrent_max: CONCURRENT_DEFAULT, until_idle: false, alone: false }
    }
}

impl Lake {
    /// Runs the batch queries of the lake as they come, several at once; returns how many ended.
    ///
    /// Several workers, of one process or of many, may work on one lake: each query is run by one
    /// of them. Ends when `shutdown` does, and gives the queries that run back to the queue; when
    /// the future is dropped they stay claimed, until others take the worker for dead.
    ///
    /// # Errors
    ///
    /// A storage error that does not pass. A query that fails is no error of its worker.
    pub async fn run_queries(
        &self,
        options: &WorkerOptions,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<u64> {
        if !options.alone {
            return self.run_pool(options, shutdown).await;
        }
        let documents = self.query_archive().documents().clone();
        let Some(lease) = documents.lease(LEASE, self.now(), LEASE_WAIT_MAX).await? else {
            return Ok(0);
        };
        let ended = self.run_pool(options, shutdown).await;
        lease.release().await;
        ended
    }

    async fn run_pool(
        &self,
        options: &WorkerOptions,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<u64> {
        let (stop, stopped) = watch::channel(false);
        let worker = Worker {
            lake: self.clone(),
            archive: self.query_archive(),
            id: Uuid::new_v4(),
            stopped,
        };
        let mut pool = Pool { worker, running: JoinSet::new(), queries: HashMap::new(), ended: 0 };
        let mut shutdown = pin!(shutdown);
        let mut failed_looks = 0;
        let (mut expiry, mut schedules) = (Instant::now(), Instant::now());
        loop {
            if Instant::now() >= expiry {
                expiry = Instant::now() + EXPIRY_PAUSE;
                self.remove_expired_queries().await?;
                if let Err(error) = self.maintain_audit_store().await {
                    warn!(error = &error as &dyn StdError, "audit events are not collected");
                }
            }
            if Instant::now() >= schedules {
                schedules = Instant::now() + SCHEDULES_PAUSE;
                if let Err(error) = self.submit_due().await {
                    warn!(error = &error as &dyn StdError, "could not look for schedules");
                }
            }
            match pool.look(options.concurrent_max).await {
                Ok(0) if options.until_idle && pool.running.is_empty() => break,
                Ok(_) => failed_looks = 0,
                Err(error) if failed_looks >= FAILED_LOOKS_MAX => return Err(error),
                Err(error) => {
                    failed_looks += 1;
                    warn!(error = &error as &dyn StdError, "could not look for batch queries");
                }
            }
            tokio::select! {
                () = &mut shutdown => {
                    stop.send_replace(true);
                    while !pool.running.is_empty() {
                        pool.joined().await;
                    }
                    break;
                }
                () = pool.joined(), if !pool.running.is_empty() => {}
                () = self.query_wake().notified() => {}
                () = sleep(LOOK_PAUSE) => {}
            }
        }
        Ok(pool.ended)
    }
}

/// The queries that one worker runs.
struct Pool {
    worker: Worker,
    running: JoinSet<bool>,
    queries: HashMap<task::Id, Uuid>,
    ended: u64,
}

impl Pool {
    /// Takes queries up to `concurrent_max`; returns how many of the lake are open.
    async fn look(&mut self, concurrent_max: usize) -> Result<usize> {
        let open = self.worker.archive.open().await?;
        let mut left = open.len();
        for id in open {
            if self.running.len() >= concurrent_max.max(1) {
                break;
            }
            if self.queries.values().any(|running| *running == id) {
                continue;
            }
            match self.worker.take(id).await {
                Ok(Taken::Mine(record)) => {
                    let worker = self.worker.clone();
                    let handle: AbortHandle =
                        self.running.spawn(async move { worker.work(*record).await });
                    self.queries.insert(handle.id(), id);
                }
                Ok(Taken::Settled) => left -= 1,
                Ok(Taken::Others) => {}
                // One that cannot be read must not keep the others from being run.
                Err(Error::DamagedQuery { .. }) => {
                    warn!(query_id = %id, "record of a batch query is damaged, mark removed");
                    self.worker.archive.unmark(id).await?;
                    left -= 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    /// Waits for one of the queries to end.
    async fn joined(&mut self) {
        let ended = match self.running.join_next_with_id().await {
            Some(Ok((task, ended))) => {
                self.queries.remove(&task);
                ended
            }
            Some(Err(error)) => {
                if let Some(id) = self.queries.remove(&error.id()) {
                    warn!(query_id = %id, "batch query left unfinished");
                }
                false
            }
            None => false,
        };
        self.ended += u64::from(ended);
    }
}

/// What became of an open query that a worker looked at.
enum Taken {
    /// The worker has it.
    Mine(Box<QueryRecord>),
    /// Another worker has it.
    Others,
    /// Nothing is left to do for it.
    Settled,
}

/// One worker of a lake.
#[derive(Clone)]
struct Worker {
    lake: Lake,
    archive: QueryArchive,
    id: Uuid,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    /// Tries to take an open query.
    async fn take(&self, id: Uuid) -> Result<Taken> {
        let now = self.lake.now();
        match self.archive.find(id).await? {
            None if now.timestamp_millis() - id_millis(id) > MARK_AGE_MILLIS_MAX => {
                self.archive.unmark(id).await?;
                return Ok(Taken::Settled);
            }
            None => return Ok(Taken::Settled),
            Some(record) if record.is_settled() => {
                self.archive.unmark(id).await?;
                return Ok(Taken::Settled);
            }
            Some(record) if record.is_expired(now) => {
                self.archive.remove(id).await?;
                return Ok(Taken::Settled);
            }
            Some(record) if !record.is_free(now) => return Ok(Taken::Others),
            Some(_) => {}
        }
        let taken = self.archive.change(id, |record| {
            if !record.is_free(now) {
                return false;
            }
            if record.claim.is_some() {
                record.take_back(now);
            }
            if !record.is_settled() {
                record.claim(self.id, now);
            }
            true
        });
        match Box::pin(taken).await {
            Ok((record, true)) if record.is_claimed_by(self.id) => {
                Ok(Taken::Mine(Box::new(record)))
            }
            Ok((record, _)) if record.is_settled() => Ok(Taken::Settled),
            Ok(_) => Ok(Taken::Others),
            Err(Error::QueryNotFound { .. }) => Ok(Taken::Settled),
            Err(error) => Err(error),
        }
    }

    /// Does what is left to do for a query that is this worker's; says whether it ended here.
    async fn work(&self, record: QueryRecord) -> bool {
        let id = record.id;
        let record = if record.status == QueryStatus::Running {
            let (lake, archive) = (self.lake.clone(), self.archive.clone());
            let run = async move { Box::pin(run(&lake, &archive, &record)).await };
            let Some(ran) = self.while_claimed(id, run).await else { return false };
            match self.end(id, ran).await {
                Some(record) => record,
                None => return false,
            }
        } else {
            record
        };
        if !record.is_settled() {
            let lake = self.lake.clone();
            let delivering = async move { Box::pin(deliver(&lake, &record)).await };
            let Some(delivered) = self.while_claimed(id, delivering).await else { return false };
            self.end_delivery(id, delivered).await;
        }
        true
    }

    /// Runs `work` for as long as the query stays claimed by this worker; `None` if it did not.
    async fn while_claimed<T: Send + 'static>(
        &self,
        id: Uuid,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        // A task of its own: what computes for long without a pause must not keep this one from
        // renewing the claim. Dropping the set ends it.
        let mut task = JoinSet::new();
        task.spawn(work);
        let mut stopped = self.stopped.clone();
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                done = task.join_next() => return match done {
                    Some(Ok(done)) => Some(done),
                    _ => {
                        self.give_up(id).await;
                        None
                    }
                },
                () = stop_asked(&mut stopped) => {
                    task.shutdown().await;
                    self.change_mine(id, QueryRecord::give_back).await;
                    return None;
                }
                () = sleep(CANCEL_PAUSE) => {}
            }
            let is_mine = match self.archive.find(id).await {
                Ok(record) => record.is_some_and(|record| record.is_claimed_by(self.id)),
                // A storage that does not answer now may do so before the claim ends.
                Err(_) => true,
            };
            if !is_mine {
                debug!(query_id = %id, "batch query is no longer this worker's");
                task.shutdown().await;
                return None;
            }
            if renewed.elapsed() >= RENEW_PAUSE {
                let now = self.lake.now();
                self.change_mine(id, |record| record.renew(self.id, now)).await;
                renewed = Instant::now();
            }
        }
    }

    /// Says that the query could not be run, because of a mistake of this program's.
    async fn give_up(&self, id: Uuid) {
        let now = self.lake.now();
        self.change_mine(id, |record| {
            if record.status == QueryStatus::Running {
                record.end(QueryStatus::Failed, Some("it ended in an internal error".into()), now);
            } else {
                record.delivery_ended(Delivered::internal_error());
            }
        })
        .await;
    }

    /// Writes the end of a query; `None` if it was no longer this worker's.
    async fn end(&self, id: Uuid, ran: Ran) -> Option<QueryRecord> {
        let now = self.lake.now();
        let (status, rows, run_millis) =
            (ran.status, ran.statistics.rows, ran.statistics.run_millis);
        let ended = self
            .change_mine(id, |record| {
                record.statistics = ran.statistics;
                record.results.clone_from(&ran.results);
                record.end(ran.status, ran.error.clone(), now);
            })
            .await;
        let kept = ended.as_ref().and_then(|record| record.results.as_ref());
        if let Err(error) = self.remove_other_results(id, kept).await {
            debug!(query_id = %id, error = &error as &dyn StdError, "rows of no use are left");
        }
        if ended.is_some() {
            info!(query_id = %id, status = status.as_str(), rows, run_millis, "batch query ended");
        }
        ended
    }

    /// Removes the rows of runs that did not come to their end. A query that another worker has
    /// by now is left alone.
    async fn remove_other_results(&self, id: Uuid, kept: Option<&ResultIndex>) -> Result<()> {
        if kept.is_none() {
            match self.archive.find(id).await? {
                Some(record) if !record.status.is_ended() || record.results.is_some() => {
                    return Ok(());
                }
                _ => {}
            }
        }
        self.archive.remove_results(id, kept).await
    }

    async fn end_delivery(&self, id: Uuid, delivered: Delivered) {
        let status = delivered.status;
        self.change_mine(id, |record| record.delivery_ended(delivered.clone())).await;
        info!(query_id = %id, status = status.as_str(), "result delivered");
    }

    /// Changes the record if the query is this worker's, trying again when the storage fails.
    async fn change_mine(
        &self,
        id: Uuid,
        change: impl Fn(&mut QueryRecord) + Send + Sync,
    ) -> Option<QueryRecord> {
        for attempt in 1..=END_ATTEMPTS_MAX {
            let changed = self.archive.change(id, |record| {
                let is_mine = record.is_claimed_by(self.id);
                if is_mine {
                    change(record);
                }
                is_mine
            });
            match Box::pin(changed).await {
                Ok((record, changed)) => return changed.then_some(record),
                Err(Error::QueryNotFound { .. }) => return None,
                Err(error) if attempt == END_ATTEMPTS_MAX => {
                    warn!(query_id = %id, error = &error as &dyn StdError, "batch query not saved");
                }
                Err(_) => sleep(LOOK_PAUSE).await,
            }
        }
        None
    }
}

/// Completes when the worker is to stop; never, if nobody is left to say so.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        pending::<()>().await;
    }
}

/// How a query ended.
struct Ran {
    status: QueryStatus,
    error: Option<String>,
    statistics: BatchStatistics,
    results: Option<ResultIndex>,
}

/// Runs a query and writes its rows.
async fn run(lake: &Lake, archive: &QueryArchive, record: &QueryRecord) -> Ran {
    let began = Instant::now();
    let run_max = Duration::from_secs(record.run_secs_max);
    let mut statistics = BatchStatistics::default();
    let written = Box::pin(write_rows(lake, archive, record, &mut statistics)).await;
    statistics.run_millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (results, error) = match written {
        Ok((results, error)) => (Some(results), error),
        Err(error) => (None, Some(error)),
    };
    let Some(error) = error else {
        return Ran { status: QueryStatus::Finished, error: None, statistics, results };
    };
    let is_late = matches!(error, Error::Limit(_)) && began.elapsed() >= run_max;
    let status = if is_late { QueryStatus::TimedOut } else { QueryStatus::Failed };
    // The rows before an error are not a part of the result, those before the time are.
    let results = results.filter(|_| is_late);
    if results.is_none() {
        statistics.rows = 0;
    }
    Ran { status, error: Some(describe(&error)), statistics, results }
}

/// Writes the rows as far as they come, and returns what stopped them, if something did.
async fn write_rows(
    lake: &Lake,
    archive: &QueryArchive,
    record: &QueryRecord,
    statistics: &mut BatchStatistics,
) -> Result<(ResultIndex, Option<Error>)> {
    let limits =
        QueryLimits { run_secs_max: record.run_secs_max, result_rows_max: record.result_rows_max };
    let parameters = record.parameters.values()?;
    let asked = Asked {
        statement: &record.statement,
        parameters: &parameters,
        arrivals: record.arrivals.as_ref(),
    };
    let mut rows: Rows = match &record.scope {
        None => lake.ask(asked, limits).await?,
        Some(scope) => lake.within(scope.clone()).ask(asked, limits).await?,
    };
    let documents = archive.documents().clone();
    let mut writer = ResultWriter::new(documents, record.id, &rows.schema());
    let mut stopped = None;
    while let Some(batch) = rows.next().await {
        let written: Result<RecordBatch> = match batch {
            Ok(batch) => writer.write(&batch).await.map(|()| batch),
            Err(error) => Err(error),
        };
        match written {
            Ok(batch) => statistics.rows += batch.num_rows() as u64,
            Err(error) => {
                stopped = Some(error);
                break;
            }
        }
    }
    let read = rows.statistics();
    statistics.events_matched = read.events_matched;
    statistics.events_scanned = read.events_scanned;
    statistics.bytes_scanned = read.bytes_scanned;
    Ok((writer.finish().await?, stopped))
}

/// The text of an error and of its causes.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    let mut cause = error.source();
    for _ in 0..CAUSES_MAX {
        let Some(error) = cause else { break };
        let next = error.to_string();
        // A transparent error repeats its source; once is enough.
        if next != last {
            // Writing to a string cannot fail.
            write!(text, ": {next}").unwrap_or_default();
        }
        last = next;
        cause = error.source();
    }
    text
}
