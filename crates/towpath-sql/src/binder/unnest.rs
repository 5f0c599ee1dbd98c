//! `UNNEST` in all its forms: several arrays side by side, maps, arrays of rows, `WITH ORDINALITY`,
//! correlated or not, inner or left.
//!
//! `$unnest_rows` zips its arguments into one array of rows, which one unnest node spreads; a
//! single array of plain values needs no zipping.
//! <https://trino.io/docs/current/sql/select.html#unnest>

use std::sync::Arc;

use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder};

use super::expression::{ExprBinder, row_field};
use super::scope::{Scope, ScopeColumn};
use super::{Bound, Env, Planner, mismatch, semantic};
use crate::ast::{Expr, ExprKind, JoinCondition, JoinKind, TableAlias};
use crate::data_type::{RowField, Type};
use crate::error::{Result, SqlError};

/// The arguments of `UNNEST`, and whether their position is a column too.
pub(super) type Unnested<'e> = (&'e [Expr], bool);

impl Planner<'_> {
    pub(super) fn unnest(
        &self,
        left: Option<(LogicalPlan, Scope)>,
        unnested: Unnested<'_>,
        alias: Option<&TableAlias>,
        env: Env<'_>,
        at: usize,
    ) -> Result<(LogicalPlan, Scope)> {
        self.unnest_joined(left, unnested, alias, env, (JoinKind::Cross, at))
    }

    /// Only conditions that always hold can be joined on.
    pub(super) fn check_unnest_condition(&self, condition: &JoinCondition, at: usize) -> Result<()> {
        match condition {
            JoinCondition::On(Expr { kind: ExprKind::Boolean(true), .. }) => Ok(()),
            _ => Err(semantic(at, "UNNEST in conditional JOIN is not supported: use ON TRUE")),
        }
    }

    pub(super) fn unnest_joined(
        &self,
        left: Option<(LogicalPlan, Scope)>,
        (arrays, ordinality): Unnested<'_>,
        alias: Option<&TableAlias>,
        env: Env<'_>,
        (kind, at): (JoinKind, usize),
    ) -> Result<(LogicalPlan, Scope)> {
        let engine = |error| SqlError::engine(at, &error);
        self.count_relation(at)?;
        let (plan, scope) = match left {
            Some(left) => left,
            None => (LogicalPlanBuilder::empty(true).build().map_err(engine)?, Scope::default()),
        };
        let mut binder = ExprBinder::new(self, env, &scope);
        let bound = binder.bind_all(arrays)?;
        let mut produced = Vec::new();
        for (array, bound) in arrays.iter().zip(&bound) {
            spread(&bound.data_type, array.at, &mut produced)?;
        }
        if ordinality {
            produced.push(RowField { name: Some("ordinality".to_owned()), data_type: Type::BigInt });
        }
        let simple = produced.len() == 1 && bound.len() == 1
            && !matches!(&bound[0].data_type, Type::Array(item) if matches!(**item, Type::Row(_)));
        let list = if simple {
            bound.into_iter().next().ok_or_else(|| semantic(at, "UNNEST needs an argument"))?
        } else {
            let with_ordinality = Bound::boolean(ordinality);
            let args = std::iter::once(with_ordinality).chain(bound).collect();
            let function = self.functions.internal("$unnest_rows");
            binder.scalar_call(function, args, at)?
        };
        let name = self.unique("unnest");
        let item = match &list.field.data_type() {
            arrow::datatypes::DataType::List(item)
            | arrow::datatypes::DataType::LargeList(item) => Arc::clone(item),
            other => return Err(mismatch(at, format!("Cannot unnest type: {other}"))),
        };
        let spread = self.spread_plan(plan, list, &name, kind == JoinKind::Left, at)?;
        let element = Bound {
            expr: DfExpr::Column(Column::from_name(name)),
            field: item,
            data_type: Type::Row(produced.clone()),
        };
        self.named_columns(spread, scope, element, (produced, simple), alias, at)
    }

    /// Appends the list as a column and spreads it over rows.
    fn spread_plan(
        &self,
        plan: LogicalPlan,
        list: Bound,
        name: &str,
        keep_empty: bool,
        at: usize,
    ) -> Result<LogicalPlan> {
        let mut exprs: Vec<DfExpr> = plan.schema().columns().into_iter().map(DfExpr::Column).collect();
        exprs.push(list.expr.alias(name));
        let handling =
            if keep_empty { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
        let options = UnnestOptions::new().with_null_handling(handling);
        LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(|builder| builder.unnest_column_with_options(Column::from_name(name), options))
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))
    }

    /// Gives the produced values names of their own, beside the columns of the left.
    fn named_columns(
        &self,
        plan: LogicalPlan,
        mut scope: Scope,
        element: Bound,
        (produced, simple): (Vec<RowField>, bool),
        alias: Option<&TableAlias>,
        at: usize,
    ) -> Result<(LogicalPlan, Scope)> {
        let mut exprs: Vec<DfExpr> =
            scope.columns.iter().map(|column| DfExpr::Column(column.column.clone())).collect();
        exprs.dedup();
        let relation: Vec<String> = alias.iter().map(|alias| alias.name.key()).collect();
        let mut own = Scope::default();
        for (index, field) in produced.iter().enumerate() {
            let value = if simple {
                Bound { data_type: field.data_type.clone(), ..element.clone() }
            } else {
                row_field(element.clone(), index, field)
            };
            let name = self.unique("col");
            exprs.push(value.expr.alias(name.clone()));
            own.columns.push(ScopeColumn {
                relation: relation.clone(),
                key: field.name.clone(),
                heading: field.name.clone().unwrap_or_else(|| format!("_col{index}")),
                field: value.field,
                data_type: field.data_type.clone(),
                column: Column::from_name(name),
                joined: false,
                hidden: false,
            });
        }
        if let Some(alias) = alias {
            own.rename(&alias.columns, &alias.name)?;
        }
        let plan = LogicalPlanBuilder::from(plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| SqlError::engine(at, &error))?;
        scope.columns.extend(own.columns);
        Ok((plan, scope))
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
