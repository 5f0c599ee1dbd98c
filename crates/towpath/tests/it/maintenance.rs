//! Compaction and expiry change no answer.

use chrono::{Duration, TimeZone, Utc};
use towpath::arrow::array::RecordBatch;
use towpath::{
    CompactionPolicy, ErrorKind, IngestOptions, NewHold, Retention, StoreChange, TimeRange,
};

use crate::support::{Fixture, LIMITS, bundled_trail, event, lake_at, rows};

/// What an answer is compared by: every column of every event, and a few aggregates.
const STATEMENTS: [&str; 4] = [
    "SELECT * FROM trail ORDER BY eventJson",
    "SELECT eventName, count(*) FROM trail GROUP BY 1 ORDER BY 1",
    "SELECT min(eventTime), max(eventTime), count(DISTINCT eventID) FROM trail",
    "SELECT count(*) FROM trail WHERE element_at(requestParameters, 'bucketName') IS NOT NULL",
];

async fn answers(fixture: &Fixture) -> Vec<Vec<Vec<String>>> {
    let mut answers = Vec::new();
    for statement in STATEMENTS {
        answers.push(fixture.rows(statement).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compaction_changes_no_answer_also_of_queries_under_way() {
    let fixture = Fixture::new().await;
    let trail = bundled_trail();
    // Small commits, so that there is something to compact.
    let options = IngestOptions { commit_text_bytes: 256 << 10, ..IngestOptions::default() };
    let source = [trail.to_str().unwrap()];
    fixture.store.ingest(&source, &options, &|_| ()).await.unwrap();
    let before = answers(&fixture).await;
    let files = fixture.store.summary().await.unwrap().data_files;

    let under_way = fixture.lake.query(STATEMENTS[0], LIMITS).await.unwrap();
    let report = fixture.store.compact(&CompactionPolicy::THOROUGH).await.unwrap();
    assert!(report.files_before > report.files_after && report.rows > 0, "{report:?}");
    let under_way = under_way.collect().await.unwrap();
    let events: usize = under_way.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(events, before[0].len());

    assert!(fixture.store.summary().await.unwrap().data_files < files);
    assert_eq!(answers(&fixture).await, before);
    // What is in is still known to be in, under another name too.
    let copy = fixture.folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    copy_all(&trail, &copy);
    let again = fixture.store.ingest(&[copy.to_str().unwrap()], &options, &|_| ()).await.unwrap();
    assert_eq!((again.events.stored, again.events.conflicting), (0, 0), "{again:?}");
    assert!(again.events.duplicate > 0);
}

/// Copies the log files below a folder into one folder, under numbers.
fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    let mut folders = vec![from.to_path_buf()];
    let mut number = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Digests and others that are told by their folder.
                let name = path.file_name().unwrap().to_str().unwrap();
                if !name.contains("Digest") && !name.contains("Insight") {
                    folders.push(path);
                }
            } else if path.to_str().unwrap().ends_with(".json.gz") {
                number += 1;
                std::fs::copy(path, to.join(format!("{number}.json.gz"))).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn expired_events_are_gone_before_their_file_is_and_after() {
    let start = Utc.with_ymd_and_hms(2021, 1, 1, 0, 0, 0).unwrap();
    let fixture = Fixture::at(start).await;
    let old = event("old", "GetObject", "2020-02-29T12:00:00Z", "");
    fixture.ingest(&[&old, &event("new", "GetObject", "2020-12-29T12:00:00Z", "")]).await;
    let last = Utc.with_ymd_and_hms(2020, 2, 29, 12, 0, 0).unwrap() + Duration::days(2557);
    let count = "SELECT count(*) FROM trail";
    let folder = fixture.folder.path().join("lake");

    let kept = lake_at(&folder, last).await;
    assert_eq!(rows(&kept, count).await, [["2"]]);
    assert!(kept.store("trail").await.unwrap().expire().await.unwrap().dropped.is_empty());
    let over = lake_at(&folder, last + Duration::microseconds(1)).await;
    assert_eq!(rows(&over, count).await, [["1"]]);
    let store = over.store("trail").await.unwrap();
    assert_eq!(store.plan_expiry().await.unwrap().dropped.len(), 1);
    assert_eq!(rows(&over, count).await, [["1"]]);
    assert_eq!(store.expire().await.unwrap().dropped.len(), 1);
    assert_eq!(rows(&over, count).await, [["1"]]);
    assert_eq!(store.summary().await.unwrap().events, 1);
    // Nothing comes back, whatever the clock or the retention says.
    let longer = StoreChange { retention: Retention::days(3653).ok(), ..StoreChange::default() };
    store.update(longer).await.unwrap();
    assert_eq!(rows(&over, count).await, [["1"]]);
}

#[tokio::test]
async fn held_events_stay_in_answers_and_others_of_their_file_do_not() {
    let start = Utc.with_ymd_and_hms(2024, 3, 1, 0, 0, 0).unwrap();
    let fixture = Fixture::at(start).await;
    let times = ["2024-02-27T00:00:00Z", "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z"];
    let events = times.map(|time| event(time, "GetObject", time, ""));
    fixture.ingest(&events.each_ref().map(String::as_str)).await;
    let at = |day| Utc.with_ymd_and_hms(2024, 2, day, 0, 0, 0).unwrap().timestamp_micros();
    let range = TimeRange::new(at(28), at(29)).unwrap();
    let new = NewHold { range, reason: "case".into(), placed_by: "jdoe".into() };
    let hold = fixture.store.place_hold(new).await.unwrap();

    let later = Utc.with_ymd_and_hms(2040, 1, 1, 0, 0, 0).unwrap();
    let lake = lake_at(&fixture.folder.path().join("lake"), later).await;
    let ids = "SELECT eventID FROM trail";
    assert_eq!(rows(&lake, ids).await, [[times[1]]]);
    let store = lake.store("trail").await.unwrap();
    assert_eq!(store.expire().await.unwrap().held, 1);
    assert_eq!(rows(&lake, ids).await, [[times[1]]]);
    let refused = store.delete().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::OnHold);
    store.release_hold(hold.id, "judge").await.unwrap();
    assert!(rows(&lake, ids).await.is_empty());
}

#[tokio::test]
async fn query_of_a_deleted_store_says_that_it_is_deleted() {
    let fixture = Fixture::new().await;
    fixture.store.delete().await.unwrap();
    let refused = fixture.lake.query("SELECT 1 FROM trail", LIMITS).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StoreInactive, "{refused}");
    fixture.store.restore().await.unwrap();
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [["0"]]);
}
