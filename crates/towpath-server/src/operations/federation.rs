//! `EnableFederation` and `DisableFederation`: the feature is off, and the files of a store are open
//! to other engines as they are.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::read;
use crate::api::{Call, ResourceKind};
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
}

/// Refused: there is no AWS Glue to federate with.
pub(super) async fn enable(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { event_data_store } = read(input)?;
    call.active_store(&event_data_store).await?;
    Err(ApiError::user(
        "UnsupportedOperationException",
        "The requested operation is not supported. Other engines read the Delta table of the event \
         data store directly; `towpath connect` says how.",
    ))
}

/// Nothing to do: it is off.
pub(super) async fn disable(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { event_data_store } = read(input)?;
    let store = call.active_store(&event_data_store).await?;
    let arn = call.api.arn(ResourceKind::EventDataStore, store.id());
    Ok(json!({"EventDataStoreArn": arn, "FederationStatus": "DISABLED"}))
}
