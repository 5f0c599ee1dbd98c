//! `DeleteEventDataStore`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::check_no_channel;
use super::import::check_no_import;
use super::input::read;
use crate::api::Call;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
}

/// Deletes a store, to be restored for seven days.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { event_data_store } = read(input)?;
    let store = call.active_store(&event_data_store).await?;
    check_no_import(call, store.id()).await?;
    check_no_channel(call, store.id()).await?;
    store.delete().await?;
    Ok(json!({}))
}
