//! [`DataFiles`]: the Parquet files of one snapshot as a flat DataFusion table.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use towpath_store::{
    DataFile, EVENT_TIME_COLUMN, Snapshot, StoreIndex, is_key_set, is_told_by_bloom_filter,
    key_set_column, with_key_sets,
};

use crate::footers::Footers;
use crate::key_filter::key_filter;
use crate::needles::{IndexUse, choose, wanted};
use crate::statistics::{PlannedScan, ScanLog};

/// The data files of one snapshot that hold at least one event within retention.
pub(crate) struct LiveFiles {
    snapshot: Arc<Snapshot>,
    index: Arc<StoreIndex>,
    /// All columns of data files, strings as views.
    columns: SchemaRef,
    /// `None`: all data files of the snapshot.
    live: Option<Vec<DataFile>>,
    object_store_url: ObjectStoreUrl,
}

impl LiveFiles {
    /// Those of `snapshot`, which `index` covers in part, that `is_live` says. Their paths are read
    /// from the object store registered under `url`.
    pub(crate) fn new(
        (snapshot, index): (&Arc<Snapshot>, &Arc<StoreIndex>),
        columns: &SchemaRef,
        is_live: impl Fn(&DataFile) -> bool,
        object_store_url: ObjectStoreUrl,
    ) -> LiveFiles {
        let all = snapshot.data_files();
        let live = match all.iter().all(&is_live) {
            true => None,
            false => Some(all.iter().filter(|file| is_live(file)).cloned().collect()),
        };
        let (snapshot, index) = (Arc::clone(snapshot), Arc::clone(index));
        LiveFiles { snapshot, index, columns: Arc::clone(columns), live, object_store_url }
    }

    pub(crate) fn data_files(&self) -> &[DataFile] {
        self.live.as_deref().unwrap_or_else(|| self.snapshot.data_files())
    }
}

/// Some columns of data files as a table.
///
/// Columns are those of the data files, flat, strings as views, and no more than a statement needs:
/// what the engine does for each file and each expression grows with the columns of the table.
/// Files whose event times cannot match a filter are left out while planning, and so are those that
/// the index of the store rules out; row groups, pages and bloom filters are tried by
/// the Parquet source when the files are read.
pub(crate) struct DataFiles {
    of: Arc<LiveFiles>,
    schema: SchemaRef,
}

impl DataFiles {
    /// The columns of `files` that `is_needed` says, with the key sets of maps among them.
    pub(crate) fn new(files: &Arc<LiveFiles>, is_needed: impl Fn(&str) -> bool) -> DataFiles {
        let all = files.columns.fields();
        let needed = all.iter().filter(|field| is_needed(field.name()));
        let key_sets: Vec<String> =
            needed.filter_map(|field| key_set_column(field.name())).collect();
        let shown = all.iter().filter(|field| {
            is_needed(field.name()) || key_sets.iter().any(|name| name == field.name())
        });
        let schema = Arc::new(Schema::new(shown.map(Arc::clone).collect::<Vec<FieldRef>>()));
        DataFiles { of: Arc::clone(files), schema }
    }

    /// Other columns of the same files.
    pub(crate) fn with_columns(&self, is_needed: impl Fn(&str) -> bool) -> DataFiles {
        DataFiles::new(&self.of, is_needed)
    }

    /// All columns that the files have.
    pub(crate) fn all_columns(&self) -> &SchemaRef {
        &self.of.columns
    }

    pub(crate) fn data_files(&self) -> &[DataFile] {
        self.of.data_files()
    }

    pub(crate) fn index(&self) -> &StoreIndex {
        &self.of.index
    }

    /// The files that may hold a row for which all of `filters` are true, by their event times.
    pub(crate) fn matching(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&DataFile>> {
        let files = self.data_files();
        let of_time = filters.iter().filter(|filter| {
            filter.column_refs().iter().any(|column| column.name == EVENT_TIME_COLUMN)
        });
        let Some(filter) = conjunction(of_time.cloned()) else {
            return Ok(files.iter().collect());
        };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let predicate = state.create_physical_expr(filter, &schema)?;
        // A predicate that says nothing about files is no error: then all of them are read.
        let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema));
        let Ok(pruning) = builder.try_build(predicate) else {
            return Ok(files.iter().collect());
        };
        let keep = pruning.prune(&EventTimes(files))?;
        Ok(files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect())
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
    async fn indexed<'a>(
        &self,
        files: Vec<&'a DataFile>,
        filters: &[Expr],
    ) -> (Vec<ChosenFile<'a>>, Option<IndexUse>) {
        let Some(wanted) = wanted(filters) else {
            return (files.into_iter().map(ChosenFile::whole).collect(), None);
        };
        let (files, used) = choose(&self.of.index, &wanted, files).await;
        (files, Some(used))
    }

    pub(crate) fn planned_scan(
        &self,
        by_time: usize,
        chosen: &[ChosenFile<'_>],
        index: Option<IndexUse>,
    ) -> PlannedScan {
        let files = self.data_files();
        PlannedScan {
            store: self.of.snapshot.settings().name.as_str().into(),
            index,
            files_in_time: by_time as u64,
            files_counted: 0,
            files: files.len() as u64,
            files_chosen: chosen.len() as u64,
            bytes: files.iter().map(|file| file.size_bytes).sum(),
            bytes_chosen: chosen.iter().map(|chosen| chosen.file.size_bytes).sum(),
            first_file: chosen.first().map(|chosen| chosen.file.path.clone()),
        }
    }
}

/// A data file that is read.
pub(crate) struct ChosenFile<'a> {
    pub(crate) file: &'a DataFile,
    /// The rows that are read; `None`: all.
    pub(crate) rows: Option<RowSelection>,
}

impl<'a> ChosenFile<'a> {
    pub(crate) fn whole(file: &'a DataFile) -> ChosenFile<'a> {
        ChosenFile { file, rows: None }
    }

    /// As the engine knows a file with the columns of `schema`.
    fn partitioned(self, schema: &Schema) -> PartitionedFile {
        let file = partitioned_file(self.file, schema);
        match self.rows {
            Some(rows) => file.with_extension(ParquetRowSelection::new(rows)),
            None => file,
        }
    }
}

/// What the log of a store says of the event times of data files.
struct EventTimes<'a>(&'a [DataFile]);

impl EventTimes<'_> {
    fn bounds(&self, column: &Column, bound: fn(&DataFile) -> i64) -> Option<ArrayRef> {
        let bounds = self.0.iter().map(bound);
        (column.name == EVENT_TIME_COLUMN).then(|| {
            let bounds = TimestampMicrosecondArray::from_iter_values(bounds);
            Arc::new(bounds.with_timezone("UTC")) as ArrayRef
        })
    }
}

impl PruningStatistics for EventTimes<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| file.event_times.0)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| file.event_times.1)
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    /// No event is without a time.
    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let none = || Arc::new(UInt64Array::from_value(0, self.0.len())) as ArrayRef;
        (column.name == EVENT_TIME_COLUMN).then(none)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(UInt64Array::from_iter_values(self.0.iter().map(|file| file.rows))))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

impl fmt::Debug for DataFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFiles").field("files", &self.data_files().len()).finish_non_exhaustive()
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
        // The index has said already what bloom filters would.
        let is_indexed = index.is_some_and(|used| used.uncovered == 0);
        self.scan_files(state, files, &Wanted { projection, filters, limit, is_indexed })
    }
}

/// What a scan is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) projection: Option<&'a Vec<usize>>,
    /// Rows for which one of them is not true need not be read.
    pub(crate) filters: &'a [Expr],
    pub(crate) limit: Option<usize>,
    /// Whether the index of the store chose the rows of all files.
    pub(crate) is_indexed: bool,
}

impl Wanted<'_> {
    /// Whether the bloom filters of data files may leave out row groups.
    fn is_told_by_bloom_filters(&self) -> bool {
        let mut columns = self.filters.iter().flat_map(Expr::column_refs);
        !self.is_indexed && columns.any(|column| is_told_by_bloom_filter(&column.name))
    }
}

impl DataFiles {
    /// Reads `files`, some of those that there are.
    pub(crate) fn scan_files(
        &self,
        state: &dyn Session,
        files: Vec<ChosenFile<'_>>,
        wanted: &Wanted<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let &Wanted { projection, filters, limit, .. } = wanted;
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        let runtime = state.runtime_env();
        let store = runtime.object_store(&self.of.object_store_url)?;
        let cache = runtime.cache_manager.get_file_metadata_cache();
        let columns = self.needed(projection, filters);
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_bloom_filter_on_read(wanted.is_told_by_bloom_filters())
            .with_parquet_file_reader_factory(Arc::new(Footers::new(store, cache, columns)));
        // The rows that it leaves out are decoded for no other filter.
        let source = match key_filter(state, filters, &self.schema)? {
            Some(keys) => source.with_predicate(keys),
            None => source,
        };
        let files: Vec<PartitionedFile> =
            files.into_iter().map(|file| file.partitioned(&self.schema)).collect();
        let statistics = sum(&files, self.schema.fields().len());
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.of.object_store_url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The columns of data files of `schema`, with key sets, and with strings at the top level as views,
/// which the Parquet reader fills without a copy.
pub(crate) fn stored_columns(schema: &Schema) -> SchemaRef {
    let as_view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    };
    let fields: Vec<Arc<Field>> = with_key_sets(schema).fields().iter().map(as_view).collect();
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
