//! `WITH RECURSIVE`, under a bound on its rounds that the working table itself keeps.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Column, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlanBuilder};

use super::{Bound, BoundQuery, Cte, CteDefinition, Env, OutputColumn, Planner, mismatch, named};
use crate::ast::{CommonTable, Query, QueryBody, SetOperation, SetOperator};
use crate::error::{Result, SqlError};
use crate::operators::recursion::BoundedWorkTable;

/// The working table of a recursion: what the round before produced.
pub(super) struct WorkTable {
    name: String,
    schema: SchemaRef,
    columns: Vec<OutputColumn>,
}

impl Planner<'_> {
    /// Binds a recursive table, or returns nothing if the query does not have the form of one.
    pub(super) fn recursive_table(
        &self,
        table: &CommonTable,
        cte: &Cte<'_>,
        env: Env<'_>,
    ) -> Result<Option<BoundQuery>> {
        let QueryBody::SetOperation(operation) = &table.query.body else { return Ok(None) };
        let SetOperation { operator: SetOperator::Union, all, left, right, at } =
            operation.as_ref()
        else {
            return Ok(None);
        };
        let engine = |error| SqlError::engine(*at, &error);
        let mut first = self.query(&bare_query(left, *at), env)?;
        super::from::rename_columns(&mut first.columns, &table.columns, &table.name)?;
        let work = self.new_work_table(&first);
        let definition = CteDefinition::WorkTable(&work);
        let inner = Cte { key: cte.key, definition, outer: cte.outer, scopes: cte.scopes };
        let next = self.query(&bare_query(right, *at), Env { ctes: Some(&inner), ..env })?;
        let next = self.like_first(next, &first, *at)?;
        let plan = LogicalPlanBuilder::from(first.plan)
            .to_recursive_query(work.name.clone(), next.plan, !all)
            .and_then(LogicalPlanBuilder::build)
            .map_err(engine)?;
        let found = plan.schema().columns();
        let exprs = first.columns.into_iter().zip(found).map(|(column, found)| {
            let field = column.field;
            let bound = Bound { expr: DfExpr::Column(found), field, data_type: column.data_type };
            (column.heading, column.key, bound)
        });
        self.project(plan, exprs.collect(), *at).map(Some)
    }

    fn new_work_table(&self, first: &BoundQuery) -> WorkTable {
        let fields: Vec<_> = first
            .plan
            .schema()
            .fields()
            .iter()
            .map(|field| Arc::new(field.as_ref().clone().with_nullable(true)))
            .collect();
        WorkTable {
            name: self.unique("recursion"),
            schema: Arc::new(Schema::new(fields)),
            columns: first.columns.clone(),
        }
    }

    /// Gives the recursive term the columns of the first.
    fn like_first(&self, next: BoundQuery, first: &BoundQuery, at: usize) -> Result<BoundQuery> {
        let (expected, found) = (first.columns.len(), next.columns.len());
        if expected != found {
            let message =
                format!("UNION query has different number of fields: {expected}, {found}");
            return Err(mismatch(at, message));
        }
        let mut exprs = Vec::with_capacity(expected);
        for (column, like) in next.columns.iter().zip(&first.columns) {
            if !crate::coercion::converts(&column.data_type, &like.data_type) {
                let message = format!(
                    "recursion step relation output type ({}) is not coercible to recursion base relation output type ({})",
                    column.data_type, like.data_type
                );
                return Err(mismatch(at, message));
            }
            let bound = Bound {
                expr: DfExpr::Column(column.column.clone()),
                field: Arc::clone(&column.field),
                data_type: column.data_type.clone(),
            };
            exprs.push((
                like.heading.clone(),
                like.key.clone(),
                self.coerce(bound, &like.data_type),
            ));
        }
        self.project(next.plan, exprs, at)
    }

    /// The working table as a relation.
    pub(super) fn work_table(&self, work: &WorkTable, at: usize) -> Result<BoundQuery> {
        let provider = Arc::new(BoundedWorkTable::new(&work.name, Arc::clone(&work.schema)));
        let qualifier = TableReference::bare(self.unique("work"));
        let plan = LogicalPlanBuilder::scan(qualifier.clone(), provider_as_source(provider), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        let exprs = work.columns.iter().map(|column| {
            let name = &column.column.name;
            let found = Column::new(Some(qualifier.clone()), name);
            let bound = Bound {
                expr: DfExpr::Column(found),
                field: named(&column.field, name),
                data_type: column.data_type.clone(),
            };
            (column.heading.clone(), column.key.clone(), bound)
        });
        self.project(plan, exprs.collect(), at)
    }
}

fn bare_query(body: &QueryBody, at: usize) -> Query {
    let body = body.clone();
    Query { with: None, body, order_by: Vec::new(), offset: None, limit: None, at }
}
