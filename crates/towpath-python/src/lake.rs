//! `towpath.Lake`.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::Utc;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use towpath::{Lake, LakeOptions, NewStore, Principal, QueryLimits, Retention};
use uuid::Uuid;

use crate::error::exception;
use crate::parameters;
use crate::rows::PyRows;
use crate::store::PyStore;

/// The longest run of a query if nothing else is said: CloudTrail Lake's.
const RUN_SECS_MAX: u64 = 3_600;

/// A folder, or a prefix of a bucket, that holds event data stores.
///
/// Args:
///     url: a folder, or s3://, gs:// or az:// and a prefix.
///     create: make a lake where there is nothing yet.
///     storage_options: options of the object store, as in {"aws_region": "eu-west-1"}.
///         Nothing is read from the environment.
///     memory_bytes_max: most bytes that running queries hold before they spill to disk.
///     threads: how many threads' worth of work one query is split into.
///     application: the name under which the lake's audit trail knows the program; without it,
///         the name of the user who runs Python.
#[pyclass(name = "Lake", module = "towpath", frozen)]
#[derive(Debug)]
pub(crate) struct PyLake {
    lake: Lake,
    runtime: Arc<Runtime>,
}

#[pymethods]
impl PyLake {
    #[new]
    #[pyo3(signature = (
        url, *, create=false, storage_options=None, memory_bytes_max=None, threads=None,
        application=None
    ))]
    fn new(
        py: Python<'_>,
        url: &str,
        create: bool,
        storage_options: Option<HashMap<String, String>>,
        memory_bytes_max: Option<usize>,
        threads: Option<NonZeroUsize>,
        application: Option<&str>,
    ) -> PyResult<PyLake> {
        let mut options = LakeOptions::new(Utc::now);
        options.storage_options = storage_options.unwrap_or_default();
        options.memory_bytes_max = memory_bytes_max.unwrap_or(options.memory_bytes_max);
        options.threads = threads.unwrap_or(options.threads);
        options.principal = principal(py, application);
        let runtime = Arc::new(Builder::new_multi_thread().enable_all().build()?);
        let opened = py.detach(|| {
            runtime.block_on(async {
                if create {
                    Lake::open_or_create(url, options).await
                } else {
                    Lake::open(url, options).await
                }
            })
        });
        let lake = opened.map_err(|error| exception(&error, None))?;
        Ok(PyLake { lake, runtime })
    }

    /// All stores, by name.
    fn stores(&self, py: Python<'_>) -> PyResult<Vec<PyStore>> {
        let stores = py.detach(|| self.runtime.block_on(self.lake.stores()));
        let stores = stores.map_err(|error| exception(&error, None))?;
        Ok(stores.into_iter().map(|store| PyStore::new(store, Arc::clone(&self.runtime))).collect())
    }

    /// The store with this name, id or ARN.
    fn store(&self, py: Python<'_>, name: &str) -> PyResult<PyStore> {
        let store = py.detach(|| self.runtime.block_on(self.lake.store(name)));
        let store = store.map_err(|error| exception(&error, None))?;
        Ok(PyStore::new(store, Arc::clone(&self.runtime)))
    }

    /// Creates an event data store.
    ///
    /// Args:
    ///     retention_days: how long events are kept, by their event time; 7 to 3653.
    ///     id: the id of a store that lived in CloudTrail Lake, so that old queries run unchanged.
    #[pyo3(signature = (name, *, retention_days=2557, id=None))]
    fn create_store(
        &self,
        py: Python<'_>,
        name: &str,
        retention_days: u32,
        id: Option<&str>,
    ) -> PyResult<PyStore> {
        let retention =
            Retention::days(retention_days).map_err(|error| exception(&error.into(), None))?;
        let mut new = NewStore::new(name, retention);
        if let Some(id) = id {
            let id = Uuid::parse_str(id)
                .map_err(|_error| PyValueError::new_err(format!("`{id}` is not a UUID")))?;
            new.id = Some(id);
        }
        let store = py.detach(|| self.runtime.block_on(self.lake.create_store(new)));
        let store = store.map_err(|error| exception(&error, None))?;
        Ok(PyStore::new(store, Arc::clone(&self.runtime)))
    }

    /// Runs one statement of Trino SQL and returns its rows as they come.
    ///
    /// Args:
    ///     parameters: the values of the statement's parameters: a list or a tuple for `?`, a dict
    ///         for `:name`. A value is a literal of its own type and never read as SQL.
    ///     seconds_max: the longest run, reading the rows included.
    ///     rows_max: most rows of the result; more is an error, never a silent cut.
    #[pyo3(signature = (statement, parameters=None, *, seconds_max=RUN_SECS_MAX, rows_max=None))]
    fn query(
        &self,
        py: Python<'_>,
        statement: &str,
        parameters: Option<&Bound<'_, PyAny>>,
        seconds_max: u64,
        rows_max: Option<u64>,
    ) -> PyResult<PyRows> {
        let limits = QueryLimits { run_secs_max: seconds_max, result_rows_max: rows_max };
        let parameters = parameters::values(parameters)?;
        let asked = self.lake.query_with(statement, &parameters, limits);
        let rows = py.detach(|| self.runtime.block_on(asked));
        let rows = rows.map_err(|error| exception(&error, Some(statement)))?;
        Ok(PyRows::new(rows, statement.to_owned(), Arc::clone(&self.runtime)))
    }
}

/// Who uses the lake: the application, or the user of the operating system as Python has them.
fn principal(py: Python<'_>, application: Option<&str>) -> Principal {
    let ask = |module: &str, function: &str| -> PyResult<String> {
        py.import(module)?.call_method0(function)?.extract()
    };
    // A machine without names is no reason to fail.
    let unknown = |_: PyErr| "unknown".to_owned();
    let host = ask("socket", "gethostname").unwrap_or_else(unknown);
    let principal = match application {
        Some(name) => Principal::application(name).at(&host),
        None => Principal::os_user(&ask("getpass", "getuser").unwrap_or_else(unknown), &host),
    };
    principal.with_user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION"), " python"))
}
