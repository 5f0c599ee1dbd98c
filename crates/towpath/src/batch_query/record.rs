//! What the lake keeps of a batch query, and how it goes from one status to the next.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::NewQuery;
use crate::arrivals::Arrivals;
use crate::error::Result;
use crate::parameters::KeptParameters;
use crate::scope::Scope;

/// How long the claim of a worker holds without being renewed. Whoever looks at the query then
/// takes it for abandoned.
pub(crate) const CLAIM_SECS: i64 = 30;

/// How far the clocks of two machines may differ before a living worker is taken for dead. That
/// would cost its work, and no result: the record names one worker, and only its end counts.
const CLOCK_SKEW_SECS: i64 = 10;

/// Times that a query is begun, at most. One that took two workers with it is not given a third.
pub(crate) const RUNS_MAX: u32 = 2;

/// Days that a query and its results are kept: as in CloudTrail Lake.
const KEPT_DAYS: i64 = 7;

/// Where a batch query is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum QueryStatus {
    /// Waits for a worker.
    Queued,
    /// A worker runs it.
    Running,
    /// All rows of the result are kept.
    Finished,
    /// It could not be run to its end; the error says why.
    Failed,
    /// Someone cancelled it.
    Cancelled,
    /// It ran longer than it may. The rows until then are kept.
    TimedOut,
}

/// Where the delivery of a result is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum DeliveryStatus {
    /// Not yet delivered.
    Pending,
    /// All files and the sign file are there.
    Success,
    /// A result file could not be written.
    Failed,
    /// The result files are there; the sign file could not be made or written.
    FailedSigningFile,
    /// The folder or bucket is not there.
    ResourceNotFound,
    /// The storage refused a result file.
    AccessDenied,
    /// The storage refused the sign file.
    AccessDeniedSigningFile,
    /// The query has no whole result to deliver.
    Cancelled,
}

/// What a query read and gave, as of its end; zeros before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BatchStatistics {
    /// Events that passed the filters which are applied while data files are read.
    pub events_matched: u64,
    /// Events that had to be looked at.
    pub events_scanned: u64,
    /// Bytes read from data files, compressed as they are stored.
    pub bytes_scanned: u64,
    /// How long the query ran, in milliseconds.
    pub run_millis: u64,
    /// Rows of the result that are kept.
    pub rows: u64,
}

/// A batch query, as it was when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchQuery {
    /// Its id. Ids rise with time.
    pub id: Uuid,
    /// The statement.
    pub statement: String,
    /// The stores that the statement names.
    pub stores: Vec<Uuid>,
    /// Who asked, in their own words.
    pub submitter: Option<String>,
    /// What it sees of these stores; none: everything.
    pub scope: Option<Scope>,
    /// Where it is in its life.
    pub status: QueryStatus,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// When a worker began it, the last time if twice.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it read and gave.
    pub statistics: BatchStatistics,
    /// Why it failed.
    pub error: Option<String>,
    /// Where its result is delivered to.
    pub delivery: Option<BatchDelivery>,
}

/// The delivery of one result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchDelivery {
    /// The folder or bucket that was asked for.
    pub url: String,
    /// Where the delivery is in its life.
    pub status: DeliveryStatus,
    /// The folder that the files are in, once they are.
    pub folder: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The document that is a batch query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryRecord {
    pub(crate) id: Uuid,
    pub(crate) statement: String,
    #[serde(default, skip_serializing_if = "KeptParameters::is_empty")]
    pub(crate) parameters: KeptParameters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrivals: Option<Arrivals>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Scope>,
    #[serde(default)]
    pub(crate) stores: Vec<Uuid>,
    #[serde(default)]
    pub(crate) submitter: Option<String>,
    pub(crate) run_secs_max: u64,
    #[serde(default)]
    pub(crate) result_rows_max: Option<u64>,
    pub(crate) status: QueryStatus,
    created_at_millis: i64,
    #[serde(default)]
    started_at_millis: Option<i64>,
    #[serde(default)]
    ended_at_millis: Option<i64>,
    /// Times that a worker began it.
    #[serde(default)]
    pub(crate) runs: u32,
    /// The worker that has it, while one has.
    #[serde(default)]
    pub(crate) claim: Option<Claim>,
    #[serde(default)]
    pub(crate) statistics: BatchStatistics,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) results: Option<ResultIndex>,
    #[serde(default)]
    pub(crate) delivery: Option<DeliveryRecord>,
}

/// Who works on a query, and until when others believe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claim {
    pub(crate) worker: Uuid,
    until_millis: i64,
}

/// The files that hold a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultIndex {
    /// What tells the files of one run of the query from those of another.
    pub(crate) run: Uuid,
    pub(crate) files: Vec<ResultFile>,
}

/// One file of a result: an Arrow IPC stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultFile {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A delivery that was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryRecord {
    pub(crate) url: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) status: DeliveryStatus,
    #[serde(default)]
    pub(crate) folder: Option<String>,
    #[serde(default)]
    pub(crate) error: Option<String>,
}

impl QueryStatus {
    /// Every status, in the order of a query's life.
    pub const ALL: [QueryStatus; 6] = [
        QueryStatus::Queued,
        QueryStatus::Running,
        QueryStatus::Finished,
        QueryStatus::Failed,
        QueryStatus::Cancelled,
        QueryStatus::TimedOut,
    ];

    /// CloudTrail Lake's name of it: `QUEUED`, `TIMED_OUT`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            QueryStatus::Queued => "QUEUED",
            QueryStatus::Running => "RUNNING",
            QueryStatus::Finished => "FINISHED",
            QueryStatus::Failed => "FAILED",
            QueryStatus::Cancelled => "CANCELLED",
            QueryStatus::TimedOut => "TIMED_OUT",
        }
    }

    /// Whether it stays as it is.
    #[must_use]
    pub fn is_ended(self) -> bool {
        !matches!(self, QueryStatus::Queued | QueryStatus::Running)
    }
}

impl fmt::Display for QueryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for QueryStatus {
    type Err = crate::Error;

    /// Reads CloudTrail Lake's name, in any case.
    fn from_str(text: &str) -> Result<QueryStatus> {
        let named =
            QueryStatus::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(text));
        named.ok_or_else(|| {
            let names = QueryStatus::ALL.map(QueryStatus::as_str).join(", ");
            crate::Error::InvalidArgument(format!("`{text}` is no query status; those are {names}"))
        })
    }
}

impl DeliveryStatus {
    /// Whether it stays as it is.
    #[must_use]
    pub fn is_ended(self) -> bool {
        self != DeliveryStatus::Pending
    }

    /// CloudTrail Lake's name of it: `PENDING`, `SUCCESS`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryStatus::Pending => "PENDING",
            DeliveryStatus::Success => "SUCCESS",
            DeliveryStatus::Failed => "FAILED",
            DeliveryStatus::FailedSigningFile => "FAILED_SIGNING_FILE",
            DeliveryStatus::ResourceNotFound => "RESOURCE_NOT_FOUND",
            DeliveryStatus::AccessDenied => "ACCESS_DENIED",
            DeliveryStatus::AccessDeniedSigningFile => "ACCESS_DENIED_SIGNING_FILE",
            DeliveryStatus::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl QueryRecord {
    /// A query that waits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`](crate::Error) for a parameter that cannot be kept.
    pub(crate) fn new(
        id: Uuid,
        new: &NewQuery,
        stores: Vec<Uuid>,
        scope: Option<&Scope>,
        now: DateTime<Utc>,
    ) -> Result<QueryRecord> {
        let delivery = new.delivery.as_ref().map(|delivery| DeliveryRecord {
            url: delivery.url.clone(),
            account: delivery.account.clone(),
            region: delivery.region.clone(),
            status: DeliveryStatus::Pending,
            folder: None,
            error: None,
        });
        Ok(QueryRecord {
            id,
            statement: new.statement.clone(),
            parameters: KeptParameters::keep(&new.parameters)?,
            arrivals: new.arrivals.clone(),
            scope: scope.cloned(),
            stores,
            submitter: new.submitter.clone(),
            run_secs_max: new.limits.run_secs_max,
            result_rows_max: new.limits.result_rows_max,
            status: QueryStatus::Queued,
            created_at_millis: now.timestamp_millis(),
            started_at_millis: None,
            ended_at_millis: None,
            runs: 0,
            claim: None,
            statistics: BatchStatistics::default(),
            error: None,
            results: None,
            delivery,
        })
    }

    pub(crate) fn created_at(&self) -> DateTime<Utc> {
        moment(self.created_at_millis)
    }

    pub(crate) fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended_at_millis.map(moment)
    }

    /// Whether it is gone, whether or not it has been removed yet.
    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.created_at() + TimeDelta::days(KEPT_DAYS) <= now
    }

    /// Whether nothing is left to do for it, delivery included.
    pub(crate) fn is_settled(&self) -> bool {
        let is_delivered = self
            .delivery
            .as_ref()
            .is_none_or(|delivery| delivery.status != DeliveryStatus::Pending);
        self.status.is_ended() && is_delivered
    }

    /// Whether `worker` has it.
    pub(crate) fn is_claimed_by(&self, worker: Uuid) -> bool {
        self.claim.is_some_and(|claim| claim.worker == worker)
    }

    /// Whether a worker has it that has not been heard of for too long.
    pub(crate) fn is_abandoned(&self, now: DateTime<Utc>) -> bool {
        let last = now - TimeDelta::seconds(CLOCK_SKEW_SECS);
        self.claim.is_some_and(|claim| claim.until_millis < last.timestamp_millis())
    }

    /// Whether a worker may take it: to run it, or to deliver what another one ran.
    pub(crate) fn is_free(&self, now: DateTime<Utc>) -> bool {
        !self.is_settled()
            && match self.claim {
                Some(_) => self.is_abandoned(now),
                None => self.status != QueryStatus::Running,
            }
    }

    /// Gives it to `worker`, to be run if it waits.
    pub(crate) fn claim(&mut self, worker: Uuid, now: DateTime<Utc>) {
        self.renew(worker, now);
        if self.status == QueryStatus::Queued {
            self.status = QueryStatus::Running;
            self.started_at_millis = Some(now.timestamp_millis());
            self.runs += 1;
        }
    }

    /// Lets the claim of `worker` hold from `now`.
    pub(crate) fn renew(&mut self, worker: Uuid, now: DateTime<Utc>) {
        let until = now + TimeDelta::seconds(CLAIM_SECS);
        self.claim = Some(Claim { worker, until_millis: until.timestamp_millis() });
    }

    /// Takes it from a worker that is gone: it waits again, or has failed if it did so before.
    pub(crate) fn take_back(&mut self, now: DateTime<Utc>) {
        self.claim = None;
        if self.status != QueryStatus::Running {
            return;
        }
        if self.runs < RUNS_MAX {
            self.status = QueryStatus::Queued;
        } else {
            let error = format!("its worker ended without a word, {} times", self.runs);
            self.end(QueryStatus::Failed, Some(error), now);
        }
    }

    /// Gives it back unfinished, as if it had not been begun.
    pub(crate) fn give_back(&mut self) {
        self.claim = None;
        if self.status == QueryStatus::Running {
            self.status = QueryStatus::Queued;
            self.runs = self.runs.saturating_sub(1);
        }
    }

    /// Ends it. Only a finished query is delivered, and stays claimed until it is.
    pub(crate) fn end(&mut self, status: QueryStatus, error: Option<String>, now: DateTime<Utc>) {
        self.status = status;
        self.error = error;
        self.ended_at_millis = Some(now.timestamp_millis());
        if status != QueryStatus::Finished
            && let Some(delivery) = &mut self.delivery
        {
            delivery.status = DeliveryStatus::Cancelled;
        }
        if self.is_settled() {
            self.claim = None;
        }
    }

    pub(crate) fn describe(&self) -> BatchQuery {
        BatchQuery {
            id: self.id,
            statement: self.statement.clone(),
            stores: self.stores.clone(),
            submitter: self.submitter.clone(),
            scope: self.scope.clone(),
            status: self.status,
            created_at: self.created_at(),
            started_at: self.started_at_millis.map(moment),
            ended_at: self.ended_at(),
            statistics: self.statistics,
            error: self.error.clone(),
            delivery: self.delivery.as_ref().map(|delivery| BatchDelivery {
                url: delivery.url.clone(),
                status: delivery.status,
                folder: delivery.folder.clone(),
                error: delivery.error.clone(),
            }),
        }
    }
}

/// A moment that was one before it was written; 1970 for what no calendar has.
fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QueryLimits;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn record() -> QueryRecord {
        let limits = QueryLimits { run_secs_max: 60, result_rows_max: None };
        let new = NewQuery::new("SELECT 1", limits);
        QueryRecord::new(Uuid::from_u128(1), &new, Vec::new(), None, now()).unwrap()
    }

    #[test]
    fn a_claim_ends_after_its_time_and_the_skew_of_clocks() {
        let mut record = record();
        assert!(record.is_free(now()));
        record.claim(Uuid::from_u128(7), now());
        assert_eq!(record.status, QueryStatus::Running);
        assert!(!record.is_free(now() + TimeDelta::seconds(40)));
        assert!(record.is_free(now() + TimeDelta::seconds(41)));
    }

    #[test]
    fn a_query_that_takes_its_workers_with_it_fails_in_the_end() {
        let mut record = record();
        for run in 1..=RUNS_MAX {
            record.claim(Uuid::from_u128(7), now());
            record.take_back(now());
            let expected = if run < RUNS_MAX { QueryStatus::Queued } else { QueryStatus::Failed };
            assert_eq!(record.status, expected, "{run}");
        }
        assert!(record.is_settled() && record.error.is_some());
    }

    #[test]
    fn giving_back_is_no_failed_run() {
        let mut record = record();
        for _ in 0..10 {
            record.claim(Uuid::from_u128(7), now());
            record.give_back();
            assert_eq!(record.status, QueryStatus::Queued);
        }
    }

    #[test]
    fn names_of_statuses_are_those_of_the_record() {
        for status in QueryStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse::<QueryStatus>().unwrap(), status);
        }
        assert!("DONE".parse::<QueryStatus>().is_err());
    }
}
