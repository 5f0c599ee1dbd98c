//! Subqueries in expressions.
//!
//! As a conjunct of `WHERE`, `EXISTS` and `IN` stay what they are, and DataFusion makes them
//! semi-joins. Anywhere else they become scalar subqueries: a count, or the array of all values
//! that `$quantified` then searches with SQL's three-valued logic.

use std::sync::Arc;

use datafusion::common::Spans;
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::logical_plan::Subquery;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder, lit};

use super::expression::ExprBinder;
use super::{Bound, BoundQuery, Env, OuterScope, literal, mismatch, semantic};
use crate::ast::{Comparison, Expr, ExprKind, Limit, Query, RowCount};
use crate::coercion;
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::limits::SUBQUERY_NESTING_MAX;

impl ExprBinder<'_> {
    fn subquery(&self, query: &Query) -> Result<BoundQuery> {
        let levels = std::iter::successors(self.env.outer, |outer| outer.next).count();
        if levels >= SUBQUERY_NESTING_MAX {
            let message =
                format!("subqueries are nested deeper than {SUBQUERY_NESTING_MAX} levels");
            return Err(SqlError::at(ErrorKind::LimitExceeded, query.at, message));
        }
        let outer = OuterScope { scope: self.scope, next: self.env.outer };
        self.planner.query(query, Env { outer: Some(&outer), ..self.env })
    }

    /// Binds a `WHERE` condition; conjuncts that are subqueries become semi-joins.
    pub(super) fn filter(&mut self, condition: &Expr) -> Result<Bound> {
        let terms = match &condition.kind {
            ExprKind::And(terms) => terms.as_slice(),
            _ => std::slice::from_ref(condition),
        };
        let mut bound = Vec::with_capacity(terms.len());
        for term in terms {
            let value = match self.semi_join(term)? {
                Some(value) => value,
                None => self.bind(term)?,
            };
            bound.push(self.planner.condition(value, term.at, "WHERE clause")?.expr);
        }
        Ok(Bound::new(super::expression::balanced(bound, DfExpr::and), Type::Boolean))
    }

    fn semi_join(&mut self, term: &Expr) -> Result<Option<Bound>> {
        match &term.kind {
            ExprKind::Not(inner) => match &inner.kind {
                ExprKind::Exists(query) => self.native_exists(query, true, inner.at).map(Some),
                _ => Ok(None),
            },
            ExprKind::Exists(query) => self.native_exists(query, false, term.at).map(Some),
            ExprKind::InQuery { value, query, negated: false } => self.native_in(value, query),
            _ => Ok(None),
        }
    }

    fn native_exists(&self, query: &Query, negated: bool, _at: usize) -> Result<Bound> {
        let subquery = as_subquery(self.subquery(query)?.plan);
        let expr = DfExpr::Exists(Exists { subquery, negated });
        Ok(Bound::new(expr, Type::Boolean))
    }

    fn native_in(&mut self, value: &Expr, query: &Query) -> Result<Option<Bound>> {
        let left = self.bind(value)?;
        let (left, right) = self.membership(left, query, value.at)?;
        if left.data_type.is_nested() {
            return Ok(None);
        }
        let subquery = as_subquery(right.plan);
        let expr = DfExpr::InSubquery(InSubquery::new(Box::new(left.expr), subquery, false));
        Ok(Some(Bound::new(expr, Type::Boolean)))
    }

    pub(super) fn exists(&self, query: &Query, at: usize) -> Result<Bound> {
        let bound = self.subquery(query)?;
        let correlated = !bound.plan.all_out_ref_exprs().is_empty();
        let mut builder = LogicalPlanBuilder::from(bound.plan);
        if !correlated {
            // One row is enough to know.
            builder = builder.limit(0, Some(1)).map_err(|error| SqlError::engine(at, &error))?;
        }
        let count = self.scalar_aggregate(builder, "count", lit(1_i64), at)?;
        let some = DfExpr::ScalarSubquery(as_subquery(count)).gt(lit(0_i64));
        Ok(Bound::new(some, Type::Boolean))
    }

    /// Wraps a plan in one aggregate over `argument`.
    fn scalar_aggregate(
        &self,
        input: LogicalPlanBuilder,
        name: &str,
        argument: DfExpr,
        at: usize,
    ) -> Result<LogicalPlan> {
        let Some(function) = self.planner.functions.aggregate(name) else {
            return Err(semantic(at, format!("Function '{name}' not registered")));
        };
        let call =
            AggregateFunction::new_udf(function, vec![argument], false, None, Vec::new(), None);
        let call = DfExpr::AggregateFunction(call).alias(self.planner.unique(name));
        input
            .aggregate(Vec::<DfExpr>::new(), vec![call])
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))
    }

    pub(super) fn scalar_subquery(&self, query: &Query, at: usize) -> Result<Bound> {
        let mut bound = self.as_single_column(self.subquery(query)?, at)?;
        let any_row = query.order_by.is_empty()
            && query.offset.is_none()
            && matches!(query.limit, Some(Limit::Rows(RowCount { rows: 1, .. })));
        if any_row && !bound.plan.all_out_ref_exprs().is_empty() {
            bound = self.any_row(query, at)?;
        }
        let [column] = bound.columns.as_slice() else {
            return Err(semantic(
                at,
                "Multiple columns returned by subquery are not yet supported",
            ));
        };
        let (field, data_type) = (Arc::clone(&column.field), column.data_type.clone());
        let expr = DfExpr::ScalarSubquery(as_subquery(bound.plan));
        Ok(Bound { expr, field, data_type })
    }

    /// `LIMIT 1` without order takes any row; as an aggregate that is no limit to decorrelate.
    fn any_row(&self, query: &Query, at: usize) -> Result<BoundQuery> {
        let unlimited = Query { limit: None, ..query.clone() };
        let mut bound = self.as_single_column(self.subquery(&unlimited)?, at)?;
        if let [column] = bound.columns.as_mut_slice() {
            let argument = DfExpr::Column(column.column.clone());
            let builder = LogicalPlanBuilder::from(bound.plan);
            bound.plan = self.scalar_aggregate(builder, "arbitrary", argument, at)?;
        }
        Ok(bound)
    }

    /// Several columns of a subquery are one row value.
    fn as_single_column(&self, query: BoundQuery, at: usize) -> Result<BoundQuery> {
        if query.columns.len() == 1 {
            return Ok(query);
        }
        let fields = query
            .columns
            .iter()
            .map(|column| Bound {
                expr: DfExpr::Column(column.column.clone()),
                field: Arc::clone(&column.field),
                data_type: column.data_type.clone(),
            })
            .collect();
        let row = self.row_of(fields)?;
        self.planner.project_one(query.plan, row, at)
    }

    /// Brings a value and the single column of a query to one type.
    fn membership(&self, left: Bound, query: &Query, at: usize) -> Result<(Bound, BoundQuery)> {
        let right = self.as_single_column(self.subquery(query)?, at)?;
        let [column] = right.columns.as_slice() else {
            return Err(semantic(at, "subquery must return one column"));
        };
        let Some(common) = coercion::common(&left.data_type, &column.data_type) else {
            let message = format!(
                "value and result of subquery must be of the same type for IN expression: {} vs {}",
                left.data_type, column.data_type
            );
            return Err(mismatch(at, message));
        };
        let value = Bound {
            expr: DfExpr::Column(column.column.clone()),
            field: Arc::clone(&column.field),
            data_type: column.data_type.clone(),
        };
        let same = value.field.data_type() == &common.to_arrow();
        let right = if same {
            right
        } else {
            let value = self.planner.coerce(value, &common);
            self.planner.project_one(right.plan, value, at)?
        };
        Ok((self.planner.coerce(left, &common), right))
    }

    pub(super) fn in_query(&mut self, value: &Expr, query: &Query, negated: bool) -> Result<Bound> {
        let found = self.quantified((Comparison::Equal, false), value, query, value.at)?;
        let expr = if negated { DfExpr::Not(Box::new(found.expr)) } else { found.expr };
        Ok(Bound::new(expr, Type::Boolean))
    }

    /// `x op ALL|ANY (query)`.
    pub(super) fn quantified(
        &mut self,
        (comparison, all): (Comparison, bool),
        value: &Expr,
        query: &Query,
        at: usize,
    ) -> Result<Bound> {
        let left = self.bind(value)?;
        let (left, right) = self.membership(left, query, at)?;
        let [column] = right.columns.as_slice() else {
            return Err(semantic(at, "subquery must return one column"));
        };
        let argument = DfExpr::Column(column.column.clone());
        let builder = LogicalPlanBuilder::from(right.plan);
        let values = self.scalar_aggregate(builder, "array_agg", argument, at)?;
        let args = vec![
            Bound::text(comparison.symbol()).expr,
            literal::boolean(all).expr,
            left.expr,
            DfExpr::ScalarSubquery(as_subquery(values)),
        ];
        Ok(self.planner.internal("$quantified", args, Type::Boolean))
    }
}

fn as_subquery(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}
