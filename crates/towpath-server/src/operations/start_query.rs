//! `StartQuery`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{Delivery, ErrorKind, NewQuery};

use super::alias::{QueryAlias, remember_run};
use super::folder::{SCHEME, allowed_folder};
use super::input::{read, without_nulls};
use crate::api::Call;
use crate::state::Kind;
use crate::wire::{ApiError, Operation, validate};

/// Where the result of a query is to be delivered to.
const DELIVERY: &str = "DeliveryS3Uri";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    query_statement: Option<String>,
    delivery_s3_uri: Option<String>,
    query_alias: Option<String>,
    query_parameters: Option<Vec<String>>,
    event_data_store_owner_account_id: Option<String>,
}

/// Checks `input` against the model, in which only `StartQuery` has an exception of ours: a result
/// may be delivered to a folder.
pub(super) fn valid_input(
    operation: &Operation,
    mut input: Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    let folder = match input.get(DELIVERY) {
        Some(Value::String(uri)) if operation.name == "StartQuery" && uri.starts_with(SCHEME) => {
            input.remove(DELIVERY)
        }
        _ => None,
    };
    validate(operation, &input)?;
    if let Some(folder) = folder {
        input.insert(DELIVERY.to_owned(), folder);
    }
    Ok(input)
}

/// Plans a statement and has it run; answers at once.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let parameters = input.query_parameters.as_deref().unwrap_or_default();
    let statement = match (&input.query_statement, &input.query_alias) {
        (Some(statement), None) if parameters.is_empty() => statement.clone(),
        (Some(_), None) => {
            return Err(ApiError::invalid_parameter("QueryParameters need a QueryAlias"));
        }
        (None, Some(alias)) => statement_of(call, alias, parameters).await?,
        _ => {
            return Err(ApiError::invalid_parameter(
                "Exactly one of QueryStatement and QueryAlias must be given",
            ));
        }
    };
    let delivery = input.delivery_s3_uri.map(|uri| delivery(call, uri)).transpose()?;
    let id = start(call, statement, delivery).await?;
    if let Some(alias) = &input.query_alias {
        remember_run(call, alias, &id, None).await?;
    }
    Ok(without_nulls(json!({
        "QueryId": id,
        "EventDataStoreOwnerAccountId": input.event_data_store_owner_account_id,
    })))
}

/// Where a result is to go, if the caller may have it delivered there.
fn delivery(call: &Call, uri: String) -> Result<Delivery, ApiError> {
    if !call.key.may_deliver_to(call.operation, &uri) {
        return Err(call.denied());
    }
    let url = if uri.starts_with(SCHEME) {
        let folder = allowed_folder(&uri, &call.api.options.delivery_folders);
        folder.ok_or_else(|| {
            let text = "DeliveryS3Uri must begin with s3:// and the name of a bucket, or with file:// \
                        and a folder that the server was started with as a delivery folder";
            ApiError::user("InvalidS3PrefixException", text)
        })?
    } else {
        uri
    };
    let options = &call.api.options;
    Ok(Delivery { url, account: options.account_id.clone(), region: options.region.clone() })
}

/// Starts a query over stores that the caller may query, and returns its id.
pub(super) async fn start(
    call: &Call,
    statement: String,
    delivery: Option<Delivery>,
) -> Result<String, ApiError> {
    let (scope, limits) = (call.scope().await?, call.api.query_limits());
    let mut new = NewQuery::new(statement, limits);
    new.submitter = Some(call.key.principal.clone());
    new.delivery = delivery;
    new.unfinished_max = call.api.options.limits.queries_max;
    match call.lake_within(scope.as_ref()).start_query(new).await {
        Ok(id) => Ok(id.to_string()),
        // Whether such a store exists is no business of who may not query it.
        Err(error) if scope.is_some() && error.kind() == ErrorKind::StoreNotFound => {
            Err(call.denied())
        }
        Err(error) => Err(error.into()),
    }
}

async fn statement_of(call: &Call, alias: &str, values: &[String]) -> Result<String, ApiError> {
    let found: Option<QueryAlias> = call.api.state.get(Kind::Alias, alias).await?;
    let found = found.ok_or_else(|| {
        ApiError::invalid_parameter(format!("The query alias '{alias}' does not exist"))
    })?;
    found.statement_with(values)
}
