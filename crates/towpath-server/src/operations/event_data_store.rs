//! What the API keeps of an event data store beyond the store itself, and what answers say of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use towpath::{Store, StoreStatus};

use super::input::{epoch_seconds, read, without_nulls};
use super::selectors::selectors_of;
use crate::api::{Call, ResourceKind};
use crate::state::Kind;
use crate::wire::ApiError;

/// Retention in days of a store whose request does not say, by billing mode.
const RETENTION_EXTENDABLE_DAYS: u32 = 366;
const RETENTION_FIXED_DAYS: u32 = 2_557;

/// Retention in days at most, by billing mode.
const RETENTION_EXTENDABLE_DAYS_MAX: u32 = 3_653;
const RETENTION_FIXED_DAYS_MAX: u32 = 2_557;

/// How AWS would bill the store, which here decides retention only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum BillingMode {
    #[default]
    ExtendableRetentionPricing,
    FixedRetentionPricing,
}

impl BillingMode {
    pub(super) fn retention_days(self) -> u32 {
        match self {
            BillingMode::ExtendableRetentionPricing => RETENTION_EXTENDABLE_DAYS,
            BillingMode::FixedRetentionPricing => RETENTION_FIXED_DAYS,
        }
    }

    pub(super) fn retention_days_max(self) -> u32 {
        match self {
            BillingMode::ExtendableRetentionPricing => RETENTION_EXTENDABLE_DAYS_MAX,
            BillingMode::FixedRetentionPricing => RETENTION_FIXED_DAYS_MAX,
        }
    }
}

/// Settings of a store that only AWS's API knows. A store that the command made has the defaults.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct StoreState {
    pub(super) billing_mode: BillingMode,
    pub(super) multi_region: bool,
    pub(super) organization: bool,
    pub(super) kms_key_id: Option<String>,
    pub(super) is_ingestion_stopped: bool,
    pub(super) max_event_size: Option<String>,
    pub(super) context_key_selectors: Value,
    pub(super) insight_selectors: Value,
    pub(super) insights_destination: Option<String>,
}

impl Default for StoreState {
    fn default() -> StoreState {
        StoreState {
            billing_mode: BillingMode::default(),
            multi_region: true,
            organization: false,
            kms_key_id: None,
            is_ingestion_stopped: false,
            max_event_size: None,
            context_key_selectors: json!([]),
            insight_selectors: json!([]),
            insights_destination: None,
        }
    }
}

/// What a request that is about one store, and says nothing more, says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_store: String,
}

/// The ARN or id of the store that such a request is about.
pub(super) fn store_named(input: Map<String, Value>) -> Result<String, ApiError> {
    let Input { event_data_store } = read(input)?;
    Ok(event_data_store)
}

/// The selectors of a store whose request has none, as AWS has them.
pub(super) fn default_selectors() -> Value {
    json!([{
        "Name": "Default management events",
        "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
    }])
}

/// The members that all answers about one store have.
pub(super) fn description(
    call: &Call,
    store: &Store,
    state: &StoreState,
) -> Result<Value, ApiError> {
    Ok(without_nulls(json!({
        "EventDataStoreArn": call.api.arn(ResourceKind::EventDataStore, store.id()),
        "Name": store.name(),
        "Status": status(store, state),
        "AdvancedEventSelectors": selectors_of(store)?,
        "MultiRegionEnabled": state.multi_region,
        "OrganizationEnabled": state.organization,
        "RetentionPeriod": store.retention().as_days(),
        "TerminationProtectionEnabled": store.termination_protection(),
        "CreatedTimestamp": epoch_seconds(store.created_at()),
        "UpdatedTimestamp": epoch_seconds(store.updated_at()),
        "KmsKeyId": state.kms_key_id,
        "BillingMode": state.billing_mode,
    })))
}

/// As AWS names it.
pub(super) fn status(store: &Store, state: &StoreState) -> &'static str {
    match store.status() {
        StoreStatus::PendingDeletion { .. } => "PENDING_DELETION",
        _ if state.is_ingestion_stopped => "STOPPED_INGESTION",
        _ => "ENABLED",
    }
}

impl Call {
    /// The state of a store.
    pub(super) async fn store_state(&self, store: &Store) -> Result<StoreState, ApiError> {
        self.api.state.get_or_default(Kind::Store, &store.id().to_string()).await
    }

    /// The store with this ARN or id, unless it is deleted.
    pub(super) async fn active_store(&self, arn_or_id: &str) -> Result<Store, ApiError> {
        let store = self.store(arn_or_id).await?;
        match store.status() {
            StoreStatus::PendingDeletion { .. } => Err(inactive()),
            _ => Ok(store),
        }
    }
}

pub(super) fn inactive() -> ApiError {
    ApiError::user("InactiveEventDataStoreException", "The event data store is inactive.")
}

/// Checks the retention that a request asks for.
pub(super) fn check_retention(days: u32, billing_mode: BillingMode) -> Result<(), ApiError> {
    let max = billing_mode.retention_days_max();
    if days <= max {
        return Ok(());
    }
    Err(ApiError::invalid_parameter(format!(
        "RetentionPeriod must be at most {max} days for this BillingMode"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_depends_on_the_billing_mode() {
        let fixed = BillingMode::FixedRetentionPricing;
        assert!(check_retention(2_557, fixed).is_ok());
        assert!(check_retention(2_558, fixed).is_err());
        assert!(check_retention(3_653, BillingMode::default()).is_ok());
    }

    #[test]
    fn a_store_of_the_command_has_the_defaults_of_aws() {
        let state: StoreState = serde_json::from_str("{}").unwrap();
        assert!(state.multi_region && !state.organization);
        assert_eq!(json!(state.billing_mode), "EXTENDABLE_RETENTION_PRICING");
    }
}
