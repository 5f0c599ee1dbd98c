//! What is past retention is dropped, and removed only when no query can read it any more.

use crate::support::{WAIT, local_lake, new_store, now, rows_from, source, store_folder};
use chrono::{DateTime, TimeDelta, Utc};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use towpath_store::{
    Append, EventDataStore, Expiry, GRACE, NewHold, Retention, TimeRange, UNCOMMITTED_AGE_MIN,
};

/// Seconds from 2024-01-10 back to 2014-01-10.
const TEN_YEARS_AGO: i64 = -3_652 * 86_400;

/// Appends a data file whose first row is that many seconds after 2024-01-10.
async fn append_at(store: &EventDataStore, seconds: i64, month: i64, ids: &[&str]) {
    let writer = store.writer(now(), WAIT).await.unwrap();
    let file = writer.write_data_file(month, &[rows_from(seconds, ids)]).await.unwrap();
    let sources = vec![source(ids[0], ids.len() as u64)];
    writer.commit(Append { data_files: vec![file], sources }, now()).await.unwrap();
}

/// A store of ten years' retention, with two rows of 2014 and one of 2024.
async fn filled() -> (TempDir, EventDataStore) {
    let (folder, catalog) = local_lake().await;
    let mut new = new_store("trail");
    new.retention = Retention::days(Retention::DAYS_MAX).unwrap();
    let store = catalog.create_store(new, now()).await.unwrap();
    append_at(&store, TEN_YEARS_AGO, 201_401, &["old", "old too"]).await;
    append_at(&store, 0, 202_401, &["new"]).await;
    (folder, store)
}

fn data_files(folder: &TempDir, store: &EventDataStore) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for month in fs::read_dir(store_folder(folder, store)).unwrap() {
        let month = month.unwrap().path();
        if month.file_name().unwrap().to_str().unwrap().starts_with("calendarmonth=") {
            found.extend(fs::read_dir(month).unwrap().map(|file| file.unwrap().path()));
        }
    }
    found.sort();
    found
}

/// When everything that is there now is old enough not to be a writer's.
fn old_enough(path: &Path) -> DateTime<Utc> {
    let written = DateTime::<Utc>::from(fs::metadata(path).unwrap().modified().unwrap());
    written + UNCOMMITTED_AGE_MIN
}

async fn expire(store: &EventDataStore, at: DateTime<Utc>) -> Expiry {
    let planned = store.plan_expiry(at).await.unwrap();
    let done = store.expire(at, WAIT).await.unwrap();
    assert_eq!(done.dropped, planned.dropped, "a plan says what is done");
    assert_eq!((done.held, &done.removed), (planned.held, &planned.removed));
    done
}

#[tokio::test]
async fn plan_changes_nothing_and_a_drop_only_the_log() {
    let (folder, store) = filled().await;
    let before = store.snapshot().await.unwrap();
    let planned = store.plan_expiry(now()).await.unwrap();
    assert_eq!(planned.dropped.iter().map(|file| file.rows).sum::<u64>(), 2);
    assert_eq!(store.snapshot().await.unwrap().version(), before.version());

    let files = data_files(&folder, &store);
    let done = expire(&store, now()).await;
    assert_eq!((done.dropped.len(), done.removed.len()), (1, 0));
    let after = store.snapshot().await.unwrap();
    assert_eq!((after.version(), after.rows()), (before.version() + 1, 1));
    assert_eq!(data_files(&folder, &store), files, "a running query still reads them");
    assert_eq!(expire(&store, now()).await, Expiry::default());
    let log =
        store_folder(&folder, &store).join(format!("_delta_log/{:020}.json", after.version()));
    let text = fs::read_to_string(log).unwrap();
    assert!(text.contains(r#""operation":"DELETE""#) && text.contains(r#""removedFiles":[{"#));
}

#[tokio::test]
async fn file_is_dropped_when_its_last_event_is_past_to_the_microsecond() {
    let (_folder, store) = filled().await;
    // The younger of the two old rows, a second after the first.
    let last = DateTime::from_timestamp(1_704_844_800 + TEN_YEARS_AGO + 1, 0).unwrap();
    let kept_until = last + TimeDelta::days(i64::from(Retention::DAYS_MAX));
    let plan = async |at| store.plan_expiry(at).await.unwrap().dropped.len();
    assert_eq!(plan(kept_until).await, 0);
    assert_eq!(plan(kept_until + TimeDelta::microseconds(1)).await, 1);
}

#[tokio::test]
async fn dropped_file_is_removed_only_after_the_grace() {
    let (folder, store) = filled().await;
    let files = data_files(&folder, &store);
    let dropped_at = old_enough(&files[0]) + TimeDelta::hours(1);
    let done = expire(&store, dropped_at).await;
    assert_eq!((done.dropped.len(), done.removed.len()), (1, 0));

    let early = expire(&store, dropped_at + GRACE - TimeDelta::seconds(1)).await;
    assert_eq!(early, Expiry::default());
    let done = expire(&store, dropped_at + GRACE + TimeDelta::seconds(1)).await;
    assert_eq!((done.dropped.len(), done.removed.len()), (0, 1));
    assert_eq!(data_files(&folder, &store), files[1..]);
    assert_eq!(store.snapshot().await.unwrap().rows(), 1);
    for file in store.latest().data_files() {
        store.verify_data_file(file).await.unwrap();
    }
}

#[tokio::test]
async fn hold_keeps_what_is_past_retention_until_it_is_released() {
    let (_folder, store) = filled().await;
    // Before the old rows expired.
    let placed = now() - TimeDelta::days(26);
    let new = NewHold { range: TimeRange::ALL, reason: "r".into(), placed_by: "w".into() };
    let hold = store.place_hold(new, placed, WAIT).await.unwrap();

    let later = now() + TimeDelta::days(400);
    let done = expire(&store, later).await;
    assert_eq!((done.dropped.len(), done.held), (0, 1));
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.rows(), 3);
    assert!(
        snapshot.data_files().iter().all(|file| snapshot.kept(later).contains(file.event_times))
    );

    store.release_hold(hold.id, "w", later, WAIT).await.unwrap();
    let done = expire(&store, later).await;
    assert_eq!((done.dropped.len(), done.held), (1, 0));
}

#[tokio::test]
async fn what_killed_writers_left_is_removed_when_it_is_old_and_nothing_else_is() {
    let (folder, store) = filled().await;
    let committed = data_files(&folder, &store);
    store.write_data_file(202_401, &[rows_from(0, &["lost"])]).await.unwrap();
    let month = store_folder(&folder, &store).join("calendarmonth=202401");
    let staging = month.join("0a.parquet#12345");
    let foreign = month.join("notes.txt");
    fs::write(&staging, "half").unwrap();
    fs::write(&foreign, "mine").unwrap();

    let old = old_enough(&foreign);
    let retention_is_long = expire(&store, old - TimeDelta::minutes(5)).await;
    assert_eq!(retention_is_long.removed, [], "it may be in flight");
    let done = expire(&store, old + TimeDelta::minutes(5)).await;
    assert_eq!(done.removed.len(), 2, "{done:?}");
    let mut left = data_files(&folder, &store);
    left.retain(|path| *path != foreign);
    assert_eq!(left, committed, "the one dropped just now is within the grace");
    assert!(foreign.is_file());
}

#[tokio::test]
async fn deleted_store_is_left_as_it_is() {
    let (_folder, store) = filled().await;
    store.delete(now(), WAIT).await.unwrap();
    assert_eq!(expire(&store, now() + TimeDelta::days(4_000)).await, Expiry::default());
    assert_eq!(store.snapshot().await.unwrap().rows(), 3);
}
