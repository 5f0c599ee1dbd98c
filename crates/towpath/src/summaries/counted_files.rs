//! [`CountedFiles`]: the rows of a summary, and the events that are not in it, as one table.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::{Column, lit};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use towpath_store::{DataFile, EVENT_TIME_COLUMN, SUMMARY_EVENTS_COLUMN, Summary};

use crate::data_files::{ChosenFile, DataFiles, Wanted};
use crate::statistics::ScanLog;

/// The events of [`DataFiles`], those with the same values in one row where a summary has counted
/// them. The column `events` says how many a row stands for.
pub(super) struct CountedFiles {
    files: Arc<dyn TableProvider>,
    summary: Summary,
    /// Times at which a condition of the query changes its answer.
    cuts: Vec<i64>,
    schema: SchemaRef,
}

impl CountedFiles {
    /// The table of a summary of `files`; `None` if these do not have its columns.
    pub(super) fn new(
        files: &Arc<dyn TableProvider>,
        summary: Summary,
        cuts: Vec<i64>,
    ) -> Option<CountedFiles> {
        let stored = files.downcast_ref::<DataFiles>()?.all_columns();
        let names = [EVENT_TIME_COLUMN].into_iter().chain(summary.columns.iter().copied());
        let mut fields: Vec<Arc<Field>> = Vec::new();
        for name in names {
            fields.push(Arc::clone(stored.fields().find(name)?.1));
        }
        fields.push(Arc::new(Field::new(SUMMARY_EVENTS_COLUMN, DataType::Int64, false)));
        let schema = Arc::new(Schema::new(fields));
        Some(CountedFiles { files: Arc::clone(files), summary, cuts, schema })
    }

    /// What it takes to read of `files`: first events, then bytes of the summary.
    pub(super) fn cost(&self, files: &DataFiles) -> (u64, u64) {
        let (counted, others): (Vec<&DataFile>, Vec<&DataFile>) =
            files.data_files().iter().partition(|file| !self.is_cut(file));
        let (uncounted, bytes) = files.index().cost(&counted, &self.summary);
        (others.iter().map(|file| file.rows).sum::<u64>() + uncounted, bytes)
    }

    /// Whether events that the summary does not tell apart are on both sides of a cut.
    fn is_cut(&self, file: &DataFile) -> bool {
        let (least, greatest) = file.event_times;
        let tells =
            |cut: i64| self.summary.per.micros().is_some_and(|per| cut.rem_euclid(per) == 0);
        self.cuts.iter().any(|cut| least < *cut && *cut <= greatest && !tells(*cut))
    }

    fn data_files(&self) -> Result<&DataFiles> {
        let files = self.files.downcast_ref::<DataFiles>();
        files.ok_or_else(|| exec_datafusion_err!("a summary is not of data files"))
    }

    /// The rows of the summary, as columns of this table.
    fn counted(
        &self,
        batches: &[RecordBatch],
        partitions: usize,
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut parts = vec![Vec::new(); partitions.clamp(1, batches.len().max(1))];
        let count = parts.len();
        for (at, batch) in batches.iter().enumerate() {
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
            if let Some(part) = parts.get_mut(at % count) {
                part.push(batch);
            }
        }
        let schema = Arc::clone(&self.schema);
        Ok(MemorySourceConfig::try_new_exec(&parts, schema, projection.cloned())?)
    }

    /// The events of data files that are not counted, each as a row that stands for one.
    fn uncounted(
        &self,
        state: &dyn Session,
        files: Vec<ChosenFile<'_>>,
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let of = self.data_files()?.with_columns(|name| wanted.index_of(name).is_ok());
        let stored = of.schema();
        let mut columns = Vec::new();
        let mut exprs: Vec<ProjectionExpr> = Vec::new();
        for field in wanted.fields() {
            let name = field.name();
            let expr: Arc<dyn PhysicalExpr> = if name == SUMMARY_EVENTS_COLUMN {
                lit(1_i64)
            } else {
                columns.push(stored.index_of(name)?);
                Arc::new(Column::new(name, columns.len() - 1))
            };
            exprs.push(ProjectionExpr { expr, alias: name.clone() });
        }
        let all =
            Wanted { projection: Some(&columns), filters: &[], limit: None, is_indexed: false };
        let scan = of.scan_files(state, files, &all)?;
        Ok(Arc::new(ProjectionExec::try_new(exprs, scan)?))
    }
}

impl fmt::Debug for CountedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedFiles").field("summary", &self.summary).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for CountedFiles {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let of = self.data_files()?;
        let files = of.matching(state, filters)?;
        let in_time = files.len();
        let (cut, whole): (Vec<&DataFile>, Vec<&DataFile>) =
            files.into_iter().partition(|file| self.is_cut(file));
        let counts = of.index().counts(&whole, &self.summary).await;
        let counted = whole.len() - counts.uncounted.len();
        let uncounted = counts.uncounted.iter().filter_map(|number| whole.get(*number).copied());
        let others: Vec<ChosenFile<'_>> =
            cut.into_iter().chain(uncounted).map(ChosenFile::whole).collect();
        if let Some(log) = state.config().get_extension::<ScanLog>() {
            let mut planned = of.planned_scan(in_time, &others, None);
            planned.files_counted = counted as u64;
            log.add(planned);
        }
        let partitions = state.config().target_partitions();
        let rows = self.counted(&counts.batches, partitions, projection)?;
        if others.is_empty() {
            return Ok(rows);
        }
        let events = self.uncounted(state, others, projection)?;
        if counted == 0 {
            return Ok(events);
        }
        UnionExec::try_new(vec![rows, events])
    }
}
