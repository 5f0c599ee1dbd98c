//! `towpath.Rows`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use tokio::runtime::Runtime;
use towpath::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, RecordBatchReader};
use towpath::arrow::compute::cast;
use towpath::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use towpath::arrow::error::ArrowError;
use towpath::arrow::ffi::FFI_ArrowSchema;
use towpath::arrow::ffi_stream::FFI_ArrowArrayStream;
use towpath::{QueryStatistics, Rows};

use crate::error::exception;

/// The rows of a query. They can be read once, as a stream of Arrow record batches, by anything
/// that knows the Arrow PyCapsule interface: pyarrow, polars, pandas, DuckDB.
#[pyclass(name = "Rows", module = "towpath", frozen)]
#[derive(Debug)]
pub(crate) struct PyRows {
    schema: SchemaRef,
    rows: Arc<Mutex<State>>,
    statement: String,
    runtime: Arc<Runtime>,
}

/// The rows until they are handed on, then what is known of them.
#[derive(Debug)]
enum State {
    Unread(Box<Rows>),
    Reading(QueryStatistics),
    /// The Arrow stream knows no exceptions of ours; who reads it through this class gets them.
    Failed(QueryStatistics, Option<PyErr>),
}

impl PyRows {
    pub(crate) fn new(rows: Rows, statement: String, runtime: Arc<Runtime>) -> PyRows {
        let schema = without_views(&rows.schema());
        let rows = Arc::new(Mutex::new(State::Unread(Box::new(rows))));
        PyRows { schema, rows, statement, runtime }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `read`, or instead of its error the one that ended the query.
    fn or_own_error<'py>(&self, read: PyResult<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        read.map_err(|error| match &mut *self.lock() {
            State::Failed(_, own) => own.take().unwrap_or(error),
            _ => error,
        })
    }
}

#[pymethods]
impl PyRows {
    /// The headings of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __repr__(&self) -> String {
        format!("Rows({} columns: {})", self.schema.fields().len(), self.columns().join(", "))
    }

    /// Hands the rows on as an Arrow C stream.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer leave the request unmet; the reader then casts.
        let _unmet = requested_schema;
        let mut state = self.lock();
        let rows = match std::mem::replace(&mut *state, State::Reading(QueryStatistics::default()))
        {
            State::Unread(rows) => rows,
            reading => {
                *state = reading;
                return Err(PyRuntimeError::new_err(
                    "the rows were read already; run the query again",
                ));
            }
        };
        drop(state);
        let reader = Reader {
            rows,
            schema: SchemaRef::clone(&self.schema),
            statement: self.statement.clone(),
            state: Arc::clone(&self.rows),
            runtime: Arc::clone(&self.runtime),
        };
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The headings and types as an Arrow C schema.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref())
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// All rows as a `pyarrow.Table`.
    fn to_pyarrow<'py>(slf: &Bound<'py, PyRows>) -> PyResult<Bound<'py, PyAny>> {
        let read = slf.py().import("pyarrow")?.call_method1("table", (slf,));
        slf.get().or_own_error(read)
    }

    /// All rows as a `polars.DataFrame`.
    fn to_polars<'py>(slf: &Bound<'py, PyRows>) -> PyResult<Bound<'py, PyAny>> {
        let read = slf.py().import("polars")?.call_method1("DataFrame", (slf,));
        slf.get().or_own_error(read)
    }

    /// All rows as a `pandas.DataFrame`.
    fn to_pandas<'py>(slf: &Bound<'py, PyRows>) -> PyResult<Bound<'py, PyAny>> {
        PyRows::to_pyarrow(slf)?.call_method0("to_pandas")
    }

    /// All rows as a list of dicts, which takes pyarrow.
    fn to_pylist<'py>(slf: &Bound<'py, PyRows>) -> PyResult<Bound<'py, PyAny>> {
        PyRows::to_pyarrow(slf)?.call_method0("to_pylist")
    }

    /// What the query has read so far: everything, once all rows were read.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let statistics = match &*self.lock() {
            State::Unread(rows) => rows.statistics(),
            State::Reading(statistics) | State::Failed(statistics, _) => *statistics,
        };
        let dict = PyDict::new(py);
        dict.set_item("rows", statistics.rows)?;
        dict.set_item("events_matched", statistics.events_matched)?;
        dict.set_item("events_scanned", statistics.events_scanned)?;
        dict.set_item("bytes_scanned", statistics.bytes_scanned)?;
        dict.set_item("data_files", statistics.data_files)?;
        dict.set_item("data_files_chosen", statistics.data_files_chosen)?;
        dict.set_item("elapsed_seconds", statistics.elapsed.as_secs_f64())?;
        Ok(dict)
    }
}

/// The rows as a consumer of the C stream reads them: on its thread, waiting for each batch.
struct Reader {
    rows: Box<Rows>,
    schema: SchemaRef,
    statement: String,
    state: Arc<Mutex<State>>,
    runtime: Arc<Runtime>,
}

impl Reader {
    fn under_schema(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        RecordBatch::try_new_with_options(SchemaRef::clone(&self.schema), columns, &options)
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.runtime.block_on(self.rows.next());
        let statistics = self.rows.statistics();
        let (state, item) = match batch {
            None => (State::Reading(statistics), None),
            Some(Ok(batch)) => (State::Reading(statistics), Some(self.under_schema(&batch))),
            Some(Err(error)) => {
                let own = exception(&error, Some(&self.statement));
                let text = ArrowError::ComputeError(error.to_string());
                (State::Failed(statistics, Some(own)), Some(Err(text)))
            }
        };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        item
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

/// `schema` with plain strings for string views, which pandas and older readers do not know.
fn without_views(schema: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(field_without_views).collect();
    Arc::new(Schema::new(fields))
}

fn field_without_views(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(item) => DataType::List(field_without_views(item)),
        DataType::Map(entries, sorted) => DataType::Map(field_without_views(entries), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(field_without_views).collect())
        }
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}
