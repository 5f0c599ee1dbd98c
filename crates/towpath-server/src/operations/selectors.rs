//! Advanced event selectors of requests.

use serde_json::{Value, json};
use towpath::{EventKind, EventSelectors, Store};

use crate::wire::ApiError;

/// Values over all conditions of all selectors: AWS's limit.
const VALUES_MAX: usize = 500;

/// Reads the advanced selectors of a request, and checks them by AWS's rules.
///
/// # Errors
///
/// `InvalidEventSelectorsException`, which names the selector and its field.
pub(super) fn parse_selectors(selectors: &Value) -> Result<EventSelectors, ApiError> {
    let values: usize = selectors.as_array().into_iter().flatten().map(count_values).sum();
    if values > VALUES_MAX {
        return Err(invalid(&format!(
            "The advanced event selectors have {values} values; at most {VALUES_MAX} are allowed"
        )));
    }
    let wrapped = json!({"AdvancedEventSelectors": selectors});
    EventSelectors::parse(&wrapped.to_string()).map_err(|error| invalid(&error.to_string()))
}

/// The selectors of a store as answers have them. One that takes all of its kind, as the command
/// makes them, has one selector for each category of that kind.
pub(super) fn selectors_of(store: &Store) -> Result<Value, ApiError> {
    let intake = store.intake()?;
    if let Some(selectors) = intake.selectors() {
        let mut read: Value = serde_json::from_str(selectors.to_json()).unwrap_or_default();
        // Those of the older kind, which the command takes too, have no advanced form to show.
        if let Some(list) = read.get_mut("AdvancedEventSelectors") {
            return Ok(list.take());
        }
    }
    let all = |category: &str| json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}]});
    Ok(match intake.kind() {
        EventKind::CloudTrail => {
            CLOUDTRAIL_CATEGORIES.iter().map(|category| all(category)).collect()
        }
        kind => json!([all(kind.name())]),
    })
}

/// Categories of CloudTrail's own events, which one store may hold together.
const CLOUDTRAIL_CATEGORIES: [&str; 3] = ["Management", "Data", "NetworkActivity"];

fn count_values(selector: &Value) -> usize {
    let fields = selector.get("FieldSelectors").and_then(Value::as_array);
    let of_field = |field: &Value| -> usize {
        let conditions = field.as_object().into_iter().flat_map(|field| field.values());
        conditions.filter_map(Value::as_array).map(Vec::len).sum()
    };
    fields.into_iter().flatten().map(of_field).sum()
}

fn invalid(text: &str) -> ApiError {
    ApiError::user("InvalidEventSelectorsException", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_that_need_a_store_of_their_own_are_not_mixed() {
        let of = |categories: &[&str]| {
            let selector = |category: &&str| {
                let category_is = json!({"Field": "eventCategory", "Equals": [category]});
                let resources = json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]});
                let source = json!({"Field": "eventSource", "Equals": ["s3.amazonaws.com"]});
                json!({"FieldSelectors": match *category {
                    "Data" => json!([category_is, resources]),
                    "NetworkActivity" => json!([category_is, source]),
                    _ => json!([category_is]),
                }})
            };
            Value::Array(categories.iter().map(selector).collect())
        };
        assert!(parse_selectors(&of(&["Management", "Data", "NetworkActivity"])).is_ok());
        assert!(parse_selectors(&of(&["Insight"])).is_ok());
        for wrong in [
            of(&[]),
            of(&["Management"; 6]),
            of(&["Management", "Insight"]),
            of(&["Insight", "Data"]),
            of(&["Other"]),
            json!([{"FieldSelectors": [{"Field": "eventName", "Equals": ["x"]}]}]),
            json!([{"FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "eventName", "Equals": vec!["x"; 500]},
            ]}]),
        ] {
            let error = parse_selectors(&wrong).unwrap_err();
            assert_eq!(error.code.name, "InvalidEventSelectorsException", "{wrong}");
        }
    }
}
