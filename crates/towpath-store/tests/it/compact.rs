//! Compaction makes files fewer and changes nothing else.

use crate::support::{
    MONTH, WAIT, append, append_within, local_store, now, rows_from, source, store_folder, writer,
};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::time::Duration;
use towpath_store::{
    Append, CommitSummary, CompactionPolicy, CompactionReport, DataFile, Error, EventDataStore,
    SourceIndex, compaction_plan,
};

async fn compact(store: &EventDataStore) -> CompactionReport {
    store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap()
}

async fn batches(store: &EventDataStore, file: &DataFile) -> Vec<RecordBatch> {
    let content = store.object_store().get(&file.path).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(content).unwrap().build().unwrap();
    reader.map(|batch| batch.unwrap()).collect()
}

/// Event time and id of every row, in the order of the files.
async fn rows(store: &EventDataStore) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    for file in store.snapshot().await.unwrap().data_files() {
        for batch in batches(store, file).await {
            let times = batch.column(0).as_primitive::<TimestampMicrosecondType>();
            let ids = batch.column(2).as_string::<i32>();
            let both = times.values().iter().zip(ids);
            rows.extend(both.map(|(time, id)| (*time, id.unwrap().to_owned())));
        }
    }
    rows
}

#[tokio::test]
async fn files_become_one_with_the_same_rows_in_order() {
    let (folder, _catalog, store) = local_store().await;
    for number in 0..9 {
        let writer = writer(&store).await.unwrap();
        // Each file overlaps the next one, so that the merge has something to do.
        let ids: Vec<String> = (0..5_000).map(|row| format!("{number}-{row}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let batch = rows_from(number * 2_500, &ids);
        let file = writer.write_data_file(MONTH, &[batch]).await.unwrap();
        let sources = vec![source(&number.to_string(), 5_000)];
        writer.commit(Append { data_files: vec![file], sources }, now()).await.unwrap();
    }
    let mut before = rows(&store).await;
    let snapshot_before = store.snapshot().await.unwrap();

    let report = compact(&store).await;

    assert_eq!((report.files_before, report.files_after, report.rows), (9, 1, 45_000));
    let after = rows(&store).await;
    assert!(after.is_sorted_by_key(|(time, _)| *time), "they were sorted and still are");
    before.sort();
    let mut sorted = after.clone();
    sorted.sort();
    assert_eq!(sorted, before);
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.version(), snapshot_before.version() + 1);
    assert_eq!(snapshot.data_files().len(), 1);
    store.verify_data_file(&snapshot.data_files()[0]).await.unwrap();
    // Whoever reads the old snapshot still can.
    for file in snapshot_before.data_files() {
        store.verify_data_file(file).await.unwrap();
    }
    let mut sources = SourceIndex::default();
    sources.refresh(&store, &snapshot).await.unwrap();
    assert_eq!(sources.len(), 9);
    let log = store_folder(&folder, &store).join(format!("_delta_log/{:020}.json", 10));
    let text = fs::read_to_string(log).unwrap();
    assert!(
        text.contains(r#""operation":"OPTIMIZE""#) && text.contains(r#""compactedRows":45000"#)
    );
    assert!(!text.contains(r#""dataChange":true"#), "no reader of changes sees an event again");
    assert_eq!(compact(&store).await, CompactionReport::default());
}

#[tokio::test]
async fn months_stay_apart_and_a_single_file_is_left_alone() {
    let (_folder, _catalog, store) = local_store().await;
    for (seconds, month) in [(0, 202_401), (60, 202_401), (40 * 86_400, 202_402)] {
        let writer = writer(&store).await.unwrap();
        let file = writer.write_data_file(month, &[rows_from(seconds, &["a"])]).await.unwrap();
        writer.commit(Append { data_files: vec![file], sources: vec![] }, now()).await.unwrap();
    }
    let plan = compaction_plan(&store.snapshot().await.unwrap(), &CompactionPolicy::THOROUGH);
    assert_eq!(plan.len(), 1);
    assert_eq!((plan[0].calendarmonth, plan[0].files.len()), (202_401, 2));
    compact(&store).await;
    let snapshot = store.snapshot().await.unwrap();
    let months: Vec<i64> = snapshot.data_files().iter().map(|file| file.calendarmonth).collect();
    assert_eq!(months, [202_401, 202_402]);
}

#[tokio::test]
async fn compaction_on_its_own_waits_until_it_is_worth_it() {
    let (_folder, _catalog, store) = local_store().await;
    let policy = CompactionPolicy::AUTOMATIC;
    for number in 0..40 {
        append(&store, &[&number.to_string()]).await.unwrap();
        store.compact(&policy, now(), WAIT).await.unwrap();
        let files = store.snapshot().await.unwrap().data_files().len();
        assert!(files < 24, "{files} files after {number} appends");
    }
    assert_eq!(store.snapshot().await.unwrap().rows(), 40);
    let commits: Vec<CommitSummary> =
        store.commits(0, store.latest().version()).try_collect().await.unwrap();
    let rewrites = commits.iter().filter(|one| one.operation.as_deref() == Some("OPTIMIZE"));
    assert!((1..12).contains(&rewrites.count()));
}

#[tokio::test]
async fn damaged_file_is_not_laundered_into_a_whole_one() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    append(&store, &["b"]).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let path = format!("/{}", snapshot.data_files()[0].path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();

    let err = store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap_err();
    assert!(matches!(err, Error::DamagedDataFile { .. }), "{err}");
    assert_eq!(store.snapshot().await.unwrap().version(), snapshot.version());
    drop(folder);
}

#[tokio::test]
async fn compaction_that_cannot_commit_leaves_nothing_behind() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    append(&store, &["b"]).await.unwrap();
    let month = store_folder(&folder, &store).join(format!("calendarmonth={MONTH}"));
    let count = || fs::read_dir(&month).unwrap().count();
    let appending = writer(&store).await.unwrap();
    let brief = Duration::from_millis(50);
    let err = store.compact(&CompactionPolicy::THOROUGH, now(), brief).await.unwrap_err();
    assert!(matches!(err, Error::LeaseTimeout { .. }), "{err}");
    assert_eq!((count(), store.snapshot().await.unwrap().version()), (2, 2));
    appending.release().await;
}

#[tokio::test]
async fn only_one_compaction_of_a_store_runs_and_appends_go_on_beside_it() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    append(&store, &["b"]).await.unwrap();
    let lock = store_folder(&folder, &store).join("_towpath/compactor.lock");
    let other = fs::OpenOptions::new().write(true).create(true).truncate(false).open(lock).unwrap();
    other.lock().unwrap();
    let report = compact(&store).await;
    assert!(report.is_busy && report.files_before == 0);
    append_within(Duration::from_secs(5), &store, &["c"]).await.unwrap();
    other.unlock().unwrap();
    assert_eq!(compact(&store).await.files_before, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_and_compactions_at_once_lose_and_double_nothing() {
    let (_folder, catalog, store) = local_store().await;
    let appending = {
        let store = catalog.store("trail").await.unwrap();
        tokio::spawn(async move {
            for number in 0..40 {
                append(&store, &[&number.to_string()]).await.unwrap();
            }
        })
    };
    let mut compacted = 0;
    while !appending.is_finished() {
        compacted += compact(&store).await.files_before;
        let snapshot = store.snapshot().await.unwrap();
        // Every snapshot is exact: one row for each append that it has.
        let sources = store.sources(&snapshot).await.unwrap();
        assert_eq!(snapshot.rows(), sources.len() as u64);
        assert_eq!(rows(&store).await.len() as u64, store.latest().rows());
        tokio::task::yield_now().await;
    }
    appending.await.unwrap();
    compact(&store).await;
    assert!(compacted > 2);
    let mut ids: Vec<String> = rows(&store).await.into_iter().map(|(_, id)| id).collect();
    ids.sort();
    let mut expected: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    expected.sort();
    assert_eq!(ids, expected);
}
