//! Batch queries: submitted now, run by a worker, read later, from any process that sees the lake.
//!
//! [`Lake::start_query`] plans a statement and keeps it in the lake; [`Lake::run_queries`], in this
//! process or another one, runs what waits; [`Lake::describe_query`], [`Lake::query_results`] and
//! [`Lake::cancel_query`] work from anywhere. Queries, results and limits are those of CloudTrail
//! Lake: a query and its rows are kept for seven days, pages hold up to 1,000 rows.
//!
//! A worker says every few seconds that it still lives. The query of one that no longer does is
//! begun anew by another worker, once; after that it has failed. So no query runs for ever.

mod archive;
mod delivery;
mod record;
mod results;
mod worker;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use towpath_sql::ParameterValues;
use towpath_store::Location;
use uuid::Uuid;

pub use self::record::{BatchDelivery, BatchQuery, BatchStatistics, DeliveryStatus, QueryStatus};
pub use self::results::PAGE_ROWS_MAX;
pub use self::worker::WorkerOptions;

pub(crate) use self::archive::{QueryArchive, new_id};

use self::record::QueryRecord;
use self::results::ResultReader;
use crate::arrivals::Arrivals;
use crate::audit::{AuditEvent, statement_parameters};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::limits::QueryLimits;

/// Queries that are queued or running in a lake, at most, unless the caller says fewer.
const UNFINISHED_MAX: usize = 1_000;

/// Longest statement that is kept, in bytes; that of the engine itself is larger.
const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// Longest words of a submitter, in bytes.
const SUBMITTER_BYTES_MAX: usize = 1_024;

/// Digits of an account's id.
const ACCOUNT_DIGITS: usize = 12;

/// A batch query to be started.
#[derive(Clone, Debug)]
pub struct NewQuery {
    /// The statement.
    pub statement: String,
    /// The values of its parameters.
    pub parameters: ParameterValues,
    /// What it may cost.
    pub limits: QueryLimits,
    /// Who asks, in their own words.
    pub submitter: Option<String>,
    /// Where its result is to be delivered to.
    pub delivery: Option<Delivery>,
    /// How many queries of the lake may be queued or running with it. CloudTrail Lake has 10.
    pub unfinished_max: usize,
    /// What it sees of the stores that it names; none: everything.
    pub(crate) arrivals: Option<Arrivals>,
}

/// Where a result is to be delivered to, as CloudTrail Lake delivers to a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The folder or bucket prefix, under which the files get their own folder.
    pub url: String,
    /// The account in their path: 12 digits.
    pub account: String,
    /// The Region in the sign file.
    pub region: String,
}

/// Which batch queries to list.
#[derive(Clone, Debug, Default)]
pub struct QueryFilter {
    /// Only those of this status.
    pub status: Option<QueryStatus>,
    /// Only those that name this store.
    pub store: Option<Uuid>,
    /// Only those submitted at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only those submitted before this time.
    pub to: Option<DateTime<Utc>>,
}

/// A page of a list of batch queries, the newest first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryList {
    /// The queries.
    pub queries: Vec<BatchQuery>,
    /// What gives the next page; none at the end.
    pub next_token: Option<String>,
}

/// A page of the result of a batch query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResultPage {
    /// The query. While it waits or runs, and if it failed or was cancelled, there are no rows.
    pub query: BatchQuery,
    /// Headings and types; none while there is no result.
    pub schema: Option<SchemaRef>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// What gives the next page; none at the end.
    pub next_token: Option<String>,
}

impl NewQuery {
    /// A query that is delivered nowhere and may queue behind many others.
    pub fn new(statement: impl Into<String>, limits: QueryLimits) -> NewQuery {
        NewQuery {
            statement: statement.into(),
            parameters: ParameterValues::default(),
            limits,
            submitter: None,
            delivery: None,
            unfinished_max: UNFINISHED_MAX,
            arrivals: None,
        }
    }
}

impl Lake {
    /// Plans a statement and keeps it for a worker to run; returns its id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidStatement`](crate::ErrorKind::InvalidStatement) and the other kinds of
    /// [`Lake::query`] if it cannot be planned; [`ErrorKind::QueueFull`](crate::ErrorKind) if too
    /// many are unfinished; [`ErrorKind::InvalidArgument`](crate::ErrorKind) for a delivery that
    /// names no place; storage errors.
    pub async fn start_query(&self, new: NewQuery) -> Result<Uuid> {
        let id = new_id(self.now());
        Box::pin(self.start_query_as(id, new)).await?;
        Ok(id)
    }

    /// As [`Lake::start_query`], under an id that the caller made.
    pub(crate) async fn start_query_as(&self, id: Uuid, new: NewQuery) -> Result<()> {
        let mut request = statement_parameters(&new.statement, &new.parameters)?;
        if let Some(delivery) = &new.delivery {
            request["deliveryS3Uri"] = json!(delivery.url);
        }
        let event = AuditEvent::new("StartQuery").read_only().with_request(request);
        let event = event.with_additional(json!({"submitter": new.submitter}));
        let started = |(): &()| json!({"queryId": id});
        self.audit().change(event, Box::pin(self.start_unrecorded(id, new)), started).await
    }

    async fn start_unrecorded(&self, id: Uuid, mut new: NewQuery) -> Result<()> {
        check(&new)?;
        if let Some(delivery) = &mut new.delivery {
            // A path from the submitter's folder means nothing in the worker's.
            let location = Location::parse(&delivery.url, &self.options().storage_options)?;
            delivery.url = location.to_string();
        }
        let stores = self.plan_only(&new.statement, &new.parameters, new.limits).await?;
        let record = QueryRecord::new(id, &new, stores, self.scope.as_deref(), self.now())?;
        self.query_archive().add(&record, new.unfinished_max).await?;
        self.query_wake().notify_one();
        Ok(())
    }

    /// A batch query as it is now.
    ///
    /// One whose worker is gone is put back into the queue by this call, or has failed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QueryNotFound`](crate::ErrorKind::QueryNotFound), also for one that is older
    /// than seven days; storage errors.
    pub async fn describe_query(&self, id: Uuid) -> Result<BatchQuery> {
        Ok(self.query_record(id).await?.describe())
    }

    async fn query_record(&self, id: Uuid) -> Result<QueryRecord> {
        let (archive, now) = (self.query_archive(), self.now());
        let record = archive.get(id, now).await?;
        if !record.is_abandoned(now) {
            return Ok(record);
        }
        let (record, _) = archive
            .change(id, |record| {
                let is_abandoned = record.is_abandoned(now);
                if is_abandoned {
                    record.take_back(now);
                }
                is_abandoned
            })
            .await?;
        Ok(record)
    }

    /// A page of the rows of a batch query: the first, or the one of `page_token`.
    ///
    /// Rows are there once the query has finished, and those until then if it ran too long.
    /// `rows_max` is at most [`PAGE_ROWS_MAX`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QueryNotFound`](crate::ErrorKind::QueryNotFound);
    /// [`ErrorKind::InvalidPageToken`](crate::ErrorKind::InvalidPageToken) for a token that is not
    /// of this result; [`ErrorKind::InvalidArgument`](crate::ErrorKind); storage errors.
    pub async fn query_results(
        &self,
        id: Uuid,
        page_token: Option<&str>,
        rows_max: u32,
    ) -> Result<ResultPage> {
        if rows_max == 0 || rows_max > PAGE_ROWS_MAX {
            return Err(Error::InvalidArgument(format!(
                "a page has 1 to {PAGE_ROWS_MAX} rows, not {rows_max}"
            )));
        }
        let record = self.query_record(id).await?;
        let query = record.describe();
        let Some(index) = &record.results else {
            return match page_token {
                Some(_) => Err(Error::InvalidPageToken),
                None => {
                    Ok(ResultPage { query, schema: None, batches: Vec::new(), next_token: None })
                }
            };
        };
        let archive = self.query_archive();
        let reader = ResultReader { documents: archive.documents(), query: id, index };
        let offset = page_token.map(|token| reader.offset(token)).transpose()?.unwrap_or(0);
        let (schema, batches) = reader.page(offset, u64::from(rows_max)).await?;
        if page_token.is_none() {
            let event = AuditEvent::new("GetQueryResults").read_only();
            let event = event.with_request(json!({"queryId": id}));
            let event = query.stores.iter().copied().fold(event, AuditEvent::about);
            self.audit().record(event, &Ok(Value::Null)).await?;
        }
        let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let next_token = reader.token(offset + rows);
        Ok(ResultPage { query, schema: Some(schema), batches, next_token })
    }

    /// The batch queries of the last seven days that `filter` lets through, the newest first, up
    /// to `queries_max` of them, from `page_token` on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidPageToken`](crate::ErrorKind::InvalidPageToken); storage errors.
    pub async fn list_queries(
        &self,
        filter: &QueryFilter,
        page_token: Option<&str>,
        queries_max: usize,
    ) -> Result<QueryList> {
        let before = match page_token {
            None => Uuid::max(),
            Some(token) => Uuid::try_parse(token).map_err(|_| Error::InvalidPageToken)?,
        };
        let (archive, now) = (self.query_archive(), self.now());
        let mut ids = archive.ids().await?;
        ids.retain(|id| *id < before);
        ids.reverse();
        let mut records = archive.records(ids);
        let mut queries: Vec<BatchQuery> = Vec::new();
        let mut next_token = None;
        while let Some(record) = records.next().await {
            let record = record?;
            if record.is_expired(now) || !filter.passes(&record) {
                continue;
            }
            if queries.len() >= queries_max {
                next_token = queries.last().map(|last| last.id.to_string());
                break;
            }
            queries.push(record.describe());
        }
        Ok(QueryList { queries, next_token })
    }

    /// Cancels a batch query that waits or runs, and returns it as it then is.
    ///
    /// Its worker stops within seconds, one of this process within one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QueryNotFound`](crate::ErrorKind::QueryNotFound);
    /// [`ErrorKind::QueryEnded`](crate::ErrorKind::QueryEnded) if it has ended; storage errors.
    pub async fn cancel_query(&self, id: Uuid) -> Result<BatchQuery> {
        let event = AuditEvent::new("CancelQuery").with_request(json!({"queryId": id}));
        self.audit().change(event, Box::pin(self.cancel_unrecorded(id)), |_| Value::Null).await
    }

    async fn cancel_unrecorded(&self, id: Uuid) -> Result<BatchQuery> {
        let (archive, now) = (self.query_archive(), self.now());
        archive.get(id, now).await?;
        let (record, cancelled) = archive
            .change(id, |record| {
                let is_open = !record.status.is_ended();
                if is_open {
                    record.end(QueryStatus::Cancelled, None, now);
                }
                is_open
            })
            .await?;
        match cancelled {
            true => Ok(record.describe()),
            false => Err(Error::QueryEnded { id, status: record.status }),
        }
    }

    /// Removes the batch queries that are older than seven days, with their rows; says how many.
    ///
    /// A worker does so by itself.
    ///
    /// # Errors
    ///
    /// Storage errors; what was removed until then is gone.
    pub async fn remove_expired_queries(&self) -> Result<u64> {
        let (archive, now) = (self.query_archive(), self.now());
        let mut removed = 0;
        // The oldest come first; the first that has not expired ends the search.
        for id in archive.ids().await? {
            match archive.find(id).await {
                Ok(Some(record)) if !record.is_expired(now) => break,
                Ok(Some(_)) => {
                    archive.remove(id).await?;
                    removed += 1;
                }
                // Gone already, or not readable: the next one's age is as good to go by.
                Ok(None) | Err(Error::DamagedQuery { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }

    pub(crate) fn query_archive(&self) -> QueryArchive {
        QueryArchive::new(self.catalog())
    }
}

impl Delivery {
    /// Whether it can be a part of paths and files.
    pub(crate) fn check(&self) -> Result<()> {
        let account = &self.account;
        if account.len() == ACCOUNT_DIGITS && account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(());
        }
        Err(Error::InvalidArgument(format!(
            "`{account}` is no account; give its {ACCOUNT_DIGITS} digits"
        )))
    }
}

impl QueryFilter {
    fn passes(&self, record: &QueryRecord) -> bool {
        let at = record.created_at();
        self.status.is_none_or(|status| record.status == status)
            && self.store.is_none_or(|store| record.stores.contains(&store))
            && self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
    }
}

/// Whether a query can be kept as it is.
fn check(new: &NewQuery) -> Result<()> {
    if let Some(delivery) = &new.delivery {
        delivery.check()?;
    }
    if new.statement.len() > STATEMENT_BYTES_MAX {
        return Err(Error::InvalidArgument(format!(
            "the statement is longer than {STATEMENT_BYTES_MAX} bytes"
        )));
    }
    if new.submitter.as_ref().is_some_and(|submitter| submitter.len() > SUBMITTER_BYTES_MAX) {
        return Err(Error::InvalidArgument(format!(
            "the submitter is longer than {SUBMITTER_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}
