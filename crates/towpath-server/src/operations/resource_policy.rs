//! `PutResourcePolicy`, `GetResourcePolicy` and `DeleteResourcePolicy`.
//!
//! The policies of event data stores and channels decide, with the grants of access keys, who may do
//! what ([`Policy`]); those of dashboards are kept.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::read;
use super::resource::{Resource, ResourceState};
use crate::api::{Api, Call, ResourceKind};
use crate::policy::Policy;
use crate::state::Kind;
use crate::wire::ApiError;

/// Statements of a policy: AWS's quota for channels.
const STATEMENTS_MAX: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource_arn: String,
    resource_policy: Option<String>,
}

/// Puts a policy on a resource, over the one that it has.
pub(super) async fn put(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { resource_arn, resource_policy } = read(input)?;
    let resource = supported(call, &resource_arn).await?;
    let policy = resource_policy.unwrap_or_default();
    check_policy(&policy)?;
    let put = |state: &mut ResourceState| {
        state.policy = Some(policy.clone());
        Ok(())
    };
    call.api.state.change(Kind::Resource, &resource.document(), put).await?;
    Ok(json!({"ResourceArn": resource_arn, "ResourcePolicy": policy}))
}

/// The policy of a resource.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { resource_arn, .. } = read(input)?;
    let resource = supported(call, &resource_arn).await?;
    let state: ResourceState =
        call.api.state.get_or_default(Kind::Resource, &resource.document()).await?;
    let policy = state.policy.ok_or_else(not_found)?;
    Ok(json!({"ResourceArn": resource_arn, "ResourcePolicy": policy}))
}

/// Takes the policy off a resource.
pub(super) async fn delete(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { resource_arn, .. } = read(input)?;
    let resource = supported(call, &resource_arn).await?;
    let take = |state: &mut ResourceState| match state.policy.take() {
        Some(_) => Ok(()),
        None => Err(not_found()),
    };
    call.api.state.change(Kind::Resource, &resource.document(), take).await?;
    Ok(json!({}))
}

async fn supported(call: &Call, arn: &str) -> Result<Resource, ApiError> {
    let resource = Resource::find(call, arn).await?;
    if resource.kind == ResourceKind::Trail {
        return Err(ApiError::user(
            "ResourceTypeNotSupportedException",
            "Policies are for event data stores, dashboards and channels.",
        ));
    }
    Ok(resource)
}

fn not_found() -> ApiError {
    ApiError::user("ResourcePolicyNotFoundException", "The specified resource policy is not found.")
}

/// The policy that a resource has.
pub(crate) async fn policy_of(
    api: &Api,
    kind: ResourceKind,
    id: &str,
) -> Result<Option<Policy>, ApiError> {
    let resource = Resource { kind, id: id.to_owned() };
    let state: ResourceState =
        api.state.get_or_default(Kind::Resource, &resource.document()).await?;
    let Some(text) = state.policy else { return Ok(None) };
    // One that cannot be read cannot be obeyed, and must not be passed over.
    let unreadable = || ApiError::failure(format!("the policy of {kind:?} {id} is not readable"));
    Policy::parse(&text).map(Some).ok_or_else(unreadable)
}

/// Checks the form of a policy.
fn check_policy(policy: &str) -> Result<(), ApiError> {
    let invalid = |text: &str| Err(ApiError::user("ResourcePolicyNotValidException", text));
    let text = policy;
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return invalid("The policy is not JSON");
    };
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return invalid("The policy has no Statement"),
    };
    if statements.is_empty() || statements.len() > STATEMENTS_MAX {
        return invalid("The policy must have 1 to 20 statements");
    }
    for statement in statements {
        let has = |name: &str| statement.get(name).is_some_and(|value| !value.is_null());
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return invalid("Each statement needs an Effect, Allow or Deny");
        }
        if !(has("Principal") || has("NotPrincipal")) || !(has("Action") || has("NotAction")) {
            return invalid("Each statement needs a Principal and an Action");
        }
    }
    if Policy::parse(text).is_none() {
        return invalid("A Principal, an Action or a Resource of the policy is not one");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_policy;

    #[test]
    fn a_policy_has_statements_with_effect_principal_and_action() {
        let good = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"AWS":"111122223333"},"Action":"cloudtrail:StartQuery","Resource":"*"}]}"#;
        assert!(check_policy(good).is_ok());
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            &good.replace("Allow", "Maybe"),
            &good.replace("Principal", "Who"),
            &good.replace("\"*\"", "1"),
        ] {
            let error = check_policy(wrong).unwrap_err();
            assert_eq!(error.code.name, "ResourcePolicyNotValidException", "{wrong}");
        }
    }
}
