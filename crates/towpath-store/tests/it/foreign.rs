//! What other Delta programs do to a store, and what they must not be able to do by accident.

use crate::support::{MONTH, append, local_store, store_folder};
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableBuilder};
use serde_json::json;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};
use towpath_store::Error;
use url::Url;

async fn open_with_delta(folder: &Path) -> DeltaTable {
    let url = Url::from_directory_path(folder).unwrap();
    DeltaTableBuilder::from_url(url).unwrap().load().await.unwrap()
}

fn write_commit(folder: &Path, version: u64, actions: &[serde_json::Value]) {
    let text: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let path = folder.join(format!("_delta_log/{version:020}.json"));
    fs::write(path, text.join("\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_delta_library_reads_the_store_as_it_is() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a", "b"]).await.unwrap();
    append(&store, &["c"]).await.unwrap();

    let table = open_with_delta(&store_folder(&folder, &store)).await;

    assert_eq!(table.version(), Some(2));
    let state = table.snapshot().unwrap();
    let rows: usize = state.log_data().iter().map(|file| file.num_records().unwrap()).sum();
    assert_eq!(rows, 3);
    assert_eq!(state.metadata().name(), Some("trail"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_by_another_program_does_not_delete_old_commits() {
    let (folder, catalog, store) = local_store().await;
    for number in 1..=100 {
        append(&store, &[&format!("id-{number}")]).await.unwrap();
    }
    let root = store_folder(&folder, &store);
    let log = root.join("_delta_log");
    #[expect(clippy::disallowed_methods, reason = "file times are compared with the real clock")]
    let old = SystemTime::now() - Duration::from_secs(90 * 86_400);
    for file in fs::read_dir(&log).unwrap() {
        File::options().write(true).open(file.unwrap().path()).unwrap().set_modified(old).unwrap();
    }

    // With the library's defaults: thirty days of log retention, cleaned up after a commit.
    let table = open_with_delta(&root).await;
    let operation =
        DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
    CommitBuilder::from(CommitProperties::default())
        .build(Some(table.snapshot().unwrap()), table.log_store(), operation)
        .await
        .unwrap();

    for version in 0..=101 {
        let commit = log.join(format!("{version:020}.json"));
        assert!(commit.try_exists().unwrap(), "{version}");
    }
    let store = catalog.store("trail").await.unwrap();
    assert_eq!(store.sources(&store.latest()).await.unwrap().len(), 100);
}

#[tokio::test]
async fn data_file_of_another_program_may_hold_any_time() {
    let (folder, catalog, store) = local_store().await;
    let add = json!({"add": {
        "path": "x.parquet", "partitionValues": {"calendarmonth": MONTH.to_string()}, "size": 9,
        "modificationTime": 0, "dataChange": true, "stats": "{\"numRecords\":4}",
    }});
    write_commit(&store_folder(&folder, &store), 1, &[add]);

    let snapshot = store.snapshot().await.unwrap();

    let file = &snapshot.data_files()[0];
    assert_eq!((file.rows, file.sha256.as_str()), (4, ""));
    assert_eq!(file.event_times, (i64::MIN, i64::MAX));
    assert_eq!(catalog.store("trail").await.unwrap().latest().data_files(), snapshot.data_files());
}

#[tokio::test]
async fn what_would_be_read_wrongly_is_refused() {
    let (folder, catalog, store) = local_store().await;
    let root = store_folder(&folder, &store);
    let add = |path: &str, stats: &str| {
        json!({
            "path": path, "partitionValues": {"calendarmonth": MONTH.to_string()}, "size": 9,
            "modificationTime": 0, "dataChange": true, "stats": stats,
        })
    };
    let rows = r#"{"numRecords":4}"#;
    let outside = add("file:///elsewhere/x.parquet", rows);
    let uncounted = add("x.parquet", "{}");
    let mut unplaced = add("x.parquet", rows);
    unplaced["partitionValues"] = json!({"calendarmonth": null});
    for (add, reason) in [
        (outside, "outside of the store"),
        (uncounted, "has no count of its rows"),
        (unplaced, "has no calendarmonth"),
    ] {
        write_commit(&root, 1, &[json!({"add": add})]);
        let err = catalog.store("trail").await.unwrap_err();
        assert!(matches!(err, Error::UnsupportedTable { .. }), "{err:?}");
        assert!(err.to_string().contains(reason), "{err}");
    }
    let newer = json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["fromTheFuture"], "writerFeatures": ["fromTheFuture"],
    }});
    write_commit(&root, 1, &[newer]);
    assert!(catalog.store("trail").await.is_err());
}

#[tokio::test]
async fn transaction_that_does_not_rise_is_refused() {
    let (folder, _catalog, store) = local_store().await;
    let txn = json!({"txn": {"appId": "towpath-ingest", "version": 99}});
    write_commit(&store_folder(&folder, &store), 1, &[txn]);

    let err = append(&store, &["a"]).await.unwrap_err();

    assert!(matches!(err, Error::UnsupportedTable { .. }), "{err:?}");
    assert!(err.to_string().contains("its last transaction, 99"), "{err}");
}
