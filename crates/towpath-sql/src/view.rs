//! [`View`]: a relation whose plan is made for the columns that a statement names.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::named::Named;

/// Makes the plan of the columns that are named, at least one.
type Plan = dyn Fn(&Named) -> Result<LogicalPlan> + Send + Sync;

/// A relation that is a plan, made anew for each use with no more than a statement needs of it.
///
/// Every rule of the engine walks every expression of a plan, again and again until the last of
/// them drops what nobody asked for. A wide view of which a statement names three columns takes
/// most of the statement's planning that way.
pub struct View {
    schema: SchemaRef,
    plan: Box<Plan>,
}

impl View {
    /// A relation of `schema`. `plan` gives those of its columns that are named, by the names that
    /// they have there, of rows at least the fields that are named, and of no columns any one.
    pub fn new(
        schema: SchemaRef,
        plan: impl Fn(&Named) -> Result<LogicalPlan> + Send + Sync + 'static,
    ) -> View {
        View { schema, plan: Box::new(plan) }
    }

    /// The plan of the columns that are `named`.
    pub(crate) fn plan(&self, named: &Named) -> Result<LogicalPlan> {
        (self.plan)(named)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("schema", &self.schema).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for View {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.plan(&Named::all()).ok().map(Cow::Owned)
    }

    /// A filter is put over the plan.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let whole = ViewTable::new(self.plan(&Named::all())?, None);
        whole.scan(state, projection, filters, limit).await
    }
}
