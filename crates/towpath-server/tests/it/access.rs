//! What each key may do.

use serde_json::{Value, json};

use crate::support::{Answer, Request, TestServer, event, key_of_accounts, limited_key};

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

/// Calls `operation` with another key than the administrator's.
async fn call_as(server: &TestServer, key: &'static str, operation: &str, body: Value) -> Answer {
    server.send(&Request { key, ..Request::operation(operation, &body) }).await
}

/// The rows of a statement that another key asks.
async fn rows_as(server: &TestServer, key: &'static str, statement: &str) -> Value {
    let started = call_as(server, key, "StartQuery", json!({"QueryStatement": statement})).await;
    assert_eq!(started.status, 200, "{statement}: {}", started.body);
    let id = started.body["QueryId"].as_str().unwrap();
    let ended = server.ended(id).await;
    assert_eq!(ended["QueryStatus"], "FINISHED", "{statement}: {ended}");
    let rows = call_as(server, key, "GetQueryResults", json!({"QueryId": id})).await;
    rows.body["QueryResultRows"].clone()
}

const A: &str = "111122223333";
const B: &str = "999999999999";

/// A store that two accounts share, with two events of A and one of B, and a key for each.
async fn shared() -> (TestServer, String) {
    let server = TestServer::with(|options| {
        options.keys.push(key_of_accounts("AKIDA", "anna", "shared", &[A]));
        options.keys.push(key_of_accounts("AKIDA2", "alan", "shared", &[A]));
        options.keys.push(key_of_accounts("AKIDB", "bert", "shared", &[B]));
        options.keys.push(limited_key("AKIDNOTHING", &[], &[]));
    })
    .await;
    let id = server.store("shared").await;
    let mut other = event("DeleteBucket", 5);
    other["recipientAccountId"] = json!(B);
    server.ingest(&id, &[event("GetObject", 1), event("PutObject", 2), other]).await;
    (server, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_some_accounts_sees_their_events_alone() {
    let (server, id) = shared().await;
    for (key, statement, expected) in [
        ("AKIDA", format!("SELECT count(*) n FROM {id}"), "2"),
        ("AKIDB", format!("SELECT count(*) n FROM {id}"), "1"),
        (
            "AKIDB",
            format!("SELECT max(eventName) n FROM (SELECT b.* FROM shared, {id} b)"),
            "DeleteBucket",
        ),
        (
            "AKIDB",
            format!("WITH t AS (SELECT * FROM {id}) SELECT count(*) n FROM t a JOIN t b ON true"),
            "1",
        ),
        (
            "AKIDB",
            format!(
                "SELECT count(*) n FROM (VALUES 'GetObject', 'DeleteBucket') AS v(x) \
                 WHERE x IN (SELECT eventName FROM {id})"
            ),
            "1",
        ),
        (
            "AKIDB",
            format!(
                "SELECT count(*) n FROM {id} WHERE cast(replace(eventName, 'DeleteBucket', '1') AS integer) = 1"
            ),
            "1",
        ),
    ] {
        assert_eq!(
            rows_as(&server, key, &statement).await,
            json!([[{"n": expected}]]),
            "{statement}"
        );
    }
    let explain = json!({"QueryStatement": format!("EXPLAIN SELECT count(*) FROM {id}")});
    let refused = call_as(&server, "AKIDB", "StartQuery", explain).await;
    assert_eq!(refused.error(), "InvalidParameterException");
    let looked_up = call_as(&server, "AKIDB", "LookupEvents", json!({})).await.body;
    let names: Vec<&str> = looked_up["Events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["EventName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["DeleteBucket"]);
    let named =
        json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "GetObject"}]});
    assert_eq!(call_as(&server, "AKIDB", "LookupEvents", named).await.body["Events"], json!([]));
    // It may look and nothing else, whatever its operations say.
    let this = json!({"EventDataStore": id});
    assert_eq!(call_as(&server, "AKIDB", "GetEventDataStore", this.clone()).await.status, 200);
    for operation in ["DeleteEventDataStore", "StopEventDataStoreIngestion"] {
        let refused = call_as(&server, "AKIDB", operation, this.clone()).await;
        assert_eq!(refused.error(), "AccessDeniedException", "{operation}");
    }
    let delivered =
        json!({"QueryStatement": "SELECT 1 FROM shared", "DeliveryS3Uri": "s3://out/x"});
    let refused = call_as(&server, "AKIDB", "StartQuery", delivered).await;
    assert_eq!(refused.error(), "AccessDeniedException");
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_results_are_for_those_who_may_see_what_they_saw() {
    let (server, id) = shared().await;
    let query = async |key: &'static str| {
        let statement = json!({"QueryStatement": format!("SELECT eventName FROM {id}")});
        let started = call_as(&server, key, "StartQuery", statement).await.body;
        server.ended(started["QueryId"].as_str().unwrap()).await;
        started["QueryId"].as_str().unwrap().to_owned()
    };
    let (of_all, of_a) = (query(crate::support::KEY).await, query("AKIDA").await);
    for (key, query, may) in [
        ("AKIDA", &of_a, true),
        ("AKIDA2", &of_a, true),
        ("AKIDB", &of_a, false),
        ("AKIDNOTHING", &of_a, false),
        ("AKIDA", &of_all, false),
        (crate::support::KEY, &of_a, true),
    ] {
        for operation in ["DescribeQuery", "GetQueryResults"] {
            let answer = call_as(&server, key, operation, json!({"QueryId": query})).await;
            let expected = if may { "none" } else { "AccessDeniedException" };
            assert_eq!(answer.error(), expected, "{key} {operation}");
        }
        let listed = call_as(&server, key, "ListQueries", json!({"EventDataStore": id})).await.body;
        let listed = listed["Queries"]
            .as_array()
            .is_some_and(|all| all.iter().any(|found| found["QueryId"] == json!(query)));
        assert_eq!(listed, may, "{key}");
    }
    let refused = call_as(&server, "AKIDB", "CancelQuery", json!({"QueryId": of_a})).await;
    assert_eq!(refused.error(), "AccessDeniedException");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_a_store_is_enforced() {
    let (server, id) = shared().await;
    let arn = format!("arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/{id}");
    let put = async |statements: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        server.ok("PutResourcePolicy", json!({"ResourceArn": arn, "ResourcePolicy": policy})).await;
    };
    let start = json!({"QueryStatement": format!("SELECT count(*) n FROM {id}")});
    let error = async |key: &'static str| {
        call_as(&server, key, "StartQuery", start.clone()).await.error().to_owned()
    };
    assert_eq!(error("AKIDNOTHING").await, "AccessDeniedException");
    let user = |name: &str| json!({"AWS": format!("arn:aws:iam::123456789012:user/{name}")});
    let actions = json!(["cloudtrail:StartQuery", "cloudtrail:GetQueryResults"]);
    put(json!([{"Effect": "Allow", "Principal": user("limited"), "Action": actions}])).await;
    let allowed = format!("SELECT count(*) n FROM {id}");
    assert_eq!(rows_as(&server, "AKIDNOTHING", &allowed).await, json!([[{"n": "3"}]]));
    let this = json!({"EventDataStore": id});
    for operation in ["GetEventDataStore", "DeleteEventDataStore", "LookupEvents"] {
        let body = if operation == "LookupEvents" { json!({}) } else { this.clone() };
        let answer = call_as(&server, "AKIDNOTHING", operation, body).await;
        assert_eq!(answer.error(), "AccessDeniedException", "{operation}");
    }

    put(json!([{"Effect": "Deny", "Principal": "*", "Action": "cloudtrail:*"}])).await;
    for key in ["AKIDA", "AKIDNOTHING", crate::support::KEY] {
        assert_eq!(error(key).await, "AccessDeniedException", "{key}");
    }
    let answer = call_as(&server, crate::support::KEY, "LookupEvents", json!({})).await;
    assert_eq!(answer.body["Events"], json!([]), "{}", answer.body);
    server.ok("DeleteResourcePolicy", json!({"ResourceArn": arn})).await;
    assert_eq!(error("AKIDA").await, "none");
}
