//! [`Rows`]: the result of a query, batch by batch.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::{Error, Result};

/// The rows of a query as a stream of Arrow record batches, in the statement's order.
///
/// The names of the schema's fields are the headings as Trino gives them: spelled as in the
/// statement, `_col0` where it gives no name, and not always different from each other.
/// Dropping the stream cancels the query.
pub struct Rows {
    schema: SchemaRef,
    batches: SendableRecordBatchStream,
    deadline: Pin<Box<Sleep>>,
    run_max: Duration,
    rows_left: Option<u64>,
    rows_max: u64,
    ended: bool,
}

impl Rows {
    pub(crate) fn new(
        schema: SchemaRef,
        batches: SendableRecordBatchStream,
        deadline: Instant,
        limits: &crate::QueryLimits,
    ) -> Rows {
        Rows {
            schema,
            batches,
            deadline: Box::pin(sleep_until(deadline)),
            run_max: limits.run_max(),
            rows_left: limits.result_rows_max,
            rows_max: limits.result_rows_max.unwrap_or(u64::MAX),
            ended: false,
        }
    }

    /// Headings and Arrow types of the columns.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
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
        let rows = batch.num_rows() as u64;
        if let Some(left) = &mut self.rows_left {
            *left = left.checked_sub(rows).ok_or_else(|| Error::too_many_rows(self.rows_max))?;
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
        if self.ended {
            return Poll::Ready(None);
        }
        if self.deadline.poll_unpin(context).is_ready() {
            self.ended = true;
            return Poll::Ready(Some(Err(Error::too_long(self.run_max))));
        }
        let item = match std::task::ready!(self.batches.poll_next_unpin(context)) {
            None => None,
            Some(Ok(batch)) => Some(self.accept(&batch)),
            Some(Err(error)) => Some(Err(error.into())),
        };
        self.ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}
