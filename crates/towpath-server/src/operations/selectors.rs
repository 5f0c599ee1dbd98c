//! Advanced event selectors of requests.

use serde_json::Value;

use crate::wire::ApiError;

/// Selectors of one store, and values over all their conditions: AWS's limits.
const SELECTORS_MAX: usize = 5;
const VALUES_MAX: usize = 500;

/// Categories of CloudTrail's own events, which one store may hold together.
pub(super) const CLOUDTRAIL_CATEGORIES: [&str; 3] = ["Management", "Data", "NetworkActivity"];

/// Categories that need a store of their own.
const OTHER_CATEGORIES: [&str; 4] =
    ["Insight", "ConfigurationItem", "Evidence", "ActivityAuditLog"];

/// The category that the first selector names; `Management` if there is none.
pub(super) fn category(selectors: &Value) -> &str {
    let first = selectors.get(0).and_then(category_of);
    first.unwrap_or("Management")
}

fn category_of(selector: &Value) -> Option<&str> {
    let fields = selector.get("FieldSelectors")?.as_array()?;
    let field = fields.iter().find(|field| field["Field"] == "eventCategory")?;
    field.get("Equals")?.get(0)?.as_str()
}

/// Checks selectors by what AWS says of them beyond the form of each.
///
/// # Errors
///
/// `InvalidEventSelectorsException`.
pub(super) fn check_selectors(selectors: &Value) -> Result<(), ApiError> {
    let invalid = |text: String| ApiError::user("InvalidEventSelectorsException", text);
    let selectors = selectors.as_array().map(Vec::as_slice).unwrap_or_default();
    if selectors.is_empty() || selectors.len() > SELECTORS_MAX {
        return Err(invalid(format!(
            "There must be 1 to {SELECTORS_MAX} advanced event selectors"
        )));
    }
    let values: usize = selectors.iter().map(count_values).sum();
    if values > VALUES_MAX {
        return Err(invalid(format!(
            "The advanced event selectors have {values} values; at most {VALUES_MAX} are allowed"
        )));
    }
    let mut other = None;
    for (index, selector) in selectors.iter().enumerate() {
        let category = category_of(selector).ok_or_else(|| {
            let number = index + 1;
            invalid(format!("Advanced event selector {number} must say which eventCategory Equals"))
        })?;
        let is_other = OTHER_CATEGORIES.contains(&category);
        if !is_other && !CLOUDTRAIL_CATEGORIES.contains(&category) {
            return Err(invalid(format!("'{category}' is not an eventCategory")));
        }
        if index > 0 && (is_other || other.is_some()) && other != Some(category) {
            return Err(invalid(format!(
                "Events of category '{category}' need an event data store of their own"
            )));
        }
        other = is_other.then_some(category);
    }
    Ok(())
}

fn count_values(selector: &Value) -> usize {
    let fields = selector.get("FieldSelectors").and_then(Value::as_array);
    let of_field = |field: &Value| -> usize {
        let conditions = field.as_object().into_iter().flat_map(|field| field.values());
        conditions.filter_map(Value::as_array).map(Vec::len).sum()
    };
    fields.into_iter().flatten().map(of_field).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn categories_that_need_a_store_of_their_own_are_not_mixed() {
        let of = |categories: &[&str]| {
            let selector = |category: &&str| json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}]});
            Value::Array(categories.iter().map(selector).collect())
        };
        assert!(check_selectors(&of(&["Management", "Data", "NetworkActivity"])).is_ok());
        assert!(check_selectors(&of(&["Insight"])).is_ok());
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
            let error = check_selectors(&wrong).unwrap_err();
            assert_eq!(error.code.name, "InvalidEventSelectorsException", "{wrong}");
        }
    }
}
