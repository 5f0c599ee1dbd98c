//! `StartEventDataStoreIngestion` and `StopEventDataStoreIngestion`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{EventKind, StoreStatus};

use super::event_data_store::StoreState;
use super::input::read;
use crate::api::Call;
use crate::state::Kind;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
}

/// Lets a store that was stopped take live events again.
pub(super) async fn start(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    switch(call, input, false).await
}

/// Stops the live events of a store. Imports go on.
pub(super) async fn stop(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    switch(call, input, true).await
}

async fn switch(call: &Call, input: Map<String, Value>, stop: bool) -> Result<Value, ApiError> {
    let Input { event_data_store } = read(input)?;
    let wrong_status = || {
        ApiError::user(
            "InvalidEventDataStoreStatusException",
            "The event data store is not in a status that supports the operation.",
        )
    };
    let store = call.store(&event_data_store).await?;
    if !matches!(store.status(), StoreStatus::Enabled) {
        return Err(wrong_status());
    }
    let kind = store.intake()?.kind();
    if !matches!(kind, EventKind::CloudTrail | EventKind::ConfigurationItem) {
        return Err(ApiError::user(
            "InvalidEventDataStoreCategoryException",
            "Ingestion is started and stopped for event data stores of CloudTrail events and \
             configuration items.",
        ));
    }
    let change = |state: &mut StoreState| {
        if state.is_ingestion_stopped == stop {
            return Err(wrong_status());
        }
        state.is_ingestion_stopped = stop;
        Ok(())
    };
    call.api.state.change(Kind::Store, &store.id().to_string(), change).await?;
    Ok(json!({}))
}
