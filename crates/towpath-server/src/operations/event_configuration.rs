//! `PutEventConfiguration` and `GetEventConfiguration` of event data stores and trails.

use serde::Deserialize;
use serde_json::{Map, Value, json};

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
    max_event_size: Option<String>,
    context_key_selectors: Option<Value>,
    aggregation_configurations: Option<Value>,
}

/// What a request is about: exactly one of the two.
enum Subject {
    Trail(String),
    Store(String),
}

impl Input {
    fn subject(&self) -> Result<Subject, ApiError> {
        match (&self.trail_name, &self.event_data_store) {
            (Some(trail), None) => Ok(Subject::Trail(trail.clone())),
            (None, Some(store)) => Ok(Subject::Store(store.clone())),
            _ => Err(ApiError::user(
                "InvalidParameterCombinationException",
                "Exactly one of TrailName and EventDataStore must be given.",
            )),
        }
    }
}

/// How large events may be and which context they keep.
pub(super) async fn put(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    match input.subject()? {
        Subject::Store(store) => put_store(call, &input, &store).await,
        Subject::Trail(trail) => put_trail(call, &input, &trail).await,
    }
}

async fn put_store(call: &Call, input: &Input, store: &str) -> Result<Value, ApiError> {
    if input.aggregation_configurations.is_some() {
        return Err(combination("AggregationConfigurations are for trails"));
    }
    let store = call.active_store(store).await?;
    let put = |state: &mut StoreState| {
        if let Some(size) = &input.max_event_size {
            state.max_event_size = Some(size.clone());
        }
        if let Some(selectors) = &input.context_key_selectors {
            state.context_key_selectors = selectors.clone();
        }
        let has_context = state.context_key_selectors.as_array().is_some_and(|all| !all.is_empty());
        if has_context && state.max_event_size.as_deref() != Some("Large") {
            return Err(ApiError::invalid_parameter("ContextKeySelectors need MaxEventSize Large"));
        }
        Ok(())
    };
    let id = store.id().to_string();
    let state = call.api.state.change(Kind::Store, &id, put).await?;
    Ok(store_answer(call, &id, &state))
}

async fn put_trail(call: &Call, input: &Input, trail: &str) -> Result<Value, ApiError> {
    if input.max_event_size.is_some() || input.context_key_selectors.is_some() {
        return Err(combination("MaxEventSize and ContextKeySelectors are for event data stores"));
    }
    let (name, _) = find_trail(call, trail).await?;
    let put = |state: &mut TrailState| {
        if let Some(aggregations) = &input.aggregation_configurations {
            state.aggregation_configurations = aggregations.clone();
        }
        Ok(())
    };
    let state = call.api.state.change(Kind::Trail, &name, put).await?;
    Ok(trail_answer(call, &name, &state))
}

/// The same, read.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    match input.subject()? {
        Subject::Store(store) => {
            let store = call.store(&store).await?;
            let state = call.store_state(&store).await?;
            Ok(store_answer(call, &store.id().to_string(), &state))
        }
        Subject::Trail(trail) => {
            let (name, state) = find_trail(call, &trail).await?;
            Ok(trail_answer(call, &name, &state))
        }
    }
}

fn store_answer(call: &Call, id: &str, state: &StoreState) -> Value {
    json!({
        "EventDataStoreArn": call.api.arn(ResourceKind::EventDataStore, id),
        "MaxEventSize": state.max_event_size.as_deref().unwrap_or("Standard"),
        "ContextKeySelectors": state.context_key_selectors,
    })
}

fn trail_answer(call: &Call, name: &str, state: &TrailState) -> Value {
    without_nulls(json!({
        "TrailARN": call.api.arn(ResourceKind::Trail, name),
        "AggregationConfigurations": state.aggregation_configurations,
    }))
}

fn combination(text: &str) -> ApiError {
    ApiError::user("InvalidParameterCombinationException", text)
}
