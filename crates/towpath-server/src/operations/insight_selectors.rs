//! `PutInsightSelectors` and `GetInsightSelectors` of trails and event data stores.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::EventKind;

use super::event_data_store::StoreState;
use super::input::{read, without_nulls};
use super::trail::{TrailState, find_trail};
use crate::api::{Call, ResourceKind};
use crate::state::Kind;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    trail_name: Option<String>,
    event_data_store: Option<String>,
    insights_destination: Option<String>,
    insight_selectors: Option<Value>,
}

/// Turns kinds of insights on; an empty list turns all off.
pub(super) async fn put(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let selectors = input.insight_selectors.unwrap_or_else(|| json!([]));
    match (&input.trail_name, &input.event_data_store, &input.insights_destination) {
        (Some(trail), None, None) => {
            let (name, _) = find_trail(call, trail).await?;
            let put = |state: &mut TrailState| {
                state.insight_selectors = selectors.clone();
                Ok(())
            };
            call.api.state.change(Kind::Trail, &name, put).await?;
            let arn = call.api.arn(ResourceKind::Trail, &name);
            Ok(json!({"TrailARN": arn, "InsightSelectors": selectors}))
        }
        (None, Some(store), Some(destination)) => {
            put_store(call, store, destination, selectors).await
        }
        _ => Err(combination()),
    }
}

async fn put_store(
    call: &Call,
    store: &str,
    destination: &str,
    selectors: Value,
) -> Result<Value, ApiError> {
    let store = call.active_store(store).await?;
    let destination = call.active_store(destination).await?;
    if destination.intake()?.kind() != EventKind::Insight {
        let text = "InsightsDestination must be an event data store of Insights events";
        return Err(ApiError::invalid_parameter(text));
    }
    let destination = call.api.arn(ResourceKind::EventDataStore, destination.id());
    let put = |state: &mut StoreState| {
        state.insight_selectors = selectors.clone();
        state.insights_destination = Some(destination.clone());
        Ok(())
    };
    let id = store.id().to_string();
    let state = call.api.state.change(Kind::Store, &id, put).await?;
    Ok(store_answer(call, &id, &state))
}

/// The kinds that are on.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let has = |selectors: &Value| selectors.as_array().is_some_and(|all| !all.is_empty());
    let not_enabled = |arn: &str| {
        ApiError::user(
            "InsightNotEnabledException",
            format!(
                "{arn} does not have Insights enabled. Edit the settings to enable Insights, and \
                 then try the operation again."
            ),
        )
    };
    match (&input.trail_name, &input.event_data_store) {
        (Some(trail), None) => {
            let (name, state) = find_trail(call, trail).await?;
            let arn = call.api.arn(ResourceKind::Trail, &name);
            if !has(&state.insight_selectors) {
                return Err(not_enabled(&arn));
            }
            Ok(json!({"TrailARN": arn, "InsightSelectors": state.insight_selectors}))
        }
        (None, Some(store)) => {
            let store = call.store(store).await?;
            let state = call.store_state(&store).await?;
            let id = store.id().to_string();
            if !has(&state.insight_selectors) {
                return Err(not_enabled(&call.api.arn(ResourceKind::EventDataStore, &id)));
            }
            Ok(store_answer(call, &id, &state))
        }
        _ => Err(combination()),
    }
}

fn store_answer(call: &Call, id: &str, state: &StoreState) -> Value {
    without_nulls(json!({
        "EventDataStoreArn": call.api.arn(ResourceKind::EventDataStore, id),
        "InsightSelectors": state.insight_selectors,
        "InsightsDestination": state.insights_destination,
    }))
}

fn combination() -> ApiError {
    ApiError::user(
        "InvalidParameterCombinationException",
        "Give either TrailName, or EventDataStore and, to change it, InsightsDestination.",
    )
}
