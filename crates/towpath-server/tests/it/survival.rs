//! Deaths, stops, and queries that would take the server with them.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::sleep;
use towpath::LakeOptions;

use crate::support::{Request, TestServer, event};

/// A statement that computes for hours and reads nothing.
const ENDLESS: &str = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), \
     UNNEST(sequence(1, 10000)) AS b(y), UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y + z = 7";

/// One that would hold gigabytes.
const HUNGRY: &str = "SELECT count(DISTINCT x * 10000 + y) FROM UNNEST(sequence(1, 10000)) AS a(x), \
     UNNEST(sequence(1, 10000)) AS b(y)";

async fn start(server: &TestServer, statement: &str) -> String {
    let started = server.ok("StartQuery", json!({"QueryStatement": statement})).await;
    started["QueryId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_death_ends_and_the_server_lives() {
    let folder = tempfile::tempdir().unwrap();
    let mut lake = LakeOptions::new(Utc::now);
    lake.memory_bytes_max = 32 << 20;
    let server = TestServer::on(folder, lake, |options| options.limits.query_secs_max = 3).await;
    let endless = start(&server, ENDLESS).await;
    let hungry = start(&server, HUNGRY).await;
    server.runs(&endless).await;
    for _ in 0..5 {
        server.ok("ListEventDataStores", json!({})).await;
    }
    assert_eq!(server.ended(&endless).await["QueryStatus"], "TIMED_OUT");
    let ended = server.ended(&hungry).await;
    assert!(ended["ErrorMessage"].is_string(), "{ended}");
    assert_ne!(ended["QueryStatus"], "FINISHED");
    assert_eq!(server.rows("SELECT 1").await, json!([[{"_col0": "1"}]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_query_gives_its_place_to_the_next() {
    let server = TestServer::with(|options| options.limits.queries_max = 1).await;
    for _ in 0..3 {
        let endless = start(&server, ENDLESS).await;
        server.runs(&endless).await;
        server.ok("CancelQuery", json!({"QueryId": endless})).await;
        assert_eq!(server.rows("SELECT 1").await, json!([[{"_col0": "1"}]]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_hands_its_queries_to_the_next() {
    let server = TestServer::start().await;
    let statement = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), \
         UNNEST(sequence(1, 1000)) AS b(y) WHERE (x + y) % 10 = 3";
    let query = start(&server, statement).await;
    server.runs(&query).await;
    let folder = server.stopped().await;
    let next = TestServer::on(folder, LakeOptions::new(Utc::now), |options| {
        // Takes queries only once this one has been seen to wait.
        options.limits.queries_max = 1;
    })
    .await;
    assert_eq!(next.ended(&query).await["QueryStatus"], "FINISHED");
    let rows = next.ok("GetQueryResults", json!({"QueryId": query})).await;
    assert_eq!(rows["QueryResultRows"], json!([[{"_col0": "1000000"}]]));
}

/// Not a test of tokio's: it ends a runtime in the middle of its work, as a kill does.
#[test]
fn the_import_of_a_dead_server_is_taken_up_by_the_next() {
    let (first, second) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    let server = first.block_on(TestServer::start());
    let (id, import) = first.block_on(async {
        let id = server.store("trail").await;
        for file in 0..400 {
            let events: Vec<Value> = (0..25).map(|n| event("GetObject", n)).collect();
            let name =
                format!("111122223333_CloudTrail_eu-west-1_20260101T0000Z_{file:016}.json.gz");
            server.write_log_file(&name, &events);
        }
        let source = json!({"S3": {
            "S3LocationUri": format!("file://{}", server.folder.path().join("logs").display()),
            "S3BucketRegion": "us-east-1",
            "S3BucketAccessRoleArn": "arn:aws:iam::123456789012:role/import",
        }});
        let started = json!({"Destinations": [id], "ImportSource": source});
        let started = server.ok("StartImport", started).await;
        (id, started["ImportId"].clone())
    });
    let TestServer { folder, .. } = server;
    first.shutdown_background();
    second.block_on(async {
        // Two minutes later, as far as the next server knows.
        let server = TestServer::on(folder, LakeOptions::new(Utc::now), |options| {
            options.now = std::sync::Arc::new(|| Utc::now() + TimeDelta::seconds(120));
        })
        .await;
        let get = async || {
            let request = Request::operation("GetImport", &json!({"ImportId": import}));
            server.send(&request).await.body
        };
        for _ in 0..600 {
            let found = get().await;
            if !matches!(found["ImportStatus"].as_str().unwrap(), "INITIALIZING" | "IN_PROGRESS") {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(get().await["ImportStatus"], "COMPLETED", "{}", get().await);
        let rows =
            server.rows(&format!("SELECT count(*), count(DISTINCT eventID) FROM {id}")).await;
        assert_eq!(rows, json!([[{"_col0": "10000"}, {"_col1": "10000"}]]));
    });
}
