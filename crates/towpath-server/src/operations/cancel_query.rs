//! `CancelQuery`.

use serde_json::{Map, Value, json};

use super::input::{read, without_nulls};
use super::query::{QueryIdInput, find};
use crate::api::Call;
use crate::wire::ApiError;

/// Stops a query that waits or runs.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let owner = input.get("EventDataStoreOwnerAccountId").cloned();
    let input: QueryIdInput = read(input)?;
    let query = find(call, &input).await?;
    let query = call.api.lake.cancel_query(query.id).await?;
    Ok(without_nulls(json!({
        "QueryId": query.id.to_string(),
        "QueryStatus": query.status.as_str(),
        "EventDataStoreOwnerAccountId": owner,
    })))
}
