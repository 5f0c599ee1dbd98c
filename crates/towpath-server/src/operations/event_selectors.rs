//! `PutEventSelectors` and `GetEventSelectors` of trails.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::{read, without_nulls};
use super::selectors::parse_selectors;
use super::trail::{TrailState, find_trail};
use crate::api::{Call, ResourceKind};
use crate::state::Kind;
use crate::wire::ApiError;

/// Basic selectors of a trail, and values over all their data resources: AWS's limits.
const SELECTORS_MAX: usize = 5;
const VALUES_MAX: usize = 250;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    trail_name: String,
    event_selectors: Option<Value>,
    advanced_event_selectors: Option<Value>,
}

/// Puts selectors of one kind on a trail, over all that it has of either kind.
pub(super) async fn put(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    match (&input.event_selectors, &input.advanced_event_selectors) {
        (Some(basic), None) => check_basic(basic)?,
        (None, Some(advanced)) => drop(parse_selectors(advanced)?),
        _ => return Err(invalid("Give either EventSelectors or AdvancedEventSelectors")),
    }
    let basic = input.event_selectors.map(with_defaults);
    let (name, _) = find_trail(call, &input.trail_name).await?;
    let put = |state: &mut TrailState| {
        state.event_selectors = basic.clone().unwrap_or_default();
        state.advanced_event_selectors = input.advanced_event_selectors.clone().unwrap_or_default();
        Ok(())
    };
    let state = call.api.state.change(Kind::Trail, &name, put).await?;
    Ok(answer(call, &name, &state))
}

/// The selectors of a trail; without any, the one that AWS takes them to be.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let (name, state) = find_trail(call, &input.trail_name).await?;
    Ok(answer(call, &name, &state))
}

fn answer(call: &Call, name: &str, state: &TrailState) -> Value {
    let is_default = state.event_selectors.is_null() && state.advanced_event_selectors.is_null();
    let basic = match is_default {
        true => with_defaults(json!([{}])),
        false => state.event_selectors.clone(),
    };
    without_nulls(json!({
        "TrailARN": call.api.arn(ResourceKind::Trail, name),
        "EventSelectors": basic,
        "AdvancedEventSelectors": state.advanced_event_selectors,
    }))
}

/// Basic selectors with what they leave out.
fn with_defaults(selectors: Value) -> Value {
    let mut selectors = selectors;
    for selector in selectors.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
    {
        for (name, value) in [
            ("ReadWriteType", json!("All")),
            ("IncludeManagementEvents", json!(true)),
            ("DataResources", json!([])),
            ("ExcludeManagementEventSources", json!([])),
        ] {
            selector.entry(name).or_insert(value);
        }
    }
    selectors
}

fn check_basic(selectors: &Value) -> Result<(), ApiError> {
    let selectors = selectors.as_array().map(Vec::as_slice).unwrap_or_default();
    if selectors.is_empty() || selectors.len() > SELECTORS_MAX {
        return Err(invalid("There must be 1 to 5 event selectors"));
    }
    let resources = |selector: &Value| -> usize {
        let resources = selector["DataResources"].as_array().into_iter().flatten();
        resources.filter_map(|resource| resource["Values"].as_array()).map(Vec::len).sum()
    };
    if selectors.iter().map(resources).sum::<usize>() > VALUES_MAX {
        return Err(invalid("The event selectors name more than 250 data resources"));
    }
    let excludable = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
    let mut excluded = selectors
        .iter()
        .filter_map(|selector| selector["ExcludeManagementEventSources"].as_array())
        .flatten();
    if excluded.any(|source| !excludable.contains(&source.as_str().unwrap_or_default())) {
        let text = "Only kms.amazonaws.com and rdsdata.amazonaws.com can be excluded";
        return Err(invalid(text));
    }
    Ok(())
}

fn invalid(text: &str) -> ApiError {
    ApiError::user("InvalidEventSelectorsException", text)
}
