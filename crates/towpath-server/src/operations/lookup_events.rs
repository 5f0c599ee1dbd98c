//! `LookupEvents`: the event history, over all stores of CloudTrail events that the caller may see.

use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::arrow::array::RecordBatch;
use towpath::text::{is_null, push_text};
use towpath::{EventKind, Lake, QueryLimits, Scope, Store, StoreStatus};

use super::input::{EpochSeconds, epoch_seconds, read, without_nulls};
use super::page::{after, token};
use crate::api::Call;
use crate::wire::ApiError;

/// Events of a page, where the request does not say: AWS's most.
const PAGE_EVENTS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    lookup_attributes: Option<Vec<Attribute>>,
    start_time: Option<EpochSeconds>,
    end_time: Option<EpochSeconds>,
    event_category: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

/// Who did it: the user's name, else that of the session, which ends the principal's id.
const USERNAME: &str = "coalesce(userIdentity.userName, \
                        element_at(split(userIdentity.principalId, ':'), 2), \
                        userIdentity.sessionContext.sessionIssuer.userName, \
                        if(userIdentity.type = 'Root', 'root'))";

/// Events that have one attribute, newest first.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let (start, end) = (input.start_time.map(|time| time.0), input.end_time.map(|time| time.0));
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        let text = "StartTime must not be after EndTime";
        return Err(ApiError::user("InvalidTimeRangeException", text));
    }
    let attribute = match input.lookup_attributes.as_deref() {
        None | Some([]) => None,
        Some([attribute]) => Some(attribute),
        Some(_) => {
            let text = "You can only specify one lookup attribute";
            return Err(ApiError::user("InvalidLookupAttributesException", text));
        }
    };
    let parameters = format!("{attribute:?} {start:?} {end:?} {:?}", input.event_category);
    let last = after(input.next_token.as_deref(), &parameters)?;
    let page = input.max_results.unwrap_or(PAGE_EVENTS);
    let kind = match input.event_category {
        Some(_) => EventKind::Insight,
        None => EventKind::CloudTrail,
    };
    let scope = call.scope().await?;
    let stores = stores(call, scope.as_ref(), kind).await?;
    if stores.is_empty() {
        return Ok(json!({"Events": []}));
    }
    let mut condition = match kind {
        EventKind::Insight => "eventCategory = 'Insight'".to_owned(),
        _ => "eventCategory = 'Management'".to_owned(),
    };
    push_span(&mut condition, start, end);
    if let Some(attribute) = attribute {
        push_attribute(&mut condition, attribute, kind);
    }
    push_position(&mut condition, last.as_deref());
    let statement = statement(&stores, kind, &condition, page + 1);
    let lake = call.lake_within(scope.as_ref());
    let mut events = events(call, &lake, &statement).await?;
    let has_more = events.len() > page;
    events.truncate(page);
    let next = match events.last() {
        Some(last) if has_more => token(&parameters, &last.position),
        _ => None,
    };
    let events: Vec<Value> = events.into_iter().map(|event| event.answer).collect();
    Ok(without_nulls(json!({"Events": events, "NextToken": next})))
}

/// The stores that can hold such events.
async fn stores(
    call: &Call,
    scope: Option<&Scope>,
    kind: EventKind,
) -> Result<Vec<Store>, ApiError> {
    let mut stores = Vec::new();
    for store in call.api.lake.stores().await? {
        let is_active = matches!(store.status(), StoreStatus::Enabled);
        let may_see = scope.is_none_or(|scope| scope.of(store.id()).is_some());
        if is_active && may_see && store.intake()?.kind() == kind {
            stores.push(store);
        }
    }
    Ok(stores)
}

fn push_span(condition: &mut String, start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) {
    for (operator, time) in [(">=", start), ("<=", end)] {
        if let Some(time) = time {
            let text = time.format("%Y-%m-%d %H:%M:%S%.3f");
            condition.push_str(&format!(" AND eventTime {operator} timestamp '{text}'"));
        }
    }
}

fn push_attribute(condition: &mut String, attribute: &Attribute, kind: EventKind) {
    let value = literal(&attribute.attribute_value);
    let test = match attribute.attribute_key.as_str() {
        "EventName" if kind == EventKind::Insight => format!("insightEventName = {value}"),
        "EventSource" if kind == EventKind::Insight => format!("insightEventSource = {value}"),
        "EventId" if kind == EventKind::Insight => format!("eventID = {value}"),
        // Insights have neither a user nor resources.
        _ if kind == EventKind::Insight => "false".to_owned(),
        "EventId" => format!("eventID = {value}"),
        "EventName" => format!("eventName = {value}"),
        "EventSource" => format!("eventSource = {value}"),
        "ReadOnly" => format!("cast(readOnly AS varchar) = lower({value})"),
        "AccessKeyId" => format!("userIdentity.accessKeyId = {value}"),
        "Username" => format!("{USERNAME} = {value}"),
        "ResourceType" => format!("any_match(resources, r -> r.type = {value})"),
        // What AWS calls the name of a resource is its ARN, or what ends it.
        _ => format!(
            "any_match(resources, r -> r.arn = {value} OR r.arn LIKE '%:' || {value} OR \
             r.arn LIKE '%/' || {value})"
        ),
    };
    condition.push_str(" AND ");
    condition.push_str(&test);
}

/// After the last event of the page before: `<time>|<event id>`.
fn push_position(condition: &mut String, last: Option<&str>) {
    let Some((time, id)) = last.and_then(|last| last.split_once('|')) else { return };
    let (time, id) = (literal(time), literal(id));
    condition.push_str(&format!(
        " AND (eventTime < cast({time} AS timestamp(3)) OR \
         eventTime = cast({time} AS timestamp(3)) AND eventID < {id})"
    ));
}

/// `value` as a string of SQL.
fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// The newest events of each store, then the newest of all. An event that is in two stores is one.
fn statement(stores: &[Store], kind: EventKind, condition: &str, events_max: usize) -> String {
    let columns = match kind {
        EventKind::Insight => {
            "eventID, insightEventName AS eventName, cast(NULL AS boolean) AS readOnly, eventTime, \
             insightEventSource AS eventSource, cast(NULL AS varchar) AS accessKeyId, \
             cast(NULL AS varchar) AS username, cast(NULL AS varchar) AS resources, eventJson"
                .to_owned()
        }
        _ => format!(
            "eventID, eventName, readOnly, eventTime, eventSource, \
             userIdentity.accessKeyId AS accessKeyId, {USERNAME} AS username, \
             json_format(cast(resources AS json)) AS resources, eventJson"
        ),
    };
    let of_store = |store: &Store| {
        format!(
            "(SELECT {columns} FROM {} WHERE {condition} \
             ORDER BY eventTime DESC, eventID DESC LIMIT {events_max})",
            store.id()
        )
    };
    let all: Vec<String> = stores.iter().map(of_store).collect();
    format!(
        "SELECT * FROM ({}) ORDER BY eventTime DESC, eventID DESC LIMIT {events_max}",
        all.join(" UNION ")
    )
}

/// An event as answers have it, and its place in the order.
struct Found {
    answer: Value,
    position: String,
}

async fn events(call: &Call, lake: &Lake, statement: &str) -> Result<Vec<Found>, ApiError> {
    let limits = QueryLimits {
        run_secs_max: call.api.options.limits.request_secs_max,
        result_rows_max: None,
    };
    let mut rows = Box::pin(lake.query(statement, limits)).await?;
    let mut found = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        found.extend((0..batch.num_rows()).filter_map(|row| event(&batch, row)));
    }
    Ok(found)
}

fn event(batch: &RecordBatch, row: usize) -> Option<Found> {
    let schema = batch.schema();
    let text = |name: &str| {
        let (index, field) = schema.column_with_name(name)?;
        let column = batch.column(index);
        let mut text = String::new();
        push_text(&mut text, column, field, row);
        (!is_null(column, row)).then_some(text)
    };
    let time = text("eventTime")?;
    let id = text("eventID").unwrap_or_default();
    let event_time = chrono::NaiveDateTime::parse_from_str(&time, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let resources: Value =
        serde_json::from_str(&text("resources").unwrap_or_default()).unwrap_or_default();
    let resources: Vec<Value> =
        resources.as_array().into_iter().flatten().filter_map(resource).collect();
    let answer = without_nulls(json!({
        "EventId": id,
        "EventName": text("eventName"),
        "ReadOnly": text("readOnly"),
        "AccessKeyId": text("accessKeyId"),
        "EventTime": epoch_seconds(event_time.and_utc()),
        "EventSource": text("eventSource"),
        "Username": text("username"),
        "Resources": resources,
        "CloudTrailEvent": text("eventJson"),
    }));
    Some(Found { answer, position: format!("{time}|{id}") })
}

fn resource(resource: &Value) -> Option<Value> {
    let name = resource.get("arn").and_then(Value::as_str)?;
    let kind = resource.get("type").and_then(Value::as_str);
    Some(without_nulls(json!({"ResourceType": kind, "ResourceName": name})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_become_sql() {
        let mut condition = String::new();
        let attribute = Attribute {
            attribute_key: "EventName".to_owned(),
            attribute_value: "x' OR '1'='1".to_owned(),
        };
        push_attribute(&mut condition, &attribute, EventKind::CloudTrail);
        assert_eq!(condition, " AND eventName = 'x'' OR ''1''=''1'");
        let mut condition = String::new();
        push_position(&mut condition, Some("2024-01-01 00:00:00.000|a'b"));
        assert!(condition.ends_with("eventID < 'a''b')"), "{condition}");
    }
}
