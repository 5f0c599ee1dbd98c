//! `EXPLAIN` and `EXPLAIN ANALYZE`, in the form of
//! [Trino's](https://trino.io/docs/current/sql/explain.html): operators under Trino's names, each
//! scan with the data files, row groups and bytes that it leaves out.

mod expression;
mod node;
mod operator;
mod scan;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use tokio::time::Instant;

use crate::explain::node::PlanNode;
use crate::explain::scan::Footers;
use crate::statistics::ScanLog;

/// The heading that Trino gives the text of a plan.
const PLAN: &str = "Query Plan";
/// The heading that Trino gives the answer of `EXPLAIN (TYPE VALIDATE)`.
const VALID: &str = "Valid";

/// A plan and what its rows are called.
pub(crate) struct Explained<'a> {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) headings: &'a [String],
    pub(crate) log: &'a ScanLog,
}

/// The form in which a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanFormat {
    Text,
    Json,
}

/// The plan as one row; the query is not run, but the footers of its data files are read, to say
/// which row groups statistics leave out.
pub(crate) async fn explain(
    query: &Explained<'_>,
    format: PlanFormat,
) -> Result<SendableRecordBatchStream> {
    let footers = Footers::read(&query.plan).await?;
    let tree = operator::output(query, &footers, false);
    text(&match format {
        PlanFormat::Text => tree.to_text(),
        PlanFormat::Json => tree.to_json(),
    })
}

/// Runs the query, drops its rows, and gives the plan with what each operator did.
pub(crate) async fn explain_analyze(
    query: &Explained<'_>,
    task: Arc<TaskContext>,
    planning: Duration,
) -> Result<SendableRecordBatchStream> {
    let started = Instant::now();
    let mut batches = execute_stream(Arc::clone(&query.plan), task)?;
    while let Some(batch) = batches.next().await {
        batch?;
    }
    let tree: PlanNode = operator::output(query, &Footers::default(), true);
    let head = format!("Planning: {planning:.2?}, Execution: {:.2?}", started.elapsed());
    text(&format!("{head}\n{}", tree.to_text()))
}

/// That the statement could be planned.
pub(crate) fn valid() -> Result<SendableRecordBatchStream> {
    one(VALID, DataType::Boolean, Arc::new(BooleanArray::from(vec![true])))
}

fn text(plan: &str) -> Result<SendableRecordBatchStream> {
    let column = StringViewArray::from_iter_values([plan.trim_end()]);
    one(PLAN, DataType::Utf8View, Arc::new(column))
}

fn one(heading: &str, data_type: DataType, column: ArrayRef) -> Result<SendableRecordBatchStream> {
    let schema = Arc::new(Schema::new(vec![Field::new(heading, data_type, false)]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column])?;
    Ok(Box::pin(MemoryStream::try_new(vec![batch], schema, None)?))
}
