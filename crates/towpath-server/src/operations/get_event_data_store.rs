//! `GetEventDataStore`.

use serde_json::{Map, Value, json};

use super::event_data_store::{description, store_named};
use crate::api::Call;
use crate::wire::ApiError;

/// All about one store, also about one that is deleted and can still be restored.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let event_data_store = store_named(input)?;
    let store = call.store(&event_data_store).await?;
    let mut answer = description(call, &store, &call.store_state(&store).await?)?;
    answer["FederationStatus"] = json!("DISABLED");
    answer["PartitionKeys"] = json!([{"Name": "calendarday", "Type": "bigint"}]);
    Ok(answer)
}
