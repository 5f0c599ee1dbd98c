//! `DescribeQuery`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::BatchQuery;

use super::alias::QueryAlias;
use super::input::{epoch_seconds, read, without_nulls};
use super::query::{QueryIdInput, error_message, find};
use crate::api::Call;
use crate::state::Kind;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    query_id: Option<String>,
    query_alias: Option<String>,
    refresh_id: Option<String>,
    event_data_store_owner_account_id: Option<String>,
}

/// All about one query but its rows.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let (id, prompt) = match (input.query_id, input.query_alias) {
        (Some(id), None) if input.refresh_id.is_none() => (id, None),
        (None, Some(alias)) => last_run(call, &alias, input.refresh_id.as_deref()).await?,
        _ => {
            return Err(ApiError::invalid_parameter(
                "Exactly one of QueryId and QueryAlias must be given, RefreshId only with the \
                 latter",
            ));
        }
    };
    let query = find(call, &QueryIdInput { query_id: id }).await?;
    Ok(without_nulls(json!({
        "QueryId": query.id.to_string(),
        "QueryString": query.statement,
        "QueryStatus": query.status.as_str(),
        "QueryStatistics": statistics(&query),
        "ErrorMessage": error_message(&query),
        "DeliveryS3Uri": query.delivery.as_ref().map(|delivery| &delivery.url),
        "DeliveryStatus": query.delivery.as_ref().map(|delivery| delivery.status.as_str()),
        "Prompt": prompt,
        "EventDataStoreOwnerAccountId": input.event_data_store_owner_account_id,
    })))
}

fn statistics(query: &BatchQuery) -> Value {
    let statistics = query.statistics;
    json!({
        "EventsMatched": statistics.events_matched,
        "EventsScanned": statistics.events_scanned,
        "BytesScanned": statistics.bytes_scanned,
        "ExecutionTimeInMillis": statistics.run_millis,
        "CreationTime": epoch_seconds(query.created_at),
    })
}

/// The newest run of an alias, of one refresh if that is named, and what it was generated from.
async fn last_run(
    call: &Call,
    alias: &str,
    refresh_id: Option<&str>,
) -> Result<(String, Option<String>), ApiError> {
    let found: Option<QueryAlias> = call.api.state.get(Kind::Alias, alias).await?;
    let not_found =
        || ApiError::user("QueryIdNotFoundException", "There is no query of this alias");
    let QueryAlias { prompt, runs, .. } = found.ok_or_else(not_found)?;
    let is_asked = |id: &Option<String>| refresh_id.is_none() || id.as_deref() == refresh_id;
    let run = runs.into_iter().rev().find(|run| is_asked(&run.refresh_id));
    Ok((run.ok_or_else(not_found)?.query_id, prompt))
}
