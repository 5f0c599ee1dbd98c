//! What is looked into, and what is left out, in local folders.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use towpath_ingest::{Error, IngestOptions, LeftOut, ingest};
use towpath_store::Location;

use crate::{
    support::{NOW, at, clock_at, ingest_folder, ingest_with, local_store, stored_texts},
    trail::{self, ACCOUNT, event, events, key, log_file},
};

#[tokio::test]
async fn files_that_are_no_log_files_are_left_out_and_counted() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = log_file(&events("a", "2024-01-10", 2));
    let account = format!("logs/AWSLogs/{ACCOUNT}");
    for path in [
        key("eu-west-1", "2024-01-10", 1),
        format!("{account}/CloudTrail-NetworkActivity/eu-west-1/2024/01/10/n.json.gz"),
        format!("{account}/CloudTrail-Digest/eu-west-1/2024/01/10/d.json.gz"),
        format!("{account}/CloudTrail-Insight/eu-west-1/2024/01/10/i.json.gz"),
        format!("{account}/CloudTrail-Aggregated/eu-west-1/2024/01/10/a.json.gz"),
        format!("{account}/Config/eu-west-1/2024/1/10/c.json.gz"),
        format!("{ACCOUNT}_vpcflowlogs_eu-west-1_fl-1_x.json"),
        "README.md".into(),
    ] {
        trail::write(trail.path(), &path, &log);
    }
    let report = ingest_folder(&local.store, trail.path()).await;
    let left_out: Vec<_> = report.log_files.left_out.into_iter().collect();
    let expected = [
        (LeftOut::Digest, 1),
        (LeftOut::Insight, 1),
        (LeftOut::Aggregated, 1),
        (LeftOut::OtherService, 2),
        (LeftOut::OtherName, 1),
    ];
    assert_eq!(left_out, expected);
    assert_eq!((report.log_files.found, report.events.stored), (2, 2));
}

#[tokio::test]
async fn a_file_that_is_named_itself_is_taken_whatever_its_name() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let path = trail::write(trail.path(), "saved.bin", &log_file(&events("a", "2024-01-10", 2)));
    let report = ingest_folder(&local.store, &path).await;
    assert_eq!((report.log_files.found, report.events.stored), (1, 2));
    // By another name of the same file.
    symlink(&path, trail.path().join("link")).unwrap();
    let report = ingest_folder(&local.store, &trail.path().join("link")).await;
    assert_eq!(report.log_files.already_ingested, 1);
}

#[tokio::test]
async fn loops_of_symbolic_links_are_survived() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "a/b/log.json.gz", &log_file(&events("a", "2024-01-10", 2)));
    symlink(trail.path(), trail.path().join("a/b/up")).unwrap();
    symlink(trail.path().join("a"), trail.path().join("a/itself")).unwrap();
    symlink("round", trail.path().join("round")).unwrap();
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.log_files.found, report.events.stored), (1, 2));
}

#[tokio::test]
async fn a_folder_that_may_not_be_read_is_named_and_the_others_are_taken() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "open/log.json.gz", &log_file(&events("a", "2024-01-10", 2)));
    let shut = trail.path().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    let may_be_read = fs::read_dir(&shut).is_ok();
    let report = ingest_folder(&local.store, trail.path()).await;
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!((report.events.stored, report.log_files.rejected), (2, 0));
    if may_be_read {
        println!("not tested: this user may read every folder");
        return;
    }
    assert_eq!(report.folders_unreadable, 1);
    assert!(!report.is_complete());
    assert!(report.rejected[0].path.ends_with("shut"));
}

#[tokio::test]
async fn linked_folders_elsewhere_are_followed() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    trail::write(elsewhere.path(), "log.json.gz", &log_file(&events("a", "2024-01-10", 2)));
    symlink(elsewhere.path(), trail.path().join("linked")).unwrap();
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.events.stored, 2);
}

#[tokio::test]
async fn names_that_are_not_utf8_are_read() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let name = OsStr::from_bytes(b"caf\xe9 #1 %20.json.gz");
    fs::write(trail.path().join(name), log_file(&events("a", "2024-01-10", 2))).unwrap();
    assert_eq!(ingest_folder(&local.store, trail.path()).await.events.stored, 2);
    assert_eq!(ingest_folder(&local.store, trail.path()).await.log_files.already_ingested, 1);
}

#[tokio::test]
async fn only_days_near_the_range_are_looked_into() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    for day in 1..=20 {
        let day = format!("2024-01-{day:02}");
        let log = log_file(&[event(&day, &format!("{day}T12:00:00Z"))]);
        trail::write(trail.path(), &key("eu-west-1", &day, 1), &log);
    }
    // Delivered after midnight.
    let late = log_file(&[event("late", "2024-01-10T23:59:00Z")]);
    trail::write(trail.path(), &key("eu-west-1", "2024-01-11", 2), &late);
    let options = IngestOptions {
        from: Some(at("2024-01-10T00:00:00Z")),
        to: Some(at("2024-01-11T00:00:00Z")),
        ..IngestOptions::default()
    };
    let report = ingest_with(&local.store, trail.path(), &options).await.unwrap();
    // From the 9th to the 13th.
    assert_eq!((report.log_files.found, report.events.filtered), (6, 4));
    assert_eq!(stored_texts(&local.store, "eventID").await, ["2024-01-10", "late"]);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_an_error() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let missing = trail.path().join("missing");
    let result = ingest_with(&local.store, &missing, &IngestOptions::default()).await;
    assert!(matches!(result, Err(Error::SourceNotFound { .. })), "{result:?}");
    // Not even when others are there, and before these are taken.
    let log =
        trail::write(trail.path(), "there/log.json.gz", &log_file(&events("a", "2024-01-10", 1)));
    let sources = [Location::local(&log).unwrap(), Location::local(&missing).unwrap()];
    let options = IngestOptions::default();
    let result = ingest(&local.store, &sources, &options, clock_at(NOW), &|_| ()).await;
    assert!(matches!(result, Err(Error::SourceNotFound { .. })), "{result:?}");
    assert_eq!(local.store.snapshot().await.unwrap().version(), 0);
    fs::remove_file(log).unwrap();
    // An empty folder is there, and has nothing.
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.found, 0);
}
