//! The files of a store are what any Delta reader expects.

use crate::support::{MONTH, append, local_store, store_folder};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn actions(log: &Path, version: u64) -> Vec<Value> {
    let text = fs::read_to_string(log.join(format!("{version:020}.json"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn table_needs_no_newer_protocol_than_the_first() {
    let (folder, _catalog, store) = local_store().await;
    let log = store_folder(&folder, &store).join("_delta_log");
    let created = actions(&log, 0);

    assert_eq!(created[1], json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}));
    let metadata = &created[2]["metaData"];
    assert_eq!(metadata["id"], store.id().to_string());
    assert_eq!(metadata["name"], "trail");
    assert_eq!(metadata["partitionColumns"], json!(["calendarmonth"]));
    let properties = &metadata["configuration"];
    assert_eq!(properties["delta.logRetentionDuration"], "interval 3660 days");
    assert_eq!(properties["delta.enableExpiredLogCleanup"], "false");
    assert_eq!(properties["delta.dataSkippingStatsColumns"], "eventTime,eventName");
    assert_eq!(properties["towpath.retentionDays"], "2557");
    let schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let fields: Vec<(&str, &Value)> = schema["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["name"].as_str().unwrap(), &field["type"]))
        .collect();
    assert_eq!(
        fields,
        [
            ("eventTime", &json!("timestamp")),
            ("eventName", &json!("string")),
            ("eventID", &json!("string")),
            ("calendarmonth", &json!("long")),
        ]
    );
}

#[tokio::test]
async fn append_is_one_commit_with_its_files_sources_and_transaction() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a", "b"]).await.unwrap();
    let commit = actions(&store_folder(&folder, &store).join("_delta_log"), 1);

    let [info, add, txn] = commit.as_slice() else { panic!("{commit:?}") };
    assert_eq!(info["commitInfo"]["operation"], "WRITE");
    assert_eq!(info["commitInfo"]["timestamp"], crate::support::now().timestamp_millis());
    assert_eq!(info["commitInfo"]["towpath"]["sources"][0]["key"], "a");
    let add = &add["add"];
    assert_eq!(add["partitionValues"], json!({"calendarmonth": MONTH.to_string()}));
    let path = add["path"].as_str().unwrap();
    assert!(path.starts_with(&format!("calendarmonth={MONTH}/")), "{path}");
    let file = &info["commitInfo"]["towpath"]["dataFiles"][0];
    assert_eq!(file["path"], path);
    assert_eq!(file["sha256"], add["tags"]["towpath.sha256"]);
    let statistics: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
    assert_eq!(statistics["numRecords"], 2);
    assert_eq!(statistics["minValues"]["eventTime"], "2024-01-10T00:00:00.000Z");
    assert_eq!(txn["txn"]["appId"], "towpath-ingest");
    assert_eq!(txn["txn"]["version"], 1);
}
