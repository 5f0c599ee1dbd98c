//! Trails deliver what is put into the lake, and the check of digests finds it sound.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use towpath::{DigestKeys, DigestOptions, DigestReport, verify_digests};
use towpath_server::TrailOptions;

use crate::support::{TestServer, event};

/// A server whose trails deliver every second into `folder`, with digests of two seconds.
async fn server(folder: &Path) -> TestServer {
    let folder = Some(folder.to_path_buf());
    TestServer::with(|options| {
        options.trails = TrailOptions { log_files_secs: 1, digests_secs: 2, folder };
    })
    .await
}

/// Asks for the status of the trail until `is_so`.
async fn status_when(server: &TestServer, is_so: fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let status = server.ok("GetTrailStatus", json!({"Name": "my-trail"})).await;
        if is_so(&status) {
            return status;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the trail does not get there");
}

async fn create(server: &TestServer) {
    let trail = json!({
        "Name": "my-trail", "S3BucketName": "bucket", "S3KeyPrefix": "audit",
        "IsMultiRegionTrail": true, "EnableLogFileValidation": true,
    });
    server.ok("CreateTrail", trail).await;
}

/// Waits until the trail, which was stopped, has delivered its last digests.
async fn ended(server: &TestServer) {
    let kept = server.folder.path().join("lake/api/trail-deliveries/my-trail.json");
    for _ in 0..600 {
        if !kept.try_exists().unwrap() {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the trail does not end");
}

async fn check(server: &TestServer, delivered: &Path) -> DigestReport {
    let keys = server.ok("ListPublicKeys", json!({})).await;
    let options = DigestOptions {
        from: None,
        to: None,
        now: chrono::Utc::now(),
        keys: DigestKeys::from_json(&keys.to_string()).unwrap(),
    };
    let source = [delivered.to_str().unwrap()];
    verify_digests(&source, &HashMap::new(), &options, &|_| ()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_into_the_lake_is_delivered_with_digests() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let store = server.store("store").await;
    server.ingest(&store, &[event("Before", 5)]).await;
    create(&server).await;
    server.ok("StartLogging", json!({"Name": "my-trail"})).await;
    server.ingest(&store, &[event("One", 3), event("Two", 2)]).await;
    let status = status_when(&server, |status| status["LatestDeliveryTime"].is_number()).await;
    assert!(status.get("LatestDeliveryError").is_none(), "{status}");
    assert_ne!(status["LatestDeliveryAttemptSucceeded"], "");
    status_when(&server, |status| status["LatestDigestDeliveryTime"].is_number()).await;
    // The log file always has one name; another number of events makes it another.
    server.ingest(&store, &[event("Three", 1), event("Four", 1), event("Five", 1)]).await;
    server.ok("StopLogging", json!({"Name": "my-trail"})).await;
    ended(&server).await;

    let delivered = folder.path().join("bucket/audit");
    let report = check(&server, &delivered).await;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.counts.logs_valid, 2);
    assert!(report.counts.digests_valid >= 2, "{report:?}");

    // Another lake can take it in again, each event once.
    let other = tempfile::tempdir().unwrap();
    let options = towpath::LakeOptions::new(chrono::Utc::now);
    let lake =
        towpath::Lake::open_or_create(other.path().to_str().unwrap(), options).await.unwrap();
    let retention = towpath::Retention::days(365).unwrap();
    let taken = lake.create_store(towpath::NewStore::new("taken", retention)).await.unwrap();
    let options = towpath::IngestOptions::default();
    let report = taken.ingest(&[delivered.to_str().unwrap()], &options, &|_| ()).await.unwrap();
    assert_eq!((report.events.stored, report.events.duplicate), (5, 0));

    // After that nothing is delivered, and a deleted trail leaves nothing to do.
    let after = ["A", "B", "C", "D"].map(|name| event(name, 0));
    server.ingest(&store, &after).await;
    let status = server.ok("GetTrailStatus", json!({"Name": "my-trail"})).await;
    assert_eq!(status["IsLogging"], false);
    server.ok("StartLogging", json!({"Name": "my-trail"})).await;
    server.ok("DeleteTrail", json!({"Name": "my-trail"})).await;
    ended(&server).await;
    assert!(check(&server, &delivered).await.is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_delivered_is_told_and_delivered_later() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("trails");
    std::fs::write(&blocked, "a file where a folder has to be").unwrap();
    let server = server(&blocked).await;
    let store = server.store("store").await;
    create(&server).await;
    server.ok("StartLogging", json!({"Name": "my-trail"})).await;
    server.ingest(&store, &[event("One", 1)]).await;
    let status = status_when(&server, |status| status["LatestDeliveryError"].is_string()).await;
    assert!(status.get("LatestDeliveryTime").is_none(), "{status}");
    std::fs::remove_file(&blocked).unwrap();
    status_when(&server, |status| status["LatestDeliveryTime"].is_number()).await;
    server.ok("StopLogging", json!({"Name": "my-trail"})).await;
    ended(&server).await;
    let report = check(&server, &blocked.join("bucket/audit")).await;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.counts.logs_valid, 1);
}
