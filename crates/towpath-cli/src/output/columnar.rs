//! `parquet` and `arrow`: results with their types, for other programs.
//!
//! `arrow` is the Arrow IPC file format (Feather version 2). A repeated heading gets a number,
//! `arn_2`, since readers look columns up by name. Parquet has no interval type that others read,
//! so intervals become Trino's text there.

use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{Array, ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::RowWriter;
use super::headings::unique_headings;
use super::text::{is_null, push_text};

/// Rows of one row group. A result is read as a whole, so a group need not be small; writing holds
/// one group in memory.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Writes rows as one Parquet file.
pub(crate) struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(crate) fn new(sink: W, schema: &Schema) -> Result<ParquetWriter<W>> {
        let schema = Arc::new(parquet_schema(schema));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_created_by(concat!("towpath ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties))?;
        Ok(ParquetWriter { writer, schema })
    }
}

impl<W: Write + Send> RowWriter for ParquetWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch
            .columns()
            .iter()
            .zip(batch.schema_ref().fields())
            .map(|(column, field)| parquet_column(column, field))
            .collect();
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.writer.close()?;
        Ok(())
    }
}

fn parquet_schema(schema: &Schema) -> Schema {
    let fields: Vec<Field> =
        unique_fields(schema)
            .into_iter()
            .map(|field| {
                if is_span(field.data_type()) {
                    field.with_data_type(DataType::Utf8)
                } else {
                    field
                }
            })
            .collect();
    Schema::new(fields)
}

fn parquet_column(column: &ArrayRef, field: &Field) -> ArrayRef {
    if !is_span(column.data_type()) {
        return Arc::clone(column);
    }
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in 0..column.len() {
        if is_null(column, row) {
            texts.append_null();
        } else {
            text.clear();
            push_text(&mut text, column, field, row);
            texts.append_value(&text);
        }
    }
    Arc::new(texts.finish())
}

/// Whether values of this type are intervals, in either of Arrow's two forms.
fn is_span(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// Writes rows as one Arrow IPC file.
pub(crate) struct ArrowFileWriter<W: Write> {
    writer: FileWriter<W>,
    schema: SchemaRef,
}

impl<W: Write> ArrowFileWriter<W> {
    pub(crate) fn new(sink: W, schema: &Schema) -> Result<ArrowFileWriter<W>> {
        let schema = Arc::new(Schema::new(unique_fields(schema)));
        let writer = FileWriter::try_new(sink, &schema)?;
        Ok(ArrowFileWriter { writer, schema })
    }
}

impl<W: Write> RowWriter for ArrowFileWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
        self.writer.write(&batch)?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.finish()?;
        // The writer buffers in front of the sink.
        self.writer.get_mut().flush()?;
        Ok(())
    }
}

fn unique_fields(schema: &Schema) -> Vec<Field> {
    schema
        .fields()
        .iter()
        .zip(unique_headings(schema))
        .map(|(field, heading)| field.as_ref().clone().with_name(heading))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use arrow::array::cast::AsArray;
    use arrow::array::{DurationMillisecondArray, Int64Array};
    use arrow::ipc::reader::FileReader;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
    use parquet::file::reader::ChunkReader;

    use super::*;

    fn sample() -> RecordBatch {
        RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![3, 4])) as ArrayRef),
            ("age", Arc::new(DurationMillisecondArray::from(vec![86_400_000, 1])) as ArrayRef),
        ])
        .unwrap()
    }

    fn read_parquet(bytes: impl ChunkReader + 'static) -> Vec<RecordBatch> {
        ParquetRecordBatchReader::try_new(bytes, 1024).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn parquet_reads_back_with_unique_names() {
        let batch = sample();
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = Box::new(ParquetWriter::new(&mut file, batch.schema_ref()).unwrap());
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        let read = read_parquet(file);
        let schema = read[0].schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["n", "n_2", "age"]);
        assert_eq!(read[0].column(1), batch.column(1));
        assert_eq!(read[0].column(2).as_string::<i32>().value(0), "1 00:00:00.000");
    }

    #[test]
    fn an_empty_result_is_a_whole_file_with_its_schema() {
        let batch = sample();
        let mut file = tempfile::tempfile().unwrap();
        Box::new(ParquetWriter::new(&mut file, batch.schema_ref()).unwrap()).finish().unwrap();
        assert!(read_parquet(file).is_empty());

        let mut bytes = Vec::new();
        Box::new(ArrowFileWriter::new(&mut bytes, batch.schema_ref()).unwrap()).finish().unwrap();
        let reader = FileReader::try_new(Cursor::new(bytes), None).unwrap();
        assert_eq!(reader.schema().fields().len(), 3);
        assert_eq!(reader.count(), 0);
    }

    #[test]
    fn arrow_reads_back_equal() {
        let batch = sample();
        let mut bytes = Vec::new();
        let mut writer = Box::new(ArrowFileWriter::new(&mut bytes, batch.schema_ref()).unwrap());
        writer.batch(&batch).unwrap();
        writer.finish().unwrap();
        let read: Vec<RecordBatch> =
            FileReader::try_new(Cursor::new(bytes), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read[0].columns(), batch.columns());
        assert_eq!(read[0].schema().field(1).name(), "n_2");
    }
}
