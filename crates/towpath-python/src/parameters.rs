//! Python's values as those of a statement's parameters.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple,
};
use towpath::{ParameterValue, ParameterValues};

/// The values of a statement's parameters: a list or a tuple for `?`, a dict for `:name`.
pub(crate) fn values(parameters: Option<&Bound<'_, PyAny>>) -> PyResult<ParameterValues> {
    let mut values = ParameterValues::default();
    let Some(parameters) = parameters else { return Ok(values) };
    if let Ok(named) = parameters.cast::<PyDict>() {
        for (name, given) in named.iter() {
            values.named.insert(name.extract()?, value(&given)?);
        }
    } else if parameters.is_instance_of::<PyList>() || parameters.is_instance_of::<PyTuple>() {
        for given in parameters.try_iter()? {
            values.positional.push(value(&given?)?);
        }
    } else {
        return Err(PyTypeError::new_err(
            "parameters must be a list or a tuple of values for `?`, or a dict for `:name`",
        ));
    }
    Ok(values)
}

/// One value; of Python's types, those that have one of Trino's of the same meaning.
fn value(given: &Bound<'_, PyAny>) -> PyResult<ParameterValue> {
    // A bool is an int too, and a datetime a date: the narrower type comes first.
    if given.is_none() {
        return Ok(ParameterValue::Null);
    }
    if given.is_instance_of::<PyBool>() {
        return Ok(ParameterValue::Boolean(given.extract()?));
    }
    if given.is_instance_of::<PyInt>() {
        return Ok(ParameterValue::Bigint(given.extract()?));
    }
    if given.is_instance_of::<PyFloat>() {
        return Ok(ParameterValue::Double(given.extract()?));
    }
    if given.is_instance_of::<PyString>() {
        return Ok(ParameterValue::Varchar(given.extract()?));
    }
    if given.is_instance_of::<PyBytes>() {
        return Ok(ParameterValue::Varbinary(given.extract()?));
    }
    if given.is_instance_of::<PyDateTime>() {
        return moment(given);
    }
    let text: String = given.str()?.extract()?;
    if given.is_instance_of::<PyDate>() {
        let date: NaiveDate = text.parse().map_err(|_| unusable(given))?;
        return Ok(ParameterValue::Date(date));
    }
    let class = given.get_type();
    let class: String = class.name()?.extract()?;
    match class.as_str() {
        "Decimal" => Ok(ParameterValue::Decimal(plain_decimal(given)?)),
        "UUID" => Ok(ParameterValue::Varchar(text)),
        _ => Err(unusable(given)),
    }
}

/// A `datetime`, with its zone or without.
fn moment(given: &Bound<'_, PyAny>) -> PyResult<ParameterValue> {
    let text: String = given.call_method0("isoformat")?.extract()?;
    if given.getattr("tzinfo")?.is_none() {
        let moment: NaiveDateTime = text.parse().map_err(|_| unusable(given))?;
        return Ok(ParameterValue::Timestamp(moment));
    }
    let moment = DateTime::parse_from_rfc3339(&text).map_err(|_| unusable(given))?;
    Ok(ParameterValue::TimestampWithTimeZone(moment.with_timezone(&Utc)))
}

/// The digits of a `Decimal`, without an exponent.
fn plain_decimal(given: &Bound<'_, PyAny>) -> PyResult<String> {
    if !given.call_method0("is_finite")?.is_truthy()? {
        return Err(unusable(given));
    }
    given.call_method1("__format__", ("f",))?.extract()
}

fn unusable(given: &Bound<'_, PyAny>) -> PyErr {
    let class = given.get_type();
    let class = class.name().map_or_else(|_| "this".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "a parameter cannot be this {class}; give None, bool, int, float, Decimal, str, bytes, UUID, \
         date or datetime"
    ))
}
