//! Grouping: `GROUP BY` in all its forms, aggregates, and the rule that everything else selected
//! must be grouped.

use datafusion::common::Column;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::grouping::grouping_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Case};
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr as DfExpr, GroupingSet, LogicalPlan, LogicalPlanBuilder};

use super::expression::{ExprBinder, balanced, offset_of};
use super::query::ordinal_error;
use super::scope::Scope;
use super::select::{Item, refuse_calls};
use super::{Bound, Planner, mismatch, semantic};
use crate::ast::{Expr, ExprKind, GroupBy, GroupElement, Select};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::limits::GROUPING_SETS_MAX;

/// The grouping sets of a query; a plain `GROUP BY` is one set.
pub(super) struct Groups {
    sets: Vec<Vec<DfExpr>>,
    /// Whether the sets were written as such, so that grouped columns may become NULL.
    several: bool,
}

impl ExprBinder<'_> {
    pub(super) fn groups(&mut self, group_by: &GroupBy, items: &[Item]) -> Result<Groups> {
        let mut sets: Vec<Vec<DfExpr>> = vec![Vec::new()];
        let mut several = false;
        for element in &group_by.elements {
            several |= !matches!(element, GroupElement::Simple(_));
            let choices = self.group_choices(element, items)?;
            if sets.len().saturating_mul(choices.len()) > GROUPING_SETS_MAX {
                let message = format!("GROUP BY has more than {GROUPING_SETS_MAX} grouping sets");
                return Err(SqlError::new(ErrorKind::LimitExceeded, message));
            }
            sets = sets
                .iter()
                .flat_map(|set| {
                    choices.iter().map(move |choice| {
                        let mut joined = set.clone();
                        for expr in choice {
                            if !joined.contains(expr) {
                                joined.push(expr.clone());
                            }
                        }
                        joined
                    })
                })
                .collect();
        }
        if group_by.distinct {
            let mut unique: Vec<Vec<DfExpr>> = Vec::new();
            for set in sets {
                let same = |known: &Vec<DfExpr>| {
                    known.len() == set.len() && set.iter().all(|expr| known.contains(expr))
                };
                if !unique.iter().any(same) {
                    unique.push(set);
                }
            }
            sets = unique;
        }
        Ok(Groups { sets, several })
    }

    /// The sets one element of `GROUP BY` stands for.
    fn group_choices(
        &mut self,
        element: &GroupElement,
        items: &[Item],
    ) -> Result<Vec<Vec<DfExpr>>> {
        match element {
            GroupElement::Simple(exprs) => Ok(vec![self.group_set(exprs, items)?]),
            GroupElement::Rollup(parts) => {
                let parts = self.group_sets(parts, items)?;
                Ok((0..=parts.len())
                    .rev()
                    .map(|keep| parts.iter().take(keep).flatten().cloned().collect())
                    .collect())
            }
            GroupElement::Cube(parts) => {
                let parts = self.group_sets(parts, items)?;
                if parts.len() > 11 {
                    let message =
                        format!("GROUP BY has more than {GROUPING_SETS_MAX} grouping sets");
                    return Err(SqlError::new(ErrorKind::LimitExceeded, message));
                }
                let all = 1_usize << parts.len();
                let subset = |mask: usize| {
                    let chosen =
                        parts.iter().enumerate().filter(move |(at, _)| mask >> at & 1 == 1);
                    chosen.flat_map(|(_, part)| part.iter().cloned()).collect()
                };
                Ok((0..all).rev().map(subset).collect())
            }
            GroupElement::Sets(elements) => {
                let mut sets = Vec::new();
                for element in elements {
                    sets.extend(self.group_choices(element, items)?);
                }
                Ok(sets)
            }
        }
    }

    fn group_sets(&mut self, parts: &[Vec<Expr>], items: &[Item]) -> Result<Vec<Vec<DfExpr>>> {
        parts.iter().map(|part| self.group_set(part, items)).collect()
    }

    fn group_set(&mut self, exprs: &[Expr], items: &[Item]) -> Result<Vec<DfExpr>> {
        exprs.iter().map(|expr| self.group_expr(expr, items)).collect()
    }

    fn group_expr(&mut self, expr: &Expr, items: &[Item]) -> Result<DfExpr> {
        let bound = match &expr.kind {
            ExprKind::Integer(digits) => {
                let index = digits.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                let found = index.and_then(|index| items.get(index));
                found
                    .map(|item| item.bound.clone())
                    .ok_or_else(|| ordinal_error("GROUP BY", digits, expr.at))?
            }
            _ => self.bind(expr)?,
        };
        refuse_calls(&bound.expr, "GROUP BY clause", expr.at)?;
        if matches!(bound.data_type, Type::HyperLogLog | Type::Other(_)) {
            let message = format!(
                "{} is not comparable, and therefore cannot be used in GROUP BY",
                bound.data_type
            );
            return Err(mismatch(expr.at, message));
        }
        Ok(bound.expr)
    }

    /// `grouping(a, b)`, which DataFusion's analyzer resolves.
    pub(super) fn grouping(&mut self, columns: &[Expr], _at: usize) -> Result<Bound> {
        let args = self.bind_all(columns)?.into_iter().map(|bound| bound.expr).collect();
        let call = AggregateFunction::new_udf(grouping_udaf(), args, false, None, Vec::new(), None);
        Ok(Bound::new(DfExpr::AggregateFunction(call), Type::Integer))
    }
}

impl Planner<'_> {
    /// Aggregates if the block does, and makes `exprs` refer to what the aggregation yields.
    pub(super) fn grouped(
        &self,
        plan: LogicalPlan,
        groups: Option<Groups>,
        exprs: &mut [DfExpr],
        (select, scope): (&Select, &Scope),
    ) -> Result<LogicalPlan> {
        let at = select.at;
        let uses_aggregates = !aggregates(exprs, at)?.is_empty();
        if groups.is_none() && !uses_aggregates && select.having.is_none() {
            return Ok(plan);
        }
        let several = groups.as_ref().is_some_and(|groups| groups.several);
        let mut sets = groups.map_or_else(|| vec![Vec::new()], |groups| groups.sets);
        let needs_columns = several || exprs.iter().any(has_grouping);
        let plan = match needs_columns {
            true => self.group_columns(plan, &mut sets, exprs, at)?,
            false => plan,
        };
        let mut replacements: Vec<(DfExpr, DfExpr)> = Vec::new();
        let mut keys: Vec<DfExpr> = Vec::new();
        for expr in sets.iter().flatten() {
            if replacements.iter().any(|(known, _)| known == expr) {
                continue;
            }
            match expr {
                DfExpr::Column(_) => {
                    replacements.push((expr.clone(), expr.clone()));
                    keys.push(expr.clone());
                }
                _ => {
                    let name = self.unique("group");
                    let column = DfExpr::Column(Column::from_name(name.clone()));
                    replacements.push((expr.clone(), column));
                    keys.push(expr.clone().alias(name));
                }
            }
        }
        let mut computed = Vec::new();
        for aggregate in aggregates(exprs, at)? {
            let name = self.unique("agg");
            computed.push(aggregate.clone().alias(name.clone()));
            replacements.push((aggregate, DfExpr::Column(Column::from_name(name))));
        }
        for expr in exprs.iter_mut() {
            *expr = ungrouped(expr, &replacements, scope, at)?;
        }
        let keys = match several {
            true => vec![DfExpr::GroupingSet(GroupingSet::GroupingSets(sets))],
            false => keys,
        };
        LogicalPlanBuilder::from(plan)
            .aggregate(keys, computed)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))
    }

    /// Computes grouped expressions as columns first; grouping sets name columns only.
    fn group_columns(
        &self,
        plan: LogicalPlan,
        sets: &mut [Vec<DfExpr>],
        exprs: &mut [DfExpr],
        at: usize,
    ) -> Result<LogicalPlan> {
        let engine = |error| SqlError::engine(at, &error);
        let mut replacements: Vec<(DfExpr, DfExpr)> = Vec::new();
        let mut projected: Vec<DfExpr> =
            plan.schema().columns().into_iter().map(DfExpr::Column).collect();
        for expr in sets.iter().flatten() {
            let known = replacements.iter().any(|(known, _)| known == expr);
            if !known && !matches!(expr, DfExpr::Column(_)) {
                let name = self.unique("group");
                projected.push(expr.clone().alias(name.clone()));
                replacements.push((expr.clone(), DfExpr::Column(Column::from_name(name))));
            }
        }
        if replacements.is_empty() {
            return Ok(plan);
        }
        for expr in sets.iter_mut().flatten().chain(exprs.iter_mut()) {
            let replaced = expr.clone().transform_down(|node| {
                Ok(match replacements.iter().find(|(known, _)| *known == node) {
                    Some((_, column)) => {
                        Transformed::new(column.clone(), true, TreeNodeRecursion::Jump)
                    }
                    None => Transformed::no(node),
                })
            });
            *expr = replaced.map_err(engine)?.data;
        }
        LogicalPlanBuilder::from(plan)
            .project(projected)
            .and_then(LogicalPlanBuilder::build)
            .map_err(engine)
    }
}

/// The aggregates in `exprs`, each once.
fn aggregates(exprs: &[DfExpr], at: usize) -> Result<Vec<DfExpr>> {
    let mut found: Vec<DfExpr> = Vec::new();
    let mut nested = false;
    for expr in exprs {
        let walked = expr.apply(|node| {
            if let DfExpr::AggregateFunction(call) = node {
                let inner = |arg: &DfExpr| {
                    arg.exists(|n| {
                        Ok(matches!(n, DfExpr::AggregateFunction(_) | DfExpr::WindowFunction(_)))
                    })
                    .unwrap_or(false)
                };
                nested |= call.params.args.iter().any(inner);
                if !found.contains(node) {
                    found.push(node.clone());
                }
                return Ok(TreeNodeRecursion::Jump);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        walked.map_err(|error| SqlError::engine(at, &error))?;
    }
    if nested {
        let message = "Cannot nest aggregations inside aggregation";
        return Err(semantic(at, message));
    }
    Ok(found)
}

fn has_grouping(expr: &DfExpr) -> bool {
    expr.exists(|node| {
        Ok(matches!(node, DfExpr::AggregateFunction(call) if call.func.name() == "grouping"))
    })
    .unwrap_or(false)
}

/// Replaces what the aggregation yields, and refuses columns that are left over.
fn ungrouped(
    expr: &DfExpr,
    replacements: &[(DfExpr, DfExpr)],
    scope: &Scope,
    at: usize,
) -> Result<DfExpr> {
    let mut left_over: Option<Column> = None;
    let replaced = expr.clone().transform_down(|node| {
        if let Some((_, column)) = replacements.iter().find(|(known, _)| *known == node) {
            return Ok(Transformed::new(column.clone(), true, TreeNodeRecursion::Jump));
        }
        if let DfExpr::Column(column) = &node {
            left_over = Some(column.clone());
            return Err(DataFusionError::Plan(String::new()));
        }
        Ok(Transformed::no(node))
    });
    if let Some(column) = left_over {
        let known = scope.columns.iter().find(|known| known.column == column);
        let name = known.map_or(&column.name, |known| &known.heading);
        let message =
            format!("'{name}' must be an aggregate expression or appear in GROUP BY clause");
        return Err(semantic(offset_of(&column).unwrap_or(at), message));
    }
    Ok(replaced.map_err(|error| SqlError::engine(at, &error))?.data)
}

/// Functions that fail on some values of a column, so that a condition before them may be a guard.
const FALLIBLE: [&str; 22] = [
    "$cast",
    "$divide",
    "$modulus",
    "$add",
    "$subtract",
    "$multiply",
    "$subscript",
    "$moment",
    "json_parse",
    "from_iso8601_timestamp",
    "from_iso8601_date",
    "from_iso8601_timestamp_nanos",
    "date_parse",
    "parse_datetime",
    "from_hex",
    "from_base",
    "from_base64",
    "split_to_map",
    "url_decode",
    "date",
    "chr",
    "parse_duration",
];

/// Evaluates what can fail only where the conditions written before it hold:
/// `WHERE v LIKE 'TLSv%' AND CAST(…) < 1.2` must not fail on the rows the first condition drops,
/// and DataFusion may evaluate the two in any order. Such a function is given NULL on those rows.
pub(super) fn guarded(condition: DfExpr) -> Result<DfExpr, DataFusionError> {
    let terms = split_conjunction_owned(condition);
    let mut guards: Vec<DfExpr> = Vec::new();
    let mut out = Vec::with_capacity(terms.len());
    for term in terms {
        let term = match guards.is_empty() {
            true => term,
            false => masked(term, &balanced(guards.clone(), DfExpr::and))?,
        };
        if !has_subquery(&term) && !is_fallible(&term) {
            guards.push(term.clone());
        }
        out.push(term);
    }
    Ok(balanced(out, DfExpr::and))
}

/// Gives the functions in `term` that can fail NULL where `guard` is not true.
pub(super) fn masked(term: DfExpr, guard: &DfExpr) -> Result<DfExpr, DataFusionError> {
    let masked = term.transform_up(|node| match node {
        DfExpr::ScalarFunction(mut call) if FALLIBLE.contains(&call.func.name()) => {
            for arg in &mut call.args {
                if !arg.column_refs().is_empty() {
                    let when = vec![(Box::new(guard.clone()), Box::new(arg.clone()))];
                    *arg = DfExpr::Case(Case::new(None, when, None));
                }
            }
            Ok(Transformed::yes(DfExpr::ScalarFunction(call)))
        }
        other => Ok(Transformed::no(other)),
    });
    masked.map(|masked| masked.data)
}

pub(super) fn is_fallible(expr: &DfExpr) -> bool {
    expr.exists(|node| {
        Ok(match node {
            DfExpr::ScalarFunction(call) => {
                FALLIBLE.contains(&call.func.name())
                    && call.args.iter().any(|arg| !arg.column_refs().is_empty())
            }
            _ => false,
        })
    })
    .unwrap_or(false)
}

fn has_subquery(expr: &DfExpr) -> bool {
    expr.exists(|node| {
        Ok(matches!(node, DfExpr::Exists(_) | DfExpr::InSubquery(_) | DfExpr::ScalarSubquery(_)))
    })
    .unwrap_or(true)
}
