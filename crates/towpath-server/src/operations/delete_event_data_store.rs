//! `DeleteEventDataStore`.

use serde_json::{Map, Value, json};

use super::channel::check_no_channel;
use super::event_data_store::store_named;
use super::import::check_no_import;
use crate::api::Call;
use crate::wire::ApiError;

/// Deletes a store, to be restored for seven days.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let event_data_store = store_named(input)?;
    let store = call.active_store(&event_data_store).await?;
    check_no_import(call, store.id()).await?;
    check_no_channel(call, store.id()).await?;
    store.delete().await?;
    Ok(json!({}))
}
