//! The `FROM` clause: relations, aliases, joins, samples.

use std::sync::Arc;

use datafusion::common::{Column, JoinType, Spans, TableReference};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::logical_plan::Subquery;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder, TableSource, lit};

use super::expression::{ExprBinder, column_of};
use super::scope::{Scope, ScopeColumn};
use super::select::{named_item, refuse_calls};
use super::unnest::UnnestCall;
use super::{
    Bound, BoundQuery, Cte, CteDefinition, Env, OuterScope, OutputColumn, Planner, semantic,
};
use crate::ast::{
    Expr, Ident, Join, JoinCondition, JoinKind, Query, QueryBody, Relation, RelationKind,
    RelationName, SelectItem,
};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::view::View;

/// Field metadata key of columns that `*` leaves out, such as a partition column.
pub const HIDDEN_KEY: &str = "towpath.hidden";

impl Planner<'_> {
    /// Binds the relations of a `FROM` clause; none means one row without columns.
    pub(super) fn from(
        &self,
        relations: &[Relation],
        env: Env<'_>,
        at: usize,
    ) -> Result<(LogicalPlan, Scope)> {
        let mut joined: Option<(LogicalPlan, Scope)> = None;
        for relation in relations {
            joined = Some(match joined {
                None => self.relation(relation, env, None)?,
                Some(left) => self.cross(left, relation, env)?,
            });
        }
        match joined {
            Some(joined) => Ok(joined),
            None => {
                let plan = LogicalPlanBuilder::empty(true).build();
                Ok((plan.map_err(|error| SqlError::engine(at, &error))?, Scope::default()))
            }
        }
    }

    /// `left, right` and `left CROSS JOIN right`.
    fn cross(
        &self,
        left: (LogicalPlan, Scope),
        right: &Relation,
        env: Env<'_>,
    ) -> Result<(LogicalPlan, Scope)> {
        if let Some(unnest) = unnest_parts(right) {
            return self.unnest(Some(left), &unnest, env);
        }
        if let Some(exprs) = lateral_row(right) {
            return self.beside(left, right, &exprs, env);
        }
        let (right_plan, right_scope) = self.relation(right, env, Some(&left.1))?;
        let plan = LogicalPlanBuilder::from(left.0)
            .cross_join(right_plan)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(right.at, &error))?;
        Ok((plan, left.1.join(right_scope)))
    }

    /// `LATERAL (SELECT x * 10 AS y)`: one row for each of the left, so a projection.
    fn beside(
        &self,
        (plan, scope): Bounded,
        right: &Relation,
        exprs: &[(Expr, Option<Ident>)],
        env: Env<'_>,
    ) -> Result<Bounded> {
        let at = right.at;
        let mut projected: Vec<DfExpr> =
            plan.schema().columns().into_iter().map(DfExpr::Column).collect();
        let mut own = Scope::default();
        for (index, (expr, alias)) in exprs.iter().enumerate() {
            let bound = ExprBinder::new(self, env, &scope).bind(expr)?;
            refuse_calls(&bound.expr, "LATERAL", expr.at)?;
            let (heading, key) = named_item(expr, alias.as_ref(), index);
            let name = self.unique(&heading);
            projected.push(bound.expr.alias(name.clone()));
            own.columns.push(ScopeColumn {
                relation: Vec::new(),
                key,
                heading,
                field: bound.field,
                data_type: bound.data_type,
                column: Column::from_name(name),
                joined: false,
                hidden: false,
            });
        }
        if let Some(alias) = &right.alias {
            own.rename(&alias.columns, &alias.name)?;
            for column in &mut own.columns {
                column.relation = vec![alias.name.key()];
            }
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(projected)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        Ok((plan, scope.join(own)))
    }

    /// Binds one relation. `left` is what stands before it, seen by `LATERAL` only.
    fn relation(
        &self,
        relation: &Relation,
        env: Env<'_>,
        left: Option<&Scope>,
    ) -> Result<(LogicalPlan, Scope)> {
        let at = relation.at;
        if let Some(unnest) = unnest_parts(relation) {
            return self.unnest(None, &unnest, env);
        }
        let (plan, mut scope) = match &relation.kind {
            RelationKind::Table(name) => self.table(name, relation, env)?,
            RelationKind::Subquery(query) => {
                let query = self.query(query, env)?;
                let scope = Scope::of_query(&query, &[]);
                (query.plan, scope)
            }
            RelationKind::Lateral(query) => self.lateral(query, env, left, at)?,
            RelationKind::Join(join) => self.join(join, env, at)?,
            RelationKind::Nested(inner) => self.relation(inner, env, left)?,
            RelationKind::Sample { relation: inner, percent } => {
                let (plan, scope) = self.relation(inner, env, left)?;
                let percent = ExprBinder::new(self, env, &Scope::default()).bind(percent)?;
                (self.sampled(plan, percent, at)?, scope)
            }
            RelationKind::Unnest { .. } => return Err(semantic(at, "expected a relation")),
        };
        if let Some(alias) = &relation.alias {
            scope.rename(&alias.columns, &alias.name)?;
            for column in &mut scope.columns {
                column.relation = vec![alias.name.key()];
            }
        }
        Ok((plan, scope))
    }

    fn table(
        &self,
        name: &RelationName,
        relation: &Relation,
        env: Env<'_>,
    ) -> Result<(LogicalPlan, Scope)> {
        let at = relation.at;
        self.count_relation(at)?;
        let key = name.text.to_lowercase();
        if let [_] = name.parts.as_slice()
            && let Some(cte) = find_cte(env.ctes, &key)
        {
            let query = self.common_table(cte, at)?;
            let scope = Scope::of_query(&query, &[key]);
            return Ok((query.plan, scope));
        }
        let Some(source) = self.relations.get(name) else {
            let message = format!("Table '{}' does not exist", name.text);
            return Err(SqlError::at(ErrorKind::RelationNotFound, at, message));
        };
        let parts: Vec<String> = name.parts.iter().map(|part| part.to_lowercase()).collect();
        self.scan(source, &key, &parts, at)
    }

    pub(super) fn scan(
        &self,
        source: &Arc<dyn TableSource>,
        key: &str,
        parts: &[String],
        at: usize,
    ) -> Result<(LogicalPlan, Scope)> {
        let qualifier = TableReference::bare(self.unique(key));
        let provider = source_as_provider(source).ok();
        let builder = match provider.as_ref().and_then(|provider| provider.downcast_ref::<View>()) {
            Some(view) => view
                .plan(self.named)
                .and_then(|plan| LogicalPlanBuilder::from(plan).alias(qualifier.clone())),
            None => LogicalPlanBuilder::scan(qualifier.clone(), Arc::clone(source), None),
        };
        let plan = builder
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        // Every column is in scope, so that names are refused for what they are. The plan of a view
        // has those that the statement names.
        let schema = source.schema();
        let columns = schema.fields().iter().map(|field| ScopeColumn {
            relation: parts.to_vec(),
            key: Some(field.name().to_lowercase()),
            heading: field.name().clone(),
            field: Arc::clone(field),
            data_type: Type::of_field(field),
            column: Column::new(Some(qualifier.clone()), field.name()),
            joined: false,
            hidden: field.metadata().contains_key(HIDDEN_KEY),
        });
        let scope = Scope { columns: columns.collect() };
        Ok((plan, scope))
    }

    /// `TABLE t`
    pub(super) fn table_query(
        &self,
        name: &RelationName,
        at: usize,
        env: Env<'_>,
    ) -> Result<BoundQuery> {
        let relation = Relation { kind: RelationKind::Table(name.clone()), alias: None, at };
        let (plan, scope) = self.relation(&relation, env, None)?;
        let exprs = scope
            .columns
            .iter()
            .filter(|column| !column.hidden)
            .map(|column| (column.heading.clone(), column.key.clone(), column_of(column, at)));
        self.project(plan, exprs.collect(), at)
    }

    /// Binds a common table expression anew for each of its uses.
    fn common_table(&self, cte: &Cte<'_>, at: usize) -> Result<BoundQuery> {
        let mut query = match cte.definition {
            CteDefinition::WorkTable(table) => return self.work_table(table, at),
            CteDefinition::Query { table, recursive } => {
                let env = Env { ctes: cte.outer, outer: cte.scopes };
                match recursive.then(|| self.recursive_table(table, cte, env)).transpose()? {
                    Some(Some(query)) => return Ok(query),
                    _ => self.query(&table.query, env)?,
                }
            }
        };
        if let CteDefinition::Query { table, .. } = cte.definition {
            rename_columns(&mut query.columns, &table.columns, &table.name)?;
        }
        Ok(query)
    }

    fn lateral(
        &self,
        query: &Query,
        env: Env<'_>,
        left: Option<&Scope>,
        at: usize,
    ) -> Result<(LogicalPlan, Scope)> {
        let Some(left) = left else {
            let query = self.query(query, env)?;
            let scope = Scope::of_query(&query, &[]);
            return Ok((query.plan, scope));
        };
        let outer = OuterScope { scope: left, next: env.outer };
        let query = self.query(query, Env { outer: Some(&outer), ..env })?;
        let scope = Scope::of_query(&query, &[]);
        let outer_ref_columns = query.plan.all_out_ref_exprs();
        if outer_ref_columns.is_empty() {
            return Ok((query.plan, scope));
        }
        let (subquery, alias) = match query.plan {
            LogicalPlan::SubqueryAlias(alias) => (alias.input, alias.alias),
            plan => (Arc::new(plan), TableReference::bare(self.unique("lateral"))),
        };
        let plan =
            LogicalPlan::Subquery(Subquery { subquery, outer_ref_columns, spans: Spans::new() });
        let plan = LogicalPlanBuilder::from(plan)
            .alias(alias)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        Ok((plan, scope))
    }

    fn join(&self, join: &Join, env: Env<'_>, at: usize) -> Result<(LogicalPlan, Scope)> {
        let left = self.relation(&join.left, env, None)?;
        if join.kind == JoinKind::Cross {
            return self.cross(left, &join.right, env);
        }
        if let Some(unnest) = unnest_parts(&join.right)
            && matches!(join.kind, JoinKind::Inner | JoinKind::Left)
        {
            self.check_unnest_condition(&join.condition, at)?;
            let keep_empty = join.kind == JoinKind::Left;
            return self.unnest(Some(left), &UnnestCall { keep_empty, ..unnest }, env);
        }
        let right = self.relation(&join.right, env, Some(&left.1))?;
        let kind = match join.kind {
            JoinKind::Left => JoinType::Left,
            JoinKind::Right => JoinType::Right,
            JoinKind::Full => JoinType::Full,
            JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
        };
        match &join.condition {
            JoinCondition::On(condition) => {
                let scope = left.1.join(right.1);
                let bound = ExprBinder::new(self, env, &scope).bind(condition)?;
                let bound = self.condition(bound, condition.at, "JOIN ON clause")?;
                refuse_calls(&bound.expr, "JOIN ON clause", condition.at)?;
                let plan = self.joined((left.0, right.0), kind, bound.expr, at)?;
                Ok((plan, scope))
            }
            JoinCondition::Using(names) => self.using((left, right), kind, names, at),
            JoinCondition::Natural => {
                let names: Vec<Ident> = left
                    .1
                    .visible()
                    .filter(|l| l.key.is_some() && right.1.visible().any(|r| r.key == l.key))
                    .map(|column| Ident { text: column.heading.clone(), at })
                    .collect();
                self.using((left, right), kind, &names, at)
            }
            JoinCondition::None => Err(semantic(at, "JOIN needs a condition")),
        }
    }

    pub(super) fn joined(
        &self,
        (left, right): (LogicalPlan, LogicalPlan),
        kind: JoinType,
        condition: DfExpr,
        at: usize,
    ) -> Result<LogicalPlan> {
        LogicalPlanBuilder::from(left)
            .join_on(right, kind, [condition])
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))
    }

    /// Joins by equal names; each becomes one column, before all others.
    fn using(
        &self,
        (left, right): (Bounded, Bounded),
        kind: JoinType,
        names: &[Ident],
        at: usize,
    ) -> Result<(LogicalPlan, Scope)> {
        let empty = Scope::default();
        let binder = ExprBinder::new(self, Env::default(), &empty);
        let mut conditions = Vec::new();
        let mut merged = Vec::new();
        for name in names {
            let find = |scope: &Scope, side: &str| -> Result<ScopeColumn> {
                let found =
                    scope.find(std::slice::from_ref(name))?.map(|found| found.column.clone());
                found.ok_or_else(|| {
                    let message =
                        format!("Column '{}' is missing from {side} side of join", name.text);
                    SqlError::at(ErrorKind::ColumnNotFound, name.at, message)
                })
            };
            let (l, r) = (find(&left.1, "left")?, find(&right.1, "right")?);
            let equal = binder.equals(column_of(&l, name.at), column_of(&r, name.at), name.at)?;
            conditions.push(equal.expr);
            merged.push((name.clone(), l, r));
        }
        let condition = super::expression::balanced(conditions, DfExpr::and);
        let plan = self.joined((left.0, right.0), kind, condition, at)?;
        let mut projected: Vec<DfExpr> =
            plan.schema().columns().into_iter().map(DfExpr::Column).collect();
        let known = projected.len();
        let mut scope = Scope::default();
        for (name, l, r) in &merged {
            let source = if kind == JoinType::Right { r } else { l };
            let mut column =
                ScopeColumn { relation: Vec::new(), heading: name.text.clone(), ..source.clone() };
            if kind == JoinType::Full {
                let bound =
                    binder.first_of(column_of(l, name.at), column_of(r, name.at), name.at)?;
                let alias = self.unique("using");
                column.data_type = bound.data_type;
                column.field = bound.field;
                column.column = Column::from_name(alias.clone());
                projected.push(bound.expr.alias(alias));
            }
            scope.columns.push(column);
        }
        let hide = |scope: Scope, side: fn(&(Ident, ScopeColumn, ScopeColumn)) -> &ScopeColumn| {
            scope.columns.into_iter().map(move |column| (column, side))
        };
        let rest = hide(left.1, |one| &one.1).chain(hide(right.1, |one| &one.2));
        for (mut column, side) in rest {
            column.joined |= merged.iter().any(|one| side(one).column == column.column);
            scope.columns.push(column);
        }
        if projected.len() == known {
            return Ok((plan, scope));
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(projected)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        Ok((plan, scope))
    }

    /// Keeps each row with a probability.
    fn sampled(&self, plan: LogicalPlan, percent: Bound, at: usize) -> Result<LogicalPlan> {
        let percent = self.coerce(percent, &Type::Double);
        let scope = Scope::default();
        let random =
            ExprBinder::new(self, Env::default(), &scope).function("random", Vec::new(), at)?;
        let keep = (random.expr * lit(100.0)).lt(percent.expr);
        LogicalPlanBuilder::from(plan)
            .filter(keep)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))
    }
}

impl ExprBinder<'_> {
    /// `coalesce(left, right)`, for the columns a full join merges.
    fn first_of(&self, left: Bound, right: Bound, at: usize) -> Result<Bound> {
        let known = Bound::new(DfExpr::IsNotNull(Box::new(left.expr.clone())), Type::Boolean);
        self.case_of(vec![known], vec![left, right], true, at)
    }
}

pub(super) fn rename_columns(
    columns: &mut [OutputColumn],
    names: &[Ident],
    table: &Ident,
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() != columns.len() {
        let message = format!(
            "Column alias list has {} entries but '{}' has {} columns available",
            names.len(),
            table.text,
            columns.len()
        );
        return Err(semantic(table.at, message));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.heading.clone_from(&name.text);
        column.key = Some(name.key());
    }
    Ok(())
}

fn find_cte<'a>(mut ctes: Option<&'a Cte<'a>>, key: &str) -> Option<&'a Cte<'a>> {
    while let Some(cte) = ctes {
        if cte.key == key {
            return Some(cte);
        }
        ctes = cte.outer;
    }
    None
}

/// A relation with the columns it shows.
type Bounded = (LogicalPlan, Scope);

/// The expressions of `LATERAL (SELECT …)` without `FROM`, or of a single `VALUES` row.
fn lateral_row(relation: &Relation) -> Option<Vec<(Expr, Option<Ident>)>> {
    let RelationKind::Lateral(query) = &relation.kind else { return None };
    let Query { with: None, body, order_by: _, offset: None, limit: None, .. } = query.as_ref()
    else {
        return None;
    };
    match body {
        QueryBody::Values(rows, _) => match rows.as_slice() {
            [row] => Some(row.iter().map(|expr| (expr.clone(), None)).collect()),
            _ => None,
        },
        QueryBody::Select(select) => {
            let plain = select.from.is_empty()
                && select.filter.is_none()
                && select.group_by.is_none()
                && select.having.is_none();
            let items = select.items.iter().map(|item| match item {
                SelectItem::Expr(expr, alias) => Some((expr.clone(), alias.clone())),
                _ => None,
            });
            if plain { items.collect() } else { None }
        }
        _ => None,
    }
}

/// What an `UNNEST` relation consists of.
fn unnest_parts(relation: &Relation) -> Option<UnnestCall<'_>> {
    match &relation.kind {
        RelationKind::Unnest { arrays, ordinality } => Some(UnnestCall {
            arrays,
            ordinality: *ordinality,
            alias: relation.alias.as_ref(),
            keep_empty: false,
            at: relation.at,
        }),
        RelationKind::Nested(inner) if relation.alias.is_none() => unnest_parts(inner),
        _ => None,
    }
}
