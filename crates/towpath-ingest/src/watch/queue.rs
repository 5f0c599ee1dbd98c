//! [`SqsQueue`]: notifications from Amazon SQS, by its JSON protocol.
//!
//! The HTTP client, the chain of credentials and the signatures are `object_store`'s own, so that
//! the queue is reached just as the bucket is. SQS needs no more than two of its actions.

use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

use async_trait::async_trait;
use futures::TryStreamExt;
use object_store::{
    HeaderValue,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredentialProvider},
    client::{
        ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest,
        HttpResponse, ReqwestConnector,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
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
    region: String,
    credentials: AwsCredentialProvider,
    client: HttpClient,
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
        let options: HashMap<String, &String> =
            options.iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect();
        let is_true = |key: &str| {
            options.get(key).is_some_and(|text| text.eq_ignore_ascii_case("true") || *text == "1")
        };
        let allow_http = is_true("aws_allow_http") || is_true("allow_http");
        match parsed.scheme() {
            "https" => {}
            "http" if allow_http => {}
            "http" => return Err(invalid("it is plain HTTP; set `aws_allow_http` to `true`")),
            _ => return Err(invalid("it must begin with `https://`")),
        }
        if parsed.path().trim_matches('/').is_empty() {
            return Err(invalid("it must end with the account and the name of the queue"));
        }
        let region = region_of(&parsed)
            .or_else(|| {
                let named = options.get("aws_region").or_else(|| options.get("aws_default_region"));
                named.map(|region| (*region).clone())
            })
            .ok_or_else(|| invalid("it names no region; set `aws_region`"))?;
        let credentials = credentials(&options, &region)
            .map_err(|err| invalid(&format!("its options contradict: {err}")))?;
        let client = ClientOptions::new()
            .with_config(ClientConfigKey::AllowHttp, if allow_http { "true" } else { "false" });
        let client = ReqwestConnector::default()
            .connect(&client)
            .map_err(|err| invalid(&format!("no client can be made for it: {err}")))?;
        Ok(SqsQueue { url: parsed, region, credentials, client })
    }

    /// Sends one action and returns SQS's answer.
    async fn ask(&self, action: &'static str, body: &Value) -> Result<Value, QueueError> {
        let credential =
            self.credentials.get_credential().await.map_err(QueueError::Credentials)?;
        let mut request = HttpRequest::new(body.to_string().into());
        *request.method_mut() = "POST".parse().map_err(|_err| QueueError::Answer)?;
        let endpoint = self.url.origin().ascii_serialization() + "/";
        *request.uri_mut() = endpoint.parse().map_err(|_err| QueueError::Answer)?;
        let headers = request.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
        headers.insert("x-amz-target", HeaderValue::from_static(action));
        AwsAuthorizer::new(&credential, "sqs", &self.region).authorize(&mut request, None);
        let response = self.client.execute(request).await.map_err(QueueError::Unreachable)?;
        let status = response.status();
        let answer = read_answer(response).await?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        if status.is_success() {
            return answer.ok_or(QueueError::Answer);
        }
        let code = answer.as_ref().and_then(|answer| answer.get("__type")).and_then(Value::as_str);
        let code = code.and_then(|code| code.rsplit('#').next()).unwrap_or_default();
        Err(QueueError::Refused { status: status.as_u16(), code: code.to_owned() })
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

async fn read_answer(response: HttpResponse) -> Result<Vec<u8>, QueueError> {
    let mut parts = response.into_body().bytes_stream();
    let mut answer = Vec::new();
    while let Some(part) = parts.try_next().await.map_err(QueueError::Unreachable)? {
        if answer.len() + part.len() > ANSWER_BYTES_MAX {
            return Err(QueueError::Answer);
        }
        answer.extend_from_slice(&part);
    }
    Ok(answer)
}

/// The region in `sqs.eu-west-1.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let mut labels = url.host_str()?.split('.');
    let service = labels.next()?;
    let region = labels.next()?;
    let is_aws = labels.next() == Some("amazonaws");
    (service == "sqs" && is_aws).then(|| region.to_owned())
}

/// The chain of credentials that a bucket with these options would have.
fn credentials(
    options: &HashMap<String, &String>,
    region: &str,
) -> Result<AwsCredentialProvider, object_store::Error> {
    let builder = options.iter().fold(AmazonS3Builder::new(), |builder, (key, value)| {
        match AmazonS3ConfigKey::from_str(key) {
            Ok(key) => builder.with_config(key, (*value).clone()),
            Err(_) => builder,
        }
    });
    // Never asked for anything: the name only has to be one.
    let bucket = builder.with_bucket_name("queue").with_region(region).build()?;
    Ok(Arc::clone(bucket.credentials()))
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
        assert_eq!(queue.region, "eu-west-1");
        let local = "http://127.0.0.1:1/000000000000/trail";
        let options = [("AWS_REGION", "us-east-2"), ("AWS_ALLOW_HTTP", "true")];
        assert_eq!(open(local, &options).unwrap().region, "us-east-2");
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
