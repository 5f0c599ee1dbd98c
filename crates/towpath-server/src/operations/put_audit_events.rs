//! `PutAuditEvents` of `cloudtrail-data`: events of other sources, through a channel.

use std::collections::HashSet;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{IngestOptions, StoreStatus};
use uuid::Uuid;

use super::channel::ChannelState;
use super::input::read;
use super::resource::{Resource, ResourceState};
use crate::api::{Call, ResourceKind, chain, id_of};
use crate::policy::Verdict;
use crate::state::Kind;
use crate::wire::{ApiError, PUT_AUDIT_EVENTS, validate_members};

/// Members of an event that must be there, with their longest value in characters.
const REQUIRED: [(&str, usize); 5] = [
    ("version", 256),
    ("eventSource", 1_024),
    ("eventName", 1_024),
    ("UID", 1_024),
    ("recipientAccountId", 16),
];

/// Members that may be there, with their longest value in characters.
const OPTIONAL: [(&str, usize); 3] =
    [("userAgent", 1_024), ("errorCode", 256), ("errorMessage", 256)];

/// Members of any shape, with their longest text in bytes.
const NESTED: [(&str, usize); 3] = [
    ("requestParameters", 100 * 1024),
    ("responseElements", 100 * 1024),
    ("additionalEventData", 28 * 1024),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    audit_events: Vec<Entry>,
    channel_arn: String,
    external_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    event_data: String,
    event_data_checksum: Option<String>,
}

/// What is wrong with one entry: the code and the text of its result.
type Refusal = (&'static str, String);

/// Takes the entries that are good and says of each of the others what is wrong.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    validate_members(PUT_AUDIT_EVENTS, &input)?;
    let input: Input = read(input)?;
    let (id, channel) = find(call, &input.channel_arn).await?;
    check_external_id(call, &id, input.external_id.as_deref()).await?;
    let mut ids = HashSet::new();
    if let Some(twice) = input.audit_events.iter().find(|entry| !ids.insert(&entry.id)) {
        let text = format!("The id '{}' stands twice in the request", twice.id);
        return Err(ApiError::user("DuplicatedAuditEventId", text));
    }
    let arn = call.api.arn(ResourceKind::Channel, &id);
    let now = call.api.now();
    let (mut successful, mut failed, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &input.audit_events {
        match event(call, entry, &arn, now) {
            Ok(event) => {
                successful.push(json!({"id": entry.id, "eventID": event["eventID"]}));
                events.push(event);
            }
            Err((code, text)) => {
                failed.push(json!({"id": entry.id, "errorCode": code, "errorMessage": text}));
            }
        }
    }
    if !events.is_empty() {
        store(call, &channel, &events).await?;
    }
    note(call, &id, &successful, &failed, now).await?;
    Ok(json!({"successful": successful, "failed": failed}))
}

async fn find(call: &Call, arn_or_id: &str) -> Result<(String, ChannelState), ApiError> {
    let id = id_of(ResourceKind::Channel, arn_or_id).ok_or_else(|| {
        ApiError::user("InvalidChannelARN", "The channel must be named by its ARN or ID")
    })?;
    match call.verdict(ResourceKind::Channel, id).await? {
        Verdict::Allowed => {}
        Verdict::Silent => call.check_may_call_on_all()?,
        Verdict::Denied => return Err(call.denied()),
    }
    match call.api.state.get(Kind::Channel, id).await? {
        Some(channel) => Ok((id.to_owned(), channel)),
        None => Err(ApiError::user("ChannelNotFound", "The channel could not be found.")),
    }
}

/// Where the channel's policy names external ids, the request must name one of them.
async fn check_external_id(
    call: &Call,
    channel: &str,
    external_id: Option<&str>,
) -> Result<(), ApiError> {
    let resource = Resource { kind: ResourceKind::Channel, id: channel.to_owned() };
    let state: ResourceState =
        call.api.state.get_or_default(Kind::Resource, &resource.document()).await?;
    let Some(policy) = state.policy else { return Ok(()) };
    let expected = external_ids(&policy);
    if expected.is_empty() || external_id.is_some_and(|id| expected.iter().any(|it| it == id)) {
        return Ok(());
    }
    let text = "The external id is not one that the policy of the channel names";
    Err(ApiError::user("ChannelInsufficientPermission", text))
}

/// The values of `cloudtrail:ExternalId` in the conditions of a policy.
fn external_ids(policy: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    };
    let mut ids = Vec::new();
    for condition in statements.iter().filter_map(|statement| statement["Condition"].as_object()) {
        let tests = condition.values().filter_map(Value::as_object).flatten();
        for (_, value) in tests.filter(|(name, _)| name.eq_ignore_ascii_case(EXTERNAL_ID)) {
            match value {
                Value::Array(values) => {
                    ids.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                Value::String(value) => ids.push(value.clone()),
                _ => {}
            }
        }
    }
    ids
}

const EXTERNAL_ID: &str = "cloudtrail:ExternalId";

/// The event that an entry becomes.
fn event(call: &Call, entry: &Entry, channel: &str, now: DateTime<Utc>) -> Result<Value, Refusal> {
    if let Some(checksum) = &entry.event_data_checksum {
        let expected = STANDARD.encode(digest(&SHA256, entry.event_data.as_bytes()).as_ref());
        if verify_slices_are_equal(expected.as_bytes(), checksum.as_bytes()).is_err() {
            let text = "eventDataChecksum is not the base64 of the SHA-256 of eventData";
            return Err(("InvalidChecksum", text.to_owned()));
        }
    }
    let account = &call.api.options.account_id;
    let (data, time) = event_data(&entry.event_data, account)?;
    let rfc3339 = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(json!({
        "eventVersion": "1.0",
        "eventCategory": "ActivityAuditLog",
        "eventType": "ActivityLog",
        "eventID": Uuid::new_v4().to_string(),
        "eventTime": rfc3339(time),
        "awsRegion": call.api.options.region,
        "recipientAccountId": account,
        "metadata": {"ingestionTime": rfc3339(now), "channelARN": channel},
        "eventData": data,
    }))
}

/// Checks what a source sends, and returns it with its time.
fn event_data(text: &str, account: &str) -> Result<(Value, DateTime<Utc>), Refusal> {
    let data: Value = serde_json::from_str(text)
        .map_err(|_| ("InvalidData", "eventData is not JSON".to_owned()))?;
    let Value::Object(members) = &data else {
        return Err(("InvalidData", "eventData is not a JSON object".to_owned()));
    };
    for (name, max) in REQUIRED {
        check_text(members, name, max, true)?;
    }
    for (name, max) in OPTIONAL {
        check_text(members, name, max, false)?;
    }
    for (name, max) in NESTED {
        let length = members.get(name).map_or(0, |value| value.to_string().len());
        if length > max {
            return Err(("FieldTooLong", format!("{name} is longer than {max} bytes")));
        }
    }
    let identity = members.get("userIdentity").and_then(Value::as_object);
    let identity = identity.ok_or_else(|| not_found("userIdentity"))?;
    check_text(identity, "type", 128, true)?;
    check_text(identity, "principalId", 1_024, true)?;
    let time = members.get("eventTime").and_then(Value::as_str);
    let time = time.ok_or_else(|| not_found("eventTime"))?;
    let time = NaiveDateTime::parse_from_str(time.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S")
        .map_err(|_| ("InvalidData", "eventTime is not as yyyy-MM-ddTHH:mm:ss".to_owned()))?;
    if members.get("recipientAccountId").and_then(Value::as_str) != Some(account) {
        let text = format!("recipientAccountId is not {account}, the owner of the channel");
        return Err(("InvalidRecipient", text));
    }
    Ok((data, time.and_utc()))
}

fn check_text(
    members: &Map<String, Value>,
    name: &str,
    max: usize,
    is_required: bool,
) -> Result<(), Refusal> {
    match members.get(name).filter(|value| !value.is_null()) {
        None if is_required => Err(not_found(name)),
        None => Ok(()),
        Some(Value::String(text)) if text.chars().count() > max => {
            Err(("FieldTooLong", format!("{name} is longer than {max} characters")))
        }
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(("InvalidData", format!("{name} is not a string"))),
    }
}

fn not_found(name: &str) -> Refusal {
    ("FieldNotFound", format!("{name} is missing"))
}

/// Puts the events into the stores that the channel leads to.
async fn store(call: &Call, channel: &ChannelState, events: &[Value]) -> Result<(), ApiError> {
    let failed = |error: std::io::Error| ApiError::failure(chain(&error));
    let folder = tempfile::tempdir().map_err(failed)?;
    let path = folder.path().join(format!("{}.json", Uuid::new_v4()));
    std::fs::write(&path, json!({"Records": events}).to_string()).map_err(failed)?;
    let path = path.to_str().ok_or_else(|| ApiError::failure("the path is not Unicode"))?;
    for id in &channel.stores {
        let store = call.api.lake.store(&id.to_string()).await?;
        if !matches!(store.status(), StoreStatus::Enabled) {
            continue;
        }
        let report = Box::pin(store.ingest(&[path], &IngestOptions::default(), &|_| ())).await?;
        if report.events.stored != events.len() as u64 {
            let rejected = report.rejected.first().map(|rejected| rejected.message.clone());
            let text = rejected.unwrap_or_else(|| format!("{:?}", report.events));
            return Err(ApiError::failure(format!("events of a channel: {text}")));
        }
    }
    Ok(())
}

/// Notes on the channel how it went.
async fn note(
    call: &Call,
    channel: &str,
    successful: &[Value],
    failed: &[Value],
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let note = |state: &mut ChannelState| {
        state.attempted_at = Some(now);
        state.error_code = text(failed.last().map(|failed| &failed["errorCode"]));
        if let Some(last) = successful.last() {
            state.succeeded_at = Some(now);
            state.succeeded_id = text(Some(&last["eventID"]));
            state.attempted_id.clone_from(&state.succeeded_id);
        }
        Ok(())
    };
    call.api.state.change(Kind::Channel, channel, note).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Value {
        json!({
            "version": "1", "userIdentity": {"type": "user", "principalId": "jane"},
            "eventSource": "app", "eventName": "SignIn", "eventTime": "2026-01-02T03:04:05Z",
            "UID": "1", "recipientAccountId": "123456789012",
        })
    }

    #[test]
    fn an_entry_is_refused_by_the_code_of_what_is_wrong() {
        let account = "123456789012";
        assert!(event_data(&good().to_string(), account).is_ok());
        let with = |name: &str, value: Value| {
            let mut data = good();
            data[name] = value;
            data.to_string()
        };
        for (text, code) in [
            ("{".to_owned(), "InvalidData"),
            ("[]".to_owned(), "InvalidData"),
            (with("eventName", Value::Null), "FieldNotFound"),
            (with("userIdentity", json!({"type": "user"})), "FieldNotFound"),
            (with("version", json!("x".repeat(257))), "FieldTooLong"),
            (with("requestParameters", json!({"a": "x".repeat(102_400)})), "FieldTooLong"),
            (with("eventTime", json!("yesterday")), "InvalidData"),
            (with("recipientAccountId", json!("210987654321")), "InvalidRecipient"),
            (with("errorCode", json!(5)), "InvalidData"),
        ] {
            assert_eq!(event_data(&text, account).unwrap_err().0, code, "{text:.80}");
        }
    }

    #[test]
    fn external_ids_are_those_of_the_policy() {
        let policy = r#"{"Statement":[{"Condition":{"StringEquals":
            {"cloudtrail:ExternalId":["a","b"]}}},{"Condition":{"StringEquals":{"x":"c"}}}]}"#;
        assert_eq!(external_ids(policy), ["a", "b"]);
        assert!(external_ids("{}").is_empty());
    }
}
