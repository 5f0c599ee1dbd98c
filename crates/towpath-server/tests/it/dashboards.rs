//! Dashboards that refresh themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{TestServer, event};

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_refreshes_itself_when_it_is_time() {
    let ahead = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&ahead);
    let server = TestServer::with(|options| {
        options.now =
            Arc::new(move || Utc::now() + TimeDelta::minutes(clock.load(Ordering::Relaxed)));
    })
    .await;
    let id = server.store("trail").await;
    server.ingest(&id, &[event("GetObject", 5), event("OldObject", 500)]).await;
    let widget = json!({
        "QueryStatement": format!("SELECT eventName, '?' AS per FROM {id} WHERE eventTime > '?' \
                                   AND eventTime < '?'"),
        "QueryParameters": ["$Period$", "$StartTime$", "$EndTime$"],
        "ViewProperties": {"Height": "2", "Width": "4"},
    });
    let time = (Utc::now() + TimeDelta::minutes(10)).format("%H:%M").to_string();
    let schedule = |status: &str| json!({"Frequency": {"Unit": "HOURS", "Value": 1}, "Status": status, "TimeOfDay": time});
    for (name, status) in [("calls", "ENABLED"), ("still", "DISABLED")] {
        let create = json!({
            "Name": name, "Widgets": [widget], "RefreshSchedule": schedule(status),
        });
        let created = server.ok("CreateDashboard", create).await;
        assert_eq!(created["RefreshSchedule"], schedule(status));
    }
    let mut wrong = schedule("ENABLED");
    wrong["Frequency"]["Value"] = json!(5);
    let wrong = json!({"Name": "wrong", "RefreshSchedule": wrong});
    assert_eq!(server.refused("CreateDashboard", wrong).await, "InvalidParameterException");

    // A quarter of an hour passes; then the clock is that of signatures again.
    ahead.store(15, Ordering::Relaxed);
    let documents = server.lake().await.documents("api");
    let mut refreshed = Value::Null;
    for _ in 0..300 {
        let document = documents.read("dashboards/calls.json").await.unwrap().unwrap();
        let document: Value = serde_json::from_slice(&document.content).unwrap();
        refreshed = document["value"]["lastRefreshId"].clone();
        if refreshed.is_string() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    ahead.store(0, Ordering::Relaxed);
    let found = server.ok("GetDashboard", json!({"DashboardId": "calls"})).await;
    assert_eq!(found["LastRefreshId"], refreshed);
    assert!(refreshed.is_string() && found["LastRefreshFailureReason"].is_null(), "{found}");
    let alias = &found["Widgets"][0]["QueryAlias"];
    let query = json!({"QueryAlias": alias, "RefreshId": refreshed});
    let query = server.ok("DescribeQuery", query).await;
    let query = query["QueryId"].as_str().unwrap();
    assert_eq!(server.ended(query).await["QueryStatus"], "FINISHED");
    let rows = server.ok("GetQueryResults", json!({"QueryId": query})).await;
    assert_eq!(rows["QueryResultRows"], json!([[{"eventName": "GetObject"}, {"per": "hour"}]]));
    let still = server.ok("GetDashboard", json!({"DashboardId": "still"})).await;
    assert!(still["LastRefreshId"].is_null(), "{still}");
    // Once, not at every look.
    let listed = server.ok("ListQueries", json!({"EventDataStore": id})).await;
    assert_eq!(listed["Queries"].as_array().unwrap().len(), 1, "{listed}");
}
