//! Finds an aggregation that a summary answers, and puts the summary under it.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::functions_aggregate::sum::sum;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScanBuilder, lit, when,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use towpath_store::{EVENT_TIME_COLUMN, SUMMARIES, SUMMARY_EVENTS_COLUMN, Summary, SummaryPer};

use crate::summaries::counted_files::CountedFiles;
use crate::summaries::flat::Flat;
use crate::summaries::time::{cuts, per};

/// The name of a summary's scan in plans.
const SUMMARY: &str = "summary";

/// Bytes of a summary, as it is stored, that one aggregation may read: its rows are in memory
/// together and take some ten times as much. Beyond, events are read in a stream.
const SUMMARY_BYTES_MAX: u64 = 16 << 20;

/// Functions that give the same however often a value occurs.
const OF_DIFFERENT_VALUES: [&str; 3] = ["min", "max", "approx_distinct"];

/// The optimizer's rule; see the module.
#[derive(Debug)]
pub(crate) struct CountFromSummaries;

impl OptimizerRule for CountFromSummaries {
    fn name(&self) -> &'static str {
        "towpath_count_from_summaries"
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
            && let Some(question) = Question::of(aggregate)
            && let Some(counted) = question.counted()
        {
            return Ok(Transformed::yes(question.plan(aggregate, counted)?));
        }
        Ok(Transformed::no(plan))
    }
}

/// What an aggregation over data files asks.
struct Question {
    flat: Flat,
    groups: Vec<Expr>,
    asked: Vec<Asked>,
    /// The columns of data files that it names, without the event time.
    columns: BTreeSet<String>,
    /// How finely it tells times apart, but for `cuts`.
    per: SummaryPer,
    /// The times at which its conditions change their answers.
    cuts: Vec<i64>,
}

/// What an aggregate function asks.
enum Asked {
    /// How many events there are of which the expression is not NULL; `None`: how many there are.
    Count(Option<Expr>),
    /// Something of the different values of its argument.
    Values(AggregateFunction, Expr),
}

impl Question {
    fn of(aggregate: &Aggregate) -> Option<Question> {
        let flat = Flat::of(&aggregate.input)?;
        let groups: Vec<Expr> =
            aggregate.group_expr.iter().map(|expr| flat.flatten(expr)).collect::<Option<_>>()?;
        let asked: Vec<Asked> =
            aggregate.aggr_expr.iter().map(|expr| asked(&flat, expr)).collect::<Option<_>>()?;
        let mut question = Question {
            columns: BTreeSet::new(),
            per: SummaryPer::File,
            cuts: Vec::new(),
            flat,
            groups,
            asked,
        };
        let arguments = question.asked.iter().filter_map(|asked| match asked {
            Asked::Count(argument) => argument.as_ref(),
            Asked::Values(_, argument) => Some(argument),
        });
        for expr in question.groups.iter().chain(arguments) {
            question.per = question.per.max(per(expr)?);
            question.columns.extend(expr.column_refs().into_iter().map(|c| c.name.clone()));
        }
        for filter in &question.flat.filters {
            question.per = question.per.max(cuts(filter, &mut question.cuts)?);
            question.columns.extend(filter.column_refs().into_iter().map(|c| c.name.clone()));
        }
        question.columns.remove(EVENT_TIME_COLUMN);
        // Without a column and a condition the log of the store answers it.
        let is_more = !question.columns.is_empty() || question.per > SummaryPer::File;
        (is_more || !question.cuts.is_empty()).then_some(question)
    }

    /// The summary that answers it with the least to read; `None` if none does.
    fn counted(&self) -> Option<CountedFiles> {
        let answers = |summary: &&Summary| {
            let has = |column: &String| summary.columns.contains(&column.as_str());
            summary.per >= self.per && self.columns.iter().all(has)
        };
        let candidates = SUMMARIES.iter().filter(answers).filter_map(|summary| {
            CountedFiles::new(self.flat.provider(), *summary, self.cuts.clone())
        });
        let files = self.flat.files()?;
        let rows: u64 = files.data_files().iter().map(|file| file.rows).sum();
        let costs = candidates.map(|candidate| (candidate.cost(files), candidate));
        // Only a summary that answers for some of the events is better than none.
        let (_, best) = costs
            .filter(|((read, bytes), _)| *read < rows && *bytes <= SUMMARY_BYTES_MAX)
            .min_by_key(|(cost, _)| *cost)?;
        Some(best)
    }

    /// The aggregation over `counted`.
    fn plan(&self, aggregate: &Aggregate, counted: CountedFiles) -> Result<LogicalPlan> {
        let filters = self.flat.filters.clone();
        let source = provider_as_source(Arc::new(counted));
        let scan = TableScanBuilder::new(SUMMARY, source).with_filters(filters.clone()).build()?;
        let mut plan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan));
        if let Some(filter) = conjunction(filters) {
            plan = plan.filter(filter)?;
        }
        let group = |at: usize| format!("group{at}");
        let argument = |at: usize| format!("argument{at}");
        let groups = self.groups.iter().enumerate().map(|(at, expr)| expr.clone().alias(group(at)));
        let mut inputs: Vec<Expr> = groups.collect();
        let mut functions = Vec::with_capacity(self.asked.len());
        for (at, asked) in self.asked.iter().enumerate() {
            let column = Expr::Column(Column::new_unqualified(argument(at)));
            let (input, function) = match asked {
                Asked::Count(None) => (events(), sum(column)),
                Asked::Count(Some(expr)) => {
                    let mut counted = when(expr.clone().is_not_null(), events());
                    (counted.otherwise(lit(0_i64))?, sum(column))
                }
                Asked::Values(function, expr) => {
                    let mut function = function.clone();
                    function.params.args = vec![column];
                    (expr.clone(), Expr::AggregateFunction(function))
                }
            };
            inputs.push(input.alias(argument(at)));
            functions.push(function);
        }
        let keys =
            (0..self.groups.len()).map(|at| Expr::Column(Column::new_unqualified(group(at))));
        let plan = plan.project(inputs)?.aggregate(keys.collect::<Vec<Expr>>(), functions)?;
        let results = plan.schema().columns();
        let named = aggregate.schema.iter().zip(results).enumerate();
        let outputs = named.map(|(at, ((qualifier, field), result))| {
            let result = Expr::Column(result);
            let asked = at.checked_sub(self.groups.len()).and_then(|at| self.asked.get(at));
            let result = match asked {
                // No events are none, not NULL.
                Some(Asked::Count(_)) => {
                    when(result.clone().is_not_null(), result).otherwise(lit(0_i64))?
                }
                _ => result,
            };
            Ok(result.alias_qualified(qualifier.cloned(), field.name()))
        });
        plan.project(outputs.collect::<Result<Vec<Expr>>>()?)?.build()
    }
}

fn events() -> Expr {
    Expr::Column(Column::new_unqualified(SUMMARY_EVENTS_COLUMN))
}

/// What an aggregate function asks; `None` if it is more than a summary tells.
fn asked(flat: &Flat, expr: &Expr) -> Option<Asked> {
    let Expr::AggregateFunction(function) = expr.clone().unalias() else { return None };
    let params = &function.params;
    if params.filter.is_some() || !params.order_by.is_empty() || params.null_treatment.is_some() {
        return None;
    }
    let name = function.func.name().to_owned();
    let [argument] = params.args.as_slice() else {
        let is_all = name == "count" && params.args.is_empty() && !params.distinct;
        return is_all.then_some(Asked::Count(None));
    };
    let argument = flat.flatten(argument)?;
    match name.as_str() {
        "count" if !params.distinct => match &argument {
            Expr::Literal(value, _) if !value.is_null() => Some(Asked::Count(None)),
            _ => Some(Asked::Count(Some(argument))),
        },
        "count" => Some(Asked::Values(function, argument)),
        name if OF_DIFFERENT_VALUES.contains(&name) => Some(Asked::Values(function, argument)),
        _ => None,
    }
}
