//! [`AuditEvent`]: an operation on a lake, told as CloudTrail tells of operations.

use std::io::Write;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::principal::Principal;
use crate::error::{Error, Result};

/// The version of CloudTrail's events that these are like.
const EVENT_VERSION: &str = "1.11";

/// The source of operations that CloudTrail Lake has, under its names.
const SOURCE_AWS: &str = "cloudtrail.amazonaws.com";

/// The source of operations that only towpath has.
const SOURCE_OWN: &str = "towpath";

/// Longest text of a parameter or an error that is recorded, in bytes: the longest statement that
/// the engine takes, with room to spare. What is longer was refused, and is cut.
const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// An operation, to be recorded in the audit trail of a lake.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    name: String,
    source: &'static str,
    is_read_only: bool,
    request: Value,
    stores: Vec<Uuid>,
    additional: Value,
}

/// How an operation ended: what it answered, or why it was refused, as a code and a text.
pub type AuditOutcome = Result<Value, (String, String)>;

impl AuditEvent {
    /// An operation of CloudTrail's API that changes something, such as `DeleteEventDataStore`.
    pub fn new(name: impl Into<String>) -> AuditEvent {
        AuditEvent {
            name: name.into(),
            source: SOURCE_AWS,
            is_read_only: false,
            request: Value::Null,
            stores: Vec::new(),
            additional: Value::Null,
        }
    }

    /// The same as an operation that CloudTrail's API does not have.
    #[must_use]
    pub fn of_towpath(self) -> AuditEvent {
        AuditEvent { source: SOURCE_OWN, ..self }
    }

    /// The same as an operation that changes nothing.
    #[must_use]
    pub fn read_only(self) -> AuditEvent {
        AuditEvent { is_read_only: true, ..self }
    }

    /// The same with the parameters of the request, an object. It must hold no secrets.
    #[must_use]
    pub fn with_request(self, request: Value) -> AuditEvent {
        AuditEvent { request: shortened(request), ..self }
    }

    /// The same about one more event data store.
    #[must_use]
    pub fn about(mut self, store: Uuid) -> AuditEvent {
        self.stores.push(store);
        self
    }

    /// The same with more that a reader wants to know, an object.
    #[must_use]
    pub fn with_additional(self, additional: Value) -> AuditEvent {
        AuditEvent { additional: shortened(additional), ..self }
    }

    /// The event, as a log file of its own.
    pub(super) fn log_file(
        &self,
        id: Uuid,
        at: DateTime<Utc>,
        principal: &Principal,
        outcome: &AuditOutcome,
    ) -> Result<Bytes> {
        let text = format!(r#"{{"Records":[{}]}}"#, self.record(id, at, principal, outcome));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let written = gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish());
        written.map(Bytes::from).map_err(Error::compression)
    }

    fn record(
        &self,
        id: Uuid,
        at: DateTime<Utc>,
        principal: &Principal,
        outcome: &AuditOutcome,
    ) -> Value {
        let (response, error) = match outcome {
            Ok(response) => (shortened(response.clone()), None),
            Err((code, message)) => (Value::Null, Some((code, cut(message, TEXT_BYTES_MAX)))),
        };
        let resources: Vec<Value> = self.stores.iter().map(|id| resource(*id, principal)).collect();
        let mut record = json!({
            "eventVersion": EVENT_VERSION,
            "userIdentity": principal.identity(),
            "eventTime": at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": principal.region(),
            "sourceIPAddress": principal.source(),
            "userAgent": principal.user_agent(),
            "requestParameters": self.request,
            "responseElements": response,
            "eventID": id.to_string(),
            "readOnly": self.is_read_only,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": principal.account_id(),
            "eventCategory": "Management",
        });
        if let Some((code, message)) = error {
            record["errorCode"] = json!(code);
            record["errorMessage"] = json!(message);
        }
        if !resources.is_empty() {
            record["resources"] = Value::Array(resources);
        }
        if !self.additional.is_null() {
            record["additionalEventData"] = self.additional.clone();
        }
        record
    }
}

/// The ARN of a store, as events name it.
pub(super) fn store_arn(id: Uuid, principal: &Principal) -> String {
    let (region, account) = (principal.region(), principal.account_id());
    format!("arn:aws:cloudtrail:{region}:{account}:eventdatastore/{id}")
}

fn resource(id: Uuid, principal: &Principal) -> Value {
    json!({
        "accountId": principal.account_id(),
        "type": "AWS::CloudTrail::EventDataStore",
        "ARN": store_arn(id, principal),
    })
}

/// `value` with its long texts cut, and without the members that are null.
fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            Value::String(cut(&text, TEXT_BYTES_MAX))
        }
        Value::Array(values) => Value::Array(values.into_iter().map(shortened).collect()),
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                members.map(|(name, value)| (name, shortened(value))).collect::<Map<_, _>>(),
            )
        }
        other => other,
    }
}

/// `text`, or as much of it as `bytes_max` are and how long it was.
pub(super) fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shaped_as_those_of_cloudtrail() {
        let (id, at) = (Uuid::nil(), DateTime::from_timestamp_millis(1_700_000_000_123).unwrap());
        let event = AuditEvent::new("DeleteEventDataStore")
            .about(id)
            .with_request(json!({"eventDataStore": "x", "absent": null}));
        let principal = Principal::os_user("ana", "laptop").in_account("123456789012", "eu-west-1");
        let refused = Err(("ConflictException".to_owned(), "on hold".to_owned()));
        let record = event.record(id, at, &principal, &refused);
        assert_eq!(record["eventTime"], "2023-11-14T22:13:20.123Z");
        assert_eq!(record["requestParameters"], json!({"eventDataStore": "x"}));
        assert_eq!(record["errorCode"], "ConflictException");
        assert_eq!(
            record["resources"][0]["ARN"],
            "arn:aws:cloudtrail:eu-west-1:123456789012:eventdatastore/00000000-0000-0000-0000-000000000000"
        );
        let done = event.record(id, at, &principal, &Ok(json!({"a": 1})));
        assert_eq!((done.get("errorCode"), &done["responseElements"]["a"]), (None, &json!(1)));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("aüb", 2), "a… (4 bytes)");
        let long = shortened(json!({"a": ["x".repeat(TEXT_BYTES_MAX + 1)]}));
        assert!(long["a"][0].as_str().unwrap().ends_with("bytes)"));
    }
}
