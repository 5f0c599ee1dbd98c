//! [`QueryStatistics`]: what a query read and what it could leave unread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datafusion::datasource::source::DataSourceExec;
use datafusion::object_store::path::Path;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};

use crate::needles::IndexUse;

/// What a query has read so far; after its last row, what it read altogether.
///
/// A store that a statement names twice counts twice. A statement that is answered from the log of
/// the store alone, as `SELECT count(*)` without a filter is, scans nothing.
/// The first three are CloudTrail Lake's
/// [query statistics](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_QueryStatisticsForDescribeQuery.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryStatistics {
    /// Events that passed the filters which are applied while data files are read.
    pub events_matched: u64,
    /// Events that had to be looked at: those of all row groups and pages that were not left out.
    pub events_scanned: u64,
    /// Bytes read from data files, compressed as they are stored. Footers are not counted.
    pub bytes_scanned: u64,
    /// Rows of the result.
    pub rows: u64,
    /// Data files of the stores that the statement names.
    pub data_files: u64,
    /// Those of them that could not be left out by their event times or by the index.
    pub data_files_chosen: u64,
    /// Bytes of all data files of the stores that the statement names.
    pub data_file_bytes: u64,
    /// Row groups of the data files that were opened.
    pub row_groups: u64,
    /// Those of them that statistics and bloom filters could not leave out.
    pub row_groups_chosen: u64,
    /// Time since the statement was given; after the last row, until then.
    pub elapsed: Duration,
}

/// What the tables of one statement left out while it was planned.
///
/// Rides in the session of the statement: a table has no other way to tell the plan's owner what
/// is not in the plan.
#[derive(Debug, Default)]
pub(crate) struct ScanLog {
    scans: Mutex<Vec<PlannedScan>>,
}

/// One scan of a store, as it was planned.
#[derive(Clone, Debug)]
pub(crate) struct PlannedScan {
    pub(crate) store: Arc<str>,
    pub(crate) files: u64,
    /// Those that could not be left out by their event times.
    pub(crate) files_in_time: u64,
    /// Those of them that are not read, because a summary has counted their events.
    pub(crate) files_counted: u64,
    /// Those of them that are read: the index of the store did not leave them out.
    pub(crate) files_chosen: u64,
    /// What the index did; `None` if the statement looks for no value that it knows.
    pub(crate) index: Option<IndexUse>,
    pub(crate) bytes: u64,
    pub(crate) bytes_chosen: u64,
    /// One of the chosen files, by which the scan is found again in the plan.
    pub(crate) first_file: Option<Path>,
}

impl ScanLog {
    pub(crate) fn add(&self, scan: PlannedScan) {
        self.lock().push(scan);
    }

    pub(crate) fn scans(&self) -> Vec<PlannedScan> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PlannedScan>> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the statistics of one query come from.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) log: Arc<ScanLog>,
    /// The plan that runs; none for a statement that runs nothing.
    pub(crate) plan: Option<Arc<dyn ExecutionPlan>>,
}

impl Measured {
    /// The statistics up to now, without `rows` and `elapsed`.
    pub(crate) fn statistics(&self) -> QueryStatistics {
        let mut total = QueryStatistics::default();
        for scan in self.log.scans() {
            total.data_files += scan.files;
            total.data_files_chosen += scan.files_chosen;
            total.data_file_bytes += scan.bytes;
        }
        if let Some(plan) = &self.plan {
            add_scans(plan.as_ref(), &mut total);
        }
        total
    }
}

fn add_scans(plan: &dyn ExecutionPlan, total: &mut QueryStatistics) {
    if plan.downcast_ref::<DataSourceExec>().is_some()
        && let Some(metrics) = plan.metrics()
    {
        let scan = ScanMetrics::of(&metrics);
        total.events_matched += scan.rows_matched;
        total.events_scanned += scan.rows_scanned;
        total.bytes_scanned += scan.bytes;
        total.row_groups += scan.row_groups;
        total.row_groups_chosen += scan.row_groups_chosen();
    }
    for child in plan.children() {
        add_scans(child.as_ref(), total);
    }
}

/// What one scan of data files has read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ScanMetrics {
    pub(crate) rows_matched: u64,
    pub(crate) rows_scanned: u64,
    pub(crate) bytes: u64,
    pub(crate) row_groups: u64,
    pub(crate) pruned_by_statistics: u64,
    pub(crate) pruned_by_bloom_filter: u64,
    pub(crate) pruned_while_running: u64,
}

impl ScanMetrics {
    /// The figures in `metrics`, which DataFusion's Parquet source keeps by name.
    pub(crate) fn of(metrics: &MetricsSet) -> ScanMetrics {
        let mut scan = ScanMetrics::default();
        let (mut tried_matched, mut tried_pruned) = (0, 0);
        for metric in metrics.iter() {
            match metric.value() {
                MetricValue::OutputRows(count) => scan.rows_matched += count.value() as u64,
                MetricValue::Count { name, count } => {
                    let value = count.value() as u64;
                    match name.as_ref() {
                        "bytes_scanned" => scan.bytes += value,
                        "pushdown_rows_matched" => tried_matched += value,
                        "pushdown_rows_pruned" => tried_pruned += value,
                        "row_groups_pruned_dynamic_filter" => scan.pruned_while_running += value,
                        _ => {}
                    }
                }
                MetricValue::PruningMetrics { name, pruning_metrics } => {
                    let pruned = pruning_metrics.pruned() as u64;
                    match name.as_ref() {
                        "row_groups_pruned_statistics" => {
                            scan.row_groups += pruned + pruning_metrics.matched() as u64;
                            scan.pruned_by_statistics += pruned;
                        }
                        "row_groups_pruned_bloom_filter" => scan.pruned_by_bloom_filter += pruned,
                        "limit_pruned_row_groups" => scan.pruned_while_running += pruned,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        // Without a filter in the scan nothing is tried, and every row that is read is handed on.
        scan.rows_scanned = (tried_matched + tried_pruned).max(scan.rows_matched);
        scan
    }

    /// The row groups that had to be read.
    pub(crate) fn row_groups_chosen(&self) -> u64 {
        let pruned =
            self.pruned_by_statistics + self.pruned_by_bloom_filter + self.pruned_while_running;
        self.row_groups.saturating_sub(pruned)
    }
}
