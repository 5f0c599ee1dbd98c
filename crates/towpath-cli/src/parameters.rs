//! Values of a statement's parameters as a user types them.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use chrono::{NaiveDate, NaiveDateTime};
use towpath::{ParameterValue, ParameterValues};

/// A value, and the parameter that it is for.
///
/// `VALUE` is for the next `?` and `NAME=VALUE` for `:NAME`. Both are text; a type before the `=`
/// makes them something else: `:bigint=7`, `NAME:bigint=7`. `=a=b` is the text `a=b`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    name: Option<String>,
    value: ParameterValue,
}

/// Why a text is no parameter.
#[derive(Debug)]
pub(crate) struct ParameterError(String);

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParameterError {}

impl FromStr for Parameter {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Parameter, ParameterError> {
        let positional = || Parameter { name: None, value: ParameterValue::Varchar(text.into()) };
        let Some((target, value)) = text.split_once('=') else { return Ok(positional()) };
        let (name, kind) = match target.split_once(':') {
            Some((name, kind)) => (name, kind),
            None => (target, "varchar"),
        };
        if !(name.is_empty() || is_name(name)) {
            return Ok(positional());
        }
        let value = typed(kind, value)?;
        Ok(Parameter { name: Some(name.to_owned()).filter(|name| !name.is_empty()), value })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn typed(kind: &str, text: &str) -> Result<ParameterValue, ParameterError> {
    let value = match kind.to_ascii_lowercase().as_str() {
        "varchar" => Some(ParameterValue::Varchar(text.to_owned())),
        "bigint" => text.parse().ok().map(ParameterValue::Bigint),
        "integer" => text.parse().ok().map(ParameterValue::Integer),
        "double" => text.parse().ok().map(ParameterValue::Double),
        "decimal" => Some(ParameterValue::Decimal(text.to_owned())),
        "boolean" => text.to_ascii_lowercase().parse().ok().map(ParameterValue::Boolean),
        "date" => text.parse::<NaiveDate>().ok().map(ParameterValue::Date),
        "timestamp" => timestamp(text).map(ParameterValue::Timestamp),
        "null" if text.is_empty() => Some(ParameterValue::Null),
        _ => {
            return Err(ParameterError(format!(
                "`{kind}` is no type of a parameter; those are varchar, bigint, integer, double, \
                 decimal, boolean, date, timestamp and null"
            )));
        }
    };
    value.ok_or_else(|| ParameterError(format!("`{text}` is no {kind}")))
}

fn timestamp(text: &str) -> Option<NaiveDateTime> {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    time.or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

/// What was typed, as the library takes it.
///
/// # Errors
///
/// If a name has two values.
pub(crate) fn values(typed: &[Parameter]) -> Result<ParameterValues> {
    let mut values = ParameterValues::default();
    for Parameter { name, value } in typed {
        match name {
            None => values.positional.push(value.clone()),
            Some(name) => {
                if values.named.insert(name.clone(), value.clone()).is_some() {
                    bail!("parameter `:{name}` has two values");
                }
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(text: &str) -> (Option<String>, ParameterValue) {
        let Parameter { name, value } = text.parse().unwrap();
        (name, value)
    }

    #[test]
    fn a_value_is_text_unless_its_type_is_said() {
        let text = |text: &str| ParameterValue::Varchar(text.into());
        let name = |name: &str| Some(name.to_owned());
        for (typed, expected) in [
            ("alice", (None, text("alice"))),
            ("123", (None, text("123"))),
            ("user=alice", (name("user"), text("alice"))),
            ("user=", (name("user"), text(""))),
            ("user=a=b", (name("user"), text("a=b"))),
            ("=a=b", (None, text("a=b"))),
            ("arn:aws:iam::1:user/x", (None, text("arn:aws:iam::1:user/x"))),
            ("a b=c", (None, text("a b=c"))),
            ("n:bigint=7", (name("n"), ParameterValue::Bigint(7))),
            (":double=0.5", (None, ParameterValue::Double(0.5))),
            ("x:null=", (name("x"), ParameterValue::Null)),
            ("x:Boolean=TRUE", (name("x"), ParameterValue::Boolean(true))),
        ] {
            assert_eq!(parameter(typed), expected, "{typed}");
        }
        let (_, value) = parameter("t:timestamp=2024-01-31");
        let midnight = NaiveDate::from_ymd_opt(2024, 1, 31).unwrap().and_hms_opt(0, 0, 0).unwrap();
        assert_eq!(value, ParameterValue::Timestamp(midnight));
    }

    #[test]
    fn a_value_that_is_not_of_its_type_is_refused() {
        for text in ["n:bigint=x", "n:date=2024-02-30", "n:integer=3000000000", "n:json={}"] {
            assert!(text.parse::<Parameter>().is_err(), "{text}");
        }
        let twice: Vec<Parameter> = vec!["a=1".parse().unwrap(), "a=2".parse().unwrap()];
        assert!(values(&twice).is_err());
    }
}
