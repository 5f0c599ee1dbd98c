//! Log files in buckets: listing, downloading, and what goes wrong there.

use std::sync::Arc;

use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use towpath_ingest::{Error, IngestOptions, LeftOut};

use crate::{
    support::{at, bucket, ingest_location, local_store, sorted, stored_events, stored_texts},
    trail::{ACCOUNT, event, events, key, log_file},
    watched_store::WatchedStore,
};

async fn put(objects: &Arc<dyn ObjectStore>, path: &str, bytes: Vec<u8>) {
    objects.put(&Path::from(path), bytes.into()).await.unwrap();
}

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

#[tokio::test]
async fn a_bucket_is_read_once_and_its_log_files_are_remembered_by_url() {
    let (local, objects) = (local_store().await, memory());
    let log = events("a", "2024-01-10", 30);
    put(&objects, &key("eu-west-1", "2024-01-10", 1), log_file(&log[..20])).await;
    put(&objects, &key("eu-west-1", "2024-01-10", 2), log_file(&log[20..])).await;
    put(&objects, &format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/d.json.gz"), vec![1]).await;
    let watched = WatchedStore::new(&objects, None);
    let through: Arc<dyn ObjectStore> = Arc::clone(&watched) as Arc<dyn ObjectStore>;

    let options = IngestOptions::default();
    let report = ingest_location(&local.store, &bucket(&through, ""), &options).await.unwrap();
    assert_eq!((report.log_files.found, report.events.stored), (2, 30));
    assert_eq!(report.log_files.left_out.get(&LeftOut::Digest), Some(&1));
    assert_eq!(stored_events(&local.store).await, sorted(&log));
    assert_eq!(watched.asked().iter().filter(|asked| asked.starts_with("get")).count(), 2);

    // Found through another prefix, they are the same log files and are not downloaded again.
    let report =
        ingest_location(&local.store, &bucket(&through, "AWSLogs"), &options).await.unwrap();
    assert_eq!(report.log_files.already_ingested, 2);
    assert_eq!(watched.asked().iter().filter(|asked| asked.starts_with("get")).count(), 2);
}

#[tokio::test]
async fn with_a_range_only_the_days_around_it_are_listed() {
    let (local, objects) = (local_store().await, memory());
    let below = |rest: &str| format!("team/AWSLogs/o-abcdef1234/{ACCOUNT}/{rest}");
    for (year, month) in [(2022, 1), (2023, 12), (2024, 1), (2024, 2)] {
        for day in [1, 9, 10, 11, 28] {
            let date = format!("{year}-{month:02}-{day:02}");
            let folder = below(&format!("CloudTrail/eu-west-1/{}", date.replace('-', "/")));
            let log = log_file(&[event(&date, &format!("{date}T12:00:00Z"))]);
            put(&objects, &format!("{folder}/log.json.gz"), log).await;
        }
    }
    put(&objects, &below("Config/eu-west-1/2024/1/10/c.json.gz"), vec![1]).await;
    put(&objects, &below("CloudTrail-Digest/eu-west-1/2024/01/10/d.json.gz"), vec![1]).await;
    put(
        &objects,
        "other/deep/er/and/deeper/log.json",
        log_file(&[event("x", "2024-01-10T00:00:00Z")]),
    )
    .await;
    let watched = WatchedStore::new(&objects, None);
    let through: Arc<dyn ObjectStore> = Arc::clone(&watched) as Arc<dyn ObjectStore>;

    let options = IngestOptions {
        from: Some(at("2024-01-10T00:00:00Z")),
        to: Some(at("2024-01-11T00:00:00Z")),
        ..IngestOptions::default()
    };
    let report = ingest_location(&local.store, &bucket(&through, ""), &options).await.unwrap();
    assert_eq!((report.events.stored, report.events.filtered), (2, 2));
    let mut ids = stored_texts(&local.store, "eventID").await;
    ids.sort_unstable();
    assert_eq!(ids, ["2024-01-10", "x"]);
    let asked = watched.asked();
    let listed = |part: &str| asked.iter().any(|one| one.starts_with("list") && one.contains(part));
    for part in ["2024/01/09", "2024/01/10", "2024/01/11", "other/deep"] {
        assert!(listed(part), "{part}: {asked:?}");
    }
    for part in ["2022", "2023/12", "2024/02", "2024/01/01", "2024/01/28", "Config", "Digest"] {
        assert!(!listed(part), "{part}: {asked:?}");
    }
}

#[tokio::test]
async fn one_log_file_is_taken_by_its_own_url() {
    let (local, objects) = (local_store().await, memory());
    let name = key("eu-west-1", "2024-01-10", 1);
    put(&objects, &name, log_file(&events("a", "2024-01-10", 3))).await;
    let options = IngestOptions::default();
    let report = ingest_location(&local.store, &bucket(&objects, &name), &options).await.unwrap();
    assert_eq!((report.log_files.found, report.events.stored), (1, 3));
}

#[tokio::test]
async fn a_prefix_with_nothing_is_an_error() {
    let (local, objects) = (local_store().await, memory());
    put(&objects, "here/log.json.gz", log_file(&events("a", "2024-01-10", 1))).await;
    for options in [
        IngestOptions::default(),
        IngestOptions { from: Some(at("2024-01-10T00:00:00Z")), ..IngestOptions::default() },
    ] {
        let result = ingest_location(&local.store, &bucket(&objects, "there"), &options).await;
        assert!(matches!(result, Err(Error::SourceNotFound { .. })), "{result:?}");
    }
}
