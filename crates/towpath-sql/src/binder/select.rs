//! One `SELECT … FROM … WHERE … GROUP BY … HAVING …` block.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Distinct, Expr as DfExpr, LogicalPlan, LogicalPlanBuilder};

use super::expression::{ExprBinder, column_of, row_field};
use super::query::{Sorted, ordinal_error};
use super::scope::{Scope, ScopeColumn};
use super::{Bound, Env, OutputColumn, Planner, mismatch, semantic};
use crate::ast::{Expr, ExprKind, Ident, Select, SelectItem, SortItem};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::limits::COLUMNS_MAX;

/// A column of the select list.
pub(super) struct Item {
    pub(super) heading: String,
    pub(super) key: Option<String>,
    pub(super) bound: Bound,
}

impl Planner<'_> {
    pub(super) fn select(
        &self,
        select: &Select,
        order_by: &[SortItem],
        env: Env<'_>,
    ) -> Result<Sorted> {
        if select.from.is_empty() {
            self.count_relation(select.at)?;
        }
        let (plan, scope) = self.from(&select.from, env, select.at)?;
        let plan = self.filtered(plan, select, &scope, env)?;
        let mut items = self.items(select, &scope, env)?;
        let aliases: Vec<(String, Bound)> =
            items.iter().filter_map(|item| Some((item.key.clone()?, item.bound.clone()))).collect();
        let groups = match &select.group_by {
            Some(group_by) => {
                let mut binder = ExprBinder::new(self, env, &scope);
                (binder.aliases, binder.columns_first) = (&aliases, true);
                Some(binder.groups(group_by, &items)?)
            }
            None => None,
        };
        let having = match &select.having {
            Some(having) => {
                let mut binder = ExprBinder::new(self, env, &scope);
                (binder.aliases, binder.columns_first) = (&aliases, true);
                let bound = binder.bind(having)?;
                Some(self.condition(bound, having.at, "HAVING clause")?.expr)
            }
            None => None,
        };
        let mut binder = ExprBinder::new(self, env, &scope);
        (binder.aliases, binder.windows) = (&aliases, &select.windows);
        let mut sort = Vec::with_capacity(order_by.len());
        for item in order_by {
            sort.push(sort_of(&mut binder, item, &items)?);
        }

        let mut exprs: Vec<DfExpr> = items.iter().map(|item| item.bound.expr.clone()).collect();
        exprs.extend(sort.iter().map(|sort| sort.expr.clone()));
        exprs.extend(having);
        let plan = self.grouped(plan, groups, &mut exprs, (select, &scope))?;
        let plan = match exprs.get(items.len() + sort.len()).cloned() {
            Some(having) => LogicalPlanBuilder::from(plan)
                .having(having)
                .and_then(LogicalPlanBuilder::build)
                .map_err(|error| SqlError::engine(select.at, &error))?,
            None => plan,
        };
        let plan = self.windowed(plan, &mut exprs, select.at)?;
        for (item, expr) in items.iter_mut().zip(&exprs) {
            item.bound.expr.clone_from(expr);
        }
        for (sort, expr) in sort.iter_mut().zip(exprs.iter().skip(items.len())) {
            sort.expr.clone_from(expr);
        }
        self.projected(plan, items, sort, select)
    }

    fn filtered(
        &self,
        plan: LogicalPlan,
        select: &Select,
        scope: &Scope,
        env: Env<'_>,
    ) -> Result<LogicalPlan> {
        let Some(condition) = &select.filter else { return Ok(plan) };
        let bound = ExprBinder::new(self, env, scope).filter(condition)?;
        refuse_calls(&bound.expr, "WHERE clause", condition.at)?;
        let guarded = super::aggregate::guarded(bound.expr)
            .map_err(|error| SqlError::engine(condition.at, &error))?;
        LogicalPlanBuilder::from(plan)
            .filter(guarded)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(select.at, &error))
    }

    fn items(&self, select: &Select, scope: &Scope, env: Env<'_>) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for item in &select.items {
            match item {
                SelectItem::All(at) => {
                    if select.from.is_empty() {
                        let message = "SELECT * not allowed in queries without FROM clause";
                        return Err(semantic(*at, message));
                    }
                    items.extend(scope.visible().filter(|c| !c.hidden).map(|c| star(c, *at)));
                }
                SelectItem::AllOf(expr, aliases) => {
                    items.extend(self.all_of(expr, aliases, scope, env)?);
                }
                SelectItem::Expr(expr, alias) => {
                    let mut binder = ExprBinder::new(self, env, scope);
                    binder.windows = &select.windows;
                    let bound = binder.bind(expr)?;
                    let (heading, key) = named_item(expr, alias.as_ref(), items.len());
                    items.push(Item { heading, key, bound });
                }
            }
            if items.len() > COLUMNS_MAX {
                let message = format!("select list has more than {COLUMNS_MAX} columns");
                return Err(SqlError::at(ErrorKind::LimitExceeded, select.at, message));
            }
        }
        Ok(items)
    }

    /// `t.*` or the fields of a row: `useridentity.*`.
    fn all_of(
        &self,
        expr: &Expr,
        aliases: &[Ident],
        scope: &Scope,
        env: Env<'_>,
    ) -> Result<Vec<Item>> {
        let mut items: Vec<Item> = match qualifier(expr) {
            Some(parts) => scope
                .of_relation(&parts)
                .into_iter()
                .filter(|c| !c.hidden)
                .map(|c| star(c, expr.at))
                .collect(),
            None => Vec::new(),
        };
        if items.is_empty() {
            let bound = ExprBinder::new(self, env, scope).bind(expr).map_err(|error| {
                let name = qualifier(expr).unwrap_or_default().join(".");
                match error.kind() {
                    ErrorKind::ColumnNotFound => {
                        semantic(expr.at, format!("Unable to resolve reference {name}"))
                    }
                    _ => error,
                }
            })?;
            let Type::Row(fields) = bound.data_type.clone() else {
                return Err(mismatch(expr.at, "expected a row before .*"));
            };
            for (index, field) in fields.iter().enumerate() {
                let heading = field.name.clone().unwrap_or_else(|| format!("_col{index}"));
                let bound = row_field(bound.clone(), index, field);
                items.push(Item { heading, key: field.name.clone(), bound });
            }
        }
        if !aliases.is_empty() && aliases.len() != items.len() {
            let (given, found) = (aliases.len(), items.len());
            let message =
                format!("Column alias list has {given} entries but relation has {found} columns");
            return Err(mismatch(expr.at, message));
        }
        for (item, alias) in items.iter_mut().zip(aliases) {
            item.heading.clone_from(&alias.text);
            item.key = Some(alias.key());
        }
        Ok(items)
    }

    /// Puts window functions into window nodes and refers to their columns.
    fn windowed(&self, plan: LogicalPlan, exprs: &mut [DfExpr], at: usize) -> Result<LogicalPlan> {
        let engine = |error| SqlError::engine(at, &error);
        let mut found: Vec<DfExpr> = Vec::new();
        for expr in exprs.iter() {
            expr.apply(|node| {
                if matches!(node, DfExpr::WindowFunction(_)) {
                    if !found.contains(node) {
                        found.push(node.clone());
                    }
                    return Ok(TreeNodeRecursion::Jump);
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .map_err(engine)?;
        }
        if found.is_empty() {
            return Ok(plan);
        }
        for expr in exprs.iter_mut() {
            let replaced = expr.clone().transform_down(|node| match &node {
                DfExpr::WindowFunction(_) => {
                    let column = Column::from_name(node.schema_name().to_string());
                    Ok(Transformed::new(DfExpr::Column(column), true, TreeNodeRecursion::Jump))
                }
                _ => Ok(Transformed::no(node)),
            });
            *expr = replaced.map_err(engine)?.data;
        }
        LogicalPlanBuilder::window_plan(plan, found).map_err(engine)
    }

    /// Projects the select list, with the sort keys it lacks behind it.
    fn projected(
        &self,
        plan: LogicalPlan,
        items: Vec<Item>,
        sort: Vec<Sort>,
        select: &Select,
    ) -> Result<Sorted> {
        let at = select.at;
        let visible = items.len();
        let selected: Vec<DfExpr> = items.iter().map(|item| item.bound.expr.clone()).collect();
        let mut exprs: Vec<(String, Option<String>, Bound)> =
            items.into_iter().map(|item| (item.heading, item.key, item.bound)).collect();
        let mut places = Vec::with_capacity(sort.len());
        for key in &sort {
            let place = selected.iter().position(|expr| *expr == key.expr);
            places.push(match place {
                Some(place) => place,
                None if select.distinct => {
                    let message =
                        "For SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    return Err(semantic(at, message));
                }
                None => {
                    let bound = Bound::new(key.expr.clone(), Type::Unknown);
                    exprs.push((self.unique("sort"), None, bound));
                    exprs.len() - 1
                }
            });
        }
        let query = self.project(plan, exprs, at)?;
        let mut columns = query.columns;
        let keys = sort.into_iter().zip(places).filter_map(|(key, place)| {
            let column = columns.get(place)?.column.clone();
            Some(Sort::new(DfExpr::Column(column), key.asc, key.nulls_first))
        });
        let sort = keys.collect();
        columns.truncate(visible);
        let plan = match select.distinct {
            true => LogicalPlan::Distinct(Distinct::All(Arc::new(query.plan))),
            false => query.plan,
        };
        if select.distinct {
            self.check_comparable(&columns, at)?;
        }
        Ok(Sorted { plan, columns, sort })
    }

    fn check_comparable(&self, columns: &[OutputColumn], at: usize) -> Result<()> {
        let odd =
            columns.iter().find(|c| matches!(c.data_type, Type::HyperLogLog | Type::Other(_)));
        match odd {
            Some(column) => {
                let message = format!(
                    "DISTINCT can only be applied to comparable types (actual: {})",
                    column.data_type
                );
                Err(mismatch(at, message))
            }
            None => Ok(()),
        }
    }
}

/// Refuses aggregates and window functions where rows are not grouped yet.
pub(super) fn refuse_calls(expr: &DfExpr, clause: &str, at: usize) -> Result<()> {
    let mut found = None;
    let walked = expr.apply(|node| {
        let name = match node {
            DfExpr::AggregateFunction(call) => Some(call.func.name().to_owned()),
            DfExpr::WindowFunction(call) => Some(call.fun.name().to_owned()),
            _ => None,
        };
        if name.is_some() {
            found = name;
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|error| SqlError::engine(at, &error))?;
    match found {
        Some(name) => Err(semantic(
            at,
            format!(
                "{clause} cannot contain aggregations, window functions or grouping operations: [{name}]"
            ),
        )),
        None => Ok(()),
    }
}

/// The sort key of an item: an ordinal, an output name or any expression.
fn sort_of(binder: &mut ExprBinder<'_>, item: &SortItem, items: &[Item]) -> Result<Sort> {
    if let ExprKind::Integer(digits) = &item.expr.kind {
        let index = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let Some(found) = index.and_then(|index| items.get(index)) else {
            return Err(ordinal_error("ORDER BY", digits, item.expr.at));
        };
        return Ok(Sort::new(found.bound.expr.clone(), !item.descending, item.nulls_first));
    }
    let mut sort = binder.sort_items(std::slice::from_ref(item))?;
    sort.pop().ok_or_else(|| semantic(item.expr.at, "expected a sort key"))
}

fn star(column: &ScopeColumn, at: usize) -> Item {
    Item { heading: column.heading.clone(), key: column.key.clone(), bound: column_of(column, at) }
}

/// The name of a column of the select list: its alias, the last part of a dotted name as typed, or
/// `_colN`.
pub(super) fn named_item(
    expr: &Expr,
    alias: Option<&Ident>,
    index: usize,
) -> (String, Option<String>) {
    let name = alias.or(match &expr.kind {
        ExprKind::Name(name) | ExprKind::Field(_, name) => Some(name),
        _ => None,
    });
    match name {
        Some(name) => (name.text.clone(), Some(name.key())),
        None => (format!("_col{index}"), None),
    }
}

/// The parts of a plain dotted name, in lower case.
fn qualifier(expr: &Expr) -> Option<Vec<String>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![name.key()]),
        ExprKind::Field(inner, name) => {
            let mut parts = qualifier(inner)?;
            parts.push(name.key());
            Some(parts)
        }
        _ => None,
    }
}
