//! `min(eventTime)` and `max(eventTime)` over the time as it is stored.
//!
//! A statement sees the event time cut off to milliseconds, which keeps the order of times: the
//! least of the cut ones is the least one, cut. So the function that cuts is taken out of the
//! aggregation and applied to its result. What is left is of a plain column, and that the log of
//! the store knows for each data file: without a filter and groups nothing is read, and otherwise
//! no time is cut but the results.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScanBuilder,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::functions::{TIMESTAMP_MILLIS, timestamp_millis};
use crate::summaries::{Flat, is_event_time};

/// The functions that give one of their arguments, by the order of these alone.
const EXTREMES: [&str; 2] = ["min", "max"];

/// The name of the scan in plans.
const STORED: &str = "data_files";

/// The optimizer's rule; see the module.
#[derive(Debug)]
pub(crate) struct ExtremesOfStoredTime;

impl OptimizerRule for ExtremesOfStoredTime {
    fn name(&self) -> &'static str {
        "towpath_extremes_of_stored_time"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if let LogicalPlan::Aggregate(aggregate) = &plan
            && aggregate.aggr_expr.iter().any(is_extreme)
            && let Some(flat) = Flat::of(&aggregate.input)
            && let Some(asked) = Asked::of(aggregate, &flat)
        {
            return Ok(Transformed::yes(asked.plan(aggregate, &flat)?));
        }
        Ok(Transformed::no(plan))
    }
}

fn is_extreme(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_extreme(&alias.expr),
        Expr::AggregateFunction(call) => {
            EXTREMES.contains(&call.func.name()) && call.params.args.len() == 1
        }
        _ => false,
    }
}

/// An aggregation over data files of which a part is an extreme of the shown event time.
struct Asked {
    groups: Vec<Expr>,
    calls: Vec<Call>,
}

/// A call of an aggregate function.
struct Call {
    function: AggregateFunction,
    /// Its arguments over the columns of data files.
    arguments: Vec<Expr>,
    /// Whether the one argument was the event time as it is shown, and is now as it is stored.
    is_cut: bool,
}

impl Asked {
    fn of(aggregate: &Aggregate, flat: &Flat) -> Option<Asked> {
        let flatten = |exprs: &[Expr]| -> Option<Vec<Expr>> {
            exprs.iter().map(|expr| flat.flatten(expr)).collect()
        };
        let groups = flatten(&aggregate.group_expr)?;
        let calls = aggregate.aggr_expr.iter().map(|expr| {
            let is_extreme = is_extreme(expr);
            let Expr::AggregateFunction(function) = expr.clone().unalias() else { return None };
            let params = &function.params;
            if params.filter.is_some() || !params.order_by.is_empty() {
                return None;
            }
            let mut arguments = flatten(&params.args)?;
            let stored = match arguments.as_slice() {
                [Expr::ScalarFunction(cut)] if cut.func.name() == TIMESTAMP_MILLIS => {
                    cut.args.first().filter(|time| is_extreme && is_event_time(time)).cloned()
                }
                _ => None,
            };
            let is_cut = stored.is_some();
            if let Some(stored) = stored {
                arguments = vec![stored];
            }
            Some(Call { function, arguments, is_cut })
        });
        let calls: Vec<Call> = calls.collect::<Option<_>>()?;
        calls.iter().any(|call| call.is_cut).then_some(Asked { groups, calls })
    }

    fn plan(self, aggregate: &Aggregate, flat: &Flat) -> Result<LogicalPlan> {
        let source = provider_as_source(Arc::clone(flat.provider()));
        let filters = flat.filters.clone();
        let scan = TableScanBuilder::new(STORED, source).with_filters(filters.clone()).build()?;
        let mut plan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan));
        if let Some(filter) = conjunction(filters) {
            plan = plan.filter(filter)?;
        }
        let column = |name: &str| Expr::Column(Column::new_unqualified(name));
        let mut inputs = Vec::new();
        let mut keys = Vec::new();
        for (at, group) in self.groups.into_iter().enumerate() {
            let name = format!("group{at}");
            inputs.push(group.alias(&name));
            keys.push(column(&name));
        }
        let mut cut = vec![false; keys.len()];
        let mut functions = Vec::with_capacity(self.calls.len());
        for (at, Call { mut function, arguments, is_cut }) in self.calls.into_iter().enumerate() {
            let mut args = Vec::with_capacity(arguments.len());
            for (place, argument) in arguments.into_iter().enumerate() {
                // A constant has to stay one where the function takes its value for the plan.
                if argument.column_refs().is_empty() {
                    args.push(argument);
                    continue;
                }
                let name = format!("argument{at}_{place}");
                inputs.push(argument.alias(&name));
                args.push(column(&name));
            }
            function.params.args = args;
            functions.push(Expr::AggregateFunction(function));
            cut.push(is_cut);
        }
        let plan = plan.project(inputs)?.aggregate(keys, functions)?;
        let results = plan.schema().columns();
        let outputs = aggregate.schema.iter().zip(results).zip(cut);
        let outputs = outputs.map(|(((qualifier, field), result), is_cut)| {
            let result = Expr::Column(result);
            let shown = if is_cut { timestamp_millis(result) } else { result };
            shown.alias_qualified(qualifier.cloned(), field.name())
        });
        plan.project(outputs.collect::<Vec<Expr>>())?.build()
    }
}
