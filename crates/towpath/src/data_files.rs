//! [`DataFiles`]: the Parquet files of one snapshot as a flat DataFusion table.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use towpath_store::{DataFile, EVENT_TIME_COLUMN, Snapshot, StoreIndex, is_key_set, with_key_sets};

use crate::footers::Footers;
use crate::key_filter::key_filter;
use crate::needles::{IndexUse, choose, wanted};
use crate::statistics::{PlannedScan, ScanLog};

/// The data files of one snapshot that hold at least one event within retention.
///
/// Columns are those of the data files, flat, strings as views. Files whose event times cannot
/// match a filter are left out while planning, and so are those that the index of the store rules
/// out; row groups, pages and bloom filters are tried by
/// the Parquet source when the files are read.
pub(crate) struct DataFiles {
    store: Arc<str>,
    index: Arc<StoreIndex>,
    schema: SchemaRef,
    data_files: Vec<DataFile>,
    /// The same, as the engine knows them.
    files: Vec<PartitionedFile>,
    object_store_url: ObjectStoreUrl,
}

impl DataFiles {
    /// A table over `data_files` of `snapshot`, which `index` covers in part, with the columns of
    /// `schema`. Their paths are read from the object store registered under `url`.
    pub(crate) fn new(
        (snapshot, index): (&Snapshot, &Arc<StoreIndex>),
        schema: &Schema,
        data_files: Vec<DataFile>,
        url: ObjectStoreUrl,
    ) -> DataFiles {
        let schema = with_string_views(&with_key_sets(schema));
        let files = data_files.iter().map(|file| partitioned_file(file, &schema)).collect();
        let (store, index) = (snapshot.settings().name.as_str().into(), Arc::clone(index));
        DataFiles { store, index, schema, data_files, files, object_store_url: url }
    }

    pub(crate) fn data_files(&self) -> &[DataFile] {
        &self.data_files
    }

    pub(crate) fn index(&self) -> &StoreIndex {
        &self.index
    }

    /// `files` with what the log of the store says of each.
    pub(crate) fn known(&self, files: Vec<PartitionedFile>) -> Vec<(PartitionedFile, &DataFile)> {
        let by_path: HashMap<&Path, &DataFile> =
            self.data_files.iter().map(|file| (&file.path, file)).collect();
        let known = files.into_iter().filter_map(|file| {
            let known = *by_path.get(&file.object_meta.location)?;
            Some((file, known))
        });
        known.collect()
    }

    /// The files that may hold a row for which all of `filters` are true, by their event times.
    pub(crate) fn matching(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Vec<PartitionedFile>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(self.files.clone());
        };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let predicate = state.create_physical_expr(filter, &schema)?;
        // A predicate that says nothing about files is no error: then all of them are read.
        let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema));
        let Ok(pruning) = builder.try_build(predicate) else {
            return Ok(self.files.clone());
        };
        let statistics = self.files.iter().filter_map(|file| file.statistics.clone()).collect();
        let statistics = PrunableStatistics::new(statistics, Arc::clone(&self.schema));
        let keep = pruning.prune(&statistics)?;
        Ok(self
            .files
            .iter()
            .zip(keep)
            .filter(|(_, keep)| *keep)
            .map(|(file, _)| file.clone())
            .collect())
    }

    /// The columns that a scan reads: those of its result, of its filters, and the key sets.
    fn needed(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> Vec<String> {
        let of_filters: HashSet<&Column> = filters.iter().flat_map(Expr::column_refs).collect();
        let is_needed = |(index, field): (usize, &Arc<Field>)| {
            projection.is_none_or(|columns| columns.contains(&index))
                || is_key_set(field.name())
                || of_filters.iter().any(|column| column.name == *field.name())
        };
        let fields = self.schema.fields().iter().enumerate();
        fields.filter(|field| is_needed(*field)).map(|(_, field)| field.name().clone()).collect()
    }

    /// Those of `files` that the index of the store does not leave out, with the rows to be read.
    async fn indexed(
        &self,
        files: Vec<PartitionedFile>,
        filters: &[Expr],
    ) -> (Vec<PartitionedFile>, Option<IndexUse>) {
        let Some(wanted) = wanted(filters) else { return (files, None) };
        let (files, used) = choose(&self.index, &wanted, &self.data_files, files).await;
        (files, Some(used))
    }

    pub(crate) fn planned_scan(
        &self,
        by_time: usize,
        chosen: &[PartitionedFile],
        index: Option<IndexUse>,
    ) -> PlannedScan {
        let bytes =
            |files: &[PartitionedFile]| files.iter().map(|file| file.object_meta.size).sum();
        PlannedScan {
            store: Arc::clone(&self.store),
            index,
            files_in_time: by_time as u64,
            files_counted: 0,
            files: self.files.len() as u64,
            files_chosen: chosen.len() as u64,
            bytes: bytes(&self.files),
            bytes_chosen: bytes(chosen),
            first_file: chosen.first().map(|file| file.object_meta.location.clone()),
        }
    }
}

impl fmt::Debug for DataFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFiles").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for DataFiles {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Every filter is of use to the scan, and is pushed into it again when the physical plan is
    /// made; none is answered by the choice of files alone.
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
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.matching(state, filters)?;
        let by_time = files.len();
        let (files, index) = self.indexed(files, filters).await;
        if let Some(log) = state.config().get_extension::<ScanLog>() {
            log.add(self.planned_scan(by_time, &files, index));
        }
        self.scan_files(state, files, &Wanted { projection, filters, limit })
    }
}

/// What a scan is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) projection: Option<&'a Vec<usize>>,
    /// Rows for which one of them is not true need not be read.
    pub(crate) filters: &'a [Expr],
    pub(crate) limit: Option<usize>,
}

impl DataFiles {
    /// Reads `files`, some of those that there are.
    pub(crate) fn scan_files(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
        &Wanted { projection, filters, limit }: &Wanted<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        let runtime = state.runtime_env();
        let store = runtime.object_store(&self.object_store_url)?;
        let cache = runtime.cache_manager.get_file_metadata_cache();
        let columns = self.needed(projection, filters);
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(Footers::new(store, cache, columns)));
        // The rows that it leaves out are decoded for no other filter.
        let source = match key_filter(state, filters, &self.schema)? {
            Some(keys) => source.with_predicate(keys),
            None => source,
        };
        let statistics = sum(&files, self.schema.fields().len());
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.object_store_url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// `schema` with strings at the top level as views, which the Parquet reader fills without a copy.
fn with_string_views(schema: &Schema) -> SchemaRef {
    let as_view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().map(as_view).collect();
    Arc::new(Schema::new(fields))
}

fn partitioned_file(file: &DataFile, schema: &Schema) -> PartitionedFile {
    let mut columns = vec![ColumnStatistics::new_unknown(); schema.fields().len()];
    if let Ok(event_time) = schema.index_of(EVENT_TIME_COLUMN) {
        let (min, max) = file.event_times;
        let bound = |micros| {
            Precision::Exact(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
        };
        columns[event_time] = ColumnStatistics {
            null_count: Precision::Exact(0),
            min_value: bound(min),
            max_value: bound(max),
            ..ColumnStatistics::new_unknown()
        };
    }
    let statistics = Statistics {
        num_rows: Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX)),
        total_byte_size: Precision::Inexact(usize::try_from(file.size_bytes).unwrap_or(usize::MAX)),
        column_statistics: columns,
    };
    PartitionedFile::new(file.path.to_string(), file.size_bytes)
        .with_statistics(Arc::new(statistics))
}

/// What is known of all `files` together.
fn sum(files: &[PartitionedFile], columns: usize) -> Statistics {
    let mut total: Option<Statistics> = None;
    for statistics in files.iter().filter_map(|file| file.statistics.as_deref()) {
        total = Some(match total {
            None => statistics.clone(),
            Some(total) => add(&total, statistics),
        });
    }
    total.unwrap_or_else(|| Statistics {
        column_statistics: vec![ColumnStatistics::new_unknown(); columns],
        ..Statistics::default()
    })
}

fn add(left: &Statistics, right: &Statistics) -> Statistics {
    let columns = left.column_statistics.iter().zip(&right.column_statistics);
    Statistics {
        num_rows: left.num_rows.add(&right.num_rows),
        total_byte_size: left.total_byte_size.add(&right.total_byte_size),
        column_statistics: columns
            .map(|(left, right)| ColumnStatistics {
                null_count: left.null_count.add(&right.null_count),
                min_value: left.min_value.min(&right.min_value),
                max_value: left.max_value.max(&right.max_value),
                ..ColumnStatistics::new_unknown()
            })
            .collect(),
    }
}
