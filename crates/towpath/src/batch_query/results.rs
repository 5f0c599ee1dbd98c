//! The rows of a batch query: written once, read page by page.
//!
//! A result is a row of files, each an Arrow IPC stream of a few thousand rows, so that a page costs
//! the reading of one file or two, whatever the size of the result, and every type comes back as
//! it was.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use towpath_store::{Documents, sha256_hex};
use uuid::Uuid;

use super::record::{ResultFile, ResultIndex};
use crate::error::{Error, Result};

/// Rows in one file of a result, at most: sixteen pages of the largest size.
const FILE_ROWS_MAX: u64 = 16_000;

/// Bytes after which a file of a result is closed: what reading a page may cost.
const FILE_BYTES: usize = 8 * 1024 * 1024;

/// Files of one result, at most. Their list is a part of the query's record, some 120 bytes each.
const FILES_MAX: usize = 4_096;

/// Rows that are made plain at once. One value may be some megabytes.
const PLAIN_ROWS: usize = 1_000;

/// Rows on one page, at most: as in CloudTrail Lake.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// Writes the result of one run of a query.
pub(super) struct ResultWriter {
    documents: Documents,
    query: Uuid,
    schema: SchemaRef,
    file: Option<OpenFile>,
    index: ResultIndex,
}

struct OpenFile {
    writer: StreamWriter<Vec<u8>>,
    rows: u64,
}

impl ResultWriter {
    /// A result of rows of `schema`, which is not one until its index is in the query's record.
    pub(super) fn new(documents: Documents, query: Uuid, schema: &Schema) -> ResultWriter {
        ResultWriter {
            documents,
            query,
            schema: plain_schema(schema),
            file: None,
            index: ResultIndex { run: Uuid::new_v4(), files: Vec::new() },
        }
    }

    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for offset in (0..batch.num_rows()).step_by(PLAIN_ROWS) {
            let rows = PLAIN_ROWS.min(batch.num_rows() - offset);
            let batch = plain(&batch.slice(offset, rows), &self.schema).map_err(Error::result)?;
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(OpenFile::new(&self.schema).map_err(Error::result)?),
            };
            file.writer.write(&batch).map_err(Error::result)?;
            file.rows += rows as u64;
            if file.rows >= FILE_ROWS_MAX || file.writer.get_ref().len() >= FILE_BYTES {
                self.close_file().await?;
            }
        }
        Ok(())
    }

    /// Writes what is left. A result without rows has a file too, for its columns.
    pub(super) async fn finish(mut self) -> Result<ResultIndex> {
        if self.file.is_none() && self.index.files.is_empty() {
            self.file = Some(OpenFile::new(&self.schema).map_err(Error::result)?);
        }
        self.close_file().await?;
        Ok(self.index)
    }

    async fn close_file(&mut self) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        if self.index.files.len() >= FILES_MAX {
            return Err(Error::Limit(format!(
                "query response is too large: more than {FILES_MAX} files"
            )));
        }
        file.writer.finish().map_err(Error::result)?;
        let content = Bytes::from(file.writer.into_inner().map_err(Error::result)?);
        let described = ResultFile {
            rows: file.rows,
            bytes: content.len() as u64,
            sha256: sha256_hex(&content),
        };
        let name = file_name(self.query, self.index.run, self.index.files.len());
        self.documents.write(&name, content).await?;
        self.index.files.push(described);
        Ok(())
    }
}

impl OpenFile {
    fn new(schema: &Schema) -> Result<OpenFile, ArrowError> {
        Ok(OpenFile { writer: StreamWriter::try_new(Vec::new(), schema)?, rows: 0 })
    }
}

/// Reads the result of a query.
pub(crate) struct ResultReader<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) query: Uuid,
    pub(crate) index: &'a ResultIndex,
}

impl ResultReader<'_> {
    /// Rows of the whole result.
    pub(crate) fn rows(&self) -> u64 {
        self.index.files.iter().map(|file| file.rows).sum()
    }

    /// The columns, and up to `rows_max` rows from row `offset` on.
    pub(crate) async fn page(
        &self,
        offset: u64,
        rows_max: u64,
    ) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let (mut schema, mut page) = (None, Vec::new());
        let (mut first, mut left) = (0, rows_max);
        for (number, file) in self.index.files.iter().enumerate() {
            let end = first + file.rows;
            // The last file also answers where there is nothing to read but the columns.
            let is_wanted = offset < end || number + 1 == self.index.files.len();
            if is_wanted && (left > 0 || schema.is_none()) {
                let (columns, batches) = self.file(number).await?;
                schema = Some(columns);
                let mut skip = offset.saturating_sub(first);
                for batch in batches {
                    let rows = batch.num_rows() as u64;
                    let skipped = skip.min(rows);
                    let taken = (rows - skipped).min(left);
                    skip -= skipped;
                    left -= taken;
                    if taken > 0 {
                        page.push(slice(&batch, skipped, taken));
                    }
                }
            }
            first = end;
        }
        let schema = schema.ok_or_else(|| Error::damaged(self.query, "its result has no files"))?;
        Ok((schema, page))
    }

    /// The rows of one file.
    pub(crate) async fn file(&self, number: usize) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let name = file_name(self.query, self.index.run, number);
        let damaged = || Error::damaged(self.query, "a file of its result is missing or changed");
        let content = self.documents.read(&name).await?.ok_or_else(damaged)?.content;
        let expected = self.index.files.get(number).ok_or_else(damaged)?;
        if sha256_hex(&content) != expected.sha256 {
            return Err(damaged());
        }
        let reader = StreamReader::try_new(Cursor::new(content), None).map_err(Error::result)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<_, _>>().map_err(Error::result)?;
        Ok((schema, batches))
    }

    /// The token for the page that begins at `offset`; only for this result, and none at its end.
    pub(crate) fn token(&self, offset: u64) -> Option<String> {
        (offset < self.rows()).then(|| format!("{}{offset:x}", self.token_prefix()))
    }

    /// The row that `token` stands for.
    pub(crate) fn offset(&self, token: &str) -> Result<u64> {
        let digits = token.strip_prefix(&self.token_prefix()).filter(|digits| digits.len() <= 16);
        let offset = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        offset.filter(|offset| *offset < self.rows()).ok_or(Error::InvalidPageToken)
    }

    fn token_prefix(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.query.as_bytes());
        digest.update(self.index.run.as_bytes());
        let digest = digest.finalize();
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).chain(["-".into()]).collect()
    }
}

/// The folder with the files of all runs of a query.
pub(crate) fn folder(query: Uuid) -> String {
    format!("results/{query}")
}

fn file_name(query: Uuid, run: Uuid, number: usize) -> String {
    format!("{}/{run}-{number:05}.arrow", folder(query))
}

fn slice(batch: &RecordBatch, offset: u64, rows: u64) -> RecordBatch {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    batch.slice(size(offset), size(rows))
}

/// `batch` with the types of `schema`: what is written must not drag along what views look at.
fn plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast(column, field.data_type()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// `schema` without views. A view shares the buffers it looks at, and writing one writes them all.
fn plain_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<Arc<Field>> = schema.fields().iter().map(plain_field).collect();
    Arc::new(Schema::new(fields))
}

fn plain_field(field: &Arc<Field>) -> Arc<Field> {
    let plain = plain_type(field.data_type());
    // Nullable, as the engine's own word for it is not always true of what it gives.
    Arc::new(field.as_ref().clone().with_data_type(plain))
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(element) => DataType::List(plain_field(element)),
        DataType::LargeList(element) => DataType::LargeList(plain_field(element)),
        DataType::FixedSizeList(element, size) => {
            DataType::FixedSizeList(plain_field(element), *size)
        }
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(plain_field).collect::<Fields>())
        }
        DataType::Map(entries, sorted) => DataType::Map(plain_field(entries), *sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};
    use towpath_store::Location;

    use super::*;

    fn batch(first: i64, rows: i64) -> RecordBatch {
        let names = (first..first + rows).map(|n| format!("name of the row with number {n}"));
        RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from_iter_values(first..first + rows)) as _),
            ("name", Arc::new(StringViewArray::from_iter_values(names)) as _),
        ])
        .unwrap()
    }

    async fn written(rows: &[i64]) -> (Documents, Uuid, ResultIndex) {
        let documents = Documents::at(Location::in_memory().unwrap());
        let query = Uuid::from_u128(3);
        let schema = batch(0, 0).schema();
        let mut writer = ResultWriter::new(documents.clone(), query, &schema);
        let mut first = 0;
        for rows in rows {
            writer.write(&batch(first, *rows)).await.unwrap();
            first += rows;
        }
        (documents, query, writer.finish().await.unwrap())
    }

    fn numbers(page: &[RecordBatch]) -> Vec<i64> {
        let column = |batch: &RecordBatch| {
            let numbers = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
            numbers.values().to_vec()
        };
        page.iter().flat_map(column).collect()
    }

    #[tokio::test]
    async fn pages_are_the_rows_in_order_whatever_their_size() {
        let (documents, query, index) = written(&[8_192, 8_192, 8_192, 5]).await;
        assert_eq!(index.files.len(), 2);
        let reader = ResultReader { documents: &documents, query, index: &index };
        assert_eq!(reader.rows(), 24_581);
        for rows_max in [1_000, 7_777, 30_000] {
            let (mut offset, mut seen) = (0, Vec::new());
            while offset < reader.rows() {
                let (_, page) = reader.page(offset, rows_max).await.unwrap();
                let page = numbers(&page);
                offset += page.len() as u64;
                seen.extend(page);
            }
            assert_eq!(seen, (0..24_581).collect::<Vec<i64>>(), "{rows_max}");
        }
    }

    #[tokio::test]
    async fn an_empty_result_has_its_columns() {
        let (documents, query, index) = written(&[]).await;
        let reader = ResultReader { documents: &documents, query, index: &index };
        let (schema, page) = reader.page(0, 10).await.unwrap();
        assert_eq!(schema.field(1).name(), "name");
        assert!(page.is_empty());
        assert_eq!(reader.token(0), None);
    }

    #[tokio::test]
    async fn a_token_is_of_one_result_and_inside_it() {
        let (documents, query, index) = written(&[10]).await;
        let reader = ResultReader { documents: &documents, query, index: &index };
        let token = reader.token(7).unwrap();
        assert_eq!(reader.offset(&token).unwrap(), 7);
        assert_eq!(reader.token(10), None);
        let (_, _, other) = written(&[10]).await;
        let other = ResultReader { documents: &documents, query, index: &other };
        let too_far = token.replace("-7", "-a");
        for (reader, token) in [(&other, token.as_str()), (&reader, &too_far), (&reader, "x-7")] {
            assert!(matches!(reader.offset(token), Err(Error::InvalidPageToken)), "{token}");
        }
    }

    #[tokio::test]
    async fn a_changed_file_is_refused() {
        let (documents, query, index) = written(&[10]).await;
        let name = file_name(query, index.run, 0);
        documents.write(&name, Bytes::from_static(b"other")).await.unwrap();
        let reader = ResultReader { documents: &documents, query, index: &index };
        assert!(reader.page(0, 10).await.is_err());
    }
}
