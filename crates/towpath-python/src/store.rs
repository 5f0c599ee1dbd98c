//! `towpath.Store`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::runtime::Runtime;
use towpath::{IngestOptions, Store};

use crate::error::exception;

/// One event data store of a lake.
#[pyclass(name = "Store", module = "towpath", frozen)]
#[derive(Debug)]
pub(crate) struct PyStore {
    store: Store,
    runtime: Arc<Runtime>,
}

/// One source or several.
#[derive(FromPyObject)]
enum Sources {
    One(String),
    Several(Vec<String>),
}

impl PyStore {
    pub(crate) fn new(store: Store, runtime: Arc<Runtime>) -> PyStore {
        PyStore { store, runtime }
    }
}

#[pymethods]
impl PyStore {
    /// The UUID that statements and AWS clients know the store by.
    #[getter]
    fn id(&self) -> String {
        self.store.id().to_string()
    }

    /// The name, as it was given.
    #[getter]
    fn name(&self) -> String {
        self.store.name()
    }

    /// How many days events are kept, by their event time.
    #[getter]
    fn retention_days(&self) -> u32 {
        self.store.retention().as_days()
    }

    /// When the store was created, RFC 3339.
    #[getter]
    fn created_at(&self) -> String {
        self.store.created_at().to_rfc3339()
    }

    fn __repr__(&self) -> String {
        format!("Store(name='{}', id='{}')", self.store.name(), self.store.id())
    }

    /// What the store holds now: version, events, data_files, bytes, oldest and newest event time.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let summary = py.detach(|| self.runtime.block_on(self.store.summary()));
        let summary = summary.map_err(|error| exception(&error, None))?;
        let at = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
        let dict = PyDict::new(py);
        dict.set_item("version", summary.version)?;
        dict.set_item("events", summary.events)?;
        dict.set_item("data_files", summary.data_files)?;
        dict.set_item("bytes", summary.bytes)?;
        dict.set_item("oldest", at(summary.event_times.map(|times| times.0)))?;
        dict.set_item("newest", at(summary.event_times.map(|times| times.1)))?;
        Ok(dict)
    }

    /// Ingests CloudTrail log files, each event exactly once, and returns the report as a dict.
    ///
    /// Args:
    ///     sources: a file, folder or object store URL, or a list of them.
    ///
    /// A log file is in whole or not at all; one that is not is named in report["rejected"].
    fn ingest<'py>(&self, py: Python<'py>, sources: Sources) -> PyResult<Bound<'py, PyAny>> {
        let sources = match sources {
            Sources::One(source) => vec![source],
            Sources::Several(sources) => sources,
        };
        let options = IngestOptions::default();
        let report = py.detach(|| {
            self.runtime.block_on(self.store.ingest(&sources, &options, &|_progress| ()))
        });
        let report = report.map_err(|error| exception(&error, None))?;
        let text = serde_json::to_string(&report)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        py.import("json")?.call_method1("loads", (text,))
    }
}
