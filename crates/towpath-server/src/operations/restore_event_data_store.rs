//! `RestoreEventDataStore`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::event_data_store::description;
use super::input::read;
use crate::api::Call;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
}

/// Takes a deletion back; the store is as it was before.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { event_data_store } = read(input)?;
    let store = call.store(&event_data_store).await?;
    store.restore().await?;
    let store = call.store(&event_data_store).await?;
    description(call, &store, &call.store_state(&store).await?)
}
