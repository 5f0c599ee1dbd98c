//! The input of an aggregation as expressions over the columns of data files.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, plan_err};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, SubqueryAlias, TableScan};

use crate::data_files::DataFiles;
use crate::summaries::time::text;

/// Projections and filters over one scan of data files.
pub(crate) struct Flat {
    /// The data files, which [`Flat::files`] gives.
    provider: Arc<dyn TableProvider>,
    /// The conditions that its rows meet.
    pub(crate) filters: Vec<Expr>,
    /// What its columns are, over those of data files without qualifiers.
    outputs: HashMap<Column, Expr>,
}

impl Flat {
    /// `plan`, if it is made of projections and filters over one scan of data files.
    pub(crate) fn of(plan: &LogicalPlan) -> Option<Flat> {
        match plan {
            LogicalPlan::TableScan(scan) => Flat::of_scan(scan),
            LogicalPlan::Filter(filter) => {
                let mut flat = Flat::of(&filter.input)?;
                flat.filters.push(flat.flatten(&filter.predicate)?);
                Some(flat)
            }
            LogicalPlan::Projection(projection) => {
                let flat = Flat::of(&projection.input)?;
                let exprs = projection.expr.iter().map(|expr| flat.flatten(expr));
                let outputs = named(&projection.schema, exprs)?;
                Some(Flat { outputs, ..flat })
            }
            LogicalPlan::SubqueryAlias(SubqueryAlias { input, schema, .. }) => {
                let flat = Flat::of(input)?;
                let inner = input.schema().columns();
                let exprs = inner.iter().map(|column| flat.outputs.get(column).cloned());
                let outputs = named(schema, exprs)?;
                Some(Flat { outputs, ..flat })
            }
            _ => None,
        }
    }

    fn of_scan(scan: &TableScan) -> Option<Flat> {
        let provider = source_as_provider(&scan.source).ok()?;
        if scan.fetch.is_some() || provider.downcast_ref::<DataFiles>().is_none() {
            return None;
        }
        let columns = scan.projected_schema.columns().into_iter();
        let own = |column: Column| {
            let bare = Expr::Column(Column::new_unqualified(column.name.clone()));
            (column, bare)
        };
        let mut flat = Flat { provider, filters: Vec::new(), outputs: columns.map(own).collect() };
        // Conditions may be on columns that are not handed on.
        for filter in &scan.filters {
            flat.filters.push(unqualified(filter)?);
        }
        Some(flat)
    }

    pub(crate) fn provider(&self) -> &Arc<dyn TableProvider> {
        &self.provider
    }

    pub(crate) fn files(&self) -> Option<&DataFiles> {
        self.provider.downcast_ref::<DataFiles>()
    }

    /// An expression over the plan's columns as one over those of data files. `None` if it is more
    /// than an expression over a row.
    pub(crate) fn flatten(&self, expr: &Expr) -> Option<Expr> {
        if expr.is_volatile() || has_more_than_columns(expr) {
            return None;
        }
        let flat = expr.clone().transform(|expr| match &expr {
            Expr::Column(column) => match self.outputs.get(column) {
                Some(output) => Ok(Transformed::yes(output.clone())),
                None => plan_err!("no such column"),
            },
            _ => Ok(Transformed::no(expr)),
        });
        let flat = flat.data().ok()?.unalias_nested().data;
        let picked = flat.transform(|expr| match picked(&expr) {
            Some(value) => Ok(Transformed::yes(value.clone())),
            None => Ok(Transformed::no(expr)),
        });
        picked.data().ok()
    }
}

/// Functions that make a row of names and values, and that pick a value by its name.
const ROW: &str = "named_struct";
const FIELD: &str = "get_field";

/// The value that is picked from a row where it is made. The table that a query sees makes rows,
/// and names a field of one where it means a column of data files.
fn picked(expr: &Expr) -> Option<&Expr> {
    let (row, path) = arguments(expr, FIELD)?.split_first()?;
    path.iter().try_fold(row, |row, name| {
        let mut fields = arguments(row, ROW)?.as_chunks::<2>().0.iter();
        fields
            .find(|[own, _]| text(own).is_some() && text(own) == text(name))
            .map(|[_, value]| value)
    })
}

fn arguments<'a>(expr: &'a Expr, name: &str) -> Option<&'a [Expr]> {
    match expr {
        Expr::ScalarFunction(function) if function.func.name() == name => Some(&function.args),
        _ => None,
    }
}

fn unqualified(expr: &Expr) -> Option<Expr> {
    if expr.is_volatile() || has_more_than_columns(expr) {
        return None;
    }
    let bare = expr.clone().transform(|expr| match expr {
        Expr::Column(column) => {
            Ok(Transformed::yes(Expr::Column(Column::new_unqualified(column.name))))
        }
        expr => Ok(Transformed::no(expr)),
    });
    bare.data().ok()
}

/// Whether there is anything in an expression that is not computed from the row alone.
fn has_more_than_columns(expr: &Expr) -> bool {
    let is_more = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::GroupingSet(_)
                | Expr::Placeholder(_)
        ))
    };
    expr.exists(is_more).unwrap_or(true)
}

fn named(
    schema: &DFSchema,
    exprs: impl Iterator<Item = Option<Expr>>,
) -> Option<HashMap<Column, Expr>> {
    schema.columns().into_iter().zip(exprs).map(|(column, expr)| Some((column, expr?))).collect()
}
