//! Real log files, where they stand beside the checkout: 1,442 files of eleven accounts and regions,
//! in which a fifth of the events arrive twice.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use serde_json::value::RawValue;
use towpath_store::Location;

use crate::support::{
    ingest_folder, ingest_with, local_store, open_store, stored_events, stored_texts,
};
use towpath_ingest::IngestOptions;

/// The folder of real logs, or `None`, and a line that says so, where there is none.
fn real_logs() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/aws-trail");
    if folder.try_exists().unwrap_or(false) {
        return Some(folder);
    }
    println!("not tested: the real logs are not there");
    None
}

/// The texts of all different events, by a plain reading of every file, sorted.
fn different_events(folder: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct LogFile<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a RawValue>,
    }
    let mut folders = vec![folder.to_owned()];
    let mut texts = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut text = String::new();
            MultiGzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
            let log_file: LogFile<'_> = serde_json::from_str(&text).unwrap();
            texts.extend(log_file.records.iter().map(|record| record.get().to_owned()));
        }
    }
    texts.into_iter().collect()
}

#[tokio::test]
async fn every_real_event_is_stored_once_to_the_letter() {
    let Some(folder) = real_logs() else { return };
    let local = local_store().await;
    let report = ingest_folder(&local.store, &folder).await;
    assert_eq!((report.log_files.found, report.log_files.ingested), (1442, 1442));
    assert_eq!((report.events.seen, report.events.stored), (14_704, 12_241));
    assert_eq!((report.events.duplicate, report.events.conflicting), (2_463, 0));
    assert_eq!(stored_events(&local.store).await, different_events(&folder));
    let names = stored_texts(&local.store, "eventName").await;
    assert_eq!(names.iter().filter(|name| *name == "DeleteBucket").count(), 8);

    for _ in 0..2 {
        let report = ingest_folder(&local.store, &folder).await;
        assert_eq!((report.log_files.already_ingested, report.events.stored), (1442, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ingests_of_the_real_logs_at_once_store_each_event_once() {
    let Some(folder) = real_logs() else { return };
    let local = local_store().await;
    let lake = || Location::local(local.folder.path()).unwrap();
    let (one, other) = (open_store(lake()).await, open_store(lake()).await);
    let options = IngestOptions { commit_text_bytes: 2 << 20, ..IngestOptions::default() };
    let (first, second) =
        tokio::join!(ingest_with(&one, &folder, &options), ingest_with(&other, &folder, &options),);
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.events.stored + second.events.stored, 12_241, "{first:?} {second:?}");
    assert_eq!(stored_events(&local.store).await.len(), 12_241);
}
