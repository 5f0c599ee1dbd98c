//! [`Footers`]: the footers of data files, each read and decoded once, and cut to what a scan needs.
//!
//! A data file has some eighty columns, and a statement names five. What DataFusion does to open a
//! file grows with the columns that its footer tells of: schemas are made of them and compared, and
//! the page index of all of them is read again for each query, because its own cache keeps footers
//! without. So a footer is kept with its page index here, and a scan is shown the footer of a file
//! that has its columns only. On 22 data files that took a millisecond of each.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder,
    RowGroupMetaData,
};
use datafusion::parquet::schema::types::{SchemaDescriptor, Type};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Bytes read from the end of a data file in one go for its footer and page index.
///
/// Measured footers of files with a full row group are 40 to 90 KiB; one request too many costs
/// more on object storage than the bytes that a small file does not need.
const BYTES_HINT: usize = 128 * 1024;

/// Opens data files for one scan.
pub(crate) struct Footers {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    /// The columns that the scan needs.
    columns: Arc<[String]>,
    /// Reads all but footers.
    files: CachedParquetFileReaderFactory,
}

impl Footers {
    /// Files of `store` whose footers are kept in `cache`, for a scan that needs `columns`.
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        cache: Arc<FileMetadataCache>,
        columns: Vec<String>,
    ) -> Footers {
        let files = CachedParquetFileReaderFactory::new(Arc::clone(&store), Arc::clone(&cache));
        Footers { store, cache, columns: columns.into(), files }
    }
}

impl fmt::Debug for Footers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Footers").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl ParquetFileReaderFactory for Footers {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let meta = file.object_meta.clone();
        let bytes = self.files.create_reader(partition_index, file, hint, metrics)?;
        let (store, cache) = (Arc::clone(&self.store), Arc::clone(&self.cache));
        Ok(Box::new(DataFileReader {
            bytes,
            store,
            cache,
            meta,
            columns: Arc::clone(&self.columns),
        }))
    }
}

/// Reads one data file.
struct DataFileReader {
    bytes: Box<dyn AsyncFileReader + Send>,
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    meta: ObjectMeta,
    columns: Arc<[String]>,
}

impl AsyncFileReader for DataFileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.bytes.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.bytes.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let whole = DFParquetMetadata::new(&self.store, &self.meta)
                .with_file_metadata_cache(Some(Arc::clone(&self.cache)))
                .with_metadata_size_hint(Some(BYTES_HINT))
                .with_page_index_policy(Some(PageIndexPolicy::Optional))
                .fetch_metadata()
                .await
                .map_err(|error| ParquetError::External(Box::new(error)))?;
            Ok(cut(&whole, &self.columns)?.map_or(whole, Arc::new))
        }
        .boxed()
    }
}

/// The footer of a file that has only `columns` of those that `footer` tells of; `None` if it has
/// none of them.
fn cut(footer: &ParquetMetaData, columns: &[String]) -> ParquetResult<Option<ParquetMetaData>> {
    let file = footer.file_metadata();
    let schema = file.schema_descr();
    let fields = schema.root_schema().get_fields();
    let is_needed = |field: &Arc<Type>| columns.iter().any(|column| column == field.name());
    let kept: Vec<bool> = fields.iter().map(is_needed).collect();
    if !kept.contains(&true) {
        return Ok(None);
    }
    let leaves: Vec<usize> = (0..schema.num_columns())
        .filter(|leaf| kept.get(schema.get_column_root_idx(*leaf)) == Some(&true))
        .collect();
    let fields = fields.iter().zip(&kept).filter(|(_, kept)| **kept);
    let root = Type::group_type_builder(schema.root_schema().name())
        .with_fields(fields.map(|(field, _)| Arc::clone(field)).collect())
        .build()?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));

    // Without the file's own metadata, which is the Arrow schema of all its columns once more.
    let orders = file.column_orders().map(|orders| picked(orders, &leaves));
    let created_by = file.created_by().map(str::to_owned);
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        created_by,
        None,
        Arc::clone(&schema),
        orders,
    );
    let cut_group = |group: &RowGroupMetaData| {
        let columns: Vec<ColumnChunkMetaData> = picked(group.columns(), &leaves);
        let builder = RowGroupMetaData::builder(Arc::clone(&schema))
            .set_num_rows(group.num_rows())
            .set_total_byte_size(columns.iter().map(ColumnChunkMetaData::uncompressed_size).sum())
            .set_column_metadata(columns);
        match group.ordinal() {
            Some(ordinal) => builder.set_ordinal(ordinal).build(),
            None => builder.build(),
        }
    };
    let groups = footer.row_groups().iter().map(cut_group).collect::<ParquetResult<Vec<_>>>()?;
    let column_index = footer.column_index();
    let offset_index = footer.offset_index();
    Ok(Some(
        ParquetMetaDataBuilder::new(file)
            .set_row_groups(groups)
            .set_column_index(
                column_index
                    .map(|groups| groups.iter().map(|group| picked(group, &leaves)).collect()),
            )
            .set_offset_index(
                offset_index
                    .map(|groups| groups.iter().map(|group| picked(group, &leaves)).collect()),
            )
            .build(),
    ))
}

/// Those of `values` at the places of `leaves`.
fn picked<T: Clone>(values: &[T], leaves: &[usize]) -> Vec<T> {
    leaves.iter().filter_map(|leaf| values.get(*leaf).cloned()).collect()
}
