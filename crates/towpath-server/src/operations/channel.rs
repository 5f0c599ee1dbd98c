//! Channels: `CreateChannel`, `GetChannel`, `ListChannels`, `UpdateChannel` and `DeleteChannel`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use towpath::EventKind;
use uuid::Uuid;

use super::input::{epoch_seconds, read, without_nulls};
use super::page::page;
use super::tags::{Tag, check_tags, put_tags};
use crate::api::{Call, ResourceKind, id_of};
use crate::state::Kind;
use crate::wire::ApiError;

/// Channels of one Region: AWS's quota.
const CHANNELS_MAX: usize = 25;

/// What is kept of a channel.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ChannelState {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) stores: Vec<Uuid>,
    pub(super) attempted_at: Option<DateTime<Utc>>,
    pub(super) attempted_id: Option<String>,
    pub(super) succeeded_at: Option<DateTime<Utc>>,
    pub(super) succeeded_id: Option<String>,
    pub(super) error_code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    r#type: String,
    location: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateInput {
    name: String,
    source: String,
    destinations: Vec<Destination>,
    tags: Option<Vec<Tag>>,
}

/// `CreateChannel`.
pub(super) async fn create(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let input: CreateInput = read(input)?;
    let tags = input.tags.unwrap_or_default();
    check_tags(&tags)?;
    if input.source.trim().is_empty() {
        let text = "Source is `Custom` or the name of a partner";
        return Err(ApiError::user("InvalidSourceException", text));
    }
    let stores = stores_of(call, &input.destinations).await?;
    let channels: Vec<(String, ChannelState)> = call.api.state.all(Kind::Channel).await?;
    check_name_is_free(&channels, &input.name, None)?;
    if channels.iter().any(|(_, channel)| channel.source == input.source) {
        let text = format!("There is a channel of source '{}'", input.source);
        return Err(ApiError::user("ChannelAlreadyExistsException", text));
    }
    if channels.len() >= CHANNELS_MAX {
        let text = format!("There are {CHANNELS_MAX} channels, which is the maximum");
        return Err(ApiError::user("ChannelMaxLimitExceededException", text));
    }
    let id = Uuid::new_v4().to_string();
    let state =
        ChannelState { name: input.name, source: input.source, stores, ..ChannelState::default() };
    call.api.state.create(Kind::Channel, &id, &state).await?;
    put_tags(call, ResourceKind::Channel, &id, &tags).await?;
    let mut answer = description(call, &id, &state);
    answer["Tags"] = json!(tags);
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChannelInput {
    channel: String,
    destinations: Option<Vec<Destination>>,
    name: Option<String>,
}

/// `GetChannel`.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: ChannelInput = read(input)?;
    let (id, state) = find(call, &input.channel).await?;
    let mut answer = description(call, &id, &state);
    answer["SourceConfig"] = json!({"ApplyToAllRegions": true, "AdvancedEventSelectors": []});
    answer["IngestionStatus"] = without_nulls(json!({
        "LatestIngestionSuccessTime": state.succeeded_at.map(epoch_seconds),
        "LatestIngestionSuccessEventID": state.succeeded_id,
        "LatestIngestionErrorCode": state.error_code,
        "LatestIngestionAttemptTime": state.attempted_at.map(epoch_seconds),
        "LatestIngestionAttemptEventID": state.attempted_id,
    }));
    Ok(answer)
}

/// `UpdateChannel`.
pub(super) async fn update(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: ChannelInput = read(input)?;
    let (id, _) = find(call, &input.channel).await?;
    let stores = match &input.destinations {
        Some(destinations) => Some(stores_of(call, destinations).await?),
        None => None,
    };
    if let Some(name) = &input.name {
        let channels: Vec<(String, ChannelState)> = call.api.state.all(Kind::Channel).await?;
        check_name_is_free(&channels, name, Some(&id))?;
    }
    let set = |state: &mut ChannelState| {
        if let Some(name) = &input.name {
            state.name.clone_from(name);
        }
        if let Some(stores) = &stores {
            state.stores.clone_from(stores);
        }
        Ok(())
    };
    let state = call.api.state.change(Kind::Channel, &id, set).await?;
    Ok(description(call, &id, &state))
}

/// `DeleteChannel`.
pub(super) async fn delete(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: ChannelInput = read(input)?;
    let (id, _) = find(call, &input.channel).await?;
    call.api.state.remove(Kind::Channel, &id).await?;
    call.api
        .state
        .remove(Kind::Resource, &format!("{}-{id}", ResourceKind::Channel.name()))
        .await?;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// `ListChannels`.
pub(super) async fn list(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let ListInput { max_results, next_token } = read(input)?;
    let channels: Vec<(String, ChannelState)> = call.api.state.all(Kind::Channel).await?;
    let key = |channel: &(String, ChannelState)| channel.0.clone();
    let (channels, next) = page(channels, key, "channels", next_token.as_deref(), max_results)?;
    let channels: Vec<Value> = channels
        .iter()
        .map(|(id, state)| {
            let arn = call.api.arn(ResourceKind::Channel, id);
            json!({"ChannelArn": arn, "Name": state.name})
        })
        .collect();
    Ok(without_nulls(json!({"Channels": channels, "NextToken": next})))
}

/// The channel of this ARN or id.
async fn find(call: &Call, arn_or_id: &str) -> Result<(String, ChannelState), ApiError> {
    call.check_may_call_on_all()?;
    let id = id_of(ResourceKind::Channel, arn_or_id).ok_or_else(|| {
        let text = "The channel must be named by its ARN or by the ID at its end";
        ApiError::user("ChannelARNInvalidException", text)
    })?;
    match call.api.state.get(Kind::Channel, id).await? {
        Some(state) => Ok((id.to_owned(), state)),
        None => {
            let text = "The specified channel was not found.";
            Err(ApiError::user("ChannelNotFoundException", text))
        }
    }
}

/// Refuses while a channel leads to the store.
pub(super) async fn check_no_channel(call: &Call, store: Uuid) -> Result<(), ApiError> {
    let channels: Vec<(String, ChannelState)> = call.api.state.all(Kind::Channel).await?;
    if channels.iter().any(|(_, channel)| channel.stores.contains(&store)) {
        let text = "The event data store is the destination of a channel";
        return Err(ApiError::user("ChannelExistsForEDSException", text));
    }
    Ok(())
}

/// The stores that destinations name, all for events of other sources.
async fn stores_of(call: &Call, destinations: &[Destination]) -> Result<Vec<Uuid>, ApiError> {
    let mut stores = Vec::new();
    for destination in destinations {
        if destination.r#type != "EVENT_DATA_STORE" {
            let text = "The Type of a destination must be EVENT_DATA_STORE";
            return Err(ApiError::invalid_parameter(text));
        }
        let store = call.active_store(&destination.location).await?;
        if store.intake()?.kind() != EventKind::ActivityAuditLog {
            return Err(ApiError::user(
                "InvalidEventDataStoreCategoryException",
                "A channel leads to event data stores of category ActivityAuditLog.",
            ));
        }
        stores.push(store.id());
    }
    Ok(stores)
}

fn check_name_is_free(
    channels: &[(String, ChannelState)],
    name: &str,
    own_id: Option<&str>,
) -> Result<(), ApiError> {
    let is_taken = |(id, channel): &(String, ChannelState)| {
        channel.name == name && Some(id.as_str()) != own_id
    };
    if channels.iter().any(is_taken) {
        let text = format!("A channel '{name}' already exists");
        return Err(ApiError::user("ChannelAlreadyExistsException", text));
    }
    Ok(())
}

fn description(call: &Call, id: &str, state: &ChannelState) -> Value {
    let destination = |store: &Uuid| {
        let location = call.api.arn(ResourceKind::EventDataStore, store);
        json!({"Type": "EVENT_DATA_STORE", "Location": location})
    };
    json!({
        "ChannelArn": call.api.arn(ResourceKind::Channel, id),
        "Name": state.name,
        "Source": state.source,
        "Destinations": state.stores.iter().map(destination).collect::<Vec<_>>(),
    })
}
