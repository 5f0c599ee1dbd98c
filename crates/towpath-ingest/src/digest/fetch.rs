//! CloudTrail's public keys, asked for where CloudTrail gives them out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::DigestKeys;
use crate::{
    aws::{AwsClient, AwsError, AwsRequest, in_lower_case},
    error::{Error, Result},
};

/// Pages of keys that are asked for. A region has one new key in a month, and a page has many.
const PAGES_MAX: usize = 100;

/// Bytes of one answer. A key takes half a kilobyte.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// The option that says where CloudTrail is asked, as AWS's own clients call it.
const ENDPOINT: &str = "aws_endpoint_url_cloudtrail";

/// Asks CloudTrail in `region`, the home region of a trail, for the public keys that were valid at
/// some time of a span.
///
/// `options` are those of buckets: credentials, `aws_allow_http`, and `aws_endpoint_url_cloudtrail`
/// for another place than AWS's own.
///
/// # Errors
///
/// [`Error::PublicKeys`], and [`Error::InvalidPublicKeys`] if there are none.
pub async fn fetch_public_keys(
    region: &str,
    options: &HashMap<String, String>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<DigestKeys> {
    let failed = |source| Error::PublicKeys { region: region.to_owned(), source };
    let options = in_lower_case(options);
    let url = match options.get(ENDPOINT) {
        Some(url) => (*url).clone(),
        None if region.starts_with("cn-") => {
            format!("https://cloudtrail.{region}.amazonaws.com.cn")
        }
        None => format!("https://cloudtrail.{region}.amazonaws.com"),
    };
    let url = Url::parse(&url)
        .map_err(|err| failed(AwsError::Options { reason: format!("`{url}`: {err}") }))?;
    let client = AwsClient::open(url, "cloudtrail", region, &options).map_err(failed)?;
    let mut keys = DigestKeys::default();
    let mut body = json!({ "StartTime": from.timestamp(), "EndTime": to.timestamp() });
    for _ in 0..PAGES_MAX {
        let request = AwsRequest {
            target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.ListPublicKeys",
            content_type: "application/x-amz-json-1.1",
            body: &body,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = client.ask(request).await.map_err(failed)?;
        keys.extend(DigestKeys::from_json(&answer.to_string())?);
        match answer.get("NextToken") {
            Some(Value::String(token)) => body["NextToken"] = token.as_str().into(),
            _ => break,
        }
    }
    Ok(keys)
}
