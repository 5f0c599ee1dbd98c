//! What the operations on one query share.

use serde::Deserialize;
use towpath::{BatchQuery, StoreStatus};
use uuid::Uuid;

use super::event_data_store::inactive;
use crate::api::Call;
use crate::wire::ApiError;

/// Characters of an error message: AWS's limits.
const MESSAGE_CHARS_MIN: usize = 4;
const MESSAGE_CHARS_MAX: usize = 1_000;

/// A request that names a query. The store that it may name too is deprecated and not needed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueryIdInput {
    pub(super) query_id: String,
}

/// The query, if the caller may see all that it saw and none of its stores is deleted.
pub(super) async fn find(call: &Call, input: &QueryIdInput) -> Result<BatchQuery, ApiError> {
    let id = query_id(&input.query_id)?;
    let query = call.api.lake.describe_query(id).await?;
    check_stores(call, &query).await?;
    Ok(query)
}

pub(super) fn query_id(text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| {
        let text = "The query ID does not exist or does not map to a query.";
        ApiError::user("QueryIdNotFoundException", text)
    })
}

/// Checks that the stores of a query are such that the caller may see it.
pub(super) async fn check_stores(call: &Call, query: &BatchQuery) -> Result<(), ApiError> {
    if !call.may_see(query).await? {
        return Err(call.denied());
    }
    for id in &query.stores {
        // One that is gone for good does not hide what was asked of it before.
        if let Ok(store) = call.api.lake.store(&id.to_string()).await
            && matches!(store.status(), StoreStatus::PendingDeletion { .. })
        {
            return Err(inactive());
        }
    }
    Ok(())
}

/// Why the query failed, as long as AWS allows.
pub(super) fn error_message(query: &BatchQuery) -> Option<String> {
    let text = query.error.as_deref()?;
    let text: String = text.chars().take(MESSAGE_CHARS_MAX).collect();
    Some(format!("{text:<MESSAGE_CHARS_MIN$}"))
}
