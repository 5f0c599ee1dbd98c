//! The event history.

use serde_json::{Value, json};

use crate::support::{TestServer, event};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_looked_up_by_each_attribute() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    let needle = event("DeleteBucket", 5);
    let mut other = event("GetObject", 3);
    other["readOnly"] = json!(true);
    other["userIdentity"]["principalId"] = json!("AROAOTHER:bob");
    other["userIdentity"]["accessKeyId"] = json!("ASIAOTHER");
    other["eventSource"] = json!("ec2.amazonaws.com");
    other["resources"] = Value::Null;
    server.ingest(&id, &[needle.clone(), other]).await;
    let event_id = needle["eventID"].as_str().unwrap();
    for (key, value) in [
        ("EventId", event_id),
        ("EventName", "DeleteBucket"),
        ("ReadOnly", "false"),
        ("Username", "jane"),
        ("ResourceType", "AWS::S3::Bucket"),
        ("ResourceName", "arn:aws:s3:::canary"),
        ("ResourceName", "canary"),
        ("EventSource", "s3.amazonaws.com"),
        ("AccessKeyId", "ASIAEXAMPLE"),
    ] {
        let attribute = json!([{"AttributeKey": key, "AttributeValue": value}]);
        let found = server.ok("LookupEvents", json!({"LookupAttributes": attribute})).await;
        let events = found["Events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{key}");
        assert_eq!(events[0]["EventId"], event_id, "{key}");
        assert_eq!(events[0]["Username"], "jane");
        assert_eq!(
            events[0]["Resources"],
            json!([{"ResourceType": "AWS::S3::Bucket", "ResourceName": "arn:aws:s3:::canary"}])
        );
        let text: Value =
            serde_json::from_str(events[0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
        assert_eq!(text, needle);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_newest_first_and_hold_each_event_once() {
    let server = TestServer::start().await;
    let (a, b) = (server.store("aaa").await, server.store("bbb").await);
    // Pairs of equal times, and all in both stores.
    let events: Vec<Value> = (0..14).map(|n| event("GetObject", 10 + n / 2)).collect();
    server.ingest(&a, &events).await;
    server.ingest(&b, &events).await;
    let mut found = Vec::new();
    let mut next = Value::Null;
    loop {
        let page = server.ok("LookupEvents", json!({"MaxResults": 5, "NextToken": next})).await;
        found.extend(page["Events"].as_array().unwrap().clone());
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
        let other = json!({"MaxResults": 5, "NextToken": next, "StartTime": 1});
        assert_eq!(server.refused("LookupEvents", other).await, "InvalidNextTokenException");
    }
    assert_eq!(found.len(), 14);
    let times: Vec<f64> = found.iter().map(|event| event["EventTime"].as_f64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let mut ids: Vec<&str> = found.iter().map(|e| e["EventId"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 14);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_is_inclusive_and_checked() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    let event = event("GetObject", 60);
    server.ingest(&id, std::slice::from_ref(&event)).await;
    let at = chrono::DateTime::parse_from_rfc3339(event["eventTime"].as_str().unwrap()).unwrap();
    let at = at.timestamp();
    for (start, end, count) in [(at, at, 1), (at + 1, at + 2, 0), (at - 2, at - 1, 0)] {
        let found = server.ok("LookupEvents", json!({"StartTime": start, "EndTime": end})).await;
        assert_eq!(found["Events"].as_array().unwrap().len(), count);
    }
    let backwards = json!({"StartTime": at, "EndTime": at - 1});
    assert_eq!(server.refused("LookupEvents", backwards).await, "InvalidTimeRangeException");
    let attribute = json!({"AttributeKey": "EventName", "AttributeValue": "x"});
    let two = json!({"LookupAttributes": [attribute, attribute]});
    assert_eq!(server.refused("LookupEvents", two).await, "InvalidLookupAttributesException");
    assert_eq!(
        server.refused("LookupEvents", json!({"MaxResults": 51})).await,
        "InvalidMaxResultsException"
    );
}
