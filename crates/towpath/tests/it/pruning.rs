//! Predicates of the nested table reach the flat data files.

use crate::support::{Fixture, event};

async fn plan_of(fixture: &Fixture, condition: &str) -> String {
    let rows = fixture.rows(&format!("EXPLAIN SELECT eventID FROM trail WHERE {condition}")).await;
    rows[0][0].clone()
}

#[tokio::test]
async fn data_files_of_other_months_are_not_opened() {
    let fixture = Fixture::new().await;
    fixture
        .ingest(&[
            &event("1", "PutObject", "2024-01-15T00:00:00Z", ""),
            &event("2", "PutObject", "2024-02-15T00:00:00Z", ""),
            &event("3", "PutObject", "2024-03-15T00:00:00Z", ""),
        ])
        .await;
    for condition in [
        "eventTime >= '2024-03-01'",
        "calendarday = 20240315",
        "eventTime BETWEEN '2024-03-15' AND '2024-03-16'",
        "eventTime > timestamp '2024-02-20 00:00:00'",
    ] {
        let plan = plan_of(&fixture, condition).await;
        assert!(plan.contains("Data files: 1 of 3 "), "{condition}\n{plan}");
        let rows = fixture.rows(&format!("SELECT eventID FROM trail WHERE {condition}")).await;
        assert_eq!(rows, [["3"]], "{condition}");
    }
}

#[tokio::test]
async fn a_predicate_on_a_nested_field_is_one_on_the_stored_column() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("1", "PutObject", "2024-01-15T00:00:00Z", "")]).await;
    let plan = plan_of(&fixture, "userIdentity.accessKeyId = 'AKIAIOSFODNN7EXAMPLE'").await;
    let predicate = "filterPredicate = (userIdentity_accessKeyId = 'AKIAIOSFODNN7EXAMPLE')";
    assert!(plan.contains(predicate), "{plan}");
}

#[tokio::test]
async fn counting_all_events_opens_no_data_file() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("1", "PutObject", "2024-01-15T00:00:00Z", "")]).await;
    let plan = fixture.rows("EXPLAIN SELECT count(*) FROM trail").await;
    assert!(plan[0][0].contains("Values[rows = 1]"), "{}", plan[0][0]);
    assert!(!plan[0][0].contains("table = trail"), "{}", plan[0][0]);
}

#[tokio::test]
async fn the_extent_of_all_events_opens_no_data_file() {
    let fixture = Fixture::new().await;
    let statement = "SELECT count(*), min(eventTime), max(eventTime) FROM trail";
    assert_eq!(fixture.rows(statement).await, [["0", "NULL", "NULL"]]);
    fixture
        .ingest(&[
            &event("1", "PutObject", "2024-01-15T00:00:00.123456Z", ""),
            &event("2", "PutObject", "2024-01-16T00:00:00.999999Z", ""),
            &event("3", "GetObject", "2024-02-16T00:00:00Z", ""),
        ])
        .await;
    let plan = fixture.rows(&format!("EXPLAIN {statement}")).await;
    assert!(plan[0][0].contains("Values[rows = 1]"), "{}", plan[0][0]);
    assert!(!plan[0][0].contains("table = trail"), "{}", plan[0][0]);
    let extent = ["3", "2024-01-15T00:00:00.123", "2024-02-16T00:00:00"];
    assert_eq!(fixture.rows(statement).await, [extent]);
    let one = "SELECT eventName, min(eventTime), max(eventTime), count(*) FROM trail \
               WHERE eventTime < '2024-02-01' GROUP BY eventName";
    let extent = ["PutObject", "2024-01-15T00:00:00.123", "2024-01-16T00:00:00.999", "2"];
    assert_eq!(fixture.rows(one).await, [extent]);
}

#[tokio::test]
async fn a_predicate_on_the_value_of_a_key_decodes_no_map_without_the_key() {
    let fixture = Fixture::new().await;
    let parameters = |json: &str| format!(r#","requestParameters":{json}"#);
    fixture
        .ingest(&[
            &event("1", "PutObject", "2024-01-15T00:00:00Z", &parameters(r#"{"bucketName":"a"}"#)),
            &event("2", "PutObject", "2024-01-15T00:00:00Z", &parameters(r#"{"bucketName":"b"}"#)),
            &event("3", "ListKeys", "2024-01-15T00:00:00Z", &parameters(r#"{"limit":"a"}"#)),
            &event("4", "ListKeys", "2024-01-15T00:00:00Z", ""),
        ])
        .await;
    for (condition, filter) in [
        ("element_at(requestParameters, 'bucketName') = 'a'", "bucketName"),
        ("element_at(requestParameters, 'bucketName') IN ('a', 'c')", "bucketName"),
        (
            "eventID <> '9' AND lower(element_at(requestParameters, 'bucketName')) LIKE 'a%'",
            "bucketName",
        ),
    ] {
        let plan = plan_of(&fixture, condition).await;
        assert!(plan.contains("towpath_may_have_key"), "{condition}\n{plan}");
        assert!(plan.contains(filter), "{condition}\n{plan}");
        let rows = fixture.rows(&format!("SELECT eventID FROM trail WHERE {condition}")).await;
        assert_eq!(rows, [["1"]], "{condition}");
    }
    for condition in [
        "element_at(requestParameters, 'bucketName') IS NULL",
        "coalesce(element_at(requestParameters, 'bucketName'), 'a') = 'a'",
        "element_at(requestParameters, 'bucketName') = 'a' OR eventID = '4'",
    ] {
        let plan = plan_of(&fixture, condition).await;
        assert!(!plan.contains("towpath_may_have_key"), "{condition}\n{plan}");
    }
}
