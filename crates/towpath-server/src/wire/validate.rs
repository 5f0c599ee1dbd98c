//! Checks a request against the model, and words what is wrong as AWS does.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{ApiError, Member, Operation, PUT_AUDIT_EVENTS, Shape};

/// Constraints that one answer names. The rest is counted only.
const VIOLATIONS_NAMED_MAX: usize = 10;

/// Characters of a wrong value that an answer repeats.
const VALUE_CHARS_MAX: usize = 128;

/// Seconds since 1970 of the years 0001 and 9999, beyond which no clock of AWS counts.
const TIMESTAMP_RANGE: (f64, f64) = (-62_135_596_800.0, 253_402_300_799.0);

/// Errors for a member of this name, in this order of preference, where the operation declares one.
const CODES_OF_MEMBERS: &[(&str, &[&str])] = &[
    ("MaxResults", &["InvalidMaxResultsException"]),
    ("MaxQueryResults", &["InvalidMaxResultsException"]),
    ("NextToken", &["InvalidNextTokenException", "InvalidTokenException"]),
    ("QueryStatus", &["InvalidQueryStatusException"]),
    ("LookupAttributes", &["InvalidLookupAttributesException"]),
    ("EventCategory", &["InvalidEventCategoryException"]),
    ("StartTime", &["InvalidTimeRangeException", "InvalidDateRangeException"]),
    ("EndTime", &["InvalidTimeRangeException", "InvalidDateRangeException"]),
    ("AdvancedEventSelectors", &["InvalidEventSelectorsException"]),
    ("EventSelectors", &["InvalidEventSelectorsException"]),
    ("InsightSelectors", &["InvalidInsightSelectorsException"]),
    ("TagsList", &["InvalidTagParameterException"]),
    ("Tags", &["InvalidTagParameterException"]),
    ("ResourceArn", &["ResourceARNNotValidException"]),
    ("ResourcePolicy", &["ResourcePolicyNotValidException"]),
    ("ImportSource", &["InvalidImportSourceException"]),
    ("Source", &["InvalidSourceException"]),
    ("S3BucketName", &["InvalidS3BucketNameException"]),
    ("S3KeyPrefix", &["InvalidS3PrefixException"]),
    ("TrailName", &["InvalidTrailNameException"]),
    ("Name", &["InvalidTrailNameException"]),
    ("Channel", &["ChannelARNInvalidException"]),
    ("QueryStatement", &["InvalidParameterException", "InvalidQueryStatementException"]),
    ("Widgets", &["InvalidParameterException", "InvalidQueryStatementException"]),
    ("EventDataStore", &["EventDataStoreARNInvalidException"]),
    ("EventDataStores", &["EventDataStoreARNInvalidException"]),
];

/// What the constraint of a pattern compiles to. All patterns of the model are tried by a test.
static PATTERNS: LazyLock<HashMap<&'static str, Regex>> = LazyLock::new(|| {
    let mut patterns = HashMap::new();
    let members = Operation::all().iter().flat_map(|operation| operation.input);
    for member in members.chain(PUT_AUDIT_EVENTS) {
        compile(member.shape, &mut patterns);
    }
    patterns
});

/// Checks `input` against what `operation` takes.
///
/// # Errors
///
/// `SerializationException` for a value of another JSON type, else the error that AWS declares for
/// the first member that is wrong, with a text that names all of them.
pub(crate) fn validate(operation: &Operation, input: &Map<String, Value>) -> Result<(), ApiError> {
    match check_all(operation.input, input)? {
        None => Ok(()),
        Some((member, text)) => Err(ApiError::user(code_for(operation, member), text)),
    }
}

/// Checks `input` against `members`, for an operation whose errors are not those of `cloudtrail`.
///
/// # Errors
///
/// As [`validate`], with `ValidationException` for what is wrong.
pub(crate) fn validate_members(
    members: &'static [Member],
    input: &Map<String, Value>,
) -> Result<(), ApiError> {
    match check_all(members, input)? {
        None => Ok(()),
        Some((_, text)) => Err(ApiError::user("ValidationException", text)),
    }
}

/// The first member that is wrong and a text about all that is.
fn check_all(
    members: &'static [Member],
    input: &Map<String, Value>,
) -> Result<Option<(&'static str, String)>, ApiError> {
    let mut first = None;
    let mut violations = Vec::new();
    for member in members {
        check_member(member, input, "", &mut violations)?;
        if first.is_none() && !violations.is_empty() {
            first = Some(member.name);
        }
    }
    Ok(first.map(|member| (member, describe(&violations))))
}

fn describe(violations: &[String]) -> String {
    let count = violations.len();
    let errors = if count == 1 { "error" } else { "errors" };
    let named: Vec<&str> =
        violations.iter().take(VIOLATIONS_NAMED_MAX).map(String::as_str).collect();
    format!("{count} validation {errors} detected: {}", named.join("; "))
}

fn code_for(operation: &Operation, member: &str) -> &'static str {
    let own = CODES_OF_MEMBERS.iter().find(|(name, _)| *name == member);
    let codes = own.map_or(&[][..], |(_, codes)| codes);
    let declared =
        codes.iter().chain(&["InvalidParameterException"]).find(|code| operation.declares(code));
    declared.copied().unwrap_or("ValidationException")
}

fn check_member(
    member: &Member,
    input: &Map<String, Value>,
    parent: &str,
    violations: &mut Vec<String>,
) -> Result<(), ApiError> {
    let path = if parent.is_empty() {
        lower_first(member.name)
    } else {
        format!("{parent}.{}", lower_first(member.name))
    };
    match input.get(member.name).filter(|value| !value.is_null()) {
        Some(value) => check(member.shape, value, &path, violations),
        None if member.is_required => {
            violations.push(format!(
                "Value null at '{path}' failed to satisfy constraint: Member must not be null"
            ));
            Ok(())
        }
        None => Ok(()),
    }
}

fn check(
    shape: &Shape,
    value: &Value,
    path: &str,
    violations: &mut Vec<String>,
) -> Result<(), ApiError> {
    match (shape, value) {
        (Shape::Boolean, Value::Bool(_)) => {}
        (Shape::Timestamp, Value::Number(number)) => {
            let (min, max) = TIMESTAMP_RANGE;
            if !number.as_f64().is_some_and(|seconds| (min..=max).contains(&seconds)) {
                push(violations, path, value, "Member must be a time of the years 1 to 9999");
            }
        }
        (Shape::Integer { min, max }, Value::Number(number)) => {
            let Some(integer) = number.as_i64() else {
                return Err(wrong_type(path, "an integer"));
            };
            check_bounds(integer, (*min, *max), "value", (path, value), violations);
        }
        (Shape::Text { min, max, pattern }, Value::String(text)) => {
            check_length(text.chars().count(), (*min, *max), path, value, violations);
            let regex = pattern.and_then(|pattern| PATTERNS.get(pattern));
            if let Some((regex, pattern)) = regex.zip(*pattern)
                && !regex.is_match(text)
            {
                let text = format!("Member must satisfy regular expression pattern: {pattern}");
                push(violations, path, value, &text);
            }
        }
        (Shape::OneOf(values), Value::String(text)) => {
            if !values.contains(&text.as_str()) {
                let text = format!("Member must satisfy enum value set: [{}]", values.join(", "));
                push(violations, path, value, &text);
            }
        }
        (Shape::List { member, min, max }, Value::Array(items)) => {
            check_length(items.len(), (*min, *max), path, value, violations);
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}.{}.member", index + 1);
                check(member, item, &path, violations)?;
            }
        }
        (Shape::Map { key, value: of, min, max }, Value::Object(entries)) => {
            check_length(entries.len(), (*min, *max), path, value, violations);
            for (name, item) in entries {
                check(key, &Value::String(name.clone()), path, violations)?;
                check(of, item, &format!("{path}.{name}.member"), violations)?;
            }
        }
        (Shape::Structure(members), Value::Object(object)) => {
            for member in *members {
                check_member(member, object, path, violations)?;
            }
        }
        _ => return Err(wrong_type(path, shape.json_type())),
    }
    Ok(())
}

impl Shape {
    fn json_type(&self) -> &'static str {
        match self {
            Shape::Boolean => "true or false",
            Shape::Timestamp => "a number of seconds since 1970",
            Shape::Integer { .. } => "an integer",
            Shape::Text { .. } | Shape::OneOf(_) => "a string",
            Shape::List { .. } => "a list",
            Shape::Map { .. } | Shape::Structure(_) => "an object",
        }
    }
}

fn check_length(
    length: usize,
    (min, max): (usize, usize),
    path: &str,
    value: &Value,
    violations: &mut Vec<String>,
) {
    let as_i64 = |length| i64::try_from(length).unwrap_or(i64::MAX);
    check_bounds(as_i64(length), (as_i64(min), as_i64(max)), "length", (path, value), violations);
}

fn check_bounds(
    found: i64,
    (min, max): (i64, i64),
    what: &str,
    (path, value): (&str, &Value),
    violations: &mut Vec<String>,
) {
    if found < min {
        let text = format!("Member must have {what} greater than or equal to {min}");
        push(violations, path, value, &text);
    } else if found > max {
        let text = format!("Member must have {what} less than or equal to {max}");
        push(violations, path, value, &text);
    }
}

fn push(violations: &mut Vec<String>, path: &str, value: &Value, constraint: &str) {
    let shown = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let shown = match shown.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    };
    violations
        .push(format!("Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"));
}

fn wrong_type(path: &str, expected: &str) -> ApiError {
    ApiError::user("SerializationException", format!("The value at '{path}' must be {expected}"))
}

/// `name` as AWS writes it in paths: `queryStatement`.
fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}

fn compile(shape: &Shape, patterns: &mut HashMap<&'static str, Regex>) {
    match shape {
        Shape::Text { pattern: Some(pattern), .. } => {
            if let Ok(regex) = whole(pattern) {
                patterns.insert(pattern, regex);
            }
        }
        Shape::List { member, .. } => compile(member, patterns),
        Shape::Map { key, value, .. } => {
            compile(key, patterns);
            compile(value, patterns);
        }
        Shape::Structure(members) => {
            members.iter().for_each(|member| compile(member.shape, patterns));
        }
        _ => {}
    }
}

/// `pattern` for whole texts only.
fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{pattern})\z"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PATTERNS, lower_first, validate, whole};
    use crate::wire::{Operation, Shape};

    fn problem(operation: &str, input: Value) -> Option<(String, String)> {
        let Value::Object(input) = input else { panic!("not an object") };
        let error = validate(Operation::named(operation).unwrap(), &input).err()?;
        Some((error.code.name.into_owned(), error.message))
    }

    #[test]
    fn limits_are_inclusive_on_both_sides() {
        let cases = [
            (json!({"QueryStatement": "x".repeat(10_000)}), true),
            (json!({"QueryStatement": "x".repeat(10_001)}), false),
            (json!({"QueryStatement": "é".repeat(10_000)}), true),
            (json!({"QueryStatement": ""}), false),
            (json!({"QueryAlias": "a", "QueryParameters": ["x"]}), true),
            (json!({"QueryAlias": "1"}), false),
            (json!({"QueryParameters": vec!["x"; 10]}), true),
            (json!({"QueryParameters": vec!["x"; 11]}), false),
            (json!({"QueryParameters": []}), false),
            (json!({"DeliveryS3Uri": "s3://bucket/prefix"}), true),
            (json!({"DeliveryS3Uri": "S3://bucket"}), false),
            (json!({"EventDataStoreOwnerAccountId": "123456789012"}), true),
            (json!({"EventDataStoreOwnerAccountId": "12345678901"}), false),
            (json!({"QueryStatement": null}), true),
        ];
        for (input, passes) in cases {
            assert_eq!(problem("StartQuery", input.clone()).is_none(), passes, "{input}");
        }
    }

    #[test]
    fn the_error_is_the_one_that_the_operation_declares() {
        let cases = [
            ("CreateEventDataStore", json!({"Name": "bad name"}), "InvalidParameterException"),
            (
                "CreateEventDataStore",
                json!({"Name": "name", "RetentionPeriod": 6}),
                "InvalidParameterException",
            ),
            ("ListEventDataStores", json!({"MaxResults": 1001}), "InvalidMaxResultsException"),
            ("ListEventDataStores", json!({"NextToken": "x"}), "InvalidNextTokenException"),
            ("LookupEvents", json!({"MaxResults": 51}), "InvalidMaxResultsException"),
            ("CreateEventDataStore", json!({"Name": 1}), "SerializationException"),
            ("GetQueryResults", json!({}), "InvalidParameterException"),
            ("GetChannel", json!({"Channel": "é é"}), "ChannelARNInvalidException"),
        ];
        for (operation, input, code) in cases {
            assert_eq!(problem(operation, input).unwrap().0, code, "{operation}");
        }
    }

    #[test]
    fn the_text_names_every_constraint_and_where() {
        let input = json!({
            "Name": "ab",
            "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventName", "Equals": []}]}],
        });
        let text = problem("CreateEventDataStore", input).unwrap().1;
        assert_eq!(
            text,
            "2 validation errors detected: Value 'ab' at 'name' failed to satisfy constraint: \
             Member must have length greater than or equal to 3; Value '[]' at \
             'advancedEventSelectors.1.member.fieldSelectors.1.member.equals' failed to satisfy \
             constraint: Member must have length greater than or equal to 1"
        );
    }

    #[test]
    fn every_pattern_of_the_model_compiles() {
        fn walk(shape: &Shape, found: &mut usize) {
            match shape {
                Shape::Text { pattern: Some(pattern), .. } => {
                    whole(pattern).unwrap();
                    assert!(PATTERNS.contains_key(pattern));
                    *found += 1;
                }
                Shape::List { member, .. } => walk(member, found),
                Shape::Map { key, value, .. } => {
                    walk(key, found);
                    walk(value, found);
                }
                Shape::Structure(members) => {
                    members.iter().for_each(|member| walk(member.shape, found));
                }
                _ => {}
            }
        }
        let mut found = 0;
        for member in Operation::all().iter().flat_map(|operation| operation.input) {
            walk(member.shape, &mut found);
        }
        assert!(found > 100, "{found}");
        assert_eq!(lower_first("S3BucketName"), "s3BucketName");
    }
}
