//! `UNNEST` in all its forms: several arrays side by side, maps, arrays of rows, `WITH ORDINALITY`,
//! correlated or not, inner or left.
//!
//! `$unnest_rows` zips its arguments into one array of rows, which one unnest node spreads; a
//! single array of plain values needs no zipping.
//! <https://trino.io/docs/current/sql/select.html#unnest>

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder};

use super::expression::{ExprBinder, row_field};
use super::scope::{Scope, ScopeColumn};
use super::{Bound, Env, Planner, mismatch, semantic};
use crate::ast::{Expr, ExprKind, JoinCondition, TableAlias};
use crate::data_type::{RowField, Type};
use crate::error::{Result, SqlError};

/// An `UNNEST` relation.
pub(super) struct UnnestCall<'e> {
    pub(super) arrays: &'e [Expr],
    /// Whether the position is a column too.
    pub(super) ordinality: bool,
    pub(super) alias: Option<&'e TableAlias>,
    /// `LEFT JOIN`: a row whose collections are empty is kept.
    pub(super) keep_empty: bool,
    pub(super) at: usize,
}

/// A list column and what its items are.
struct Spread {
    name: String,
    /// A single array of plain values: its items need no fields.
    simple: bool,
    item: FieldRef,
    produced: Vec<RowField>,
}

impl Planner<'_> {
    /// Only conditions that always hold can be joined on.
    pub(super) fn check_unnest_condition(
        &self,
        condition: &JoinCondition,
        at: usize,
    ) -> Result<()> {
        match condition {
            JoinCondition::On(Expr { kind: ExprKind::Boolean(true), .. }) => Ok(()),
            _ => Err(semantic(at, "UNNEST in conditional JOIN is not supported: use ON TRUE")),
        }
    }

    pub(super) fn unnest(
        &self,
        left: Option<(LogicalPlan, Scope)>,
        call: &UnnestCall<'_>,
        env: Env<'_>,
    ) -> Result<(LogicalPlan, Scope)> {
        let at = call.at;
        let engine = |error| SqlError::engine(at, &error);
        self.count_relation(at)?;
        let (plan, scope) = match left {
            Some(left) => left,
            None => (LogicalPlanBuilder::empty(true).build().map_err(engine)?, Scope::default()),
        };
        let (list, spread) = self.unnest_list(call, &scope, env)?;
        let mut exprs: Vec<DfExpr> =
            plan.schema().columns().into_iter().map(DfExpr::Column).collect();
        exprs.push(list.expr.alias(&spread.name));
        let handling = match call.keep_empty {
            true => NullHandling::PreserveAndExpandEmpty,
            false => NullHandling::Drop,
        };
        let options = UnnestOptions::new().with_null_handling(handling);
        let column = Column::from_name(&spread.name);
        let plan = LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(|builder| builder.unnest_column_with_options(column, options))
            .and_then(LogicalPlanBuilder::build)
            .map_err(engine)?;
        self.named_columns(plan, scope, spread, call)
    }

    /// The list to spread over rows.
    fn unnest_list(
        &self,
        call: &UnnestCall<'_>,
        scope: &Scope,
        env: Env<'_>,
    ) -> Result<(Bound, Spread)> {
        let at = call.at;
        let mut binder = ExprBinder::new(self, env, scope);
        let mut bound = binder.bind_all(call.arrays)?;
        let mut produced = Vec::new();
        for (array, bound) in call.arrays.iter().zip(&bound) {
            spread(&bound.data_type, array.at, &mut produced)?;
        }
        if call.ordinality {
            let name = Some("ordinality".to_owned());
            produced.push(RowField { name, data_type: Type::BigInt });
        }
        let whole = whole_rows(call, &bound, produced.len());
        if let Some(row) = &whole {
            produced = vec![RowField::unnamed(row.clone())];
        }
        let plain = |one: &Bound| match &one.data_type {
            Type::Array(item) => whole.is_some() || !matches!(**item, Type::Row(_)),
            _ => false,
        };
        let simple = bound.len() == 1 && !call.ordinality && bound.iter().all(plain);
        let list = match bound.pop() {
            Some(only) if simple => only,
            last => {
                let with_ordinality = Bound::boolean(call.ordinality);
                let args = std::iter::once(with_ordinality).chain(bound).chain(last).collect();
                binder.scalar_call(self.functions.internal("$unnest_rows"), args, at)?
            }
        };
        let item = match &list.field.data_type() {
            DataType::List(item) | DataType::LargeList(item) => Arc::clone(item),
            other => return Err(mismatch(at, format!("Cannot unnest type: {other}"))),
        };
        let name = self.unique("unnest");
        Ok((list, Spread { name, simple, item, produced }))
    }

    /// Gives the produced values names of their own, beside the columns of the left.
    fn named_columns(
        &self,
        plan: LogicalPlan,
        mut scope: Scope,
        spread: Spread,
        call: &UnnestCall<'_>,
    ) -> Result<(LogicalPlan, Scope)> {
        let mut exprs: Vec<DfExpr> = Vec::new();
        // The plan of a view lacks columns that the statement does not name.
        let is_planned = |column: &&ScopeColumn| plan.schema().has_column(&column.column);
        for column in scope.columns.iter().filter(is_planned) {
            let column = DfExpr::Column(column.column.clone());
            if !exprs.contains(&column) {
                exprs.push(column);
            }
        }
        let relation: Vec<String> = call.alias.iter().map(|alias| alias.name.key()).collect();
        let element = Bound {
            expr: DfExpr::Column(Column::from_name(spread.name)),
            field: spread.item,
            data_type: Type::Row(spread.produced.clone()),
        };
        let mut own = Scope::default();
        for (index, field) in spread.produced.into_iter().enumerate() {
            let value = match spread.simple {
                true => Bound { data_type: field.data_type.clone(), ..element.clone() },
                false => row_field(element.clone(), index, &field),
            };
            let name = self.unique("col");
            exprs.push(value.expr.alias(name.clone()));
            own.columns.push(ScopeColumn {
                relation: relation.clone(),
                key: field.name.clone(),
                heading: field.name.unwrap_or_else(|| format!("_col{index}")),
                field: value.field,
                data_type: field.data_type,
                column: Column::from_name(name),
                joined: false,
                hidden: false,
            });
        }
        if let Some(alias) = call.alias {
            own.rename(&alias.columns, &alias.name)?;
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(call.at, &error))?;
        scope.columns.extend(own.columns);
        Ok((plan, scope))
    }
}

/// One name for an array of rows of several fields means the row itself: Athena's samples for
/// CloudTrail rely on it, where Trino has an error.
fn whole_rows(call: &UnnestCall<'_>, bound: &[Bound], produced: usize) -> Option<Type> {
    let one_name = call.alias.is_some_and(|alias| alias.columns.len() == 1);
    if !one_name || produced < 2 || call.ordinality {
        return None;
    }
    match bound {
        [Bound { data_type: Type::Array(item), .. }] => Some(item.as_ref().clone()),
        _ => None,
    }
}

/// The columns one argument of `UNNEST` becomes.
fn spread(data_type: &Type, at: usize, produced: &mut Vec<RowField>) -> Result<()> {
    match data_type {
        Type::Array(item) => match item.as_ref() {
            Type::Row(fields) => produced.extend(fields.iter().cloned()),
            other => produced.push(RowField::unnamed(other.clone())),
        },
        Type::Map(key, value) => {
            produced.push(RowField::unnamed(key.as_ref().clone()));
            produced.push(RowField::unnamed(value.as_ref().clone()));
        }
        other => return Err(mismatch(at, format!("Cannot unnest type: {other}"))),
    }
    Ok(())
}
