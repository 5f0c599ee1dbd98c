//! Results delivered to a folder or a bucket, as CloudTrail Lake delivers them.
//!
//! ```text
//! <url>/AWSLogs/<account>/CloudTrail-Lake/Query/<YYYY>/<MM>/<DD>/<query id>/
//!     result_1.csv.gz, result_2.csv.gz, …      RFC 4180, headings first in each; NULL is nothing
//!     result_sign.json                         their SHA-256, signed with a key of the lake
//! ```
//!
//! The sign file comes last, so where it is the files are. Delivering again writes the same files.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use towpath_store::{Documents, Location, sha256_hex};

use super::record::{DeliveryRecord, DeliveryStatus, QueryRecord, ResultIndex};
use super::results::ResultReader;
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::sign_file::{SIGN_FILE_NAME, SignFile, SignedFile};
use crate::text::{is_null, push_csv_field, push_text};

/// Compressed bytes after which the next file is begun. It is built in memory. CloudTrail Lake's
/// files hold up to a terabyte.
const FILE_BYTES: usize = 64 * 1024 * 1024;

/// What became of a delivery.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) status: DeliveryStatus,
    pub(super) folder: Option<String>,
    pub(super) error: Option<String>,
}

impl Delivered {
    pub(super) fn internal_error() -> Delivered {
        let error = Some("it ended in an internal error".into());
        Delivered { status: DeliveryStatus::Failed, folder: None, error }
    }

    fn failed(error: &Error, is_signing: bool) -> Delivered {
        let status = match (error, is_signing) {
            (Error::Store(error), false) if error.is_access_denied() => {
                DeliveryStatus::AccessDenied
            }
            (Error::Store(error), true) if error.is_access_denied() => {
                DeliveryStatus::AccessDeniedSigningFile
            }
            (Error::Store(error), false) if error.is_not_found() => {
                DeliveryStatus::ResourceNotFound
            }
            (_, true) => DeliveryStatus::FailedSigningFile,
            (_, false) => DeliveryStatus::Failed,
        };
        Delivered { status, folder: None, error: Some(error.to_string()) }
    }
}

impl QueryRecord {
    /// Keeps what became of the delivery.
    pub(super) fn delivery_ended(&mut self, delivered: Delivered) {
        if let Some(delivery) = &mut self.delivery {
            delivery.status = delivered.status;
            delivery.folder = delivered.folder;
            delivery.error = delivered.error;
        }
        if self.is_settled() {
            self.claim = None;
        }
    }
}

/// Delivers the result of a finished query.
pub(super) async fn deliver(lake: &Lake, record: &QueryRecord) -> Delivered {
    let (Some(delivery), Some(results)) = (&record.delivery, &record.results) else {
        return Delivered::internal_error();
    };
    let location = match Location::parse(&delivery.url, &lake.options().storage_options) {
        Ok(location) => location,
        Err(error) => return Delivered::failed(&error.into(), false),
    };
    let target = Target { documents: Documents::at(location), folder: folder(record, delivery) };
    let files = match Box::pin(write_files(lake, record, results, &target)).await {
        Ok(files) => files,
        Err(error) => return Delivered::failed(&error, false),
    };
    match Box::pin(write_sign_file(lake, record, delivery, files, &target)).await {
        Ok(()) => Delivered {
            status: DeliveryStatus::Success,
            folder: Some(target.documents.describe(&target.folder)),
            error: None,
        },
        Err(error) => Delivered::failed(&error, true),
    }
}

/// The folder that the files of one query go to.
struct Target {
    documents: Documents,
    folder: String,
}

impl Target {
    async fn write(&self, name: &str, content: Bytes) -> Result<()> {
        Ok(self.documents.write(&format!("{}/{name}", self.folder), content).await?)
    }
}

fn folder(record: &QueryRecord, delivery: &DeliveryRecord) -> String {
    let day = record.ended_at().unwrap_or_else(|| record.created_at()).format("%Y/%m/%d");
    format!("AWSLogs/{}/CloudTrail-Lake/Query/{day}/{}", delivery.account, record.id)
}

async fn write_files(
    lake: &Lake,
    record: &QueryRecord,
    results: &ResultIndex,
    target: &Target,
) -> Result<Vec<SignedFile>> {
    let archive = lake.query_archive();
    let reader = ResultReader { documents: archive.documents(), query: record.id, index: results };
    let mut written = Vec::new();
    let mut open: Option<CsvFile> = None;
    for number in 0..results.files.len() {
        let (schema, batches) = reader.file(number).await?;
        for batch in batches {
            let mut file = match open.take() {
                Some(file) => file,
                None => CsvFile::new(&schema)?,
            };
            file.write(&batch)?;
            if file.encoder.get_ref().len() >= FILE_BYTES {
                written.push(file.close(target, written.len()).await?);
            } else {
                open = Some(file);
            }
        }
        // A result without rows has a file of headings.
        if open.is_none() && written.is_empty() {
            open = Some(CsvFile::new(&schema)?);
        }
    }
    if let Some(file) = open {
        written.push(file.close(target, written.len()).await?);
    }
    Ok(written)
}

/// A file of results that is being written.
struct CsvFile {
    encoder: GzEncoder<Vec<u8>>,
    line: String,
    value: String,
}

impl CsvFile {
    fn new(schema: &Schema) -> Result<CsvFile> {
        let encoder = GzEncoder::new(Vec::new(), Compression::default());
        let mut file = CsvFile { encoder, line: String::new(), value: String::new() };
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                file.line.push(',');
            }
            push_csv_field(&mut file.line, field.name());
        }
        file.end_line()?;
        Ok(file)
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema_ref();
        for row in 0..batch.num_rows() {
            for (index, column) in batch.columns().iter().enumerate() {
                if index > 0 {
                    self.line.push(',');
                }
                if !is_null(column, row) {
                    self.value.clear();
                    push_text(&mut self.value, column, schema.field(index), row);
                    push_csv_field(&mut self.line, &self.value);
                }
            }
            self.end_line()?;
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<()> {
        if self.line.is_empty() {
            // Readers skip blank lines; a lone NULL must still count as a row.
            self.line.push_str("\"\"");
        }
        self.line.push('\n');
        self.encoder.write_all(self.line.as_bytes()).map_err(Error::compression)?;
        self.line.clear();
        Ok(())
    }

    /// Writes the file as the one after `before` others.
    async fn close(self, target: &Target, before: usize) -> Result<SignedFile> {
        let content = Bytes::from(self.encoder.finish().map_err(Error::compression)?);
        let name = format!("result_{}.csv.gz", before + 1);
        let hash = sha256_hex(&content);
        target.write(&name, content).await?;
        Ok(SignedFile { file_hash_value: hash, file_name: name })
    }
}

async fn write_sign_file(
    lake: &Lake,
    record: &QueryRecord,
    delivery: &DeliveryRecord,
    files: Vec<SignedFile>,
    target: &Target,
) -> Result<()> {
    let key = lake.signing_key(lake.now()).await?;
    let completed = record.ended_at().unwrap_or_else(|| record.created_at());
    let sign_file = SignFile::new(&delivery.region, files, completed, &key)?;
    target.write(SIGN_FILE_NAME, sign_file.to_json()?).await
}
