//! [`cooperative`]: a plan whose operators let others have their threads.
//!
//! DataFusion yields where rows are read. A join of small tables reads once and then computes, and
//! would hold its thread, the deadline and the cancellation for as long as it likes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{Stream, StreamExt};

/// Operators that can turn a few rows into very many without reading anything meanwhile.
const MULTIPLYING: [&str; 5] =
    ["CrossJoinExec", "HashJoinExec", "NestedLoopJoinExec", "SortMergeJoinExec", "UnnestExec"];

/// The join that compares each row of its first input with each of a batch of its second before it
/// gives a row, and so before it can be stopped.
const COMPARING: &str = "NestedLoopJoinExec";

/// Rows of the second input that such a join is given at once. It compares 8,192 pairs at a time
/// all the same, as long as its first input has 128 rows.
const COMPARED_ROWS_MAX: usize = 64;

/// `plan` with a yield after what a multiplying operator gives, and before what one compares.
pub(crate) fn cooperative(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let yielding = plan.transform_up(|node| {
        if !MULTIPLYING.contains(&node.name()) {
            return Ok(Transformed::no(node));
        }
        let node = if node.name() == COMPARING { with_short_batches(node)? } else { node };
        Ok(Transformed::yes(Yielding::over(node, usize::MAX)))
    })?;
    Ok(yielding.data)
}

/// A join whose second input comes in batches of few rows.
fn with_short_batches(join: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let mut inputs: Vec<Arc<dyn ExecutionPlan>> = join.children().into_iter().cloned().collect();
    if let Some(last) = inputs.pop() {
        inputs.push(Yielding::over(last, COMPARED_ROWS_MAX));
    }
    let afresh = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    join.replace_children(inputs, afresh)
}

/// Gives the batches of its input, each after a yield, in pieces of a limited number of rows.
#[derive(Debug)]
pub(crate) struct Yielding {
    input: Arc<dyn ExecutionPlan>,
    rows_max: usize,
}

impl Yielding {
    fn over(input: Arc<dyn ExecutionPlan>, rows_max: usize) -> Arc<dyn ExecutionPlan> {
        Arc::new(Yielding { input, rows_max })
    }

    /// The operator whose batches these are.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for Yielding {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Yielding")
    }
}

impl ExecutionPlan for Yielding {
    fn name(&self) -> &'static str {
        "Yielding"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().filter(|_| children.is_empty());
        let one = || DataFusionError::Internal("Yielding has one input".to_owned());
        Ok(Yielding::over(input.ok_or_else(one)?, self.rows_max))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let afresh = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, afresh)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let batches = self.input.execute(partition, context)?;
        let rows_max = self.rows_max;
        Ok(Box::pin(YieldingStream { batches, rest: None, rows_max, has_yielded: false }))
    }
}

struct YieldingStream {
    batches: SendableRecordBatchStream,
    /// What is left of a batch.
    rest: Option<RecordBatch>,
    rows_max: usize,
    /// Whether others had the thread since the last batch.
    has_yielded: bool,
}

impl Stream for YieldingStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.has_yielded {
            self.has_yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match ready!(self.batches.poll_next_unpin(cx)) {
                Some(Ok(batch)) => batch,
                end => return Poll::Ready(end),
            },
        };
        self.has_yielded = false;
        if batch.num_rows() <= self.rows_max {
            return Poll::Ready(Some(Ok(batch)));
        }
        self.rest = Some(batch.slice(self.rows_max, batch.num_rows() - self.rows_max));
        Poll::Ready(Some(Ok(batch.slice(0, self.rows_max))))
    }
}

impl RecordBatchStream for YieldingStream {
    fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }
}
