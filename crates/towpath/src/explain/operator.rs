//! Physical operators as Trino's.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::JoinType;
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, JoinOnRef, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use towpath_sql::Type;

use crate::explain::Explained;
use crate::explain::expression::{list, plain_name, sort_keys, sql};
use crate::explain::node::PlanNode;
use crate::explain::scan::{Footers, Scans, human, unread_lines};
use crate::yielding::Yielding;

/// The whole plan below the `Output` that names its columns.
pub(crate) fn output(query: &Explained<'_>, footers: &Footers, has_run: bool) -> PlanNode {
    let mut scans = Scans::new(query.log, footers, has_run);
    let mut node = PlanNode::new("Output").with("columnNames", list(query.headings.to_vec()));
    node.details = query.log.scans().iter().flat_map(unread_lines).collect();
    node.children.push(tree(&query.plan, &mut scans, has_run));
    node
}

fn tree(plan: &Arc<dyn ExecutionPlan>, scans: &mut Scans<'_>, has_run: bool) -> PlanNode {
    let yielding = plan.downcast_ref::<CooperativeExec>().map(CooperativeExec::input);
    let yielding = yielding.or_else(|| Some(plan.downcast_ref::<Yielding>()?.input()));
    if let Some(input) = yielding {
        return tree(input, scans, has_run);
    }
    let mut node = scans.node(plan.as_ref()).unwrap_or_else(|| operator(plan.as_ref()));
    node.layout = layout(&plan.schema());
    if has_run {
        node.details.extend(cost(plan.as_ref()));
    }
    node.children = plan.children().into_iter().map(|child| tree(child, scans, has_run)).collect();
    node
}

fn layout(schema: &Schema) -> Vec<(String, String)> {
    let column = |name: &str, data_type: Type| (plain_name(name).to_owned(), data_type.to_string());
    schema.fields().iter().map(|field| column(field.name(), Type::of_field(field))).collect()
}

/// What the operator did: rows and bytes handed on, time on a processor.
fn cost(plan: &dyn ExecutionPlan) -> Option<String> {
    let metrics = plan.metrics()?;
    let bytes: usize = metrics
        .iter()
        .filter_map(|metric| match metric.value() {
            MetricValue::OutputBytes(count) => Some(count.value()),
            _ => None,
        })
        .sum();
    let rows = metrics.output_rows()?;
    let nanos = metrics.elapsed_compute().unwrap_or_default() as u64;
    let time = std::time::Duration::from_nanos(nanos);
    Some(format!("Output: {rows} rows ({}), CPU: {time:.2?}", human(bytes as u64)))
}

fn operator(plan: &dyn ExecutionPlan) -> PlanNode {
    rows(plan)
        .or_else(|| order(plan))
        .or_else(|| exchange(plan))
        .or_else(|| join(plan))
        .or_else(|| values(plan))
        .unwrap_or_else(|| PlanNode::new(plan.name().trim_end_matches("Exec")))
}

/// Operators that make rows of rows.
fn rows(plan: &dyn ExecutionPlan) -> Option<PlanNode> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return Some(PlanNode::new("Filter").with("filterPredicate", sql(filter.predicate())));
    }
    if let Some(project) = plan.downcast_ref::<ProjectionExec>() {
        let mut node = PlanNode::new("Project");
        let computed = project.expr().iter().map(|item| (plain_name(&item.alias), sql(&item.expr)));
        node.details = computed
            .filter(|(name, expr)| !name.eq_ignore_ascii_case(expr))
            .map(|(name, expr)| format!("{name} := {expr}"))
            .collect();
        return Some(node);
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return Some(aggregation(aggregate));
    }
    if plan.downcast_ref::<UnnestExec>().is_some() {
        return Some(PlanNode::new("Unnest"));
    }
    let windows = plan
        .downcast_ref::<WindowAggExec>()
        .map(|window| (window.partition_keys(), window.window_expr()));
    let windows = windows.or_else(|| {
        let window = plan.downcast_ref::<BoundedWindowAggExec>()?;
        Some((window.partition_keys(), window.window_expr()))
    });
    windows.map(|(keys, functions)| {
        let mut node = PlanNode::new("Window").with("partitionBy", expressions(&keys));
        node.details = functions.iter().map(|function| function.name().to_owned()).collect();
        node
    })
}

fn aggregation(aggregate: &AggregateExec) -> PlanNode {
    let step = match aggregate.mode() {
        AggregateMode::Partial => "PARTIAL",
        AggregateMode::PartialReduce => "INTERMEDIATE",
        AggregateMode::Final | AggregateMode::FinalPartitioned => "FINAL",
        AggregateMode::Single | AggregateMode::SinglePartitioned => "SINGLE",
    };
    let keys: Vec<String> =
        aggregate.group_expr().expr().iter().map(|(expr, _name)| sql(expr)).collect();
    let mut node = PlanNode::new("Aggregate").with("type", step);
    if !keys.is_empty() {
        node = node.with("keys", list(keys));
    }
    let function = |function: &str, shown: Option<&str>| {
        format!("{} := {}", plain_name(function), shown.unwrap_or(function))
    };
    node.details = aggregate
        .aggr_expr()
        .iter()
        .map(|aggregate| function(aggregate.name(), aggregate.human_display()))
        .collect();
    node
}

fn expressions(exprs: &[Arc<dyn PhysicalExpr>]) -> String {
    if exprs.is_empty() { String::new() } else { list(exprs.iter().map(sql)) }
}

/// Operators that order and cut.
fn order(plan: &dyn ExecutionPlan) -> Option<PlanNode> {
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        let node = match sort.fetch() {
            Some(count) => PlanNode::new("TopN").with("count", count.to_string()),
            None => PlanNode::new("Sort"),
        };
        return Some(node.with("orderBy", sort_keys(sort.expr())));
    }
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        let count = merge.fetch().map(|count| count.to_string()).unwrap_or_default();
        let node = PlanNode::new("LocalMerge").with("count", count);
        return Some(node.with("orderBy", sort_keys(merge.expr())));
    }
    if let Some(limit) = plan.downcast_ref::<GlobalLimitExec>() {
        let count = limit.fetch().map(|count| count.to_string()).unwrap_or_default();
        let skipped = if limit.skip() > 0 { limit.skip().to_string() } else { String::new() };
        return Some(PlanNode::new("Limit").with("count", count).with("offset", skipped));
    }
    let limit = plan.downcast_ref::<LocalLimitExec>()?;
    Some(PlanNode::new("LimitPartial").with("count", limit.fetch().to_string()))
}

/// Operators that hand rows from thread to thread.
fn exchange(plan: &dyn ExecutionPlan) -> Option<PlanNode> {
    if plan.downcast_ref::<CoalescePartitionsExec>().is_some() {
        return Some(PlanNode::new("LocalExchange").with("partitioning", "SINGLE"));
    }
    if plan.downcast_ref::<UnionExec>().is_some() {
        return Some(PlanNode::new("Union"));
    }
    let repartition = plan.downcast_ref::<RepartitionExec>()?;
    let partitioning = match repartition.partitioning() {
        Partitioning::Hash(keys, _) => format!("HASH {}", expressions(keys)),
        _ => "ROUND_ROBIN".to_owned(),
    };
    Some(PlanNode::new("LocalExchange").with("partitioning", partitioning))
}

fn join(plan: &dyn ExecutionPlan) -> Option<PlanNode> {
    if plan.downcast_ref::<CrossJoinExec>().is_some() {
        return Some(PlanNode::new("CrossJoin"));
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let filter = join.filter().map(|filter| sql(filter.expression())).unwrap_or_default();
        let node =
            PlanNode::new(join_name(*join.join_type())).with("criteria", criteria(join.on()));
        return Some(node.with("filter", filter));
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        let node = PlanNode::new(join_name(join.join_type()));
        return Some(node.with("criteria", criteria(join.on())));
    }
    let join = plan.downcast_ref::<NestedLoopJoinExec>()?;
    let filter = join.filter().map(|filter| sql(filter.expression())).unwrap_or_default();
    Some(PlanNode::new(join_name(*join.join_type())).with("filter", filter))
}

fn criteria(on: JoinOnRef<'_>) -> String {
    let pairs = on.iter().map(|(left, right)| format!("{} = {}", sql(left), sql(right)));
    pairs.collect::<Vec<String>>().join(" AND ")
}

fn join_name(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Inner => "InnerJoin",
        JoinType::Left => "LeftJoin",
        JoinType::Right => "RightJoin",
        JoinType::Full => "FullJoin",
        JoinType::LeftSemi | JoinType::RightSemi => "SemiJoin",
        JoinType::LeftAnti | JoinType::RightAnti => "AntiJoin",
        JoinType::LeftMark | JoinType::RightMark => "MarkJoin",
    }
}

/// Operators that have rows of their own.
fn values(plan: &dyn ExecutionPlan) -> Option<PlanNode> {
    if plan.downcast_ref::<EmptyExec>().is_some() {
        return Some(PlanNode::new("Values").with("rows", "0"));
    }
    if plan.downcast_ref::<PlaceholderRowExec>().is_some() {
        return Some(PlanNode::new("Values").with("rows", "1"));
    }
    (plan.name() == "DataSourceExec").then(|| PlanNode::new("Values"))
}
