//! What the audit trail of a lake says of requests.

use serde_json::json;
use towpath::arrow::array::{Array, AsArray};
use towpath::arrow::compute::cast;
use towpath::arrow::datatypes::DataType;
use towpath::{Lake, QueryLimits};

use crate::support::{Request, TestServer, event, limited_key};

/// The rows of a statement that gives texts.
async fn texts(lake: &Lake, statement: &str) -> Vec<Vec<String>> {
    let limits = QueryLimits { run_secs_max: 60, result_rows_max: None };
    let batches = lake.query(statement, limits).await.unwrap().collect().await.unwrap();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let text = |column: &std::sync::Arc<dyn Array>| {
                let column = cast(column, &DataType::Utf8).unwrap();
                let column = column.as_string::<i32>();
                if column.is_null(row) { "-" } else { column.value(row) }.to_owned()
            };
            rows.push(batch.columns().iter().map(text).collect());
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_that_changes_or_reads_is_one_event_of_its_key() {
    let server = TestServer::with(|options| {
        options.keys.push(limited_key("AKIDLIMITED", &["Get*"], &["mine"]));
    })
    .await;
    let (mine, other) = (server.store("mine").await, server.store("other").await);
    server.ingest(&mine, &[event("GetObject", 1)]).await;
    server.rows(&format!("SELECT eventName FROM {mine}")).await;
    server.ok("AddTags", json!({"ResourceId": arn(&mine), "TagsList": [{"Key": "a"}]})).await;
    let refused = server.refused("DeleteEventDataStore", json!({"EventDataStore": other})).await;
    let open = json!({"EventDataStore": other, "TerminationProtectionEnabled": false});
    server.ok("UpdateEventDataStore", open).await;
    server.ok("DeleteEventDataStore", json!({"EventDataStore": other})).await;
    let body = json!({"EventDataStore": other});
    let denied = Request { key: "AKIDLIMITED", ..Request::operation("GetEventDataStore", &body) };
    assert_eq!(server.send(&denied).await.error(), "AccessDeniedException");
    server.ok("ListEventDataStores", json!({})).await;

    let lake = server.lake().await;
    let told = "SELECT eventName, userIdentity.userName, errorCode, CAST(count(*) AS varchar) \
                FROM towpath-audit WHERE userIdentity.type = 'AccessKey' \
                GROUP BY 1, 2, 3 ORDER BY 1, 3 NULLS FIRST";
    let expected = [
        ["AddTags", "administrator", "-", "1"],
        ["CreateEventDataStore", "administrator", "-", "2"],
        ["DeleteEventDataStore", "administrator", "-", "1"],
        ["DeleteEventDataStore", "administrator", refused.as_str(), "1"],
        ["GetEventDataStore", "limited", "AccessDeniedException", "1"],
        ["GetQueryResults", "administrator", "-", "1"],
        ["StartQuery", "administrator", "-", "1"],
        ["UpdateEventDataStore", "administrator", "-", "1"],
    ];
    assert_eq!(texts(&lake, told).await, expected);

    let who = "SELECT sourceIPAddress, recipientAccountId, userIdentity.accessKeyId, \
               element_at(requestParameters, 'queryStatement') FROM towpath-audit \
               WHERE eventName = 'StartQuery' AND userIdentity.type = 'AccessKey'";
    let statement = format!("SELECT eventName FROM {mine}");
    let expected = ["127.0.0.1", "123456789012", crate::support::KEY, &statement];
    assert_eq!(texts(&lake, who).await, [expected]);
    let secrets = format!(
        "SELECT eventName FROM towpath-audit WHERE eventJson LIKE '%{}%'",
        crate::support::SECRET.split_at(20).0
    );
    assert!(texts(&lake, &secrets).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_the_trail_is_for_administrators_and_nobody_changes_it() {
    let server = TestServer::with(|options| {
        options.keys.push(limited_key("AKIDLIMITED", &["*"], &["mine"]));
    })
    .await;
    let mine = server.store("mine").await;
    let asked = json!({"QueryStatement": "SELECT count(*) FROM towpath-audit"});
    let limited = Request { key: "AKIDLIMITED", ..Request::operation("StartQuery", &asked) };
    assert_eq!(server.send(&limited).await.status, 400);
    let rows = server.rows("SELECT count(*) FROM towpath-audit").await;
    assert_ne!(rows, json!([]));
    let listed = server.ok("ListEventDataStores", json!({})).await;
    assert_eq!(listed["EventDataStores"][0]["EventDataStoreArn"], arn(&mine));
    assert_eq!(listed["EventDataStores"].as_array().unwrap().len(), 1);
    let id = server.lake().await.store(towpath::AUDIT_STORE).await.unwrap().id().to_string();
    let code = server.refused("DeleteEventDataStore", json!({"EventDataStore": id})).await;
    assert_eq!(code, "OperationNotPermittedException");
}

fn arn(store: &str) -> String {
    format!("arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/{store}")
}
