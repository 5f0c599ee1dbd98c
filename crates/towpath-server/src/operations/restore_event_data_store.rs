//! `RestoreEventDataStore`.

use serde_json::{Map, Value};

use super::event_data_store::{description, store_named};
use crate::api::Call;
use crate::wire::ApiError;

/// Takes a deletion back; the store is as it was before.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let event_data_store = store_named(input)?;
    let store = call.store(&event_data_store).await?;
    store.restore().await?;
    let store = call.store(&event_data_store).await?;
    description(call, &store, &call.store_state(&store).await?)
}
