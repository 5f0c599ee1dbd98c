use crate::support::{
    MONTH, WAIT, append, bucket, local_store, micros, new_store, now, open_or_create, rows,
    rows_from, schema, source, store_folder, writer,
};
use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::fs;
use std::sync::Arc;
use towpath_store::{Append, Catalog, Error, TimeRange};

#[tokio::test]
async fn append_is_seen_by_the_next_snapshot_and_after_reopening() {
    let (folder, _catalog, store) = local_store().await;
    let before = store.snapshot().await.unwrap();

    assert_eq!(append(&store, &["a", "b", "c"]).await.unwrap(), 1);
    assert_eq!(append(&store, &["d"]).await.unwrap(), 2);

    assert_eq!((before.version(), before.rows()), (0, 0), "a snapshot does not change");
    let after = store.snapshot().await.unwrap();
    assert_eq!((after.version(), after.rows()), (2, 4));
    let reopened = open_or_create(folder.path()).await.store("trail").await.unwrap();
    assert_eq!(reopened.latest().data_files(), after.data_files());
    assert_eq!(reopened.latest().schema(), after.schema());
}

#[tokio::test]
async fn data_file_says_what_is_in_it() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a", "b", "c"]).await.unwrap();

    let snapshot = store.snapshot().await.unwrap();
    let [file] = snapshot.data_files() else { panic!("{snapshot:?}") };
    assert_eq!(file.rows, 3);
    assert_eq!(file.event_times, (micros(0), micros(2)));
    assert_eq!(file.calendarmonth, MONTH);
    let on_disk = fs::read(format!("/{}", file.path)).unwrap();
    assert_eq!(file.size_bytes, on_disk.len() as u64);
    assert_eq!(file.sha256, towpath_store::sha256_hex(&on_disk));
    let partition = store_folder(&folder, &store).join(format!("calendarmonth={MONTH}"));
    assert_eq!(fs::read_dir(partition).unwrap().count(), 1, "no staging file is left");
}

#[tokio::test]
async fn range_leaves_out_files_of_other_times() {
    let (_folder, _catalog, store) = local_store().await;
    for hour in 0..4 {
        let writer = writer(&store).await.unwrap();
        let batch = rows_from(hour * 3_600, &["a", "b"]);
        let file = writer.write_data_file(MONTH, &[batch]).await.unwrap();
        let append = Append { data_files: vec![file], sources: vec![] };
        writer.commit(append, now()).await.unwrap();
    }
    let snapshot = store.snapshot().await.unwrap();
    let in_hours = |from: i64, to: i64| {
        let range = TimeRange::new(micros(from * 3_600), micros(to * 3_600)).unwrap();
        snapshot.data_files_in(range).count()
    };
    assert_eq!((in_hours(0, 1), in_hours(1, 3), in_hours(0, 4), in_hours(5, 9)), (1, 2, 4, 0));
    assert_eq!(snapshot.data_files_in(TimeRange::ALL).count(), 4);
}

#[tokio::test]
async fn append_without_events_still_records_its_log_files() {
    let (_folder, _catalog, store) = local_store().await;
    let sources = vec![source("all-duplicates", 0)];
    let writer = writer(&store).await.unwrap();
    writer.commit(Append { data_files: vec![], sources }, now()).await.unwrap();

    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.version(), snapshot.rows()), (1, 0));
    let index = store.sources(&snapshot).await.unwrap();
    assert!(index.contains("all-duplicates", 100));
}

#[tokio::test]
async fn rows_that_do_not_belong_are_refused_and_nothing_is_written() {
    let (folder, _catalog, store) = local_store().await;
    let other = Arc::new(Schema::new(vec![
        Field::new("eventTime", schema().field(0).data_type().clone(), true),
        Field::new("eventName", DataType::Int64, true),
        Field::new("eventID", DataType::Utf8, true),
    ]));
    let other = RecordBatch::new_empty(other);
    let empty = RecordBatch::new_empty(schema());
    let no_time = RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(TimestampMicrosecondArray::from(vec![None]).with_timezone("UTC")),
            Arc::new(StringArray::from(vec!["x"])),
            Arc::new(StringArray::from(vec!["x"])),
        ],
    )
    .unwrap();
    let short = rows(&["a"]).project(&[0, 1]).unwrap();
    for (month, batches, reason) in [
        (MONTH, vec![], "there are none"),
        (MONTH, vec![empty], "there are none"),
        (MONTH, vec![other], "column `eventName` is not as in its schema"),
        (MONTH, vec![rows(&["a"]), short], "column `eventID` is not as in its schema"),
        (MONTH, vec![no_time], "`eventTime` is NULL in some of them"),
        (MONTH + 1, vec![rows(&["a"])], "not all of them are of the month 202402"),
    ] {
        let err = store.write_data_file(month, &batches).await.unwrap_err();
        assert!(matches!(err, Error::InvalidRows { .. }), "{err:?}");
        assert!(err.to_string().ends_with(reason), "{err}");
    }
    let files = fs::read_dir(store_folder(&folder, &store)).unwrap();
    let partitions = files
        .filter(|file| file.as_ref().unwrap().path().to_string_lossy().contains("calendarmonth"));
    assert_eq!(partitions.count(), 0);
}

#[tokio::test]
async fn too_large_an_append_is_refused_whole() {
    let (_folder, _catalog, store) = local_store().await;
    let sources = vec![source("x", 0); towpath_store::APPEND_SOURCES_MAX + 1];
    let writer = writer(&store).await.unwrap();
    let err = writer.commit(Append { data_files: vec![], sources }, now()).await.unwrap_err();
    assert!(matches!(err, Error::AppendTooLarge { .. }), "{err:?}");
    assert_eq!(store.snapshot().await.unwrap().version(), 0);
}

async fn fifty_appends_by_two_writers(first: Catalog, second: Catalog) {
    first.create_store(new_store("trail"), now()).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for (name, catalog) in [("one", first.clone()), ("two", second)] {
        writers.spawn(async move {
            let store = catalog.store("trail").await.unwrap();
            for number in 0..25 {
                append(&store, &[&format!("{name}-{number}")]).await.unwrap();
            }
        });
    }
    writers.join_all().await;

    let store = first.store("trail").await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.version(), snapshot.rows(), snapshot.data_files().len()), (50, 50, 50));
    assert_eq!(store.sources(&snapshot).await.unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_lose_no_append_on_local_files() {
    let folder = tempfile::tempdir().unwrap();
    let first = open_or_create(folder.path()).await;
    let second = open_or_create(folder.path()).await;
    fifty_appends_by_two_writers(first, second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_lose_no_append_on_an_object_store() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let first = Catalog::create(bucket(&objects), now()).await.unwrap();
    let second = Catalog::create(bucket(&objects), now()).await.unwrap();
    fifty_appends_by_two_writers(first, second).await;
}

#[tokio::test]
async fn writer_that_was_overtaken_cannot_commit() {
    // Two handles with leases of their own: the second lake prefix hides nothing from the first.
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let catalog = Catalog::create(bucket(&objects), now()).await.unwrap();
    let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
    let slow = writer(&store).await.unwrap();
    let file = slow.write_data_file(MONTH, &[rows(&["slow"])]).await.unwrap();

    // Its lease is taken from it, as if it had been asleep for an hour.
    let later = now() + chrono::TimeDelta::hours(1);
    // Of another process: the handles of one process take turns.
    let elsewhere = Catalog::create(bucket(&objects), later).await.unwrap();
    let other = elsewhere.store("trail").await.unwrap();
    let fast = other.writer(later, WAIT).await.unwrap();
    let fast_file = fast.write_data_file(MONTH, &[rows(&["fast"])]).await.unwrap();
    fast.commit(Append { data_files: vec![fast_file], sources: vec![] }, later).await.unwrap();

    let err =
        slow.commit(Append { data_files: vec![file], sources: vec![] }, now()).await.unwrap_err();
    assert!(matches!(err, Error::CommitConflict { version: 1, .. }), "{err:?}");
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.version(), snapshot.rows()), (1, 1));
}

#[tokio::test]
async fn commit_of_another_program_that_adds_no_rows_is_no_conflict() {
    let (folder, _catalog, store) = local_store().await;
    let writer = writer(&store).await.unwrap();
    let file = writer.write_data_file(MONTH, &[rows(&["a"])]).await.unwrap();
    let log = store_folder(&folder, &store).join("_delta_log");
    fs::write(log.join(format!("{:020}.json", 1)), r#"{"commitInfo":{"operation":"OPTIMIZE"}}"#)
        .unwrap();

    let version = writer.commit(Append { data_files: vec![file], sources: vec![] }, now()).await;

    assert_eq!(version.unwrap(), 2);
    assert_eq!(store.snapshot().await.unwrap().rows(), 1);
}
