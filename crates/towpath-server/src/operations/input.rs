//! Reading checked requests into types, and writing answers.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use crate::wire::ApiError;

/// `input` as a `T`. It has been checked against the model, so only a mistake in `T` fails.
pub(super) fn read<T: DeserializeOwned>(mut input: Map<String, Value>) -> Result<T, ApiError> {
    // Clients may write what they leave out as null.
    input.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(input))
        .map_err(|error| ApiError::user("SerializationException", error.to_string()))
}

/// A time of a request: seconds since 1970, with or without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EpochSeconds(pub(super) DateTime<Utc>);

impl<'de> Deserialize<'de> for EpochSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EpochSeconds, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // The model's check bounds it to the years 1 to 9999.
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of years up to 9999 fit")]
        let micros = (seconds * 1e6).round() as i64;
        DateTime::from_timestamp_micros(micros)
            .map(EpochSeconds)
            .ok_or_else(|| serde::de::Error::custom("a time is out of range"))
    }
}

/// A time of an answer: seconds since 1970, to the millisecond.
pub(super) fn epoch_seconds(time: DateTime<Utc>) -> Value {
    let millis = time.timestamp_millis();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of years up to 9999 are exact")]
    let seconds = millis as f64 / 1e3;
    Number::from_f64(seconds).map_or(Value::Null, Value::Number)
}

/// `answer` without the members that are null: AWS leaves out what is not set.
pub(super) fn without_nulls(answer: Value) -> Value {
    match answer {
        Value::Object(mut members) => {
            members.retain(|_, value| !value.is_null());
            Value::Object(members)
        }
        other => other,
    }
}
