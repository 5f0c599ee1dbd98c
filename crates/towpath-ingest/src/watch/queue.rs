//! [`SqsQueue`]: notifications from Amazon SQS, by its JSON protocol.
//!
//! It needs no more than two of its actions.

use std::{collections::HashMap, fmt};

use async_trait::async_trait;
use object_store::client::HttpError;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    aws::{AwsClient, AwsError, AwsRequest, check_scheme, in_lower_case},
    error::{Error, Result},
    watch::notification::{Message, NotificationQueue},
};

/// Messages in one request: the most that SQS gives out or deletes at once.
const MESSAGES_MAX: usize = 10;

/// Seconds that SQS waits for a message at most.
const WAIT_SECS_MAX: u64 = 20;

/// Seconds that a received message is hidden: longer than a commit of many log files takes. One
/// that comes back too soon is recognised, and deleted once its log file is in.
const HIDDEN_SECS: u64 = 300;

/// Bytes of one answer: ten messages of a mebibyte, SQS's limit, and as much again for escapes.
const ANSWER_BYTES_MAX: usize = 20 << 20;

/// Why a queue could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// No answer came.
    #[error("queue did not answer")]
    Unreachable(#[source] HttpError),

    /// There are no credentials to sign requests with.
    #[error("found no credentials for the queue")]
    Credentials(#[source] object_store::Error),

    /// The queue answered that it will not.
    #[error("queue answered {status} `{code}`")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// SQS's name for the error, empty if it gave none.
        code: String,
    },

    /// The answer is not one of SQS.
    #[error("queue answered with something that is not SQS")]
    Answer,
}

/// A queue of Amazon SQS.
pub struct SqsQueue {
    url: Url,
    client: AwsClient,
}

impl SqsQueue {
    /// The queue at `url`, which is what SQS calls the URL of a queue, such as
    /// `https://sqs.eu-west-1.amazonaws.com/123456789012/name`.
    ///
    /// `options` are those of the buckets, under `object_store`'s keys: credentials, the region if
    /// the URL does not name it, and `aws_allow_http`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQueue`] if the URL is no such URL.
    pub fn open(url: &str, options: &HashMap<String, String>) -> Result<SqsQueue> {
        let invalid =
            |reason: &str| Error::InvalidQueue { text: url.to_owned(), reason: reason.to_owned() };
        let parsed = Url::parse(url).map_err(|_err| invalid("it is not a URL"))?;
        let options = in_lower_case(options);
        let unusable = |err: AwsError| match err {
            AwsError::Options { reason } => invalid(&reason),
            other => invalid(&other.to_string()),
        };
        check_scheme(&parsed, &options).map_err(unusable)?;
        if parsed.path().trim_matches('/').is_empty() {
            return Err(invalid("it must end with the account and the name of the queue"));
        }
        let region = region_of(&parsed)
            .or_else(|| {
                let named = options.get("aws_region").or_else(|| options.get("aws_default_region"));
                named.map(|region| (*region).clone())
            })
            .ok_or_else(|| invalid("it names no region; set `aws_region`"))?;
        let client = AwsClient::open(parsed.clone(), "sqs", &region, &options);
        Ok(SqsQueue { url: parsed, client: client.map_err(unusable)? })
    }

    /// Sends one action and returns SQS's answer.
    async fn ask(&self, action: &'static str, body: &Value) -> Result<Value, QueueError> {
        let request = AwsRequest {
            target: action,
            content_type: "application/x-amz-json-1.0",
            body,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        Ok(self.client.ask(request).await?)
    }
}

impl From<AwsError> for QueueError {
    fn from(error: AwsError) -> QueueError {
        match error {
            AwsError::Unreachable(source) => QueueError::Unreachable(source),
            AwsError::Credentials(source) => QueueError::Credentials(source),
            AwsError::Refused { status, code } => QueueError::Refused { status, code },
            AwsError::Answer | AwsError::Options { .. } => QueueError::Answer,
        }
    }
}

impl fmt::Debug for SqsQueue {
    // Not derived: it holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsQueue").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

#[async_trait]
impl NotificationQueue for SqsQueue {
    async fn receive(&self, wait_secs: u64) -> Result<Vec<Message>, QueueError> {
        let body = json!({
            "QueueUrl": self.url.as_str(),
            "MaxNumberOfMessages": MESSAGES_MAX,
            "WaitTimeSeconds": wait_secs.min(WAIT_SECS_MAX),
            "VisibilityTimeout": HIDDEN_SECS,
            "AttributeNames": ["ApproximateReceiveCount"],
        });
        let answer = self.ask("AmazonSQS.ReceiveMessage", &body).await?;
        let Received { messages } =
            Received::deserialize(answer).map_err(|_err| QueueError::Answer)?;
        Ok(messages.unwrap_or_default().into_iter().map(Message::from).collect())
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), QueueError> {
        for some in messages.chunks(MESSAGES_MAX) {
            let entries: Vec<Value> = some
                .iter()
                .enumerate()
                .map(|(index, message)| {
                    json!({ "Id": index.to_string(), "ReceiptHandle": message.receipt })
                })
                .collect();
            let body = json!({ "QueueUrl": self.url.as_str(), "Entries": entries });
            self.ask("AmazonSQS.DeleteMessageBatch", &body).await?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Received {
    #[serde(rename = "Messages")]
    messages: Option<Vec<ReceivedMessage>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedMessage {
    message_id: String,
    receipt_handle: String,
    body: String,
    #[serde(default)]
    attributes: HashMap<String, String>,
}

impl From<ReceivedMessage> for Message {
    fn from(message: ReceivedMessage) -> Message {
        let receives = message.attributes.get("ApproximateReceiveCount");
        Message {
            id: message.message_id,
            receipt: message.receipt_handle,
            body: message.body,
            receives: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
        }
    }
}

/// The region in `sqs.eu-west-1.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let mut labels = url.host_str()?.split('.');
    let service = labels.next()?;
    let region = labels.next()?;
    let is_aws = labels.next() == Some("amazonaws");
    (service == "sqs" && is_aws).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str, options: &[(&str, &str)]) -> Result<SqsQueue> {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        SqsQueue::open(url, &options.collect())
    }

    #[test]
    fn the_region_comes_from_the_url_and_else_from_the_options() {
        let queue = open("https://sqs.eu-west-1.amazonaws.com/123456789012/trail", &[]).unwrap();
        assert_eq!(queue.client.region(), "eu-west-1");
        let local = "http://127.0.0.1:1/000000000000/trail";
        let options = [("AWS_REGION", "us-east-2"), ("AWS_ALLOW_HTTP", "true")];
        assert_eq!(open(local, &options).unwrap().client.region(), "us-east-2");
    }

    #[test]
    fn what_is_no_url_of_a_queue_is_refused() {
        let cases = [
            ("trail", "it is not a URL"),
            ("sqs://trail/x", "it must begin with `https://`"),
            ("http://127.0.0.1/1/x", "it is plain HTTP; set `aws_allow_http` to `true`"),
            (
                "https://sqs.eu-west-1.amazonaws.com/",
                "it must end with the account and the name of the queue",
            ),
            ("https://example.com/1/x", "it names no region; set `aws_region`"),
        ];
        for (url, expected) in cases {
            match open(url, &[]) {
                Err(Error::InvalidQueue { reason, .. }) => assert_eq!(reason, expected, "{url}"),
                other => panic!("{url}: {other:?}"),
            }
        }
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/trail";
        let options = [("aws_access_key_id", "id"), ("aws_secret_access_key", "canary")];
        assert!(!format!("{:?}", open(url, &options).unwrap()).contains("canary"));
    }
}
