//! [`Rows`]: the result of a query, batch by batch.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::{Error, Result};
use crate::limits::QueryLimits;
use crate::statistics::{Measured, QueryStatistics};

/// The rows of a query as a stream of Arrow record batches, in the statement's order.
///
/// The names of the schema's fields are the headings as Trino gives them: spelled as in the
/// statement, `_col0` where it gives no name, and not always different from each other.
/// Dropping the stream cancels the query.
pub struct Rows {
    schema: SchemaRef,
    batches: SendableRecordBatchStream,
    measured: Measured,
    started: Instant,
    /// How long the query ran, once it has ended.
    ran: Option<Duration>,
    deadline: Pin<Box<Sleep>>,
    run_max: Duration,
    rows: u64,
    rows_max: u64,
    /// What records that the query was asked, until it is done. No row is handed out before.
    record: Option<JoinHandle<Result<()>>>,
    /// What came while that was not done.
    held: Option<Option<Result<RecordBatch, DataFusionError>>>,
}

/// A query that has been planned and started.
pub(crate) struct Started {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: SendableRecordBatchStream,
    pub(crate) measured: Measured,
}

impl Rows {
    pub(crate) fn new(query: Started, started: Instant, limits: &QueryLimits) -> Rows {
        Rows {
            schema: query.schema,
            batches: query.batches,
            measured: query.measured,
            started,
            ran: None,
            deadline: Box::pin(sleep_until(started + limits.run_max())),
            run_max: limits.run_max(),
            rows: 0,
            rows_max: limits.result_rows_max.unwrap_or(u64::MAX),
            record: None,
            held: None,
        }
    }

    /// The same rows, handed out only when `record` is done.
    pub(crate) fn recorded_by(self, record: JoinHandle<Result<()>>) -> Rows {
        Rows { record: Some(record), ..self }
    }

    /// What comes next, once it is recorded that it was asked for. The query works meanwhile.
    fn poll_recorded(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Result<RecordBatch, DataFusionError>>>> {
        if self.held.is_none()
            && let Poll::Ready(item) = self.batches.poll_next_unpin(context)
        {
            self.held = Some(item);
        }
        if let Some(record) = &mut self.record {
            let recorded = ready!(record.poll_unpin(context));
            self.record = None;
            // A record that was stopped was stopped with everything.
            recorded.unwrap_or_else(|stopped| Err(Error::stopped(&stopped)))?;
        }
        match self.held.take() {
            Some(item) => Poll::Ready(Ok(item)),
            None => Poll::Pending,
        }
    }

    /// Headings and Arrow types of the columns.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// What the query has read so far: everything, once the stream has ended.
    #[must_use]
    pub fn statistics(&self) -> QueryStatistics {
        let elapsed = self.ran.unwrap_or_else(|| self.started.elapsed());
        QueryStatistics { rows: self.rows, elapsed, ..self.measured.statistics() }
    }

    /// All rows at once.
    ///
    /// # Errors
    ///
    /// Those of the stream; then the rows before the error are dropped.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// `batch` under its headings, if the result may have that many rows.
    fn accept(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.rows += batch.num_rows() as u64;
        if self.rows > self.rows_max {
            return Err(Error::too_many_rows(self.rows_max));
        }
        RecordBatch::try_new_with_options(
            self.schema(),
            batch.columns().to_vec(),
            &arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
        )
        .map_err(|error| DataFusionError::from(error).into())
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ran.is_some() {
            return Poll::Ready(None);
        }
        if self.deadline.poll_unpin(context).is_ready() {
            self.ran = Some(self.started.elapsed());
            return Poll::Ready(Some(Err(Error::too_long(self.run_max))));
        }
        let item = match ready!(self.poll_recorded(context)) {
            Ok(None) => None,
            Ok(Some(Ok(batch))) => Some(self.accept(&batch)),
            Ok(Some(Err(error))) => Some(Err(error.into())),
            Err(error) => Some(Err(error)),
        };
        if !matches!(item, Some(Ok(_))) {
            self.ran = Some(self.started.elapsed());
        }
        Poll::Ready(item)
    }
}
