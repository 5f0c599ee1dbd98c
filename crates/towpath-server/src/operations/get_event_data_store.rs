//! `GetEventDataStore`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::event_data_store::description;
use super::input::read;
use crate::api::Call;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
}

/// All about one store, also about one that is deleted and can still be restored.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { event_data_store } = read(input)?;
    let store = call.store(&event_data_store).await?;
    let mut answer = description(call, &store, &call.store_state(&store).await?)?;
    answer["FederationStatus"] = json!("DISABLED");
    answer["PartitionKeys"] = json!([{"Name": "calendarday", "Type": "bigint"}]);
    Ok(answer)
}
