//! [`AwsClient`]: a service of AWS, by its JSON protocol.
//!
//! The HTTP client, the chain of credentials and the signatures are `object_store`'s own, so that
//! the service is reached just as a bucket is.

use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

use futures::TryStreamExt;
use object_store::{
    HeaderValue,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredentialProvider},
    client::{
        ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest,
        HttpResponse, ReqwestConnector,
    },
};
use serde_json::Value;
use url::Url;

/// Why a service of AWS could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// No answer came.
    #[error("the service did not answer")]
    Unreachable(#[source] HttpError),

    /// There are no credentials to sign requests with.
    #[error("found no credentials for the service")]
    Credentials(#[source] object_store::Error),

    /// The service answered that it will not.
    #[error("the service answered {status} `{code}`")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The service's name for the error, empty if it gave none.
        code: String,
    },

    /// The answer is not one of the service.
    #[error("the service answered with something that is not its protocol")]
    Answer,

    /// The service cannot be asked with these options.
    #[error("the service cannot be asked: {reason}")]
    Options {
        /// What is wrong with them.
        reason: String,
    },
}

/// A service of AWS at one place.
pub(crate) struct AwsClient {
    url: Url,
    /// The name that requests are signed for.
    service: &'static str,
    region: String,
    credentials: AwsCredentialProvider,
    client: HttpClient,
}

/// One request to a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AwsRequest<'a> {
    /// The value of `X-Amz-Target`.
    pub(crate) target: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: &'a Value,
    /// Bytes that the answer may have.
    pub(crate) answer_bytes_max: usize,
}

impl AwsClient {
    /// The `service` at `url`. `options` are those of buckets, under `object_store`'s keys, in lower
    /// case.
    ///
    /// # Errors
    ///
    /// [`AwsError::Options`].
    pub(crate) fn open(
        url: Url,
        service: &'static str,
        region: &str,
        options: &HashMap<String, &String>,
    ) -> Result<AwsClient, AwsError> {
        check_scheme(&url, options)?;
        let credentials = credentials(options, region)
            .map_err(|err| wrong(&format!("its options contradict: {err}")))?;
        let allow_http = if allows_http(options) { "true" } else { "false" };
        let client = ClientOptions::new().with_config(ClientConfigKey::AllowHttp, allow_http);
        let client = ReqwestConnector::default()
            .connect(&client)
            .map_err(|err| wrong(&format!("no client can be made for it: {err}")))?;
        Ok(AwsClient { url, service, region: region.to_owned(), credentials, client })
    }

    /// Sends one request and returns the answer.
    ///
    /// # Errors
    ///
    /// Every variant but [`AwsError::Options`].
    pub(crate) async fn ask(&self, asked: AwsRequest<'_>) -> Result<Value, AwsError> {
        let credential = self.credentials.get_credential().await.map_err(AwsError::Credentials)?;
        let mut request = HttpRequest::new(asked.body.to_string().into());
        *request.method_mut() = "POST".parse().map_err(|_err| AwsError::Answer)?;
        let endpoint = self.url.origin().ascii_serialization() + "/";
        *request.uri_mut() = endpoint.parse().map_err(|_err| AwsError::Answer)?;
        let headers = request.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(asked.content_type));
        headers.insert("x-amz-target", HeaderValue::from_static(asked.target));
        AwsAuthorizer::new(&credential, self.service, &self.region).authorize(&mut request, None);
        let response = self.client.execute(request).await.map_err(AwsError::Unreachable)?;
        let status = response.status();
        let answer = read_answer(response, asked.answer_bytes_max).await?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        if status.is_success() {
            return answer.ok_or(AwsError::Answer);
        }
        let code = answer.as_ref().and_then(|answer| answer.get("__type")).and_then(Value::as_str);
        let code = code.and_then(|code| code.rsplit('#').next()).unwrap_or_default();
        Err(AwsError::Refused { status: status.as_u16(), code: code.to_owned() })
    }

    /// The region that requests are signed for.
    #[cfg(test)]
    pub(crate) fn region(&self) -> &str {
        &self.region
    }
}

impl fmt::Debug for AwsClient {
    // Not derived: it holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsClient").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// `options` with their keys in lower case, as they count.
pub(crate) fn in_lower_case(options: &HashMap<String, String>) -> HashMap<String, &String> {
    options.iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}

/// Refuses a URL that requests must not go to.
///
/// # Errors
///
/// [`AwsError::Options`].
pub(crate) fn check_scheme(url: &Url, options: &HashMap<String, &String>) -> Result<(), AwsError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if allows_http(options) => Ok(()),
        "http" => Err(wrong("it is plain HTTP; set `aws_allow_http` to `true`")),
        _ => Err(wrong("it must begin with `https://`")),
    }
}

fn allows_http(options: &HashMap<String, &String>) -> bool {
    let is_true = |key: &str| {
        options.get(key).is_some_and(|text| text.eq_ignore_ascii_case("true") || *text == "1")
    };
    is_true("aws_allow_http") || is_true("allow_http")
}

fn wrong(reason: &str) -> AwsError {
    AwsError::Options { reason: reason.to_owned() }
}

async fn read_answer(response: HttpResponse, bytes_max: usize) -> Result<Vec<u8>, AwsError> {
    let mut parts = response.into_body().bytes_stream();
    let mut answer = Vec::new();
    while let Some(part) = parts.try_next().await.map_err(AwsError::Unreachable)? {
        if answer.len() + part.len() > bytes_max {
            return Err(AwsError::Answer);
        }
        answer.extend_from_slice(&part);
    }
    Ok(answer)
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
    let bucket = builder.with_bucket_name("service").with_region(region).build()?;
    Ok(Arc::clone(bucket.credentials()))
}
