//! What a message says that S3, SNS, `EventBridge` or CloudTrail put into a queue.
//!
//! S3 sends [event notifications] itself or through SNS, which wraps the text in an envelope of its
//! own; `EventBridge` has another form for the same; and CloudTrail can announce its deliveries on an
//! SNS topic. All of them say no more than a bucket and some keys.
//!
//! [event notifications]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

use std::borrow::Cow;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use crate::{error::Result, watch::queue::QueueError};

/// Envelopes around one notification. SNS may carry what `EventBridge` wrote, and no service adds a
/// third.
const ENVELOPES_MAX: usize = 3;

/// Objects that one message may name. S3 names one, CloudTrail those of one delivery.
const OBJECTS_MAX: usize = 1024;

/// A queue of notifications. [`SqsQueue`](crate::SqsQueue) is one.
#[async_trait]
pub trait NotificationQueue: Send + Sync {
    /// The next messages, waiting for up to `wait_secs` for the first of them.
    ///
    /// A message stays in the queue, hidden for some minutes, until it is deleted.
    ///
    /// # Errors
    ///
    /// If the queue cannot be asked. Then nothing has changed.
    async fn receive(&self, wait_secs: u64) -> Result<Vec<Message>, QueueError>;

    /// Deletes messages that have been dealt with. One that cannot be deleted comes again.
    ///
    /// # Errors
    ///
    /// If the queue cannot be asked.
    async fn delete(&self, messages: &[Message]) -> Result<(), QueueError>;
}

/// A message of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What to call it.
    pub id: String,
    /// What deletes it.
    pub receipt: String,
    /// Its text.
    pub body: String,
    /// How often it has been received, this time included.
    pub receives: u64,
}

/// An object that a notification says was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrittenObject {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// Why a message is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotUnderstood {
    #[error("message is not JSON")]
    NotJson,
    #[error("message is not a notification of S3, SNS, EventBridge or CloudTrail")]
    OtherForm,
    #[error("message names too many objects")]
    TooManyObjects,
}

/// The objects that the notification in `body` says were written: none if it speaks of other
/// things, such as a test or a deletion.
pub(crate) fn written_objects(body: &str) -> Result<Vec<WrittenObject>, NotUnderstood> {
    let mut body = Cow::Borrowed(body);
    for _ in 0..ENVELOPES_MAX {
        let value: Value = serde_json::from_str(&body).map_err(|_err| NotUnderstood::NotJson)?;
        match read(&value)? {
            Content::Objects(objects) if objects.len() > OBJECTS_MAX => {
                return Err(NotUnderstood::TooManyObjects);
            }
            Content::Objects(objects) => return Ok(objects),
            Content::Envelope(text) => body = Cow::Owned(text),
        }
    }
    Err(NotUnderstood::OtherForm)
}

enum Content {
    Objects(Vec<WrittenObject>),
    /// The text of another message.
    Envelope(String),
}

fn read(value: &Value) -> Result<Content, NotUnderstood> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if value.get("Records").is_some() {
        return S3Event::deserialize(value)
            .map(|event| Content::Objects(event.written()))
            .map_err(|_err| NotUnderstood::OtherForm);
    }
    if text("Event") == Some("s3:TestEvent") {
        return Ok(Content::Objects(Vec::new()));
    }
    if text("source") == Some("aws.s3") {
        if text("detail-type") != Some("Object Created") {
            return Ok(Content::Objects(Vec::new()));
        }
        return EventBridge::deserialize(value)
            .map(|event| Content::Objects(vec![event.detail.written()]))
            .map_err(|_err| NotUnderstood::OtherForm);
    }
    if value.get("s3ObjectKey").is_some() {
        return Delivery::deserialize(value)
            .map(|delivery| Content::Objects(delivery.written()))
            .map_err(|_err| NotUnderstood::OtherForm);
    }
    match (text("Type"), text("Message")) {
        (Some("Notification"), Some(message)) => Ok(Content::Envelope(message.to_owned())),
        _ => Err(NotUnderstood::OtherForm),
    }
}

/// What S3 sends itself. Keys are encoded as in the query of a URL.
#[derive(Deserialize)]
struct S3Event {
    #[serde(rename = "Records")]
    records: Vec<S3Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Record {
    event_name: String,
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
    bucket: Named,
    object: Object,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// What `EventBridge` sends. Keys are as they are.
#[derive(Deserialize)]
struct EventBridge {
    detail: Place,
}

/// What CloudTrail sends through SNS after a delivery.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    s3_bucket: String,
    s3_object_key: Vec<String>,
}

impl S3Event {
    fn written(self) -> Vec<WrittenObject> {
        let records = self.records.into_iter();
        let written = records.filter(|record| {
            // With and without `s3:` in front: S3 itself leaves it out.
            record.event_name.trim_start_matches("s3:").starts_with("ObjectCreated:")
        });
        written
            .map(|S3Record { s3: Place { bucket, object }, .. }| {
                let decoded = form_urlencoded::parse(object.key.as_bytes()).next();
                let key = decoded.map_or_else(String::new, |(key, _)| key.into_owned());
                WrittenObject { bucket: bucket.name, key }
            })
            .collect()
    }
}

impl Place {
    fn written(self) -> WrittenObject {
        WrittenObject { bucket: self.bucket.name, key: self.object.key }
    }
}

impl Delivery {
    fn written(self) -> Vec<WrittenObject> {
        let Delivery { s3_bucket, s3_object_key } = self;
        let written = |key| WrittenObject { bucket: s3_bucket.clone(), key };
        s3_object_key.into_iter().map(written).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn s3(name: &str, key: &str) -> Value {
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
            "s3": { "bucket": { "name": "trail" }, "object": { "key": key, "size": 10 } },
        }] })
    }

    fn sns(message: &Value) -> Value {
        json!({ "Type": "Notification", "MessageId": "m", "Message": message.to_string() })
    }

    fn event_bridge(kind: &str, key: &str) -> Value {
        json!({
            "version": "0", "source": "aws.s3", "detail-type": kind,
            "detail": { "bucket": { "name": "trail" }, "object": { "key": key, "size": 10 } },
        })
    }

    fn keys(message: &Value) -> Result<Vec<String>, NotUnderstood> {
        let written = written_objects(&message.to_string())?;
        assert!(written.iter().all(|object| object.bucket == "trail"));
        Ok(written.into_iter().map(|object| object.key).collect())
    }

    #[test]
    fn every_form_of_notification_names_the_objects_that_were_written() {
        let delivery = json!({ "s3Bucket": "trail", "s3ObjectKey": ["a", "b"] });
        let cases = [
            (
                s3("ObjectCreated:Put", "AWSLogs/1/x+y%2Bz%C3%A4.json.gz"),
                vec!["AWSLogs/1/x y+zä.json.gz"],
            ),
            (s3("ObjectCreated:CompleteMultipartUpload", "a"), vec!["a"]),
            (s3("s3:ObjectCreated:Put", "a"), vec!["a"]),
            (sns(&s3("ObjectCreated:Put", "a")), vec!["a"]),
            (event_bridge("Object Created", "x+y%2B"), vec!["x+y%2B"]),
            (sns(&event_bridge("Object Created", "a")), vec!["a"]),
            (sns(&delivery), vec!["a", "b"]),
            (s3("ObjectRemoved:Delete", "a"), vec![]),
            (event_bridge("Object Deleted", "a"), vec![]),
            (json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }), vec![]),
            (sns(&json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" })), vec![]),
        ];
        for (message, expected) in cases {
            assert_eq!(keys(&message).unwrap(), expected, "{message}");
        }
    }

    #[test]
    fn what_is_no_notification_is_not_understood() {
        let deep = sns(&sns(&sns(&sns(&s3("ObjectCreated:Put", "a")))));
        for message in [
            json!({}),
            json!([]),
            json!("text"),
            json!({ "Records": [{ "eventName": "ObjectCreated:Put" }] }),
            json!({ "Records": 1 }),
            json!({ "source": "aws.s3", "detail-type": "Object Created" }),
            json!({ "s3ObjectKey": "a" }),
            deep,
        ] {
            assert_eq!(keys(&message), Err(NotUnderstood::OtherForm), "{message}");
        }
        assert_eq!(written_objects("not json"), Err(NotUnderstood::NotJson));
        let many = json!({ "s3Bucket": "trail", "s3ObjectKey": vec!["a"; OBJECTS_MAX + 1] });
        assert_eq!(keys(&many), Err(NotUnderstood::TooManyObjects));
    }
}
