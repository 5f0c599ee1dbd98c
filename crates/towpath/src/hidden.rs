//! Data files of which only the events of some accounts may be seen.
//!
//! A filter is not enough. The engine orders filters as it likes, so a predicate of the statement
//! that fails on a value (`cast(eventName AS integer)`) could run on a hidden event and show it in
//! the error. So predicates that can fail stay above a [`Barrier`], below which only events that
//! may be seen are let through; the others, comparisons mostly, still choose files and pages.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType, lit,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

/// The column that says whose an event is. Data files of every kind of events have it.
pub(crate) const ACCOUNT: &str = "recipientAccountId";

/// A table without the events of other accounts.
#[derive(Debug)]
pub(crate) struct OfAccounts {
    inner: Arc<dyn TableProvider>,
    accounts: BTreeSet<String>,
}

impl OfAccounts {
    pub(crate) fn new(inner: Arc<dyn TableProvider>, accounts: &BTreeSet<String>) -> OfAccounts {
        OfAccounts { inner, accounts: accounts.clone() }
    }

    fn may_be_seen(&self) -> Expr {
        let accounts = self.accounts.iter().map(|account| lit(account.as_str())).collect();
        Expr::Column(Column::new_unqualified(ACCOUNT)).in_list(accounts, false)
    }
}

#[async_trait]
impl TableProvider for OfAccounts {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = |filter: &&Expr| match can_fail(filter)? {
            true => Ok(TableProviderFilterPushDown::Unsupported),
            false => Ok(TableProviderFilterPushDown::Inexact),
        };
        filters.iter().map(pushed).collect()
    }

    /// `limit` is of rows that may be seen, which the files do not know.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let account = schema.index_of(ACCOUNT)?;
        let mut columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..schema.fields().len()).collect(),
        };
        let asked: Vec<usize> = (0..columns.len()).collect();
        if !columns.contains(&account) {
            columns.push(account);
        }
        let mut filters = filters.to_vec();
        filters.push(self.may_be_seen());
        let plan = self.inner.scan(state, Some(&columns), &filters, None).await?;
        let read = DFSchema::try_from(plan.schema())?;
        let predicate = state.create_physical_expr(self.may_be_seen(), &read)?;
        let seen =
            FilterExecBuilder::new(predicate, plan).apply_projection(Some(asked))?.build()?;
        Ok(Arc::new(Barrier { seen: Arc::new(seen) }))
    }
}

/// Whether evaluating `filter` can fail, and so tell of the event that it fails on.
fn can_fail(filter: &Expr) -> Result<bool> {
    filter.exists(|part| {
        let cannot = match part {
            Expr::BinaryExpr(BinaryExpr { op, .. }) => matches!(
                op,
                Operator::Eq
                    | Operator::NotEq
                    | Operator::Lt
                    | Operator::LtEq
                    | Operator::Gt
                    | Operator::GtEq
                    | Operator::And
                    | Operator::Or
                    | Operator::IsDistinctFrom
                    | Operator::IsNotDistinctFrom
            ),
            Expr::Column(_)
            | Expr::Literal(..)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::InList(_)
            | Expr::Between(_) => true,
            _ => false,
        };
        Ok(!cannot)
    })
}

/// Hands on what its input gives, and lets no filter, limit or order of the statement below it.
/// The engine knows no node of this kind, so it moves nothing past one.
#[derive(Debug)]
struct Barrier {
    seen: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for Barrier {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Barrier")
    }
}

impl ExecutionPlan for Barrier {
    fn name(&self) -> &'static str {
        "Barrier"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.seen.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.seen]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
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
            (Some(seen), true) => Ok(Arc::new(Barrier { seen })),
            _ => exec_err!("a barrier has one input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.seen.execute(partition, context)
    }
}
