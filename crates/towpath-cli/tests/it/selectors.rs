//! Stores that take some events only, or events of other kinds.

use std::fs;

use serde_json::{Value, json};

use crate::harness::Dir;

pub(crate) const SELECTORS: &str = "\
# What the documentation of CloudTrail shows.
Trail:
  Type: AWS::CloudTrail::Trail
  Properties:
    S3BucketName: !Ref Bucket
    AdvancedEventSelectors:
      - Name: Log all S3 GetObject events
        FieldSelectors:
          - Field: eventCategory
            Equals: [\"Data\"]
          - Field: resources.type
            Equals: [\"AWS::S3::Object\"]
          - Field: eventName
            Equals: [\"GetObject\"]
";

fn show(dir: &Dir, store: &str) -> Value {
    let ran = dir.towpath(["store", "show", store, "--format", "json"]).run().success();
    serde_json::from_str(&ran.text()).unwrap()
}

pub(crate) fn log_file() -> String {
    let event = |id: &str, name: &str, category: &str| {
        json!({"eventTime": "2024-01-01T00:00:00Z", "eventID": id, "eventName": name,
               "eventCategory": category, "resources": [{"type": "AWS::S3::Object"}]})
    };
    let records = [
        event("1", "GetObject", "Data"),
        event("2", "PutObject", "Data"),
        event("3", "GetObject", "Management"),
    ];
    json!({"Records": records}).to_string()
}

#[test]
fn a_store_takes_what_its_selectors_choose_when_they_are_to_be_applied() {
    let dir = Dir::new();
    let (selectors, logs) = (dir.path().join("selectors.yaml"), dir.path().join("logs.json"));
    fs::write(&selectors, SELECTORS).unwrap();
    fs::write(&logs, log_file()).unwrap();
    let selectors = selectors.to_str().unwrap();
    dir.towpath(["store", "create", "reads", "--selectors", selectors]).run().success();

    let shown = show(&dir, "reads");
    assert_eq!(shown["category"], "CloudTrail");
    let kept: Value = serde_json::from_str(shown["selectors"].as_str().unwrap()).unwrap();
    assert_eq!(kept["AdvancedEventSelectors"][0]["Name"], "Log all S3 GetObject events");

    let logs = logs.to_str().unwrap();
    let ran =
        dir.towpath(["ingest", logs, "--store", "reads", "--apply-selectors"]).run().success();
    let expected = "3 events: 1 stored, 0 duplicate, 2 filtered, 0 expired, 0 rejected";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    let ran = dir.towpath(["ingest", logs, "--store", "reads"]).run().success();
    let expected = "3 events: 2 stored, 1 duplicate, 0 filtered, 0 expired, 0 rejected";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

#[test]
fn selectors_that_are_wrong_are_refused_before_anything_is_made() {
    let dir = Dir::new();
    let file = dir.path().join("selectors.json");
    let wrong = r#"[{"Name":"n","FieldSelectors":[{"Field":"eventCategory","Equals":["Datas"]}]}]"#;
    fs::write(&file, wrong).unwrap();
    let ran = dir
        .towpath(["store", "create", "reads", "--selectors", file.to_str().unwrap()])
        .run()
        .code(1);
    let expected = "selector 1 (`n`), field `eventCategory`: `Datas` is not `Management`";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    let missing = dir.path().join("missing.json");
    let missing = missing.to_str().unwrap();
    let ran = dir.towpath(["store", "create", "reads", "--selectors", missing]).run().code(1);
    assert!(ran.stderr.contains("could not read selectors from"), "{}", ran.stderr);
    dir.towpath(["store", "show", "reads"]).run().code(1);
}

#[test]
fn a_store_of_another_kind_has_the_columns_of_that_kind() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "config", "--category", "ConfigurationItem"]).run().success();
    assert_eq!(show(&dir, "config")["category"], "ConfigurationItem");
    assert_eq!(show(&dir, "config")["selectors"], Value::Null);
    let file = dir.path().join("history.json");
    let item = json!({"configurationItemCaptureTime": "2024-01-01T00:00:00Z",
                      "resourceType": "AWS::EC2::VPC", "tags": {"Name": "a"}});
    fs::write(&file, json!({"configurationItems": [item]}).to_string()).unwrap();
    dir.towpath(["ingest", file.to_str().unwrap(), "--store", "config"]).run().success();
    let sql =
        "SELECT eventData.resourceType AS t, element_at(eventData.tags, 'Name') AS n FROM config";
    let ran = dir.towpath(["query", sql, "--format", "csv"]).run().success();
    assert_eq!(ran.text(), "t,n\nAWS::EC2::VPC,a\n");

    let selectors = dir.path().join("selectors.yaml");
    fs::write(&selectors, SELECTORS).unwrap();
    let selectors = selectors.to_str().unwrap();
    let ran = dir.towpath(["store", "update", "config", "--selectors", selectors]).run().code(2);
    assert!(ran.stderr.contains("they have other columns"), "{}", ran.stderr);
    dir.towpath(["store", "create", "other", "--category", "Datas"]).run().code(2);
}
