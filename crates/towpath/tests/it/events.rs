//! Every event once, with its exact text, on whole trails.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::value::RawValue;

use crate::support::{Fixture, bundled_trail, real_trail};

#[tokio::test(flavor = "multi_thread")]
async fn the_bundled_trail_is_in_once_after_three_runs_with_every_text_exact() {
    holds_every_event_once(&bundled_trail(), 7206).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn real_logs_are_in_once_after_three_runs_with_every_text_exact() {
    if let Some(trail) = real_trail() {
        holds_every_event_once(&trail, 12241).await;
    }
}

async fn holds_every_event_once(trail: &Path, events: usize) {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        fixture.ingest_from(trail).await;
    }

    let expected = plain_scan(trail);
    assert_eq!(expected.len(), events);
    let mut stored: HashMap<String, usize> = HashMap::new();
    for row in fixture.rows("SELECT eventJson FROM trail").await {
        *stored.entry(row[0].clone()).or_default() += 1;
    }
    assert!(stored.values().all(|times| *times == 1), "a text is stored twice");
    assert!(stored.keys().all(|text| expected.contains_key(text)), "a text was altered");
    assert_eq!(stored.len(), events);

    let deleted = expected.values().filter(|name| name.as_str() == "DeleteBucket").count();
    let count = fixture.rows("SELECT count(*) FROM trail WHERE eventName = 'DeleteBucket'").await;
    assert_eq!(count, [[deleted.to_string()]]);
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [[events.to_string()]]);
}

/// Different texts of all records below `folder` with their event names, read without towpath.
fn plain_scan(folder: &Path) -> HashMap<String, String> {
    #[derive(serde::Deserialize)]
    struct LogFile<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a RawValue>,
    }
    #[derive(serde::Deserialize)]
    struct Event {
        #[serde(rename = "eventName")]
        name: Option<String>,
    }

    let mut records = HashMap::new();
    for path in log_files(folder) {
        let bytes = fs::read(&path).unwrap();
        let mut text = String::new();
        let whole = if bytes.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).is_ok()
        } else {
            text = String::from_utf8(bytes).unwrap();
            true
        };
        if !whole {
            continue;
        }
        for record in serde_json::from_str::<LogFile<'_>>(&text).unwrap().records {
            let event: Event = serde_json::from_str(record.get()).unwrap();
            records.insert(record.get().to_owned(), event.name.unwrap_or_default());
        }
    }
    records
}

/// Event log files by their place: not the digests, insights and others of the same bucket.
fn log_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(log_files(&path));
        } else {
            let kind = path.components().any(|part| {
                part.as_os_str() == "CloudTrail" || part.as_os_str() == "CloudTrail-NetworkActivity"
            });
            let name = path.to_string_lossy().into_owned();
            if kind && (name.ends_with(".json.gz") || name.ends_with(".json")) {
                files.push(path);
            }
        }
    }
    files
}
