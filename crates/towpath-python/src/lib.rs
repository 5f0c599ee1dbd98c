//! The `towpath` library as a Python module, `towpath._towpath`.
//!
//! A thin layer: names, defaults and errors in Python's manner, rows by the
//! [Arrow PyCapsule interface](https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html).
//! Every call that waits lets other Python threads run.

#![expect(clippy::doc_markdown, reason = "what is documented here are Python's docstrings")]
#![expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]

mod error;
mod lake;
mod parameters;
mod rows;
mod store;

use pyo3::prelude::*;

use crate::error::{EvaluationError, InvalidStatement, LimitExceeded, StoreNotFound, TowpathError};
use crate::lake::PyLake;
use crate::rows::PyRows;
use crate::store::PyStore;

#[pymodule]
fn _towpath(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<PyLake>()?;
    module.add_class::<PyStore>()?;
    module.add_class::<PyRows>()?;
    module.add("TowpathError", py.get_type::<TowpathError>())?;
    module.add("InvalidStatement", py.get_type::<InvalidStatement>())?;
    module.add("EvaluationError", py.get_type::<EvaluationError>())?;
    module.add("LimitExceeded", py.get_type::<LimitExceeded>())?;
    module.add("StoreNotFound", py.get_type::<StoreNotFound>())?;
    Ok(())
}
