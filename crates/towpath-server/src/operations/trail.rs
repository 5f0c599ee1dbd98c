//! Trails: `CreateTrail`, `GetTrail`, `DescribeTrails`, `ListTrails`, `UpdateTrail`, `DeleteTrail`,
//! `StartLogging`, `StopLogging` and `GetTrailStatus`.
//!
//! A trail takes what is put into the lake: see [`super::trail_delivery`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::input::{epoch_seconds, read, without_nulls};
use super::page::page;
use super::tags::{Tag, check_tags, put_tags};
use super::trail_delivery::begin;
use crate::api::{Call, ResourceKind, id_of};
use crate::state::Kind;
use crate::wire::ApiError;

/// Trails of one Region: AWS's quota.
const TRAILS_MAX: usize = 5;

/// Characters of an S3 key prefix: AWS's limit.
const PREFIX_CHARS_MAX: usize = 200;

/// Trails of one page of `ListTrails`, which takes no number.
const PAGE_TRAILS: usize = 100;

/// What is kept of a trail.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TrailState {
    /// The members that requests give and answers repeat, under AWS's names.
    pub(super) settings: Map<String, Value>,
    pub(super) is_logging: bool,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) stopped_at: Option<DateTime<Utc>>,
    /// Of one kind only: those of the other are null.
    pub(super) event_selectors: Value,
    pub(super) advanced_event_selectors: Value,
    pub(super) insight_selectors: Value,
    pub(super) aggregation_configurations: Value,
    pub(super) log_files: Delivered,
    pub(super) digests: Delivered,
}

/// How delivering went.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Delivered {
    /// When something was last delivered.
    pub(super) delivered_at: Option<DateTime<Utc>>,
    /// When that was last tried.
    pub(super) attempted_at: Option<DateTime<Utc>>,
    /// What went wrong when it was last tried.
    pub(super) error: Option<String>,
}

impl TrailState {
    /// A setting that is true or false.
    pub(super) fn is(&self, name: &str) -> bool {
        self.settings.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A setting that is a text; empty if it is not set.
    pub(super) fn text(&self, name: &str) -> &str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Settings that a request may give, besides the name, with the names that answers give them.
const SETTINGS: [(&str, &str); 11] = [
    ("S3BucketName", "S3BucketName"),
    ("S3KeyPrefix", "S3KeyPrefix"),
    ("SnsTopicName", "SnsTopicName"),
    ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
    ("IsMultiRegionTrail", "IsMultiRegionTrail"),
    ("EnableLogFileValidation", "LogFileValidationEnabled"),
    ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
    ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
    ("KmsKeyId", "KmsKeyId"),
    ("IsOrganizationTrail", "IsOrganizationTrail"),
    ("RecursiveLogging", "RecursiveLogging"),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NameInput {
    name: String,
}

/// `CreateTrail`.
pub(super) async fn create(call: &Call, mut input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let tags = input.remove("TagsList").filter(|tags| !tags.is_null());
    let tags: Vec<Tag> = tags
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| ApiError::user("SerializationException", error.to_string()))?
        .unwrap_or_default();
    check_tags(&tags)?;
    let settings = settings_of(&input)?;
    check_may_deliver(call, &settings, &Map::new())?;
    let NameInput { name } = read(input)?;
    check_name(&name)?;
    let trails: Vec<(String, TrailState)> = call.api.state.all(Kind::Trail).await?;
    let exists =
        || ApiError::user("TrailAlreadyExistsException", format!("Trail {name} already exists"));
    if trails.iter().any(|(other, _)| *other == name) {
        return Err(exists());
    }
    if trails.len() >= TRAILS_MAX {
        let text = format!("User already has {TRAILS_MAX} trails, which is the maximum");
        return Err(ApiError::user("MaximumNumberOfTrailsExceededException", text));
    }
    let mut state = TrailState { settings: defaults(), ..TrailState::default() };
    state.settings.extend(settings);
    if !call.api.state.create(Kind::Trail, &name, &state).await? {
        return Err(exists());
    }
    put_tags(call, ResourceKind::Trail, &name, &tags).await?;
    Ok(settings_answer(call, &name, &state))
}

/// `UpdateTrail`.
pub(super) async fn update(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let settings = settings_of(&input)?;
    let NameInput { name } = read(input)?;
    let (name, state) = find_trail(call, &name).await?;
    check_may_deliver(call, &settings, &state.settings)?;
    let set = |state: &mut TrailState| {
        state.settings.extend(settings.clone());
        Ok(())
    };
    let state = call.api.state.change(Kind::Trail, &name, set).await?;
    Ok(settings_answer(call, &name, &state))
}

/// `DeleteTrail`.
pub(super) async fn delete(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let NameInput { name } = read(input)?;
    let (name, _) = find_trail(call, &name).await?;
    call.api.state.remove(Kind::Trail, &name).await?;
    call.api
        .state
        .remove(Kind::Resource, &format!("{}-{name}", ResourceKind::Trail.name()))
        .await?;
    Ok(json!({}))
}

/// `GetTrail`.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let NameInput { name } = read(input)?;
    let (name, state) = find_trail(call, &name).await?;
    Ok(json!({"Trail": description(call, &name, &state)}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeInput {
    trail_name_list: Option<Vec<String>>,
}

/// `DescribeTrails`. A name that no trail has is left out, as AWS does.
pub(super) async fn describe(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let DescribeInput { trail_name_list } = read(input)?;
    let named: Option<Vec<String>> = trail_name_list
        .filter(|names| !names.is_empty())
        .map(|names| names.iter().map(|name| trail_name(name)).collect())
        .transpose()?;
    let trails: Vec<(String, TrailState)> = call.api.state.all(Kind::Trail).await?;
    let is_asked = |name: &String| named.as_ref().is_none_or(|named| named.contains(name));
    let trails: Vec<Value> = trails
        .iter()
        .filter(|(name, _)| is_asked(name))
        .map(|(name, state)| description(call, name, state))
        .collect();
    Ok(json!({"trailList": trails}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    next_token: Option<String>,
}

/// `ListTrails`.
pub(super) async fn list(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let ListInput { next_token } = read(input)?;
    let trails: Vec<(String, TrailState)> = call.api.state.all(Kind::Trail).await?;
    let key = |trail: &(String, TrailState)| trail.0.clone();
    let (trails, next) = page(trails, key, "trails", next_token.as_deref(), Some(PAGE_TRAILS))?;
    let trails: Vec<Value> = trails
        .iter()
        .map(|(name, _)| {
            json!({
                "TrailARN": call.api.arn(ResourceKind::Trail, name),
                "Name": name,
                "HomeRegion": call.api.options.region,
            })
        })
        .collect();
    Ok(without_nulls(json!({"Trails": trails, "NextToken": next})))
}

/// `StartLogging`.
pub(super) async fn start_logging(
    call: &Call,
    input: Map<String, Value>,
) -> Result<Value, ApiError> {
    set_logging(call, input, true).await
}

/// `StopLogging`.
pub(super) async fn stop_logging(
    call: &Call,
    input: Map<String, Value>,
) -> Result<Value, ApiError> {
    set_logging(call, input, false).await
}

async fn set_logging(
    call: &Call,
    input: Map<String, Value>,
    is_logging: bool,
) -> Result<Value, ApiError> {
    let NameInput { name } = read(input)?;
    let (name, state) = find_trail(call, &name).await?;
    let now = call.api.now();
    if is_logging && !state.is_logging {
        begin(call, &name, &state).await?;
    }
    let set = |state: &mut TrailState| {
        state.is_logging = is_logging;
        *(if is_logging { &mut state.started_at } else { &mut state.stopped_at }) = Some(now);
        Ok(())
    };
    call.api.state.change(Kind::Trail, &name, set).await?;
    Ok(json!({}))
}

/// `GetTrailStatus`.
pub(super) async fn status(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let NameInput { name } = read(input)?;
    let (_, state) = find_trail(call, &name).await?;
    let text = |time: Option<DateTime<Utc>>| {
        time.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
    };
    Ok(without_nulls(json!({
        "IsLogging": state.is_logging,
        "StartLoggingTime": state.started_at.map(epoch_seconds),
        "StopLoggingTime": state.stopped_at.map(epoch_seconds),
        "TimeLoggingStarted": text(state.started_at),
        "TimeLoggingStopped": text(state.stopped_at),
        "LatestDeliveryTime": state.log_files.delivered_at.map(epoch_seconds),
        "LatestDeliveryError": state.log_files.error,
        "LatestDigestDeliveryTime": state.digests.delivered_at.map(epoch_seconds),
        "LatestDigestDeliveryError": state.digests.error,
        "LatestDeliveryAttemptTime": text(state.log_files.attempted_at),
        "LatestDeliveryAttemptSucceeded": text(state.log_files.delivered_at),
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
    })))
}

/// The trail of this name or ARN.
pub(super) async fn find_trail(
    call: &Call,
    name_or_arn: &str,
) -> Result<(String, TrailState), ApiError> {
    call.check_may_call_on_all()?;
    let name = trail_name(name_or_arn)?;
    match call.api.state.get(Kind::Trail, &name).await? {
        Some(state) => Ok((name, state)),
        None => Err(ApiError::user(
            "TrailNotFoundException",
            format!("Unknown trail: {}", call.api.arn(ResourceKind::Trail, &name)),
        )),
    }
}

fn trail_name(name_or_arn: &str) -> Result<String, ApiError> {
    if name_or_arn.starts_with("arn:") {
        let name = id_of(ResourceKind::Trail, name_or_arn).ok_or_else(|| {
            let text = format!("'{name_or_arn}' is not the ARN of a trail");
            ApiError::user("CloudTrailARNInvalidException", text)
        })?;
        check_name(name)?;
        return Ok(name.to_owned());
    }
    check_name(name_or_arn)?;
    Ok(name_or_arn.to_owned())
}

/// AWS's rules for the names of trails.
fn check_name(name: &str) -> Result<(), ApiError> {
    let bytes = name.as_bytes();
    let is_mark = |byte: &u8| matches!(byte, b'.' | b'_' | b'-');
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_good = (3..=128).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
        && is_edge(bytes.first())
        && is_edge(bytes.last())
        && !bytes.windows(2).any(|pair| pair.iter().all(is_mark))
        && name.parse::<std::net::Ipv4Addr>().is_err();
    if is_good {
        return Ok(());
    }
    Err(ApiError::user(
        "InvalidTrailNameException",
        "A trail name has 3 to 128 letters, digits, '.', '_' and '-', begins and ends with a letter \
         or digit, has no two of the others in a row, and is no IP address",
    ))
}

/// Checks that the caller may have the server write where `settings` say, which stand before those
/// that the trail has already.
fn check_may_deliver(
    call: &Call,
    settings: &Map<String, Value>,
    before: &Map<String, Value>,
) -> Result<(), ApiError> {
    let changes = ["S3BucketName", "S3KeyPrefix"].iter().any(|name| settings.contains_key(*name));
    let text = |name: &str| {
        let value = settings.get(name).or_else(|| before.get(name));
        value.and_then(Value::as_str).unwrap_or_default().trim_matches('/')
    };
    let (bucket, prefix) = (text("S3BucketName"), text("S3KeyPrefix"));
    let separator = if prefix.is_empty() { "" } else { "/" };
    let url = format!("s3://{bucket}/{prefix}{separator}AWSLogs/");
    if changes && !call.key.may_deliver_to(call.operation, &url) {
        return Err(call.denied());
    }
    Ok(())
}

/// The settings that a request gives, under the names of answers.
fn settings_of(input: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    if let Some(bucket) = input.get("S3BucketName").and_then(Value::as_str) {
        let is_bucket_byte = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        };
        let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_good = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(is_bucket_byte)
            && is_edge(bucket.bytes().next())
            && is_edge(bucket.bytes().last());
        if !is_good {
            let text = format!("'{bucket}' is not the name of a bucket");
            return Err(ApiError::user("InvalidS3BucketNameException", text));
        }
    }
    if let Some(prefix) = input.get("S3KeyPrefix").and_then(Value::as_str)
        && prefix.chars().count() > PREFIX_CHARS_MAX
    {
        let text = format!("S3KeyPrefix has more than {PREFIX_CHARS_MAX} characters");
        return Err(ApiError::user("InvalidS3PrefixException", text));
    }
    let given = SETTINGS.iter().filter_map(|(asked, answered)| {
        let value = input.get(*asked).filter(|value| !value.is_null())?;
        Some(((*answered).to_owned(), value.clone()))
    });
    let settings: Map<String, Value> = given.collect();
    let is = |name: &str, value: bool| settings.get(name) == Some(&Value::Bool(value));
    if is("IsMultiRegionTrail", true) && is("IncludeGlobalServiceEvents", false) {
        return Err(ApiError::user(
            "InvalidParameterCombinationException",
            "A multi-Region trail must include global service events.",
        ));
    }
    Ok(settings)
}

fn defaults() -> Map<String, Value> {
    let defaults = [
        ("IncludeGlobalServiceEvents", true),
        ("IsMultiRegionTrail", false),
        ("LogFileValidationEnabled", false),
        ("IsOrganizationTrail", false),
    ];
    defaults.into_iter().map(|(name, value)| (name.to_owned(), Value::Bool(value))).collect()
}

fn settings_answer(call: &Call, name: &str, state: &TrailState) -> Value {
    let mut answer = state.settings.clone();
    answer.insert("Name".to_owned(), name.into());
    answer.insert("TrailARN".to_owned(), call.api.arn(ResourceKind::Trail, name).into());
    Value::Object(answer)
}

fn description(call: &Call, name: &str, state: &TrailState) -> Value {
    let mut answer = settings_answer(call, name, state);
    let has = |value: &Value| value.as_array().is_some_and(|all| !all.is_empty());
    answer["HomeRegion"] = json!(call.api.options.region);
    answer["HasCustomEventSelectors"] =
        json!(has(&state.event_selectors) || has(&state.advanced_event_selectors));
    answer["HasInsightSelectors"] = json!(has(&state.insight_selectors));
    answer
}

#[cfg(test)]
mod tests {
    use super::{check_name, trail_name};

    #[test]
    fn names_of_trails_follow_the_rules_of_aws() {
        for name in ["abc", "my-trail_1.x", &"x".repeat(128)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["ab", "-abc", "abc-", "a..b", "a-_b", "1.2.3.4", "a b", &"x".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        let arn = "arn:aws:cloudtrail:us-east-1:123456789012:trail/abc";
        assert_eq!(trail_name(arn).unwrap(), "abc");
        let error = trail_name("arn:aws:s3:::trail/abc").unwrap_err();
        assert_eq!(error.code.name, "CloudTrailARNInvalidException");
    }
}
