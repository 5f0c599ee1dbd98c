//! `UpdateEventDataStore`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{Retention, StoreChange};

use super::event_data_store::{BillingMode, StoreState, check_retention, description};
use super::input::read;
use super::selectors::parse_selectors;
use crate::api::Call;
use crate::state::Kind;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
    name: Option<String>,
    advanced_event_selectors: Option<Value>,
    multi_region_enabled: Option<bool>,
    organization_enabled: Option<bool>,
    retention_period: Option<u32>,
    termination_protection_enabled: Option<bool>,
    kms_key_id: Option<String>,
    billing_mode: Option<BillingMode>,
}

/// Changes what the request names and leaves the rest.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    if input.iter().filter(|(_, value)| !value.is_null()).count() < 2 {
        return Err(ApiError::invalid_parameter(
            "At least one parameter to change must be given beside EventDataStore",
        ));
    }
    let input: Input = read(input)?;
    let store = call.active_store(&input.event_data_store).await?;
    super::import::check_no_import(call, store.id()).await?;
    let before = call.store_state(&store).await?;
    let mode = input.billing_mode.unwrap_or(before.billing_mode);
    let days = input.retention_period.unwrap_or_else(|| store.retention().as_days());
    check_retention(days, mode)?;
    let selectors = input.advanced_event_selectors.as_ref().map(parse_selectors).transpose()?;
    if let Some(selectors) = &selectors
        && selectors.kind() != store.intake()?.kind()
    {
        let text = "The category of an event data store cannot be changed";
        return Err(ApiError::user("InvalidEventSelectorsException", text));
    }
    check_change(&before, &input)?;

    let retention = Retention::days(days).map_err(towpath::Error::from)?;
    let mut change = StoreChange::default();
    change.name.clone_from(&input.name);
    change.retention = Some(retention).filter(|new| *new != store.retention());
    change.selectors = selectors;
    change.termination_protection = input.termination_protection_enabled;
    // A change of what only the API knows is a change too: its time is the store's.
    store.update(change).await?;
    let id = store.id().to_string();
    let state = call
        .api
        .state
        .change(Kind::Store, &id, |state: &mut StoreState| {
            check_change(state, &input)?;
            apply(state, &input);
            Ok(())
        })
        .await?;
    let store = call.store(&id).await?;
    let mut answer = description(call, &store, &state)?;
    answer["FederationStatus"] = json!("DISABLED");
    Ok(answer)
}

/// Refuses what AWS does not let change.
fn check_change(state: &StoreState, input: &Input) -> Result<(), ApiError> {
    let is_fixing = input.billing_mode == Some(BillingMode::FixedRetentionPricing)
        && state.billing_mode == BillingMode::ExtendableRetentionPricing;
    if is_fixing {
        return Err(ApiError::invalid_parameter(
            "BillingMode cannot be changed from EXTENDABLE_RETENTION_PRICING to \
             FIXED_RETENTION_PRICING",
        ));
    }
    if state.kms_key_id.is_some()
        && input.kms_key_id.is_some()
        && state.kms_key_id != input.kms_key_id
    {
        return Err(ApiError::invalid_parameter("KmsKeyId cannot be changed once it is set"));
    }
    Ok(())
}

fn apply(state: &mut StoreState, input: &Input) {
    state.billing_mode = input.billing_mode.unwrap_or(state.billing_mode);
    state.multi_region = input.multi_region_enabled.unwrap_or(state.multi_region);
    state.organization = input.organization_enabled.unwrap_or(state.organization);
    if let Some(kms_key_id) = &input.kms_key_id {
        state.kms_key_id = Some(kms_key_id.clone());
    }
}
