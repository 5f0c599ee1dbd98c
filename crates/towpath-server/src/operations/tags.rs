//! `AddTags`, `RemoveTags` and `ListTags`, and the tags of requests that create something.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::input::read;
use super::resource::{Resource, ResourceState};
use crate::api::{Call, ResourceKind};
use crate::state::Kind;
use crate::wire::ApiError;

/// Tags of one resource: AWS's quota.
const TAGS_MAX: usize = 50;

/// Resources of one `ListTags`: AWS's quota.
const RESOURCES_MAX: usize = 20;

/// One tag, as it stands in requests and answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeInput {
    resource_id: String,
    tags_list: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    resource_id_list: Vec<String>,
}

/// Adds tags; one with a key that the resource has replaces its value.
pub(super) async fn add(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let ChangeInput { resource_id, tags_list } = read(input)?;
    check_tags(&tags_list)?;
    let resource = Resource::find(call, &resource_id).await?;
    put_tags(call, resource.kind, &resource.id, &tags_list).await?;
    Ok(json!({}))
}

/// Removes tags by their keys; a value that is given must not differ.
pub(super) async fn remove(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let ChangeInput { resource_id, tags_list } = read(input)?;
    let resource = Resource::find(call, &resource_id).await?;
    let remove = |state: &mut ResourceState| {
        for tag in &tags_list {
            state.tags.remove(&tag.key);
        }
        Ok(())
    };
    call.api.state.change(Kind::Resource, &resource.document(), remove).await?;
    Ok(json!({}))
}

/// The tags of up to 20 resources.
pub(super) async fn list(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let ListInput { resource_id_list } = read(input)?;
    if resource_id_list.len() > RESOURCES_MAX {
        return Err(ApiError::user(
            "ResourceNotFoundException",
            format!("ResourceIdList must have at most {RESOURCES_MAX} members"),
        ));
    }
    let mut listed = Vec::new();
    for resource_id in resource_id_list {
        let resource = Resource::find(call, &resource_id).await?;
        let tags = tags_of(call, resource.kind, &resource.id).await?;
        listed.push(json!({"ResourceId": resource_id, "TagsList": tags}));
    }
    Ok(json!({"ResourceTagList": listed}))
}

/// Checks the tags of a request.
///
/// # Errors
///
/// `InvalidTagParameterException` for a key that stands twice or that AWS keeps for itself,
/// `TagsLimitExceededException` for more than 50.
pub(super) fn check_tags(tags: &[Tag]) -> Result<(), ApiError> {
    let invalid = |text: String| Err(ApiError::user("InvalidTagParameterException", text));
    if tags.len() > TAGS_MAX {
        return Err(too_many());
    }
    for (index, tag) in tags.iter().enumerate() {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return invalid(format!("'{}': keys that begin with aws: are reserved", tag.key));
        }
        if tags.iter().skip(index + 1).any(|other| other.key == tag.key) {
            return invalid(format!("The tag key '{}' stands more than once", tag.key));
        }
    }
    Ok(())
}

/// Gives a resource tags beside those that it has.
pub(super) async fn put_tags(
    call: &Call,
    kind: ResourceKind,
    id: &str,
    tags: &[Tag],
) -> Result<(), ApiError> {
    if tags.is_empty() {
        return Ok(());
    }
    let put = |state: &mut ResourceState| {
        state.tags.extend(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        if state.tags.len() > TAGS_MAX { Err(too_many()) } else { Ok(()) }
    };
    let resource = Resource { kind, id: id.to_owned() };
    call.api.state.change(Kind::Resource, &resource.document(), put).await?;
    Ok(())
}

/// The tags of a resource, by key.
pub(super) async fn tags_of(
    call: &Call,
    kind: ResourceKind,
    id: &str,
) -> Result<Vec<Tag>, ApiError> {
    let resource = Resource { kind, id: id.to_owned() };
    let state: ResourceState =
        call.api.state.get_or_default(Kind::Resource, &resource.document()).await?;
    let tags: BTreeMap<String, String> = state.tags;
    Ok(tags.into_iter().map(|(key, value)| Tag { key, value }).collect())
}

fn too_many() -> ApiError {
    ApiError::user("TagsLimitExceededException", format!("A resource has at most {TAGS_MAX} tags"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: &[&str]) -> Vec<Tag> {
        keys.iter().map(|key| Tag { key: (*key).to_owned(), value: String::new() }).collect()
    }

    #[test]
    fn keys_stand_once_and_are_not_those_of_aws() {
        assert!(check_tags(&tags(&["a", "A", "b"])).is_ok());
        for (wrong, code) in [
            (tags(&["a", "a"]), "InvalidTagParameterException"),
            (tags(&["AWS:x"]), "InvalidTagParameterException"),
            (tags(&["a"; 51]), "TagsLimitExceededException"),
        ] {
            assert_eq!(check_tags(&wrong).unwrap_err().code.name, code);
        }
    }
}
