//! Parameters: the places `?` and `:name` of a statement, and the values that go there.
//!
//! A value becomes a literal of the syntax tree, of the type it has: it is never text that the
//! lexer reads, so no value can change what a statement means.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::ast::ExprKind;
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError, nearest};
use crate::limits::PARAMETER_BYTES_MAX;

/// The value of one parameter, with its type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// `NULL`, of no type.
    Null,
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// An `integer`.
    Integer(i32),
    /// A `bigint`.
    Bigint(i64),
    /// A `double`.
    Double(f64),
    /// A `decimal` as its digits, such as `-12.50`; they give its precision and scale.
    Decimal(String),
    /// A `varchar`. Where a relation or a row count stands, the name or the digits of it.
    Varchar(String),
    /// A `varbinary`.
    Varbinary(Vec<u8>),
    /// A `date`.
    Date(NaiveDate),
    /// A `timestamp`, as precise as its fraction needs.
    Timestamp(NaiveDateTime),
    /// A `timestamp with time zone`, in UTC.
    TimestampWithTimeZone(DateTime<Utc>),
}

impl ParameterValue {
    /// Returns the literal that means this value.
    fn literal(&self) -> ExprKind {
        let typed = |target, text| ExprKind::Typed(target, text);
        match self {
            ParameterValue::Null => ExprKind::Null,
            ParameterValue::Boolean(value) => ExprKind::Boolean(*value),
            ParameterValue::Integer(value) => typed(Type::Integer, value.to_string()),
            ParameterValue::Bigint(value) => typed(Type::BigInt, value.to_string()),
            ParameterValue::Double(value) => ExprKind::Double(*value),
            ParameterValue::Decimal(digits) => typed(Type::Decimal(0, 0), digits.clone()),
            ParameterValue::Varchar(text) => ExprKind::Text(text.clone()),
            ParameterValue::Varbinary(bytes) => ExprKind::Binary(bytes.clone()),
            ParameterValue::Date(date) => typed(Type::Date, date.to_string()),
            ParameterValue::Timestamp(moment) => {
                typed(Type::Timestamp(0), moment.format("%Y-%m-%d %H:%M:%S%.f").to_string())
            }
            ParameterValue::TimestampWithTimeZone(moment) => {
                typed(Type::TimestampTz(0), moment.format("%Y-%m-%d %H:%M:%S%.f UTC").to_string())
            }
        }
    }

    fn rows(&self) -> Option<usize> {
        match self {
            ParameterValue::Integer(rows) => usize::try_from(*rows).ok(),
            ParameterValue::Bigint(rows) => usize::try_from(*rows).ok(),
            ParameterValue::Varchar(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// Bytes of text this value brings into the statement, about.
    fn size_bytes(&self) -> usize {
        match self {
            ParameterValue::Decimal(text) | ParameterValue::Varchar(text) => text.len(),
            ParameterValue::Varbinary(bytes) => bytes.len(),
            _ => size_of::<ParameterValue>(),
        }
    }
}

/// The parameters a statement has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameters {
    /// How many `?` there are.
    pub positional: usize,
    /// How many string literals are `'?'` and nothing else. They are strings, unless values are
    /// bound with [`ParameterValues::quoted_marks`].
    pub quoted: usize,
    /// The names written as `:name`, each once, in order of first use and as first spelled.
    pub named: Vec<String>,
}

/// What to bind to the parameters of a statement.
#[derive(Clone, Debug, Default)]
pub struct ParameterValues {
    /// The values of the `?`, in order of text.
    pub positional: Vec<ParameterValue>,
    /// The values of the `:name`, by name. Names ignore case.
    pub named: BTreeMap<String, ParameterValue>,
    /// Whether the string literal `'?'` is a `?` too, as in the statements of `CloudTrail` Lake's
    /// dashboards, which put quotes around it.
    pub quoted_marks: bool,
}

impl ParameterValues {
    /// Returns values for `?` only.
    pub fn positional(values: impl IntoIterator<Item = ParameterValue>) -> ParameterValues {
        ParameterValues { positional: values.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn check_size(&self) -> Result<()> {
        let values = self.positional.iter().chain(self.named.values());
        let size = values.fold(0_usize, |size, value| size.saturating_add(value.size_bytes()));
        if size > PARAMETER_BYTES_MAX {
            let message = format!("parameters are longer than {PARAMETER_BYTES_MAX} bytes");
            return Err(SqlError::new(ErrorKind::LimitExceeded, message));
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Option<&ParameterValue> {
        let same = |entry: &(&String, _)| entry.0.to_lowercase() == name.to_lowercase();
        self.named.iter().find(same).map(|(_, value)| value)
    }
}

/// A parameter where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The number of the `?`, from 0.
    Positional(usize),
    Named(String),
}

impl Mark {
    /// As it is written.
    pub(crate) fn text(&self) -> String {
        match self {
            Mark::Positional(_) => "?".to_owned(),
            Mark::Named(name) => format!(":{name}"),
        }
    }

    /// Returns the literal for this place, or that there is none yet.
    pub(crate) fn literal(self, values: Option<&ParameterValues>) -> ExprKind {
        match self.value(values) {
            Some(value) => value.literal(),
            None => ExprKind::Parameter,
        }
    }

    /// Returns the rows that a parameter after `LIMIT` and its like stands for; none while values
    /// are not bound.
    pub(crate) fn rows(&self, at: usize, values: Option<&ParameterValues>) -> Result<usize> {
        let Some(value) = self.value(values) else { return Ok(usize::MAX) };
        value.rows().ok_or_else(|| {
            let message = format!("Parameter '{}' must be a number of rows here", self.text());
            SqlError::at(ErrorKind::InvalidParameter, at, message)
        })
    }

    /// Returns the name of the relation that a parameter stands for.
    pub(crate) fn relation(&self, at: usize, values: Option<&ParameterValues>) -> Result<String> {
        match self.value(values) {
            None => Ok(self.text()),
            Some(ParameterValue::Varchar(name)) => Ok(name.clone()),
            Some(_) => {
                let message = format!("Parameter '{}' must be a table's name here", self.text());
                Err(SqlError::at(ErrorKind::InvalidParameter, at, message))
            }
        }
    }

    fn value<'a>(&self, values: Option<&'a ParameterValues>) -> Option<&'a ParameterValue> {
        match self {
            Mark::Positional(number) => values?.positional.get(*number),
            Mark::Named(name) => values?.named(name),
        }
    }
}

/// The marks of a statement by the byte they start at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) by_offset: BTreeMap<usize, Mark>,
    pub(crate) quoted: usize,
}

impl Marks {
    pub(crate) fn parameters(&self) -> Parameters {
        let mut named: Vec<String> = Vec::new();
        for mark in self.by_offset.values() {
            if let Mark::Named(name) = mark
                && !named.iter().any(|known| known.to_lowercase() == name.to_lowercase())
            {
                named.push(name.clone());
            }
        }
        Parameters { positional: self.positional().count(), quoted: self.quoted, named }
    }

    fn positional(&self) -> impl DoubleEndedIterator<Item = usize> {
        let marks = self.by_offset.iter();
        marks.filter(|(_, mark)| matches!(mark, Mark::Positional(_))).map(|(at, _)| *at)
    }

    /// Checks that every parameter has a value and every value a parameter.
    pub(crate) fn check(&self, values: &ParameterValues) -> Result<()> {
        let (expected, found) = (self.positional().count(), values.positional.len());
        if expected != found {
            let place = self.positional().nth(found).or_else(|| self.positional().next_back());
            return Err(wrong_count(place.unwrap_or(0), expected, found));
        }
        let known = self.parameters().named;
        for (at, mark) in &self.by_offset {
            if let Mark::Named(name) = mark
                && values.named(name).is_none()
            {
                let near = nearest(name, values.named.keys().map(String::as_str));
                let hint = near.map(|near| format!("there is a value for ':{near}'"));
                let message = format!("Parameter ':{name}' has no value");
                let error = SqlError::at(ErrorKind::InvalidParameter, *at, message);
                return Err(error.with_hint(hint));
            }
        }
        for name in values.named.keys() {
            if !known.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
                let near = nearest(name, known.iter().map(String::as_str));
                let hint = near.map(|near| format!("did you mean ':{near}'?"));
                let message = format!("the statement has no parameter ':{name}'");
                return Err(SqlError::new(ErrorKind::InvalidParameter, message).with_hint(hint));
            }
        }
        Ok(())
    }

    /// The error for planning a statement whose parameters have no values.
    pub(crate) fn unbound(&self) -> Option<SqlError> {
        let (at, mark) = self.by_offset.first_key_value()?;
        Some(match mark {
            Mark::Positional(_) => wrong_count(*at, self.positional().count(), 0),
            Mark::Named(name) => {
                let message = format!("Parameter ':{name}' has no value");
                SqlError::at(ErrorKind::InvalidParameter, *at, message)
            }
        })
    }
}

/// As Trino words it.
fn wrong_count(at: usize, expected: usize, found: usize) -> SqlError {
    let message = format!("Incorrect number of parameters: expected {expected} but found {found}");
    SqlError::at(ErrorKind::InvalidParameter, at, message)
}
