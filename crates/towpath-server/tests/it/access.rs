//! What each key may do.

use serde_json::json;

use crate::support::{Request, TestServer, event, limited_key};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_it_is_granted_and_nothing_else() {
    let operations = ["*Query*", "GetEventDataStore", "ListEventDataStores", "LookupEvents"];
    let server = TestServer::with(|options| {
        options.keys.push(limited_key("AKIDLIMITED", &operations, &["mine"]));
        options.keys.push(limited_key("AKIDNOTHING", &[], &[]));
    })
    .await;
    let (mine, other) = (server.store("mine").await, server.store("other").await);
    server.ingest(&mine, &[event("GetObject", 1)]).await;
    server.ingest(&other, &[event("PutObject", 1)]).await;
    let call = async |key: &'static str, operation: &str, body| {
        server.send(&Request { key, ..Request::operation(operation, &body) }).await
    };
    let limited = "AKIDLIMITED";
    let get = |id: &str| json!({"EventDataStore": id});
    assert_eq!(call(limited, "GetEventDataStore", get(&mine)).await.status, 200);
    let missing = "00000000-0000-4000-8000-000000000000";
    let query = |id: &str| json!({"QueryStatement": format!("SELECT eventName FROM {id}")});
    let both = json!({"QueryStatement": format!("SELECT 1 FROM {mine} CROSS JOIN {other}")});
    for (key, operation, body) in [
        (limited, "GetEventDataStore", get(&other)),
        (limited, "GetEventDataStore", get(missing)),
        (limited, "DeleteEventDataStore", get(&mine)),
        (limited, "CreateEventDataStore", json!({"Name": "mine-too"})),
        (limited, "StartQuery", query(&other)),
        (limited, "StartQuery", both),
        (limited, "ListTrails", json!({})),
        ("AKIDNOTHING", "ListEventDataStores", json!({})),
    ] {
        let answer = call(key, operation, body).await;
        assert_eq!((answer.status, answer.error()), (400, "AccessDeniedException"), "{operation}");
    }
    let listed = call(limited, "ListEventDataStores", json!({})).await.body;
    assert_eq!(listed["EventDataStores"].as_array().unwrap().len(), 1);
    let events = call(limited, "LookupEvents", json!({})).await.body;
    assert_eq!(events["Events"].as_array().unwrap().len(), 1);
    assert_eq!(events["Events"][0]["EventName"], "GetObject");

    let started = call(limited, "StartQuery", query(&mine)).await;
    assert_eq!(started.status, 200, "{}", started.body);
    // Rows of a store that the key may not query stay hidden from it.
    let secret = server.ok("StartQuery", query(&other)).await;
    let id = json!({"QueryId": secret["QueryId"]});
    for operation in ["DescribeQuery", "GetQueryResults", "CancelQuery"] {
        let answer = call(limited, operation, id.clone()).await;
        assert_eq!(answer.error(), "AccessDeniedException", "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asks_too_often_is_told_to_wait() {
    let server = TestServer::with(|options| options.limits.requests_per_sec_max = 1).await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(server.call("ListEventDataStores", json!({})).await.error().to_owned());
    }
    assert!(codes.iter().any(|code| code == "ThrottlingException"), "{codes:?}");
    assert_eq!(codes[0], "none");
}
