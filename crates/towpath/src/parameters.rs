//! Parameters of a statement as they are kept in the lake.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use towpath_sql::{ParameterValue, ParameterValues};

use crate::error::{Error, Result};

/// [`ParameterValues`] as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct KeptParameters {
    positional: Vec<KeptValue>,
    named: BTreeMap<String, KeptValue>,
    quoted_marks: bool,
}

/// [`ParameterValue`] as JSON. Doubles are text, as JSON has no `NaN`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type", content = "value")]
enum KeptValue {
    Null,
    Boolean(bool),
    Integer(i32),
    Bigint(i64),
    Double(String),
    Decimal(String),
    Varchar(String),
    Varbinary(Vec<u8>),
    Date(String),
    Timestamp(String),
    TimestampWithTimeZone(String),
}

impl KeptParameters {
    pub(crate) fn is_empty(&self) -> bool {
        *self == KeptParameters::default()
    }

    pub(crate) fn keep(values: &ParameterValues) -> Result<KeptParameters> {
        let named = values.named.iter();
        Ok(KeptParameters {
            positional: values.positional.iter().map(keep).collect::<Result<_>>()?,
            named: named
                .map(|(name, value)| Ok((name.clone(), keep(value)?)))
                .collect::<Result<_>>()?,
            quoted_marks: values.quoted_marks,
        })
    }

    pub(crate) fn values(&self) -> Result<ParameterValues> {
        let damaged = || Error::InvalidArgument("a parameter that was kept is damaged".into());
        let mut values = ParameterValues::default();
        for value in &self.positional {
            values.positional.push(restore(value).ok_or_else(damaged)?);
        }
        for (name, value) in &self.named {
            values.named.insert(name.clone(), restore(value).ok_or_else(damaged)?);
        }
        values.quoted_marks = self.quoted_marks;
        Ok(values)
    }
}

fn keep(value: &ParameterValue) -> Result<KeptValue> {
    Ok(match value {
        ParameterValue::Null => KeptValue::Null,
        ParameterValue::Boolean(value) => KeptValue::Boolean(*value),
        ParameterValue::Integer(value) => KeptValue::Integer(*value),
        ParameterValue::Bigint(value) => KeptValue::Bigint(*value),
        ParameterValue::Double(value) => KeptValue::Double(value.to_string()),
        ParameterValue::Decimal(digits) => KeptValue::Decimal(digits.clone()),
        ParameterValue::Varchar(text) => KeptValue::Varchar(text.clone()),
        ParameterValue::Varbinary(bytes) => KeptValue::Varbinary(bytes.clone()),
        ParameterValue::Date(date) => KeptValue::Date(date.to_string()),
        ParameterValue::Timestamp(time) => KeptValue::Timestamp(format!("{time:?}")),
        ParameterValue::TimestampWithTimeZone(time) => {
            KeptValue::TimestampWithTimeZone(time.to_rfc3339())
        }
        _ => {
            return Err(Error::InvalidArgument(
                "a parameter of this type cannot be kept with a batch query".into(),
            ));
        }
    })
}

fn restore(value: &KeptValue) -> Option<ParameterValue> {
    Some(match value {
        KeptValue::Null => ParameterValue::Null,
        KeptValue::Boolean(value) => ParameterValue::Boolean(*value),
        KeptValue::Integer(value) => ParameterValue::Integer(*value),
        KeptValue::Bigint(value) => ParameterValue::Bigint(*value),
        KeptValue::Double(text) => ParameterValue::Double(text.parse().ok()?),
        KeptValue::Decimal(digits) => ParameterValue::Decimal(digits.clone()),
        KeptValue::Varchar(text) => ParameterValue::Varchar(text.clone()),
        KeptValue::Varbinary(bytes) => ParameterValue::Varbinary(bytes.clone()),
        KeptValue::Date(text) => ParameterValue::Date(text.parse::<NaiveDate>().ok()?),
        KeptValue::Timestamp(text) => {
            ParameterValue::Timestamp(text.parse::<NaiveDateTime>().ok()?)
        }
        KeptValue::TimestampWithTimeZone(text) => {
            ParameterValue::TimestampWithTimeZone(text.parse::<DateTime<Utc>>().ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_from_json() {
        let date = NaiveDate::from_ymd_opt(2024, 1, 31).unwrap();
        let time = date.and_hms_nano_opt(1, 2, 3, 456_000_789).unwrap();
        let mut values = ParameterValues::positional([
            ParameterValue::Null,
            ParameterValue::Boolean(true),
            ParameterValue::Integer(-1),
            ParameterValue::Bigint(i64::MIN),
            ParameterValue::Double(0.1),
            ParameterValue::Double(f64::INFINITY),
            ParameterValue::Decimal("-12.50".into()),
            ParameterValue::Varchar("it's :x ?".into()),
            ParameterValue::Varbinary(vec![0, 255]),
            ParameterValue::Date(date),
            ParameterValue::Timestamp(time),
            ParameterValue::TimestampWithTimeZone(time.and_utc()),
        ]);
        values.named.insert("Name".into(), ParameterValue::Varchar("x".into()));
        values.quoted_marks = true;
        let text = serde_json::to_string(&KeptParameters::keep(&values).unwrap()).unwrap();
        let back: KeptParameters = serde_json::from_str(&text).unwrap();
        let back = back.values().unwrap();
        assert_eq!(back.positional, values.positional);
        assert_eq!((back.named, back.quoted_marks), (values.named, true));
    }
}
