//! Each commit of ours names the ones before it by the SHA-256 of their files.

use crate::support::{append, local_store, store_folder};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use towpath_store::sha256_hex;

fn commit_path(root: &Path, version: u64) -> PathBuf {
    root.join(format!("_delta_log/{version:020}.json"))
}

/// Our record in the commit of a version.
fn record(root: &Path, version: u64) -> Value {
    let text = fs::read_to_string(commit_path(root, version)).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    first["commitInfo"]["towpath"].clone()
}

fn sha256_of(path: PathBuf) -> String {
    sha256_hex(&fs::read(path).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_names_the_one_before_it_by_its_sha256() {
    let (folder, catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    // Another process goes on where this one was.
    let other = catalog.store("trail").await.unwrap();
    append(&other, &["b"]).await.unwrap();
    let root = store_folder(&folder, &store);
    assert_eq!(record(&root, 0).get("previousSha256"), None, "nothing is before the first");
    for version in 1..=2 {
        let expected = sha256_of(commit_path(&root, version - 1));
        assert_eq!(record(&root, version)["previousSha256"], serde_json::json!([expected]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_other_programs_are_named_by_the_next_of_ours() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    let root = store_folder(&folder, &store);
    for version in [2, 3] {
        let text = r#"{"commitInfo":{"engineInfo":"another"}}"#;
        fs::write(commit_path(&root, version), text).unwrap();
    }
    append(&store, &["b"]).await.unwrap();
    let expected: Vec<String> =
        (1..=3).map(|version| sha256_of(commit_path(&root, version))).collect();
    assert_eq!(record(&root, 4)["previousSha256"], serde_json::json!(expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_after_a_delta_checkpoint_names_it() {
    let (folder, _catalog, store) = local_store().await;
    for number in 1..=100 {
        append(&store, &[&format!("id-{number}")]).await.unwrap();
    }
    let root = store_folder(&folder, &store);
    let log = root.join("_delta_log");
    let named = &record(&root, 100)["deltaCheckpoint"];
    assert_eq!(named["version"], 99);
    assert_eq!(named["sha256"], sha256_of(log.join(format!("{:020}.checkpoint.parquet", 99))));
    assert_eq!(named["hintSha256"], sha256_of(log.join("_last_checkpoint")));
}
