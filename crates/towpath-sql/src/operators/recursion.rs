//! The working table of `WITH RECURSIVE`, which fails past [`RECURSION_DEPTH_MAX`] rounds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::datasource::TableType;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use crate::limits::RECURSION_DEPTH_MAX;

/// DataFusion's working table, counted.
#[derive(Debug)]
pub(crate) struct BoundedWorkTable {
    inner: CteWorkTable,
}

impl BoundedWorkTable {
    pub(crate) fn new(name: &str, schema: SchemaRef) -> BoundedWorkTable {
        BoundedWorkTable { inner: CteWorkTable::new(name, schema) }
    }
}

#[async_trait]
impl TableProvider for BoundedWorkTable {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = self.inner.scan(state, projection, filters, limit).await?;
        Ok(Arc::new(BoundedRecursion { inner, rounds: Arc::new(AtomicUsize::new(0)) }))
    }
}

/// Counts how often the working table is read: once a round.
#[derive(Debug)]
struct BoundedRecursion {
    inner: Arc<dyn ExecutionPlan>,
    rounds: Arc<AtomicUsize>,
}

impl DisplayAs for BoundedRecursion {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoundedRecursion: rounds_max={RECURSION_DEPTH_MAX}")
    }
}

impl ExecutionPlan for BoundedRecursion {
    fn name(&self) -> &'static str {
        "BoundedRecursion"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.inner.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.inner]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(inner), true) => {
                Ok(Arc::new(BoundedRecursion { inner, rounds: Arc::clone(&self.rounds) }))
            }
            _ => exec_err!("a bounded recursion has one input"),
        }
    }

    /// The count outlives the reset between rounds; that is its purpose.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let round = self.rounds.fetch_add(1, Ordering::Relaxed) + 1;
        let stream = self.inner.execute(partition, context)?;
        if round <= RECURSION_DEPTH_MAX {
            return Ok(stream);
        }
        let schema = stream.schema();
        let bounded = stream.map(|batch| {
            let batch = batch?;
            if batch.num_rows() == 0 {
                return Ok(batch);
            }
            Err(exec_datafusion_err!(
                "Recursion depth limit exceeded ({RECURSION_DEPTH_MAX}). Use 'max_recursion_depth' \
                 session property to modify the limit."
            ))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, bounded)))
    }
}
