//! What the audit trail of the lake is told of requests: who asked for what, and how it ended.
//!
//! Recorded is every request that changes something or reads events, and every one that is denied,
//! under the name of its access key. What only lists or describes is not, nor a further page of a
//! result, nor a request whose signature is not right: anybody could fill the lake with those.

use std::net::SocketAddr;

use hyper::header::{HeaderMap, USER_AGENT};
use serde_json::{Map, Value, json};
use towpath::{AuditEvent, AuditOutcome, Lake, Principal};
use uuid::Uuid;

use crate::access::AccessKey;
use crate::api::{Api, ResourceKind, id_of};
use crate::options::ServerOptions;
use crate::wire::ApiError;

/// Operations that change nothing and give events away.
const READING: [&str; 2] = ["GetQueryResults", "LookupEvents"];

/// Operations that change nothing that is kept, although they begin something.
const STARTING: [&str; 1] = ["StartQuery"];

/// Levels of a request that are renamed. AWS's own are a handful deep; what is deeper stays.
const DEPTH_MAX: usize = 16;

/// A request, to be recorded.
#[derive(Debug)]
pub(crate) struct Audited {
    lake: Lake,
    operation: &'static str,
    event: AuditEvent,
    is_later_page: bool,
}

impl Audited {
    /// The request of `operation` with `input`, by the holder of `key` at `peer`.
    pub(crate) fn new(
        (lake, options): (&Lake, &ServerOptions),
        (key, peer, headers): (&AccessKey, SocketAddr, &HeaderMap),
        (operation, is_read_only): (&'static str, bool),
        input: &Map<String, Value>,
    ) -> Audited {
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let principal = Principal::access_key(&key.principal, &key.access_key_id)
            .at(&peer.ip().to_string())
            .with_user_agent(agent.unwrap_or("unknown"))
            .in_account(&options.account_id, &options.region);
        let event = AuditEvent::new(operation).with_request(request(operation, input));
        let event = match is_read_only || STARTING.contains(&operation) {
            true => event.read_only(),
            false => event,
        };
        let event = stores(input).into_iter().fold(event, AuditEvent::about);
        let is_later_page = input.get("NextToken").is_some_and(Value::is_string);
        Audited { lake: lake.acting_as(principal), operation, event, is_later_page }
    }

    /// The refresh of a dashboard by its schedule, on behalf of the holder of `key`.
    pub(crate) fn scheduled_refresh(api: &Api, key: &AccessKey, dashboard: &str) -> Audited {
        let operation = "StartDashboardRefresh";
        let ServerOptions { account_id, region, .. } = &api.options;
        let principal = Principal::access_key(&key.principal, &key.access_key_id);
        let event = AuditEvent::new(operation)
            .with_request(json!({"dashboardId": dashboard}))
            .with_additional(json!({"isScheduled": true}));
        let lake = api.own_lake.acting_as(principal.in_account(account_id, region));
        Audited { lake, operation, event, is_later_page: false }
    }

    /// Does `work`, which changes something, and records it before and after.
    pub(crate) async fn change(
        self,
        work: impl Future<Output = Result<Value, ApiError>>,
    ) -> Result<Value, ApiError> {
        let begun = self.lake.begin_change(self.event).await?;
        let result = work.await;
        begun.end(&outcome(&result)).await;
        result
    }

    /// Does `work`, which changes nothing, and records it if it gives events or is denied.
    pub(crate) async fn read(
        self,
        work: impl Future<Output = Result<Value, ApiError>>,
    ) -> Result<Value, ApiError> {
        let result = work.await;
        let is_denied =
            result.as_ref().is_err_and(|error| error.code.name == "AccessDeniedException");
        let gives_events = READING.contains(&self.operation) && !self.is_later_page;
        if is_denied || gives_events {
            // What was read is not told.
            let outcome = outcome(&result).map(|_| Value::Null);
            self.lake.record(self.event, &outcome).await?;
        }
        result
    }
}

fn outcome(result: &Result<Value, ApiError>) -> AuditOutcome {
    match result {
        Ok(answer) => Ok(renamed(answer, DEPTH_MAX)),
        Err(error) => Err((error.code.name.to_string(), error.message.clone())),
    }
}

/// The parameters of a request, named as events name them.
fn request(operation: &str, input: &Map<String, Value>) -> Value {
    let input = Value::Object(input.clone());
    if operation != "PutAuditEvents" {
        return renamed(&input, DEPTH_MAX);
    }
    // Events of others are what they send; here it counts who sent them.
    let events = input["auditEvents"].as_array().map_or(0, Vec::len);
    json!({"channelArn": input["channelArn"], "auditEvents": events})
}

/// `value` with the names of its members in lower camel case, as CloudTrail writes them.
fn renamed(value: &Value, depth: usize) -> Value {
    match value {
        Value::Array(values) if depth > 0 => {
            Value::Array(values.iter().map(|value| renamed(value, depth - 1)).collect())
        }
        Value::Object(members) if depth > 0 => {
            let members = members.iter();
            Value::Object(
                members.map(|(name, value)| (lower(name), renamed(value, depth - 1))).collect(),
            )
        }
        other => other.clone(),
    }
}

fn lower(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// The stores that a request names as its own parameters.
fn stores(input: &Map<String, Value>) -> Vec<Uuid> {
    let one = ["EventDataStore", "ResourceId", "ResourceArn"].into_iter();
    let one = one.filter_map(|name| input.get(name)?.as_str());
    let several = ["EventDataStores", "Destinations"].into_iter();
    let several = several.filter_map(|name| input.get(name)?.as_array()).flatten();
    let names = one.chain(several.filter_map(Value::as_str));
    let ids = names.filter_map(|name| id_of(ResourceKind::EventDataStore, name));
    ids.filter_map(|id| Uuid::try_parse(id).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_as_in_events() {
        let input = json!({"QueryStatement": "SELECT 1", "Tags": [{"Key": "a"}]});
        let input = input.as_object().unwrap();
        let expected = json!({"queryStatement": "SELECT 1", "tags": [{"key": "a"}]});
        assert_eq!(request("StartQuery", input), expected);
    }

    #[test]
    fn events_of_others_are_counted_and_not_told() {
        let input = json!({"channelArn": "c", "auditEvents": [{"eventData": "private"}]});
        let input = input.as_object().unwrap();
        assert_eq!(request("PutAuditEvents", input), json!({"channelArn": "c", "auditEvents": 1}));
    }

    #[test]
    fn stores_are_found_by_id_and_arn() {
        let id = Uuid::from_u128(7);
        let arn = format!("arn:aws:cloudtrail:eu-west-1:123456789012:eventdatastore/{id}");
        let input = json!({"EventDataStore": arn, "Destinations": [id.to_string(), "x"]});
        let input = input.as_object().unwrap();
        assert_eq!(stores(input), [id, id]);
    }
}
