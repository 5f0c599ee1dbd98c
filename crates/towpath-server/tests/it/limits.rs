//! Each limit of the model, by its neighbours on both sides.

use serde_json::{Value, json};

use crate::support::TestServer;

/// Errors that only a check against the model gives.
fn is_of_the_model(body: &Value) -> bool {
    body["message"].as_str().is_some_and(|text| text.contains("failed to satisfy constraint"))
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_of_limits_fall_on_their_sides() {
    let server = TestServer::start().await;
    let text = |length: usize| "a".repeat(length);
    let cases = [
        ("CreateEventDataStore", json!({"Name": text(2)}), json!({"Name": text(3)})),
        ("CreateEventDataStore", json!({"Name": text(129)}), json!({"Name": text(128)})),
        (
            "CreateChannel",
            json!({"Name": "abc", "Source": "", "Destinations": []}),
            json!({
                "Name": "abc", "Source": "x", "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": "abc"}],
            }),
        ),
        ("GetQueryResults", json!({"QueryId": text(35)}), json!({"QueryId": text(36)})),
        (
            "GetQueryResults",
            json!({"QueryId": text(36), "MaxQueryResults": 1001}),
            json!({"QueryId": text(36), "MaxQueryResults": 1000}),
        ),
        (
            "GetQueryResults",
            json!({"QueryId": text(36), "MaxQueryResults": 0}),
            json!({"QueryId": text(36), "MaxQueryResults": 1}),
        ),
        ("LookupEvents", json!({"MaxResults": 0}), json!({"MaxResults": 1})),
        ("LookupEvents", json!({"EventCategory": "other"}), json!({"EventCategory": "insight"})),
        ("SearchSampleQueries", json!({"SearchPhrase": "a"}), json!({"SearchPhrase": "ab"})),
        (
            "SearchSampleQueries",
            json!({"SearchPhrase": "ab", "MaxResults": 51}),
            json!({"SearchPhrase": "ab", "MaxResults": 50}),
        ),
        ("ListImports", json!({"ImportStatus": "X"}), json!({"ImportStatus": "FAILED"})),
        ("ListTrails", json!({"NextToken": 1}), json!({})),
        ("GetResourcePolicy", json!({"ResourceArn": text(257)}), json!({"ResourceArn": text(256)})),
        ("CreateDashboard", json!({"Name": "a b c"}), json!({"Name": "a-b_c"})),
    ];
    for (operation, outside, inside) in cases {
        let refused = server.call(operation, outside).await;
        let is_type = refused.error() == "SerializationException";
        assert!(is_of_the_model(&refused.body) || is_type, "{operation}: {}", refused.body);
        assert_eq!(refused.status, 400);
        let passed = server.call(operation, inside).await;
        assert!(!is_of_the_model(&passed.body), "{operation}: {}", passed.body);
    }
}
