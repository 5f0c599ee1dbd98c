//! What a scan of data files leaves out.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    ParquetAccessPlan, ParquetFileMetrics, ParquetRowSelection, RowGroupAccessPlanFilter,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::object_store::path::Path;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::schema::types::Type;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

use crate::explain::expression::sql;
use crate::explain::node::PlanNode;
use crate::needles::IndexUse;
use crate::statistics::{PlannedScan, ScanLog, ScanMetrics};

/// Most data files whose footers one `EXPLAIN` reads. Of a scan with more, more than ten years of
/// daily files, it says only what the log says.
const FOOTERS_MAX: usize = 4_000;

/// Row groups of one scan: all, those that the index leaves, and those of them that statistics
/// leave.
#[derive(Clone, Copy, Debug, Default)]
struct RowGroups {
    all: usize,
    indexed: usize,
    left: usize,
}

/// The row groups of each scan of a plan that has not run, in the order of the plan's text.
#[derive(Debug, Default)]
pub(crate) struct Footers {
    scans: Vec<Option<RowGroups>>,
}

impl Footers {
    /// Reads the footers of the data files that `plan` would read.
    pub(crate) async fn read(plan: &Arc<dyn ExecutionPlan>) -> Result<Footers> {
        let mut scans = Vec::new();
        let mut pending = vec![Arc::clone(plan)];
        while let Some(node) = pending.pop() {
            if let Some((config, source)) = file_scan(node.as_ref()) {
                scans.push(row_groups(config, source).await?);
            }
            pending.extend(node.children().into_iter().rev().map(Arc::clone));
        }
        Ok(Footers { scans })
    }
}

/// What is told of the scans of one plan, scan by scan.
#[derive(Debug)]
pub(crate) struct Scans<'a> {
    planned: Vec<PlannedScan>,
    footers: std::slice::Iter<'a, Option<RowGroups>>,
    has_run: bool,
}

impl<'a> Scans<'a> {
    pub(crate) fn new(log: &ScanLog, footers: &'a Footers, has_run: bool) -> Scans<'a> {
        Scans { planned: log.scans(), footers: footers.scans.iter(), has_run }
    }

    /// `plan` as a node, if it is a scan of data files. Call it in the order of the plan's text.
    pub(crate) fn node(&mut self, plan: &dyn ExecutionPlan) -> Option<PlanNode> {
        let (config, source) = file_scan(plan)?;
        let row_groups = self.footers.next().copied().flatten();
        let planned = self.planned_scan(config);
        let name = if source.filter().is_some() { "ScanFilter" } else { "TableScan" };
        let mut node = PlanNode::new(name);
        if let Some(planned) = planned {
            node = node.with("table", planned.store.as_ref());
        }
        if let Some(predicate) = source.filter() {
            node = node.with("filterPredicate", sql(&predicate));
        }
        node.details.extend(planned.map(files_line));
        node.details.extend(planned.and_then(|scan| scan.index.as_ref()).map(index_line));
        if let (true, Some(metrics)) = (self.has_run, plan.metrics()) {
            let scan = ScanMetrics::of(&metrics);
            node.details.push(run_row_groups_line(&scan));
            node.details.push(format!(
                "Events: {} matched of {} scanned, Bytes scanned: {}",
                scan.rows_matched,
                scan.rows_scanned,
                human(scan.bytes)
            ));
        } else if let Some(row_groups) = row_groups {
            let options = &source.table_parquet_options().global;
            node.details.push(row_groups_line(row_groups, options.bloom_filter_on_read));
        }
        Some(node)
    }

    /// The scan as it was planned: the one of the store that the first data file belongs to, with
    /// as many files. Two of them, a join of a store with itself, say the same.
    fn planned_scan(&self, config: &FileScanConfig) -> Option<&PlannedScan> {
        let paths: HashSet<&Path> = files(config).map(|file| &file.object_meta.location).collect();
        self.planned.iter().find(|scan| {
            scan.files_chosen == paths.len() as u64
                && scan.first_file.as_ref().is_some_and(|first| paths.contains(first))
        })
    }
}

/// `plan` as a scan of data files.
fn file_scan(plan: &dyn ExecutionPlan) -> Option<(&FileScanConfig, &ParquetSource)> {
    plan.downcast_ref::<DataSourceExec>()?.downcast_to_file_source::<ParquetSource>()
}

/// The files of a scan; one that is read in several ranges comes several times.
fn files(config: &FileScanConfig) -> impl Iterator<Item = &PartitionedFile> {
    config.file_groups.iter().flat_map(FileGroup::iter)
}

async fn row_groups(config: &FileScanConfig, source: &ParquetSource) -> Result<Option<RowGroups>> {
    let Some(factory) = source.parquet_file_reader_factory() else { return Ok(None) };
    let mut seen = HashSet::new();
    let distinct: Vec<&PartitionedFile> =
        files(config).filter(|file| seen.insert(&file.object_meta.location)).collect();
    if distinct.len() > FOOTERS_MAX {
        return Ok(None);
    }
    let (columns, predicate) = (config.file_source().table_schema().file_schema(), source.filter());
    let metrics = ExecutionPlanMetricsSet::new();
    let mut total = RowGroups::default();
    for file in distinct {
        let mut reader = factory.create_reader(0, file.clone(), None, &metrics)?;
        let footer = reader.get_metadata(None).await?;
        let all = footer.num_row_groups();
        let by_index = by_index(file, &footer)?;
        let indexed = by_index.row_group_index_iter().count();
        let mut access = RowGroupAccessPlanFilter::new(by_index);
        if let Some(predicate) = &predicate {
            prune(&mut access, (predicate, columns), &footer, &metrics);
        }
        total.all += all;
        total.indexed += indexed;
        total.left += access.remaining_row_group_count();
    }
    Ok(Some(total))
}

/// The row groups of a data file that the index leaves.
fn by_index(file: &PartitionedFile, footer: &ParquetMetaData) -> Result<ParquetAccessPlan> {
    let groups = footer.row_groups();
    match file.extension::<ParquetRowSelection>() {
        None => Ok(ParquetAccessPlan::new_all(groups.len())),
        Some(rows) => {
            ParquetAccessPlan::try_new_from_overall_row_selection(rows.selection().clone(), groups)
        }
    }
}

/// Takes out the row groups whose statistics say that no row is true by a predicate over columns.
fn prune(
    access: &mut RowGroupAccessPlanFilter,
    (predicate, columns): (&Arc<dyn PhysicalExpr>, &Schema),
    footer: &ParquetMetaData,
    metrics: &ExecutionPlanMetricsSet,
) {
    // A reader shows the columns that the scan needs only, so they have other places.
    let shown = footer.file_metadata().schema_descr().root_schema().get_fields();
    let field = |column: &Arc<Type>| columns.field_with_name(column.name()).ok().cloned();
    let Some(fields) = shown.iter().map(field).collect::<Option<Vec<Field>>>() else { return };
    let schema = Arc::new(Schema::new(fields));
    let Ok(predicate) = reassign_expr_columns(Arc::clone(predicate), &schema) else { return };
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&schema));
    let Ok(pruning) = builder.try_build(predicate) else { return };
    access.prune_by_statistics(
        &schema,
        footer.file_metadata().schema_descr(),
        footer.row_groups(),
        &pruning,
        &ParquetFileMetrics::new(0, "", metrics),
    );
}

/// What there is to say of a scan that the plan does not show.
pub(crate) fn unread_lines(scan: &PlannedScan) -> Vec<String> {
    let mut lines = Vec::new();
    if scan.files_counted > 0 {
        lines.push(format!(
            "Summaries of {}: {} data files counted, {} to be read",
            scan.store, scan.files_counted, scan.files_chosen,
        ));
    } else if scan.files_chosen == 0 {
        lines.push(format!("Nothing to read in {}: {}", scan.store, files_line(scan)));
        lines.extend(scan.index.as_ref().map(index_line));
    }
    lines
}

fn files_line(scan: &PlannedScan) -> String {
    format!(
        "Data files: {} of {} ({} of {}); left out by event time: {}",
        scan.files_chosen,
        scan.files,
        human(scan.bytes_chosen),
        human(scan.bytes),
        scan.files - scan.files_in_time,
    )
}

/// What the index of the store did for a scan.
fn index_line(index: &IndexUse) -> String {
    format!(
        "Index: left out {} of {} data files, in the others {} of {} events to look at; \
         data files without an index: {}",
        index.left_out, index.covered, index.rows_chosen, index.rows, index.uncovered,
    )
}

fn row_groups_line(groups: RowGroups, has_bloom_filters: bool) -> String {
    let mut line = format!(
        "Row groups: {} of {}; left out by statistics: {}",
        groups.left,
        groups.all,
        groups.indexed - groups.left,
    );
    if groups.indexed < groups.all {
        line.push_str(&format!(", by the index: {}", groups.all - groups.indexed));
    }
    if has_bloom_filters {
        line.push_str("; bloom filters are tried when it runs");
    }
    line
}

fn run_row_groups_line(scan: &ScanMetrics) -> String {
    let mut line = format!(
        "Row groups: {} of {}; left out by statistics: {}, by bloom filters: {}",
        scan.row_groups_chosen(),
        scan.row_groups,
        scan.pruned_by_statistics,
        scan.pruned_by_bloom_filter,
    );
    if scan.pruned_while_running > 0 {
        line.push_str(&format!(", while running: {}", scan.pruned_while_running));
    }
    line
}

/// A size in the units that Trino's plans use.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut scale = 1_u64;
    while bytes / scale >= 1_000 && unit + 1 < UNITS.len() {
        scale *= 1_000;
        unit += 1;
    }
    if unit == 0 {
        return format!("{bytes}B");
    }
    let hundredths = u128::from(bytes) * 100 / u128::from(scale);
    format!("{}.{:02}{}", hundredths / 100, hundredths % 100, UNITS[unit])
}
