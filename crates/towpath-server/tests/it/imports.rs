//! Imports from a folder that the server was given for them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{TestServer, event};

const NAME: &str = "111122223333_CloudTrail_eu-west-1_20260101T0000Z_aB3dE5fG7hJ9kL1m.json.gz";

fn source(folder: &std::path::Path) -> Value {
    json!({"S3": {
        "S3LocationUri": format!("file://{}", folder.display()),
        "S3BucketRegion": "us-east-1",
        "S3BucketAccessRoleArn": "arn:aws:iam::123456789012:role/import",
    }})
}

async fn ended(server: &TestServer, import: &Value) -> Value {
    for _ in 0..300 {
        let found = server.ok("GetImport", json!({"ImportId": import})).await;
        if !matches!(found["ImportStatus"].as_str().unwrap(), "INITIALIZING" | "IN_PROGRESS") {
            return found;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the import does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_brings_events_in_once() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    let path = server.write_log_file(NAME, &[event("GetObject", 1), event("PutObject", 2)]);
    let start = json!({"Destinations": [id], "ImportSource": source(path.parent().unwrap())});
    for stored in [2, 0] {
        let started = server.ok("StartImport", start.clone()).await;
        let ended = ended(&server, &started["ImportId"]).await;
        assert_eq!(ended["ImportStatus"], "COMPLETED", "{ended}");
        assert_eq!(ended["ImportStatistics"]["EventsCompleted"], stored);
        assert_eq!(ended["ImportStatistics"]["FilesCompleted"], 1);
    }
    let rows = server.rows(&format!("SELECT count(*) FROM {id}")).await;
    assert_eq!(rows, json!([[{"_col0": "2"}]]));
    let listed = server.ok("ListImports", json!({"Destination": id, "MaxResults": 1})).await;
    assert_eq!(listed["Imports"].as_array().unwrap().len(), 1);
    assert!(listed["NextToken"].is_string());
    let failed = server.ok("ListImports", json!({"ImportStatus": "FAILED"})).await;
    assert_eq!(failed["Imports"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_fails_is_named_and_can_be_retried() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    let path = server.write_log_file(NAME, &[event("GetObject", 1)]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let start = json!({"Destinations": [id], "ImportSource": source(path.parent().unwrap())});
    let started = server.ok("StartImport", start).await;
    let import = &started["ImportId"];
    assert_eq!(ended(&server, import).await["ImportStatus"], "FAILED");
    let failures = server.ok("ListImportFailures", json!({"ImportId": import})).await;
    let failures = failures["Failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1);
    assert!(failures[0]["Location"].as_str().unwrap().ends_with(NAME), "{failures:?}");

    std::fs::write(&path, whole).unwrap();
    server.ok("StartImport", json!({"ImportId": import})).await;
    assert_eq!(ended(&server, import).await["ImportStatus"], "COMPLETED");
    let code = server.refused("StartImport", json!({"ImportId": import})).await;
    assert_eq!(code, "InvalidParameterException");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_folders_that_were_named_are_read() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.write_log_file(NAME, &[event("GetObject", 1)]);
    let logs = server.folder.path().join("logs");
    for uri in [
        "file:///etc".to_owned(),
        format!("file://{}/..", logs.display()),
        format!("file://{}", server.folder.path().display()),
        "http://example.com/x".to_owned(),
        "s3://".to_owned(),
    ] {
        let mut source = source(&logs);
        source["S3"]["S3LocationUri"] = json!(uri);
        let start = json!({"Destinations": [id], "ImportSource": source});
        let code = server.refused("StartImport", start).await;
        assert_eq!(code, "InvalidImportSourceException", "{uri}");
    }
    let unknown = json!({"ImportId": "00000000-0000-4000-8000-000000000000"});
    for operation in ["GetImport", "StopImport", "StartImport"] {
        let code = server.refused(operation, unknown.clone()).await;
        assert_eq!(code, "ImportNotFoundException", "{operation}");
    }
    assert_eq!(server.refused("StartImport", json!({})).await, "InvalidParameterException");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_stopped_and_goes_on_when_it_is_retried() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    for file in 0..300 {
        let name = format!("111122223333_CloudTrail_eu-west-1_20260101T0000Z_{file:016}.json.gz");
        server.write_log_file(&name, &(0..10).map(|n| event("GetObject", n)).collect::<Vec<_>>());
    }
    let logs = server.folder.path().join("logs");
    let start = json!({"Destinations": [id], "ImportSource": source(&logs)});
    let started = server.ok("StartImport", start.clone()).await;
    let this = json!({"ImportId": started["ImportId"]});
    // One at a time.
    let second = server.call("StartImport", start).await;
    let stopped = server.call("StopImport", this.clone()).await;
    if stopped.status == 200 {
        assert_eq!(stopped.body["ImportStatus"], "STOPPED");
        assert_eq!(second.error(), "AccountHasOngoingImportException");
        let changed = json!({"EventDataStore": id, "Name": "other"});
        server.ok("UpdateEventDataStore", changed).await;
        server.ok("StartImport", this.clone()).await;
    }
    assert_eq!(ended(&server, &started["ImportId"]).await["ImportStatus"], "COMPLETED");
    assert_eq!(server.refused("StopImport", this).await, "InvalidParameterException");
    let rows = server.rows(&format!("SELECT count(DISTINCT eventID), count(*) FROM {id}")).await;
    assert_eq!(rows, json!([[{"_col0": "3000"}, {"_col1": "3000"}]]));
}
