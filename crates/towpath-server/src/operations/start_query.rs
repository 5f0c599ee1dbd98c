//! `StartQuery`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{Delivery, NewQuery};

use super::alias::{QueryAlias, remember_run};
use super::input::{read, without_nulls};
use crate::api::Call;
use crate::state::Kind;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    query_statement: Option<String>,
    delivery_s3_uri: Option<String>,
    query_alias: Option<String>,
    query_parameters: Option<Vec<String>>,
    event_data_store_owner_account_id: Option<String>,
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
    let delivery = input.delivery_s3_uri.map(|url| Delivery {
        url,
        account: call.api.options.account_id.clone(),
        region: call.api.options.region.clone(),
    });
    let id = start(call, statement, delivery).await?;
    if let Some(alias) = &input.query_alias {
        remember_run(call, alias, &id, None).await?;
    }
    Ok(without_nulls(json!({
        "QueryId": id,
        "EventDataStoreOwnerAccountId": input.event_data_store_owner_account_id,
    })))
}

/// Starts a query over stores that the caller may query, and returns its id.
pub(super) async fn start(
    call: &Call,
    statement: String,
    delivery: Option<Delivery>,
) -> Result<String, ApiError> {
    let (lake, limits) = (&call.api.lake, call.api.query_limits());
    if !call.key.may_call_on_all(call.operation) {
        let stores = lake.stores_of(&statement, limits).await?;
        call.check_may_use(&stores).await?;
    }
    let mut new = NewQuery::new(statement, limits);
    new.submitter = Some(call.key.principal.clone());
    new.delivery = delivery;
    new.unfinished_max = call.api.options.limits.queries_max;
    Ok(lake.start_query(new).await?.to_string())
}

async fn statement_of(call: &Call, alias: &str, values: &[String]) -> Result<String, ApiError> {
    let found: Option<QueryAlias> = call.api.state.get(Kind::Alias, alias).await?;
    let found = found.ok_or_else(|| {
        ApiError::invalid_parameter(format!("The query alias '{alias}' does not exist"))
    })?;
    found.statement_with(values)
}
