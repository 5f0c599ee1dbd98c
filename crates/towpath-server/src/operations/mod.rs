//! The operations of the API, one per file, named as AWS names them.

mod alias;
mod cancel_query;
mod channel;
mod create_event_data_store;
mod dashboard;
mod dashboard_schedule;
mod delete_event_data_store;
mod describe_query;
mod event_configuration;
mod event_data_store;
mod event_selectors;
mod federation;
mod folder;
mod generate_query;
mod get_event_data_store;
mod get_query_results;
mod import;
mod import_run;
mod ingestion;
mod input;
mod insight_selectors;
mod list_event_data_stores;
mod list_public_keys;
mod list_queries;
mod lookup_events;
mod page;
mod put_audit_events;
mod query;
mod resource;
mod resource_policy;
mod restore_event_data_store;
mod search_sample_queries;
mod selectors;
mod start_query;
mod tags;
mod trail;
mod trail_delivery;
mod update_event_data_store;

pub(crate) use self::dashboard_schedule::refresh_due;
pub(crate) use self::import_run::resume_abandoned;
pub(crate) use self::resource_policy::policy_of;
pub(crate) use self::trail_delivery::deliver_trails;

use serde_json::{Map, Value};

use crate::api::Call;
use crate::wire::{ApiError, Operation};

/// Checks `input` against the model and calls `operation`. Every operation that this server has is
/// a line of this function.
pub(crate) async fn run(
    call: Call,
    operation: &'static Operation,
    input: Map<String, Value>,
) -> Result<Value, ApiError> {
    call.check_may_call()?;
    let input = start_query::valid_input(operation, input)?;
    call_operation(&call, operation.name, input).await
}

async fn call_operation(
    call: &Call,
    name: &str,
    input: Map<String, Value>,
) -> Result<Value, ApiError> {
    match name {
        "AddTags" => tags::add(call, input).await,
        "CancelQuery" => cancel_query::run(call, input).await,
        "CreateChannel" => channel::create(call, input).await,
        "CreateDashboard" => dashboard::create(call, input).await,
        "CreateEventDataStore" => create_event_data_store::run(call, input).await,
        "CreateTrail" => trail::create(call, input).await,
        "DeleteChannel" => channel::delete(call, input).await,
        "DeleteDashboard" => dashboard::delete(call, input).await,
        "DeleteEventDataStore" => delete_event_data_store::run(call, input).await,
        "DeleteResourcePolicy" => resource_policy::delete(call, input).await,
        "DeleteTrail" => trail::delete(call, input).await,
        "DescribeQuery" => describe_query::run(call, input).await,
        "DescribeTrails" => trail::describe(call, input).await,
        "DisableFederation" => federation::disable(call, input).await,
        "EnableFederation" => federation::enable(call, input).await,
        "GenerateQuery" => generate_query::run(call, input).await,
        "GetChannel" => channel::get(call, input).await,
        "GetDashboard" => dashboard::get(call, input).await,
        "GetEventConfiguration" => event_configuration::get(call, input).await,
        "GetEventDataStore" => get_event_data_store::run(call, input).await,
        "GetEventSelectors" => event_selectors::get(call, input).await,
        "GetImport" => import::get(call, input).await,
        "GetInsightSelectors" => insight_selectors::get(call, input).await,
        "GetQueryResults" => get_query_results::run(call, input).await,
        "GetResourcePolicy" => resource_policy::get(call, input).await,
        "GetTrail" => trail::get(call, input).await,
        "GetTrailStatus" => trail::status(call, input).await,
        "ListChannels" => channel::list(call, input).await,
        "ListDashboards" => dashboard::list(call, input).await,
        "ListEventDataStores" => list_event_data_stores::run(call, input).await,
        "ListImportFailures" => import::list_failures(call, input).await,
        "ListImports" => import::list(call, input).await,
        "ListPublicKeys" => list_public_keys::run(call, input).await,
        "ListQueries" => list_queries::run(call, input).await,
        "ListTags" => tags::list(call, input).await,
        "ListTrails" => trail::list(call, input).await,
        "LookupEvents" => lookup_events::run(call, input).await,
        "PutEventConfiguration" => event_configuration::put(call, input).await,
        "PutEventSelectors" => event_selectors::put(call, input).await,
        "PutInsightSelectors" => insight_selectors::put(call, input).await,
        "PutResourcePolicy" => resource_policy::put(call, input).await,
        "RemoveTags" => tags::remove(call, input).await,
        "RestoreEventDataStore" => restore_event_data_store::run(call, input).await,
        "StartDashboardRefresh" => dashboard::refresh(call, input).await,
        "StartEventDataStoreIngestion" => ingestion::start(call, input).await,
        "StartImport" => import::start(call, input).await,
        "StartLogging" => trail::start_logging(call, input).await,
        "StartQuery" => start_query::run(call, input).await,
        "StopEventDataStoreIngestion" => ingestion::stop(call, input).await,
        "StopImport" => import::stop(call, input).await,
        "StopLogging" => trail::stop_logging(call, input).await,
        "UpdateChannel" => channel::update(call, input).await,
        "UpdateDashboard" => dashboard::update(call, input).await,
        "UpdateEventDataStore" => update_event_data_store::run(call, input).await,
        "UpdateTrail" => trail::update(call, input).await,
        "SearchSampleQueries" => search_sample_queries::run(input),
        "RegisterOrganizationDelegatedAdmin" | "DeregisterOrganizationDelegatedAdmin" => {
            let text = "This server is not part of an organization.";
            Err(ApiError::user("OrganizationsNotInUseException", text))
        }
        name => {
            let text = format!("towpath does not offer {name}");
            Err(ApiError::user("UnsupportedOperationException", text))
        }
    }
}

/// Takes events of another source, sent to a channel. `query` is that of the request's URL.
pub(crate) async fn put_audit_events(
    call: Call,
    mut input: Map<String, Value>,
    query: &str,
) -> Result<Value, ApiError> {
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| {
            ApiError::user("SerializationException", format!("`{name}` is not UTF-8"))
        })?;
        if matches!(name, "channelArn" | "externalId") {
            input.insert(name.to_owned(), Value::String(value.into_owned()));
        }
    }
    put_audit_events::run(&call, input).await
}
