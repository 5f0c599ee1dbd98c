//! Each event once, wherever it comes from and whoever else ingests.

use std::path::Path;

use towpath_ingest::IngestOptions;
use towpath_store::Location;

use crate::{
    support::{ingest_folder, ingest_with, local_store, open_store, sorted, stored_events},
    trail::{self, ACCOUNT, event, event_named, events, key, log_file},
};

#[tokio::test]
async fn an_event_delivered_under_two_regions_is_stored_once() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("global", "2024-01-10", 40);
    for region in ["eu-west-1", "us-east-1", "us-east-2"] {
        trail::write(trail.path(), &key(region, "2024-01-10", 1), &log_file(&log));
    }
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.events.duplicate), (40, 80));
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn an_event_stored_by_an_earlier_run_is_a_duplicate_under_any_name() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 40);
    trail::write(trail.path(), "one/log.json.gz", &log_file(&log));
    ingest_folder(&local.store, &trail.path().join("one")).await;
    // The same events, in other company and order.
    let mut mixed: Vec<String> = log.iter().rev().cloned().collect();
    mixed.insert(7, event("new", "2024-01-10T00:00:07Z"));
    trail::write(trail.path(), "two/log.json.gz", &log_file(&mixed));
    let report = ingest_folder(&local.store, &trail.path().join("two")).await;
    assert_eq!((report.events.stored, report.events.duplicate), (1, 40));
    assert_eq!(stored_events(&local.store).await, sorted(&mixed));
}

#[tokio::test]
async fn the_same_id_of_another_account_is_another_event() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let one = event("same", "2024-01-10T00:00:00Z");
    let other = one.replace(ACCOUNT, "999999999999");
    trail::write(trail.path(), "log.json.gz", &log_file(&[&one, &other]));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.events.conflicting), (2, 0));
}

#[tokio::test]
async fn the_same_id_with_other_content_is_kept_and_counted() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let versions: Vec<String> = ["A", "B", "C"]
        .iter()
        .map(|name| event_named("same", "2024-01-10T00:00:00Z", name))
        .collect();
    trail::write(trail.path(), "one/log.json.gz", &log_file(&[&versions[0], &versions[1]]));
    let report = ingest_folder(&local.store, &trail.path().join("one")).await;
    assert_eq!((report.events.stored, report.events.conflicting), (2, 1));

    let again = [&versions[1], &versions[2], &versions[0], &versions[2]];
    trail::write(trail.path(), "two/log.json.gz", &log_file(&again));
    let report = ingest_folder(&local.store, &trail.path().join("two")).await;
    assert_eq!((report.events.stored, report.events.conflicting), (1, 1));
    assert_eq!(report.events.duplicate, 3);
    assert_eq!(stored_events(&local.store).await, sorted(&versions));
}

#[tokio::test]
async fn events_without_an_id_are_the_same_if_their_texts_are() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let without_id = |second: u32| {
        format!(
            r#"{{"eventTime":"2013-11-02T01:06:{second:02}Z","eventVersion":"1.00","eventID":""}}"#
        )
        .replace("2013-11", "2023-11")
    };
    let log: Vec<String> = (0..5).map(without_id).collect();
    trail::write(trail.path(), "one/log.json.gz", &log_file(&log[..4]));
    assert_eq!(ingest_folder(&local.store, &trail.path().join("one")).await.events.stored, 4);
    trail::write(trail.path(), "two/log.json.gz", &log_file(&log[1..]));
    let report = ingest_folder(&local.store, &trail.path().join("two")).await;
    assert_eq!((report.events.stored, report.events.duplicate), (1, 3));
    assert_eq!(report.events.conflicting, 0);
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn many_events_under_one_id_do_not_slow_the_look() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log: Vec<String> = (0..3000)
        .map(|n| event_named("same", "2024-01-10T00:00:00Z", &format!("Name{n}")))
        .collect();
    trail::write(trail.path(), "one/log.json.gz", &log_file(&log));
    let report = ingest_folder(&local.store, &trail.path().join("one")).await;
    assert_eq!((report.events.stored, report.events.conflicting), (3000, 2999));
    trail::write(trail.path(), "two/log.json.gz", &log_file(&log[..2999]));
    let report = ingest_folder(&local.store, &trail.path().join("two")).await;
    assert_eq!((report.events.stored, report.events.duplicate), (0, 2999));
}

/// A trail of twenty days in four regions, each event delivered in two of them.
fn write_doubled_trail(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for day in 10..30 {
        let day = format!("2024-01-{day}");
        for pair in [["eu-west-1", "us-east-1"], ["eu-west-2", "us-east-2"]] {
            let of_day = events(&format!("{}-{day}", pair[0]), &day, 15);
            for region in pair {
                trail::write(folder, &key(region, &day, 1), &log_file(&of_day));
            }
            all.extend(of_day);
        }
    }
    all
}

#[tokio::test]
async fn duplicates_are_found_across_the_batches_of_a_run() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let all = write_doubled_trail(trail.path());
    let options = IngestOptions { commit_text_bytes: 9_000, ..IngestOptions::default() };
    let report = ingest_with(&local.store, trail.path(), &options).await.unwrap();
    assert_eq!((report.events.stored, report.events.duplicate), (600, 600));
    assert_eq!(stored_events(&local.store).await, sorted(&all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ingests_at_once_store_each_event_once() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let all = write_doubled_trail(trail.path());
    let options = IngestOptions { commit_text_bytes: 9_000, ..IngestOptions::default() };
    // Each opens the store for itself, as two processes would.
    let lake = || Location::local(local.folder.path()).unwrap();
    let (one, other) = (open_store(lake()).await, open_store(lake()).await);
    let (first, second) = tokio::join!(
        ingest_with(&one, trail.path(), &options),
        ingest_with(&other, trail.path(), &options),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.events.stored + second.events.stored, 600, "{first:?} {second:?}");
    assert_eq!(first.events.seen + second.events.seen, 2400);
    assert_eq!(stored_events(&local.store).await, sorted(&all));
}
