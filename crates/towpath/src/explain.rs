//! `EXPLAIN` and `EXPLAIN ANALYZE`.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

/// The heading that Trino gives the text of a plan.
const HEADING: &str = "Query Plan";

/// The plan as one row of text; the query is not run.
pub(crate) fn explain(plan: &dyn ExecutionPlan) -> Result<SendableRecordBatchStream> {
    text(&DisplayableExecutionPlan::new(plan).indent(false).to_string())
}

/// Runs the query, drops its rows, and gives the plan with what each operator did: rows, time,
/// data files, row groups, pages and bytes read and left out.
pub(crate) async fn explain_analyze(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let mut batches = execute_stream(Arc::clone(&plan), task)?;
    while let Some(batch) = batches.next().await {
        batch?;
    }
    text(&DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string())
}

fn text(plan: &str) -> Result<SendableRecordBatchStream> {
    let schema = Arc::new(Schema::new(vec![Field::new(HEADING, DataType::Utf8View, false)]));
    let column = StringViewArray::from_iter_values([plan.trim_end()]);
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)])?;
    Ok(Box::pin(MemoryStream::try_new(vec![batch], schema, None)?))
}
