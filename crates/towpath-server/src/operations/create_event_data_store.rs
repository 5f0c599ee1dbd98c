//! `CreateEventDataStore`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{Intake, NewStore, Retention};

use super::event_data_store::{
    BillingMode, StoreState, check_retention, default_selectors, description,
};
use super::input::read;
use super::selectors::parse_selectors;
use super::tags::{Tag, check_tags, put_tags};
use crate::api::{Call, ResourceKind};
use crate::state::Kind;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: String,
    advanced_event_selectors: Option<Value>,
    multi_region_enabled: Option<bool>,
    organization_enabled: Option<bool>,
    retention_period: Option<u32>,
    termination_protection_enabled: Option<bool>,
    tags_list: Option<Vec<Tag>>,
    kms_key_id: Option<String>,
    start_ingestion: Option<bool>,
    billing_mode: Option<BillingMode>,
}

/// Makes a store with AWS's defaults for what the request leaves out.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    if call.key.visible(call.operation, &input.name, "").is_none() {
        return Err(call.denied());
    }
    let billing_mode = input.billing_mode.unwrap_or_default();
    let days = input.retention_period.unwrap_or_else(|| billing_mode.retention_days());
    check_retention(days, billing_mode)?;
    let tags = input.tags_list.unwrap_or_default();
    check_tags(&tags)?;
    let selectors = input.advanced_event_selectors.unwrap_or_else(default_selectors);
    let intake = Intake::selected(parse_selectors(&selectors)?);
    let state = StoreState {
        billing_mode,
        multi_region: input.multi_region_enabled.unwrap_or(true),
        organization: input.organization_enabled.unwrap_or(false),
        kms_key_id: input.kms_key_id,
        is_ingestion_stopped: !input.start_ingestion.unwrap_or(true),
        ..StoreState::default()
    };

    let lake = &call.api.lake;
    let stores_max = call.api.options.limits.stores_max;
    if lake.stores().await?.len() >= stores_max {
        return Err(ApiError::user(
            "EventDataStoreMaxLimitExceededException",
            format!("Your account has used the maximum number of event data stores, {stores_max}."),
        ));
    }
    let retention = Retention::days(days).map_err(towpath::Error::from)?;
    let mut new = NewStore::new(input.name, retention);
    new.intake = intake;
    new.termination_protection = input.termination_protection_enabled.unwrap_or(true);
    let store = lake.create_store(new).await?;
    let id = store.id().to_string();
    call.api.state.create(Kind::Store, &id, &state).await?;
    put_tags(call, ResourceKind::EventDataStore, &id, &tags).await?;

    let mut answer = description(call, &store, &state)?;
    answer["Status"] = json!("CREATED");
    answer["TagsList"] = json!(tags);
    Ok(answer)
}
