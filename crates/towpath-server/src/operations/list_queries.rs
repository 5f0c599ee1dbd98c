//! `ListQueries`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{QueryFilter, QueryStatus};

use super::input::{EpochSeconds, epoch_seconds, read, without_nulls};
use super::page::PAGE_MAX;
use crate::api::Call;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
    next_token: Option<String>,
    max_results: Option<usize>,
    start_time: Option<EpochSeconds>,
    end_time: Option<EpochSeconds>,
    query_status: Option<String>,
}

/// The queries of the last seven days on one store that saw no more than the caller may see, the
/// newest first. A page can have fewer than there is room for.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let store = call.active_store(&input.event_data_store).await?;
    if let Some((start, end)) = input.start_time.zip(input.end_time)
        && start > end
    {
        return Err(ApiError::user(
            "InvalidDateRangeException",
            "StartTime must not be after EndTime",
        ));
    }
    let status = input.query_status.as_deref();
    let filter = QueryFilter {
        status: QueryStatus::ALL.into_iter().find(|known| Some(known.as_str()) == status),
        store: Some(store.id()),
        from: input.start_time.map(|time| time.0),
        to: input.end_time.map(|time| time.0),
    };
    let results_max = input.max_results.unwrap_or(PAGE_MAX);
    let list =
        call.api.lake.list_queries(&filter, input.next_token.as_deref(), results_max).await?;
    let mut seen = Vec::new();
    for query in &list.queries {
        if call.may_see(query).await? {
            seen.push(query);
        }
    }
    let queries: Vec<Value> = seen
        .iter()
        .map(|query| {
            json!({
                "QueryId": query.id.to_string(),
                "QueryStatus": query.status.as_str(),
                "CreationTime": epoch_seconds(query.created_at),
            })
        })
        .collect();
    Ok(without_nulls(json!({"Queries": queries, "NextToken": list.next_token})))
}
