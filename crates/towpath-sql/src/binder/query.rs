//! Queries: `WITH`, set operations, `VALUES`, and what comes after a body: order and limits.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::logical_expr::expr::{Cast, Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Distinct, Expr as DfExpr, LogicalPlan, LogicalPlanBuilder, WindowFrame,
    WindowFunctionDefinition, lit,
};

use super::expression::{ExprBinder, row_field};
use super::scope::Scope;
use super::{
    Bound, BoundQuery, Cte, CteDefinition, Env, OutputColumn, Planner, mismatch, semantic,
};
use crate::ast::{self, ExprKind, Limit, Query, QueryBody, SetOperation, SetOperator, SortItem};
use crate::coercion;
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};

/// A body with the columns it is sorted by still in the plan.
pub(super) struct Sorted {
    pub(super) plan: LogicalPlan,
    pub(super) columns: Vec<OutputColumn>,
    pub(super) sort: Vec<Sort>,
}

impl<'a> Planner<'a> {
    pub(super) fn query(&self, query: &Query, env: Env<'_>) -> Result<BoundQuery> {
        match &query.with {
            Some(with) => self.with_tables(query, &with.tables, with.recursive, env),
            None => self.query_body(query, env),
        }
    }

    /// Puts the first of `tables` in force for the rest and for the query itself.
    fn with_tables(
        &self,
        query: &Query,
        tables: &[ast::CommonTable],
        recursive: bool,
        env: Env<'_>,
    ) -> Result<BoundQuery> {
        let Some((first, rest)) = tables.split_first() else { return self.query_body(query, env) };
        let key = first.name.key();
        let repeated = rest.iter().find(|table| table.name.key() == key);
        if let Some(repeated) = repeated {
            let name = &repeated.name;
            let message = format!("WITH query name '{}' specified more than once", name.text);
            return Err(semantic(name.at, message));
        }
        let definition = CteDefinition::Query { table: first, recursive };
        let cte = Cte { key: &key, definition, outer: env.ctes, scopes: env.outer };
        self.with_tables(query, rest, recursive, Env { ctes: Some(&cte), ..env })
    }

    fn query_body(&self, query: &Query, env: Env<'_>) -> Result<BoundQuery> {
        let sorted = match &query.body {
            QueryBody::Select(select) => self.select(select, &query.order_by, env)?,
            other => self.sorted_body(other, &query.order_by, env)?,
        };
        self.finish(sorted, query)
    }

    fn sorted_body(&self, body: &QueryBody, order_by: &[SortItem], env: Env<'_>) -> Result<Sorted> {
        let bound = self.body(body, env)?;
        let scope = Scope::of_query(&bound, &[]);
        let mut binder = ExprBinder::new(self, env, &scope);
        let mut sort = Vec::with_capacity(order_by.len());
        for item in order_by {
            sort.push(match ordinal_column(item, &bound.columns)? {
                Some(column) => {
                    let column = DfExpr::Column(column.column.clone());
                    Sort::new(column, !item.descending, item.nulls_first)
                }
                None => binder.sort_items(std::slice::from_ref(item))?.remove(0),
            });
        }
        Ok(Sorted { plan: bound.plan, columns: bound.columns, sort })
    }

    fn body(&self, body: &QueryBody, env: Env<'_>) -> Result<BoundQuery> {
        match body {
            QueryBody::Select(select) => {
                let sorted = self.select(select, &[], env)?;
                self.trimmed(sorted.plan, sorted.columns, select.at)
            }
            QueryBody::SetOperation(operation) => self.set_operation(operation, env),
            QueryBody::Values(rows, at) => self.values(rows, *at, env),
            QueryBody::Table(name, at) => self.table_query(name, *at, env),
            QueryBody::Nested(query) => self.query(query, env),
        }
    }

    /// Sorts, skips and cuts, then drops the columns that only served to sort.
    fn finish(&self, sorted: Sorted, query: &Query) -> Result<BoundQuery> {
        let at = query.at;
        let engine = |error| SqlError::engine(at, &error);
        let Sorted { plan, columns, sort } = sorted;
        let mut builder = LogicalPlanBuilder::from(plan);
        if !sort.is_empty() {
            builder = builder.sort(sort.clone()).map_err(engine)?;
        }
        let skip = query.offset.map_or(0, |offset| offset.rows);
        builder = match query.limit {
            Some(Limit::Rows(count)) => builder.limit(skip, Some(count.rows)).map_err(engine)?,
            Some(Limit::WithTies(count)) => {
                if sort.is_empty() {
                    let message = "FETCH FIRST WITH TIES clause requires ORDER BY";
                    return Err(semantic(count.at, message));
                }
                if skip > 0 {
                    builder = builder.limit(skip, None).map_err(engine)?;
                }
                self.with_ties(builder, sort, count.rows, at)?
            }
            Some(Limit::All) | None if skip > 0 => builder.limit(skip, None).map_err(engine)?,
            Some(Limit::All) | None => builder,
        };
        self.trimmed(builder.build().map_err(engine)?, columns, at)
    }

    /// Keeps the rows whose rank is within `rows`.
    fn with_ties(
        &self,
        input: LogicalPlanBuilder,
        sort: Vec<Sort>,
        rows: usize,
        at: usize,
    ) -> Result<LogicalPlanBuilder> {
        let engine = |error| SqlError::engine(at, &error);
        let rank = self.ranking("rank", Vec::new(), sort.clone(), at)?;
        let name = rank.schema_name().to_string();
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let plan = input.build().map_err(engine)?;
        LogicalPlanBuilder::from(LogicalPlanBuilder::window_plan(plan, [rank]).map_err(engine)?)
            .filter(DfExpr::Column(Column::from_name(name)).lt_eq(lit(rows)))
            .and_then(|builder| builder.sort(sort))
            .map_err(engine)
    }

    /// `rank()` or `row_number()` over a window.
    fn ranking(
        &self,
        name: &str,
        partition_by: Vec<DfExpr>,
        order_by: Vec<Sort>,
        at: usize,
    ) -> Result<DfExpr> {
        let Some(function) = self.functions.window(name) else {
            return Err(semantic(at, format!("Function '{name}' not registered")));
        };
        let window_frame = WindowFrame::new((!order_by.is_empty()).then_some(false));
        let params = WindowFunctionParams {
            args: Vec::new(),
            partition_by,
            order_by,
            window_frame,
            filter: None,
            null_treatment: None,
            distinct: false,
        };
        let fun = WindowFunctionDefinition::WindowUDF(function);
        Ok(DfExpr::WindowFunction(Box::new(WindowFunction { fun, params })))
    }

    /// Projects a plan to `columns` if it has others.
    fn trimmed(
        &self,
        plan: LogicalPlan,
        columns: Vec<OutputColumn>,
        at: usize,
    ) -> Result<BoundQuery> {
        if plan.schema().fields().len() == columns.len() {
            return Ok(BoundQuery { plan, columns });
        }
        let exprs = columns.iter().map(|column| DfExpr::Column(column.column.clone()));
        let plan = LogicalPlanBuilder::from(plan)
            .project(exprs.collect::<Vec<_>>())
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        Ok(BoundQuery { plan, columns })
    }

    /// A query of one column computed from a plan.
    pub(super) fn project_one(
        &self,
        plan: LogicalPlan,
        value: Bound,
        at: usize,
    ) -> Result<BoundQuery> {
        self.project(plan, vec![("_col0".to_owned(), None, value)], at)
    }

    /// Projects to expressions, each under a name of its own.
    pub(super) fn project(
        &self,
        plan: LogicalPlan,
        exprs: Vec<(String, Option<String>, Bound)>,
        at: usize,
    ) -> Result<BoundQuery> {
        let mut columns = Vec::with_capacity(exprs.len());
        let mut projected = Vec::with_capacity(exprs.len());
        for (heading, key, bound) in exprs {
            // No other column of the plan may share it. A name that is unique needs no qualifier,
            // and a plan without aliased subqueries is one that DataFusion can decorrelate.
            let name = self.unique(&heading);
            let column = Column::from_name(name.clone());
            columns.push(OutputColumn {
                heading,
                key,
                field: bound.field,
                data_type: bound.data_type,
                column,
            });
            projected.push(bound.expr.alias(name));
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(projected)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        self.actual_fields(BoundQuery { plan, columns })
    }

    /// Takes the Arrow fields from the plan, which knows them best.
    fn actual_fields(&self, mut query: BoundQuery) -> Result<BoundQuery> {
        let schema = Arc::clone(query.plan.schema());
        for (column, field) in query.columns.iter_mut().zip(schema.fields()) {
            column.field = Arc::clone(field);
        }
        Ok(query)
    }

    fn set_operation(&self, operation: &SetOperation, env: Env<'_>) -> Result<BoundQuery> {
        let at = operation.at;
        let left = self.body(&operation.left, env)?;
        let right = self.body(&operation.right, env)?;
        let (left, right) = self.aligned(left, right, operation)?;
        let engine = |error| SqlError::engine(at, &error);
        let columns = left.columns;
        let plan = match (operation.operator, operation.all) {
            (SetOperator::Union, all) => {
                let union =
                    LogicalPlanBuilder::from(left.plan).union(right.plan).map_err(engine)?;
                let union = if all { union } else { union.distinct().map_err(engine)? };
                union.build().map_err(engine)?
            }
            (operator, all) => self.matching_rows((left.plan, right.plan), operator, all, at)?,
        };
        let names = plan.schema().columns();
        let exprs = columns.into_iter().zip(names).map(|(column, found)| {
            let bound = Bound {
                expr: DfExpr::Column(found),
                field: column.field,
                data_type: column.data_type,
            };
            (column.heading, column.key, bound)
        });
        self.project(plan, exprs.collect(), at)
    }

    /// Brings both sides of a set operation to the same number and types of columns.
    fn aligned(
        &self,
        left: BoundQuery,
        right: BoundQuery,
        operation: &SetOperation,
    ) -> Result<(BoundQuery, BoundQuery)> {
        let name = match operation.operator {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        };
        let (wide, narrow) = (left.columns.len(), right.columns.len());
        if wide != narrow {
            let message = format!("{name} query has different number of fields: {wide}, {narrow}");
            return Err(mismatch(operation.at, message));
        }
        let mut types = Vec::with_capacity(wide);
        for (index, (l, r)) in left.columns.iter().zip(&right.columns).enumerate() {
            let (lt, rt) = (&l.data_type, &r.data_type);
            types.push(coercion::common(lt, rt).ok_or_else(|| {
                let number = index + 1;
                mismatch(
                    operation.at,
                    format!("column {number} in {name} query has incompatible types: {lt}, {rt}"),
                )
            })?);
        }
        Ok((
            self.converted(left, &types, operation.at)?,
            self.converted(right, &types, operation.at)?,
        ))
    }

    fn converted(&self, query: BoundQuery, types: &[Type], at: usize) -> Result<BoundQuery> {
        let exprs = query.columns.into_iter().zip(types).map(|(column, data_type)| {
            let bound = Bound {
                expr: DfExpr::Column(column.column),
                field: column.field,
                data_type: column.data_type,
            };
            (column.heading, column.key, self.coerce(bound, data_type))
        });
        self.project(query.plan, exprs.collect(), at)
    }

    /// `INTERSECT` and `EXCEPT`. With `ALL`, equal rows are numbered on both sides and the number
    /// compared too, so that each row of the right takes away or lets through one of the left.
    fn matching_rows(
        &self,
        (left, right): (LogicalPlan, LogicalPlan),
        operator: SetOperator,
        all: bool,
        at: usize,
    ) -> Result<LogicalPlan> {
        let engine = |error| SqlError::engine(at, &error);
        let visible = left.schema().columns();
        let (left, right) = if all {
            (self.numbered(left, at)?, self.numbered(right, at)?)
        } else {
            (LogicalPlan::Distinct(Distinct::All(Arc::new(left))), right)
        };
        let kind = match operator {
            SetOperator::Intersect => JoinType::LeftSemi,
            _ => JoinType::LeftAnti,
        };
        let keys = (left.schema().columns(), right.schema().columns());
        LogicalPlanBuilder::from(left)
            .join_detailed(right, kind, keys, None, NullEquality::NullEqualsNull)
            .and_then(|builder| builder.project(visible.into_iter().map(DfExpr::Column)))
            .and_then(LogicalPlanBuilder::build)
            .map_err(engine)
    }

    /// Adds the number of each row among its equals.
    fn numbered(&self, plan: LogicalPlan, at: usize) -> Result<LogicalPlan> {
        let engine = |error| SqlError::engine(at, &error);
        let columns = plan.schema().columns();
        let keys: Vec<DfExpr> = columns.iter().cloned().map(DfExpr::Column).collect();
        let number = self.ranking("row_number", keys.clone(), Vec::new(), at)?;
        let name = Column::from_name(number.schema_name().to_string());
        let alias = self.unique("n");
        let numbered = LogicalPlanBuilder::window_plan(plan, [number]).map_err(engine)?;
        let projected = keys.into_iter().chain([DfExpr::Column(name).alias(alias)]);
        LogicalPlanBuilder::from(numbered)
            .project(projected.collect::<Vec<_>>())
            .and_then(LogicalPlanBuilder::build)
            .map_err(engine)
    }

    fn values(&self, rows: &[Vec<ast::Expr>], at: usize, env: Env<'_>) -> Result<BoundQuery> {
        self.count_relation(at)?;
        let scope = Scope::default();
        let width = rows.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<Bound>> = vec![Vec::new(); width];
        for row in rows {
            if row.len() != width {
                let found = row.len();
                let message = format!("Values rows have mismatched sizes: {width} vs {found}");
                return Err(mismatch(at, message));
            }
            let mut binder = ExprBinder::new(self, env, &scope);
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(binder.bind(value)?);
            }
        }
        if let [only] = columns.as_slice()
            && let Some(fields) = spread_rows(only)
        {
            columns = fields;
        }
        let width = columns.len();
        let mut types = Vec::with_capacity(width);
        let mut unified = Vec::with_capacity(width);
        for column in columns {
            let (values, data_type) = self.unify(column, |before, after| {
                mismatch(at, format!("Values rows have mismatched types: {before} vs {after}"))
            })?;
            let form = data_type.to_arrow();
            unified.push(values.into_iter().map(|value| in_form(value, &form)).collect::<Vec<_>>());
            types.push(data_type);
        }
        let rows = transposed(unified, rows.len());
        self.values_plan(rows, types, at)
    }

    fn values_plan(
        &self,
        rows: Vec<Vec<DfExpr>>,
        types: Vec<Type>,
        at: usize,
    ) -> Result<BoundQuery> {
        let engine = |error| SqlError::engine(at, &error);
        // A values node keeps no extension names and evaluates without a context.
        let plain = types.iter().all(is_plain) && rows.iter().flatten().all(is_constant);
        let plan = if plain {
            LogicalPlanBuilder::values(rows).and_then(LogicalPlanBuilder::build).map_err(engine)?
        } else {
            self.union_of_rows(rows, at)?
        };
        let found = plan.schema().columns();
        let exprs = found.into_iter().zip(types).enumerate().map(|(index, (column, data_type))| {
            let field = Arc::new(data_type.to_field(&column.name));
            let bound = Bound { expr: DfExpr::Column(column), field, data_type };
            (format!("_col{index}"), None, bound)
        });
        self.project(plan, exprs.collect(), at)
    }

    fn union_of_rows(&self, rows: Vec<Vec<DfExpr>>, at: usize) -> Result<LogicalPlan> {
        let engine = |error| SqlError::engine(at, &error);
        let mut plans = Vec::with_capacity(rows.len());
        for row in rows {
            let named = row.into_iter().enumerate().map(|(i, value)| value.alias(format!("c{i}")));
            let plan = LogicalPlanBuilder::empty(true)
                .project(named.collect::<Vec<_>>())
                .and_then(LogicalPlanBuilder::build)
                .map_err(engine)?;
            plans.push(Arc::new(plan));
        }
        if plans.len() == 1 {
            return Ok(plans.pop().map(Arc::unwrap_or_clone).unwrap_or_default());
        }
        datafusion::logical_expr::Union::try_new_with_loose_types(plans)
            .map(LogicalPlan::Union)
            .map_err(engine)
    }
}

/// A single value that is a row stands for its fields: `VALUES CAST(ROW(1, 2) AS ROW(a …))`.
fn spread_rows(rows: &[Bound]) -> Option<Vec<Vec<Bound>>> {
    let Some(Type::Row(fields)) = rows.first().map(|row| row.data_type.clone()) else {
        return None;
    };
    let same = |row: &Bound| matches!(&row.data_type, Type::Row(own) if own.len() == fields.len());
    if !rows.iter().all(same) {
        return None;
    }
    let field_of = |index: usize| {
        rows.iter()
            .filter_map(|row| match &row.data_type {
                Type::Row(own) => Some(row_field(row.clone(), index, own.get(index)?)),
                _ => None,
            })
            .collect()
    };
    Some((0..fields.len()).map(field_of).collect())
}

/// The output column an ordinal of `ORDER BY` names.
fn ordinal_column<'c>(
    item: &SortItem,
    columns: &'c [OutputColumn],
) -> Result<Option<&'c OutputColumn>> {
    let ExprKind::Integer(digits) = &item.expr.kind else { return Ok(None) };
    let index = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match index.and_then(|index| columns.get(index)) {
        Some(column) => Ok(Some(column)),
        None => Err(ordinal_error("ORDER BY", digits, item.expr.at)),
    }
}

pub(super) fn ordinal_error(clause: &str, digits: &str, at: usize) -> SqlError {
    let message = format!("{clause} position {digits} is not in select list");
    SqlError::at(ErrorKind::Semantic, at, message)
}

fn transposed(columns: Vec<Vec<DfExpr>>, height: usize) -> Vec<Vec<DfExpr>> {
    let mut rows: Vec<Vec<DfExpr>> =
        (0..height).map(|_| Vec::with_capacity(columns.len())).collect();
    for column in columns {
        for (row, value) in rows.iter_mut().zip(column) {
            row.push(value);
        }
    }
    rows
}

fn in_form(value: Bound, form: &DataType) -> DfExpr {
    if value.field.data_type() == form {
        return value.expr;
    }
    DfExpr::Cast(Cast::new(Box::new(value.expr), form.clone()))
}

fn is_plain(data_type: &Type) -> bool {
    match data_type {
        Type::Array(item) => is_plain(item),
        Type::Map(key, value) => is_plain(key) && is_plain(value),
        Type::Row(fields) => fields.iter().all(|field| is_plain(&field.data_type)),
        other => other.extension().is_none(),
    }
}

fn is_constant(expr: &DfExpr) -> bool {
    matches!(expr, DfExpr::Literal(..)) || !has_context(expr)
}

/// Whether an expression needs rows around it: an outer column or a subquery.
fn has_context(expr: &DfExpr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expr.exists(|node| {
        Ok(matches!(
            node,
            DfExpr::OuterReferenceColumn(..)
                | DfExpr::ScalarSubquery(_)
                | DfExpr::Exists(_)
                | DfExpr::InSubquery(_)
                | DfExpr::HigherOrderFunction(_)
        ))
    })
    .unwrap_or(true)
}
