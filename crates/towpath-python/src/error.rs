//! The library's errors as Python's exceptions.

use std::error::Error as _;

use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use towpath::{Error, ErrorKind};

create_exception!(towpath, TowpathError, PyException, "Something could not be done.");
create_exception!(towpath, InvalidStatement, TowpathError, "The statement cannot run as written.");
create_exception!(towpath, EvaluationError, TowpathError, "The statement failed on a value.");
create_exception!(towpath, LimitExceeded, TowpathError, "A limit stopped the query.");
create_exception!(towpath, StoreNotFound, TowpathError, "The lake has no such store.");

/// `error` as the exception that fits, its causes and its hint in the text.
///
/// With the `statement` it came from, the line of it with a mark under the place.
pub(crate) fn exception(error: &Error, statement: Option<&str>) -> PyErr {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    if let Some(caret) = statement.and_then(|statement| error.caret(statement)) {
        text.push_str(&format!("\n{caret}"));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    match error.kind() {
        ErrorKind::InvalidStatement => InvalidStatement::new_err(text),
        ErrorKind::Evaluation => EvaluationError::new_err(text),
        ErrorKind::LimitExceeded => LimitExceeded::new_err(text),
        ErrorKind::StoreNotFound => StoreNotFound::new_err(text),
        ErrorKind::InvalidArgument => PyValueError::new_err(text),
        _ => TowpathError::new_err(text),
    }
}
