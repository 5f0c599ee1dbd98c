//! Whatever has an ARN, and what can be on it: tags and a policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Call, ResourceKind};
use crate::state::Kind;
use crate::wire::ApiError;

/// What a resource can have whatever its kind.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ResourceState {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) policy: Option<String>,
}

/// A resource that exists.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) kind: ResourceKind,
    /// The id at the end of its ARN.
    pub(super) id: String,
}

impl Resource {
    /// The resource of this ARN, if it exists and the caller may call the operation on it.
    ///
    /// # Errors
    ///
    /// `ResourceTypeNotSupportedException` for another kind of ARN, the error of its kind for one
    /// that does not exist.
    pub(super) async fn find(call: &Call, arn: &str) -> Result<Resource, ApiError> {
        let (kind, id) = ResourceKind::of_arn(arn).ok_or_else(|| not_an_arn(call, arn))?;
        let resource = Resource { kind, id: id.to_owned() };
        let document = match kind {
            ResourceKind::EventDataStore => {
                let id = call.active_store(id).await?.id().to_string();
                return Ok(Resource { kind, id });
            }
            ResourceKind::Channel => Kind::Channel,
            ResourceKind::Dashboard => Kind::Dashboard,
            ResourceKind::Trail => Kind::Trail,
        };
        call.check_may_call_on_all()?;
        let found: Option<serde_json::Value> = call.api.state.get(document, id).await?;
        if found.is_some() {
            return Ok(resource);
        }
        let specific = match kind {
            ResourceKind::Channel => "ChannelNotFoundException",
            _ => "ResourceNotFoundException",
        };
        let code = match call.declares(specific) {
            true => specific,
            false => "ResourceNotFoundException",
        };
        Err(ApiError::user(code, "The specified resource is not found."))
    }

    /// The id of the document that holds its [`ResourceState`].
    pub(super) fn document(&self) -> String {
        format!("{}-{}", self.kind.name(), self.id)
    }
}

fn not_an_arn(call: &Call, arn: &str) -> ApiError {
    let is_of_cloudtrail = arn.starts_with("arn:") && arn.contains(":cloudtrail:");
    let code = match is_of_cloudtrail {
        true => "ResourceTypeNotSupportedException",
        false if call.declares("ResourceARNNotValidException") => "ResourceARNNotValidException",
        false => "CloudTrailARNInvalidException",
    };
    ApiError::user(
        code,
        "The resource must be named by the ARN of a trail, an event data store, \
                          a dashboard or a channel.",
    )
}
