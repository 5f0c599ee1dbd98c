//! Event selectors: what is read, what is refused and why, and which events are taken.

use proptest::prelude::*;
use serde_json::{Value, json};
use towpath_event::{EventBatchBuilder, EventKind, EventSelectors, SelectorError};

/// The names of the events that `selectors` take.
fn taken(selectors: &str, events: &[Value]) -> Vec<String> {
    let selectors = EventSelectors::parse(selectors).unwrap();
    let mut builder = EventBatchBuilder::new();
    builder.append_log_file(json!({"Records": events}).to_string().as_bytes()).unwrap();
    let batch = builder.finish();
    let taken = selectors.matches(&batch.columns);
    assert_eq!(taken.len(), events.len());
    let names = events.iter().map(|event| event["eventName"].as_str().unwrap().to_owned());
    names.zip(taken).filter(|(_, taken)| *taken).map(|(name, _)| name).collect()
}

fn event(name: &str, fields: impl Into<Value>) -> Value {
    let mut event = json!({
        "eventTime": "2024-01-01T00:00:00Z",
        "eventName": name,
        "eventCategory": "Management",
        "eventSource": "s3.amazonaws.com",
    });
    event.as_object_mut().unwrap().extend(fields.into().as_object().unwrap().clone());
    event
}

fn data_event(name: &str, resource_type: &str, arn: &str) -> Value {
    event(
        name,
        json!({
            "eventCategory": "Data",
            "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"},
                          {"type": resource_type, "ARN": arn}],
        }),
    )
}

/// A selector of `category` with one more field.
fn one(category: &str, field: &Value) -> String {
    json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, field]}])
        .to_string()
}

fn refusal(text: &str) -> String {
    EventSelectors::parse(text).unwrap_err().to_string()
}

const ADVANCED_YAML: &str = r#"
AdvancedEventSelectors:
  - Name: "Log all S3 GetObject events"
    FieldSelectors:
      - Field: eventCategory
        Equals: ["Data"]
      - Field: resources.type
        Equals: ["AWS::S3::Object"]
      - Field: eventName
        Equals: ["GetObject"]
"#;

const BASIC_YAML: &str = "
EventSelectors:
  - ReadWriteType: All
    IncludeManagementEvents: true
    DataResources:
      - Type: AWS::S3::Object
        Values:
          - arn:aws:s3:::my-bucket/
      - Type: AWS::Lambda::Function
        Values:
          - arn:aws:lambda
";

#[test]
fn the_forms_in_which_people_keep_selectors_all_mean_the_same() {
    let list = json!([{
        "Name": "Log all S3 GetObject events",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "eventName", "Equals": ["GetObject"]},
        ],
    }]);
    let object = json!({"TrailName": "t", "AdvancedEventSelectors": list});
    let template = json!({"Resources": {"Store": {
        "Type": "AWS::CloudTrail::EventDataStore",
        "Properties": {"Name": {"Ref": "X"}, "AdvancedEventSelectors": list},
    }}});
    let template_yaml = format!(
        "Resources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties:\n      \
         S3BucketName: !Ref Bucket\n      KMSKeyId: !GetAtt [Key, Arn]\n{}",
        ADVANCED_YAML.lines().map(|line| format!("      {line}\n")).collect::<String>()
    );
    let expected = EventSelectors::parse(ADVANCED_YAML).unwrap();
    assert_eq!(expected.kind(), EventKind::CloudTrail);
    for text in [
        list.to_string(),
        object.to_string(),
        serde_json::to_string_pretty(&template).unwrap(),
        format!("\u{feff}{list}"),
        format!("\t{list}\t"),
        template_yaml,
        expected.to_json().to_owned(),
    ] {
        assert_eq!(EventSelectors::parse(&text).unwrap(), expected, "{text}");
    }
}

#[test]
fn the_examples_of_the_documentation_take_what_they_say() {
    let events = [
        data_event("GetObject", "AWS::S3::Object", "arn:aws:s3:::my-bucket/a"),
        data_event("PutObject", "AWS::S3::Object", "arn:aws:s3:::my-bucket-2/a"),
        data_event("Invoke", "AWS::Lambda::Function", "arn:aws:lambda:eu-west-1:1:function:f"),
        data_event("Query", "AWS::DynamoDB::Table", "arn:aws:dynamodb:eu-west-1:1:table/t"),
        event("RunInstances", json!({})),
    ];
    assert_eq!(taken(ADVANCED_YAML, &events), ["GetObject"]);
    assert_eq!(taken(BASIC_YAML, &events), ["GetObject", "Invoke", "RunInstances"]);
}

#[test]
fn operators_of_one_field_select_together_and_deselect_each() {
    let events: Vec<Value> = ["Get", "GetBucket", "GetObject", "PutBucket", "ListBuckets"]
        .map(|n| event(n, json!({})))
        .into();
    for (conditions, expected) in [
        (json!({"Equals": ["Get", "PutBucket"]}), vec!["Get", "PutBucket"]),
        (json!({"StartsWith": ["Put"], "EndsWith": ["Object"]}), vec!["GetObject", "PutBucket"]),
        (
            json!({"StartsWith": ["Get"], "NotEndsWith": ["Object"], "NotEquals": ["Get"]}),
            vec!["GetBucket"],
        ),
        (json!({"NotStartsWith": ["Get", "List"]}), vec!["PutBucket"]),
        (json!({"Equals": ["get"]}), vec![]),
        (json!({"Equals": "Get"}), vec!["Get"]),
    ] {
        let mut field = json!({"Field": "eventName"});
        field.as_object_mut().unwrap().extend(conditions.as_object().unwrap().clone());
        assert_eq!(taken(&one("Management", &field), &events), expected, "{conditions}");
    }
}

#[test]
fn every_field_is_compared_with_its_own_column() {
    let cases = [
        ("Management", json!({"Field": "readOnly", "Equals": ["true"]}), json!({"readOnly": true})),
        (
            "Management",
            json!({"Field": "readOnly", "Equals": ["false"]}),
            json!({"readOnly": false}),
        ),
        (
            "Management",
            json!({"Field": "eventSource", "StartsWith": ["kms."]}),
            json!({"eventSource": "kms.amazonaws.com"}),
        ),
        (
            "Management",
            json!({"Field": "eventType", "Equals": ["AwsConsoleSignIn"]}),
            json!({"eventType": "AwsConsoleSignIn"}),
        ),
        (
            "Management",
            json!({"Field": "sessionCredentialFromConsole", "Equals": ["true"]}),
            json!({"sessionCredentialFromConsole": "true"}),
        ),
        (
            "Management",
            json!({"Field": "userIdentity.arn", "EndsWith": ["/ann"]}),
            json!({"userIdentity": {"arn": "arn:aws:iam::1:user/ann"}}),
        ),
        (
            "NetworkActivity",
            json!({"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}),
            json!({"eventCategory": "NetworkActivity"}),
        ),
    ];
    for (category, field, fields) in cases {
        let events = [event("Yes", fields), event("No", json!({"eventCategory": "Data"}))];
        assert_eq!(taken(&one(category, &field), &events), ["Yes"], "{field}");
    }
    let network = json!([{"FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["NetworkActivity"]},
        {"Field": "eventSource", "Equals": ["s3.amazonaws.com"]},
        {"Field": "errorCode", "Equals": ["VpceAccessDenied"]},
        {"Field": "vpcEndpointId", "NotEquals": ["vpce-1"]},
    ]}]);
    let denied = |name: &str, endpoint: &str, code: &str| {
        let fields = json!({"eventCategory": "NetworkActivity", "vpcEndpointId": endpoint, "errorCode": code});
        event(name, fields)
    };
    let events = [
        denied("Yes", "vpce-2", "VpceAccessDenied"),
        denied("Other endpoint", "vpce-1", "VpceAccessDenied"),
        denied("Other error", "vpce-2", "AccessDenied"),
    ];
    assert_eq!(taken(&network.to_string(), &events), ["Yes"]);
}

#[test]
fn a_field_that_an_event_lacks_is_hit_by_no_operator() {
    let events = [event("A", json!({}))];
    let without = |operator: &str| {
        let mut field = json!({"Field": "userIdentity.arn"});
        field[operator] = json!(["x"]);
        taken(&one("Management", &field), &events).len()
    };
    for operator in ["Equals", "StartsWith", "EndsWith"] {
        assert_eq!(without(operator), 0, "{operator}");
    }
    for operator in ["NotEquals", "NotStartsWith", "NotEndsWith"] {
        assert_eq!(without(operator), 1, "{operator}");
    }
}

#[test]
fn the_arn_that_counts_is_that_of_a_resource_of_the_type_asked_for() {
    let selectors = |operator: &str, value: &str| {
        let mut field = json!({"Field": "resources.ARN"});
        field[operator] = json!([value]);
        json!([{"FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            field,
        ]}])
        .to_string()
    };
    let prefix_only = event(
        "List",
        json!({"eventCategory": "Data",
               "resources": [{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b/"}]}),
    );
    let events = [data_event("Get", "AWS::S3::Object", "arn:aws:s3:::b/k"), prefix_only];
    assert_eq!(taken(&selectors("EndsWith", ":::b"), &events), [""; 0], "that is the bucket's");
    assert_eq!(taken(&selectors("NotEndsWith", ":::b"), &events), ["Get", "List"]);
    assert_eq!(taken(&selectors("Equals", "arn:aws:s3:::b/k"), &events), ["Get"]);
    assert_eq!(taken(&selectors("StartsWith", "arn:aws:s3:::b/"), &events), ["Get", "List"]);
    assert_eq!(taken(&selectors("NotStartsWith", "arn:aws:s3:::b/"), &events), [""; 0]);
}

#[test]
fn basic_selectors_choose_by_what_an_event_does_and_where_it_comes_from() {
    let read = event("Read", json!({"readOnly": true}));
    let write = event("Write", json!({"readOnly": false}));
    let kms = event("Decrypt", json!({"readOnly": true, "eventSource": "kms.amazonaws.com"}));
    let get = data_event("Get", "AWS::S3::Object", "arn:aws:s3:::b/k");
    let table = data_event("Query", "AWS::DynamoDB::Table", "arn:aws:dynamodb:eu:1:table/t");
    let events = [read, write, kms, get, table];
    for (selector, expected) in [
        (json!({}), vec!["Read", "Write", "Decrypt"]),
        (json!({"ReadWriteType": "WriteOnly"}), vec!["Write"]),
        (json!({"ExcludeManagementEventSources": ["kms.amazonaws.com"]}), vec!["Read", "Write"]),
        (
            json!({"IncludeManagementEvents": false, "DataResources": [
                {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]},
                {"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb:eu:1:table"]}]}),
            vec!["Get"],
        ),
        (
            json!({"IncludeManagementEvents": false, "DataResources": [
                {"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb:eu:1:table/t"]}]}),
            vec!["Query"],
        ),
    ] {
        let text = json!({"EventSelectors": [selector]}).to_string();
        assert_eq!(taken(&text, &events), expected, "{selector}");
        let again = EventSelectors::parse(EventSelectors::parse(&text).unwrap().to_json());
        assert_eq!(again, EventSelectors::parse(&text), "{selector}");
    }
}

#[test]
fn a_category_with_a_schema_of_its_own_gives_its_kind() {
    for name in ["Insight", "ConfigurationItem", "Evidence", "ActivityAuditLog"] {
        let text = json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": [name]}]}]);
        let selectors = EventSelectors::parse(&text.to_string()).unwrap();
        assert_eq!(selectors.kind().name(), name);
        assert_eq!(EventKind::of_category(name), Some(selectors.kind()));
    }
}

#[test]
fn what_cloudtrail_refuses_is_refused_by_selector_and_field() {
    let management = |field: Value| one("Management", &field);
    let data = |fields: Value| {
        let mut all = vec![json!({"Field": "eventCategory", "Equals": ["Data"]})];
        all.extend(fields.as_array().unwrap().clone());
        json!([{"Name": "n", "FieldSelectors": all}]).to_string()
    };
    let s3 = json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]});
    let cases = [
        ("[]".to_owned(), "there are 0 selectors; a store has 1 to 5"),
        (json!([{"FieldSelectors": []}]).to_string(), "selector 1, field `eventCategory`: every"),
        (
            management(json!({"Field": "eventNam", "Equals": ["a"]})),
            "field `eventNam`: there is no such",
        ),
        (management(json!({"Field": "eventName"})), "field `eventName`: it has no operator"),
        (management(json!({"Field": "eventName", "Equals": []})), "`Equals` has no values"),
        (management(json!({"Field": "eventName", "Like": ["a"]})), "`Like` is not known"),
        (management(json!({"Field": "eventName", "Equals": [""]})), "1 to 2048 characters"),
        (management(json!({"Field": "eventName", "Equals": ["x".repeat(2049)]})), "1 to 2048"),
        (management(json!({"Field": "eventName", "Equals": [["a"]]})), "`Equals` is not a text"),
        (management(json!({"Field": "readOnly", "Equals": ["yes"]})), "`yes` is not `true` or"),
        (
            management(json!({"Field": "readOnly", "NotEquals": ["true"]})),
            "field `readOnly`: it takes `Equals` here, not `NotEquals`",
        ),
        (
            management(json!({"Field": "sessionCredentialFromConsole", "Equals": ["false"]})),
            "`false` is not `true`",
        ),
        (management(s3.clone()), "field `resources.type`: this category only has `eventCategory`"),
        (data(json!([])), "selector 1 (`n`), field `resources.type`: this category needs it"),
        (
            data(
                json!([{"Field": "resources.type", "Equals": ["AWS::S3::Object", "AWS::SNS::Topic"]}]),
            ),
            "it takes one value",
        ),
        (data(json!([{"Field": "resources.type", "Equals": ["S3"]}])), "is not a resource type"),
        (
            data(json!([s3, {"Field": "resources.ARN", "Equals": ["arn:aws:s3"]}])),
            "`arn:aws:s3` is not a whole ARN",
        ),
        (data(json!([s3, s3])), "field `resources.type`: it stands twice"),
        (
            one("NetworkActivity", &json!({"Field": "errorCode", "Equals": ["VpceAccessDenied"]})),
            "field `eventSource`: this category needs it",
        ),
        (
            one("Insight", &json!({"Field": "eventName", "Equals": ["a"]})),
            "field `eventName`: this category only has `eventCategory`",
        ),
    ];
    refused_as(cases);
}

fn refused_as<const N: usize>(cases: [(String, &str); N]) {
    for (text, expected) in cases {
        let refusal = refusal(&text);
        assert!(refusal.contains(expected), "{text}\n{refusal}");
    }
}

#[test]
fn selectors_that_do_not_go_together_or_are_none_are_refused() {
    let cases = [
        (
            json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data", "Insight"]}]}])
                .to_string(),
            "field `eventCategory`: it takes one value",
        ),
        (
            json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Insight"]}]},
                   {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}])
            .to_string(),
            "different columns: make a store for each",
        ),
        (json!({"x": 1}).to_string(), "there are no selectors"),
        (
            json!({"AdvancedEventSelectors": [], "EventSelectors": []}).to_string(),
            "more than one list",
        ),
        (json!([{"ReadWriteType": "Some"}]).to_string(), "field `ReadWriteType`: expected `All`"),
        (json!([{"ReadWrite": "All"}]).to_string(), "`ReadWrite` is not known"),
        (
            json!([{"ExcludeManagementEventSources": ["s3.amazonaws.com"]}]).to_string(),
            "`s3.amazonaws.com` is not `kms.amazonaws.com` or",
        ),
        (
            json!([{"DataResources": [{"Type": "AWS::SNS::Topic", "Values": ["arn:aws:sns"]}]}])
                .to_string(),
            "advanced selectors take every resource type",
        ),
        (json!([{"IncludeManagementEvents": false}]).to_string(), "it takes no events"),
        (
            "AdvancedEventSelectors:\n- FieldSelectors:\n  - Field: eventCategory\n    Equals: [!Ref X]"
                .to_owned(),
            "`Equals` is `!Ref`, which only CloudFormation can resolve",
        ),
    ];
    refused_as(cases);
}

#[test]
fn limits_hold_at_their_neighbours() {
    let names = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        one("Management", &json!({"Field": "eventName", "Equals": names}))
    };
    assert!(EventSelectors::parse(&names(499)).is_ok(), "with the category it is 500");
    assert!(refusal(&names(500)).contains("501 values together; at most 500"));

    let many = |count: usize| {
        let one = json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]});
        json!(vec![one; count]).to_string()
    };
    assert!(EventSelectors::parse(&many(5)).is_ok());
    assert!(refusal(&many(6)).contains("there are 6 selectors"));

    let named = |chars: usize| {
        let field = json!({"Field": "eventCategory", "Equals": ["Management"]});
        json!([{"Name": "ä".repeat(chars), "FieldSelectors": [field]}]).to_string()
    };
    assert!(EventSelectors::parse(&named(1000)).is_ok());
    assert!(refusal(&named(1001)).contains("more than 1000 characters"));

    let long = one("Management", &json!({"Field": "eventName", "Equals": ["x".repeat(2048)]}));
    assert!(EventSelectors::parse(&long).is_ok());

    let values = |count: usize| {
        let values: Vec<String> = (0..count).map(|n| format!("arn:aws:s3:::{n}/")).collect();
        json!([{"DataResources": [{"Type": "AWS::S3::Object", "Values": values}]}]).to_string()
    };
    assert!(EventSelectors::parse(&values(250)).is_ok());
    assert!(refusal(&values(251)).contains("251 values together; at most 250"));
}

#[test]
fn broken_and_hostile_texts_are_refused_with_their_place() {
    let deep = "[".repeat(100_000);
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]";
    for (text, expected) in [
        ("", "there are no selectors"),
        ("just text", "there are no selectors"),
        ("[{]", "line 1, column 3"),
        ("{\"EventSelectors\": [}", "line 1, column 21"),
        ("a: [", "line "),
        ("a: 1\na: 2", "key `a` stands twice"),
        ("{\"a\": 1, \"a\": 2}", "key `a` stands twice"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("? [a]\n: b", "a key is not a text"),
        (bomb, "aliases are not taken"),
        (deep.as_str(), "line 1"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(expected), "{refusal}");
    }
    let nested = format!("{}x{}", "{\"a\":".repeat(65), "}".repeat(65)).replace('x', "1");
    assert!(refusal(&nested).contains("nests more than 64 levels"));
    let large = " ".repeat(2 * 1024 * 1024 + 1);
    let err = EventSelectors::parse(&large).unwrap_err();
    assert_eq!(err, SelectorError::TooLarge { bytes: large.len() });
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Equals",
        "StartsWith",
        "EndsWith",
        "NotEquals",
        "NotStartsWith",
        "NotEndsWith",
    ])
}

fn conditions() -> impl Strategy<Value = Vec<(&'static str, Vec<String>)>> {
    let values = prop::collection::vec("[ab]{1,2}", 1..3);
    prop::collection::btree_map(operator(), values, 1..4).prop_map(|map| map.into_iter().collect())
}

/// The rule as CloudTrail's documentation words it.
fn expected(name: &str, conditions: &[(&str, Vec<String>)]) -> bool {
    let hit = |operator: &str, value: &String| match operator.trim_start_matches("Not") {
        "Equals" => name == value,
        "StartsWith" => name.starts_with(value.as_str()),
        _ => name.ends_with(value.as_str()),
    };
    let any = |(operator, values): &&(&str, Vec<String>)| values.iter().any(|v| hit(operator, v));
    let (not, is): (Vec<_>, Vec<_>) = conditions.iter().partition(|(o, _)| o.starts_with("Not"));
    (is.is_empty() || is.iter().any(any)) && !not.iter().any(any)
}

proptest! {
    #[test]
    fn any_operators_agree_with_the_rule(
        conditions in conditions(),
        names in prop::collection::vec("[ab]{0,3}", 1..8),
    ) {
        let mut field = json!({"Field": "eventName"});
        for (operator, values) in &conditions {
            field[*operator] = json!(values);
        }
        let events: Vec<Value> = names.iter().map(|name| event(name, json!({}))).collect();
        let found = taken(&one("Management", &field), &events);
        let expected: Vec<String> =
            names.iter().filter(|name| expected(name, &conditions)).cloned().collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[-\\[\\]{}:,'\"&*!?|>#%@ a-c\n\t\u{85}]{0,60}") {
        if let Ok(selectors) = EventSelectors::parse(&text) {
            prop_assert_eq!(EventSelectors::parse(selectors.to_json()), Ok(selectors));
        }
    }
}
