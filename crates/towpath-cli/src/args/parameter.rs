//! [`ParameterArg`]: a value for a parameter of a statement, as it is typed.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use towpath::{ParameterValue, ParameterValues};

/// A value, and the name of the parameter that it is for; without a name it is for the next `?`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParameterArg {
    name: Option<String>,
    value: ParameterValue,
}

/// The types that a value can be given, as they are typed.
const TYPES: &str =
    "boolean, integer, bigint, double, decimal, varchar, date, timestamp and null are";

impl ParameterArg {
    /// All of `typed`, to be bound to a statement.
    ///
    /// # Errors
    ///
    /// If a name has two values.
    pub(crate) fn values(typed: &[ParameterArg]) -> Result<ParameterValues, String> {
        let mut values = ParameterValues::default();
        for ParameterArg { name, value } in typed {
            match name {
                None => values.positional.push(value.clone()),
                Some(name) => {
                    let key = name.to_lowercase();
                    if values.named.insert(key, value.clone()).is_some() {
                        return Err(format!("parameter `{name}` has two values"));
                    }
                }
            }
        }
        Ok(values)
    }
}

impl FromStr for ParameterArg {
    type Err = String;

    /// Reads `VALUE`, `NAME=VALUE`, `NAME:TYPE=VALUE`, `:TYPE=VALUE` or `=VALUE`.
    ///
    /// What stands before the first `=` and is no name, with or without a type, belongs to the
    /// value.
    fn from_str(text: &str) -> Result<ParameterArg, String> {
        let unnamed =
            || ParameterArg { name: None, value: ParameterValue::Varchar(text.to_owned()) };
        let Some((head, value)) = text.split_once('=') else { return Ok(unnamed()) };
        let (name, type_name) = match head.split_once(':') {
            Some((name, type_name)) => (name, Some(type_name)),
            None => (head, None),
        };
        let is_typed = type_name.is_none_or(is_name);
        if !is_typed || !(name.is_empty() || is_name(name)) {
            return Ok(unnamed());
        }
        let value = typed(type_name.unwrap_or("varchar"), value)?;
        Ok(ParameterArg { name: (!name.is_empty()).then(|| name.to_owned()), value })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The value that `text` is, as a `type_name`.
fn typed(type_name: &str, text: &str) -> Result<ParameterValue, String> {
    fn parse<T: FromStr>(text: &str) -> Option<T> {
        text.trim().parse().ok()
    }
    let value = match type_name.to_ascii_lowercase().as_str() {
        "varchar" => Some(ParameterValue::Varchar(text.to_owned())),
        "boolean" => parse(text).map(ParameterValue::Boolean),
        "integer" => parse(text).map(ParameterValue::Integer),
        "bigint" => parse(text).map(ParameterValue::Bigint),
        "double" => parse(text).map(ParameterValue::Double),
        "decimal" => is_decimal(text).then(|| ParameterValue::Decimal(text.to_owned())),
        "date" => NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().map(ParameterValue::Date),
        "timestamp" => timestamp(text.trim()),
        "null" if text.is_empty() => Some(ParameterValue::Null),
        "null" => None,
        _ => return Err(format!("`{type_name}` is no type of a parameter; {TYPES}")),
    };
    value.ok_or_else(|| format!("it is no {type_name}"))
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.chars().any(|c| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.matches('.').count() <= 1
}

/// A time with a zone, or one without, which is UTC as everywhere.
fn timestamp(text: &str) -> Option<ParameterValue> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(ParameterValue::TimestampWithTimeZone(moment.to_utc()));
    }
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let read = |form| NaiveDateTime::parse_from_str(text, form).ok();
    forms.into_iter().find_map(read).map(ParameterValue::Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, ParameterValue) {
        let arg: ParameterArg = text.parse().unwrap();
        (arg.name, arg.value)
    }

    fn varchar(text: &str) -> ParameterValue {
        ParameterValue::Varchar(text.to_owned())
    }

    #[test]
    fn a_value_has_a_name_a_type_both_or_neither() {
        let named = |name: &str, value| (Some(name.to_owned()), value);
        assert_eq!(read("alice"), (None, varchar("alice")));
        assert_eq!(read(""), (None, varchar("")));
        assert_eq!(read("=a=b"), (None, varchar("a=b")));
        assert_eq!(read("who=alice"), named("who", varchar("alice")));
        assert_eq!(read("n:bigint=7"), named("n", ParameterValue::Bigint(7)));
        assert_eq!(read(":integer=-7"), (None, ParameterValue::Integer(-7)));
        assert_eq!(read("x:null="), named("x", ParameterValue::Null));
        assert_eq!(read("d:decimal=-1.50"), named("d", ParameterValue::Decimal("-1.50".into())));
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(read(":date=2024-02-29"), (None, ParameterValue::Date(day)));
        // What begins as no name does is a value.
        let arn = "arn:aws:iam::1:role/x=y";
        assert_eq!(read(arn), (None, varchar(arn)));
        assert_eq!(read("2024-01-01=x"), (None, varchar("2024-01-01=x")));
    }

    #[test]
    fn what_is_not_of_its_type_is_refused() {
        for text in ["n:bigint=x", ":boolean=2", ":date=2024-02-30", ":decimal=1.2.3", ":null=0"] {
            assert!(text.parse::<ParameterArg>().unwrap_err().starts_with("it is no "), "{text}");
        }
        let error = "x:money=1".parse::<ParameterArg>().unwrap_err();
        assert!(error.starts_with("`money` is no type of a parameter; boolean"), "{error}");
    }

    #[test]
    fn a_name_has_one_value_in_any_case() {
        let typed = ["a=1", "A=2"].map(|text| text.parse::<ParameterArg>().unwrap());
        assert_eq!(ParameterArg::values(&typed).unwrap_err(), "parameter `A` has two values");
    }
}
