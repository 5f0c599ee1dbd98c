//! What is stored, what is counted, and what a second run does.

use std::sync::Mutex;

use towpath_ingest::{Error, IngestOptions, Progress, ingest};
use towpath_store::{Location, Retention};

use crate::{
    support::{
        NOW, at, clock_at, ingest_folder, ingest_with, local_store, local_store_keeping, sorted,
        stored_columns, stored_events, stored_texts,
    },
    trail::{self, event, event_named, events, key, log_file, log_text},
};

#[tokio::test]
async fn every_event_is_stored_once_and_a_second_run_reads_nothing() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let (first, second) = (events("a", "2024-01-31", 50), events("b", "2024-02-01", 30));
    trail::write(trail.path(), &key("eu-west-1", "2024-01-31", 1), &log_file(&first));
    trail::write(trail.path(), &key("eu-west-1", "2024-02-01", 1), &log_file(&second));

    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.seen, report.events.stored), (80, 80));
    assert_eq!((report.log_files.found, report.log_files.ingested), (2, 2));
    assert_eq!(report.store_version, Some(1));
    assert!(report.is_complete());
    assert_eq!(stored_events(&local.store).await, sorted(&[first, second].concat()));

    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.log_files.already_ingested, report.log_files.ingested), (2, 0));
    assert_eq!((report.events.seen, report.bytes.read), (0, 0));
    assert_eq!(report.store_version, None);
    assert_eq!(local.store.snapshot().await.unwrap().version(), 1);
}

#[tokio::test]
async fn events_are_split_by_month_and_sorted_by_source_name_and_time() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = log_file(&[
        event_named("1", "2024-01-31T23:59:59Z", "RunInstances"),
        event_named("2", "2024-02-01T00:00:00Z", "RunInstances"),
        event_named("3", "2024-01-31T12:00:00Z", "RunInstances"),
        event_named("4", "2024-01-31T23:00:00Z", "AttachVolume"),
    ]);
    trail::write(trail.path(), "any-name.json.gz", &log);
    ingest_folder(&local.store, trail.path()).await;

    let snapshot = local.store.snapshot().await.unwrap();
    let months: Vec<(i64, u64)> =
        snapshot.data_files().iter().map(|file| (file.calendarmonth, file.rows)).collect();
    assert_eq!(months, [(202_401, 3), (202_402, 1)]);
    assert_eq!(stored_texts(&local.store, "eventID").await, ["4", "3", "1", "2"]);
}

#[tokio::test]
async fn small_batches_commit_one_after_the_other() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let mut expected = Vec::new();
    for day in 10..30 {
        let day = format!("2024-01-{day}");
        let of_day = events(&day, &day, 20);
        trail::write(trail.path(), &key("eu-west-1", &day, 1), &log_file(&of_day));
        expected.extend(of_day);
    }
    let options = IngestOptions { commit_text_bytes: 10_000, ..IngestOptions::default() };
    let report = ingest_with(&local.store, trail.path(), &options).await.unwrap();
    assert_eq!(report.events.stored, 400);
    assert!(report.store_version > Some(5), "{report:?}");
    assert_eq!(stored_events(&local.store).await, sorted(&expected));
}

#[tokio::test]
async fn events_outside_the_range_are_filtered_and_taken_when_it_widens() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = [
        event("1", "2024-01-09T23:59:59Z"),
        event("2", "2024-01-10T00:00:00Z"),
        event("3", "2024-01-10T23:59:59.999999Z"),
        event("4", "2024-01-11T00:00:00Z"),
    ];
    trail::write(trail.path(), "plain.json", &log_text(&log));
    let options = IngestOptions {
        from: Some(at("2024-01-10T00:00:00Z")),
        to: Some(at("2024-01-11T00:00:00Z")),
        ..IngestOptions::default()
    };
    let report = ingest_with(&local.store, trail.path(), &options).await.unwrap();
    assert_eq!((report.events.stored, report.events.filtered), (2, 2));
    assert_eq!(stored_events(&local.store).await, sorted(&log[1..3]));

    // The same again changes nothing, not even the version.
    let report = ingest_with(&local.store, trail.path(), &options).await.unwrap();
    assert_eq!((report.events.duplicate, report.events.filtered), (2, 2));
    assert_eq!(local.store.snapshot().await.unwrap().version(), 1);

    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.events.duplicate), (2, 2));
    assert_eq!(stored_events(&local.store).await, sorted(&log));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.already_ingested, 1);
}

#[tokio::test]
async fn an_empty_range_is_refused_before_any_work() {
    let local = local_store().await;
    let options = IngestOptions {
        from: Some(at("2024-01-10T00:00:00Z")),
        to: Some(at("2024-01-10T00:00:00Z")),
        ..IngestOptions::default()
    };
    let report = ingest_with(&local.store, "does-not-exist".as_ref(), &options).await;
    assert!(matches!(report, Err(Error::EmptyRange)));
}

#[tokio::test]
async fn events_past_retention_are_expired_to_the_microsecond() {
    let (local, trail) = (local_store_keeping(7).await, tempfile::tempdir().unwrap());
    let log = [
        event("old", "2024-05-24T23:59:59.999999Z"),
        event("kept", "2024-05-25T00:00:00Z"),
        event("future", "2026-01-01T00:00:00Z"),
    ];
    trail::write(trail.path(), "log.json.gz", &log_file(&log));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.expired, report.events.stored), (1, 2));
    assert_eq!(stored_events(&local.store).await, sorted(&log[1..]));
}

#[tokio::test]
async fn what_had_expired_stays_out_when_retention_grows() {
    let (local, trail) = (local_store_keeping(7).await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "log.json.gz", &log_file(&events("a", "2024-01-10", 5)));
    assert_eq!(ingest_folder(&local.store, trail.path()).await.events.expired, 5);
    let again = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(again.log_files.already_ingested, 1);

    let wait = std::time::Duration::from_secs(10);
    let longer = Retention::days(3653).unwrap();
    local.store.set_retention(longer, at(NOW), wait).await.unwrap();
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, stored_events(&local.store).await.len()), (0, 0));
}

#[tokio::test]
async fn odd_but_whole_events_are_stored_to_the_letter() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let long = "x".repeat(10 << 20);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let with = |id: &str, value: &str| {
        format!(
            r#"{{"eventTime":"2024-01-10T00:00:00Z","eventID":"{id}","requestParameters":{value}}}"#
        )
    };
    let log = [
        with("long", &format!(r#"{{"body":"{long}"}}"#)),
        with("deep", &deep),
        with("number", r#"{"n":123456789012345678901234567890,"e":1e400}"#),
        with("surrogate", r#"{"s":"\ud800","z":"a\u0000b"}"#),
        with("twice", r#"{"k":1,"k":2}"#),
        with("string", r#""not an object""#),
        r#"{"eventTime":"2024-01-10T00:00:00Z","eventVersion":"1.00"}"#.to_owned(),
    ];
    trail::write(trail.path(), "log.json.gz", &log_file(&log));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.log_files.rejected), (7, 0), "{:?}", report.rejected);
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn stored_columns_are_those_of_the_event_table() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "log.json.gz", &log_file(&events("a", "2024-01-10", 3)));
    ingest_folder(&local.store, trail.path()).await;
    let columns = stored_columns(&local.store).await;
    let names = |schema: &arrow::datatypes::Schema| {
        schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&columns[0].schema()), names(&towpath_event::data_file_schema()));
    assert_eq!(stored_texts(&local.store, "userIdentity_userName").await, ["Alice"; 3]);
}

#[tokio::test]
async fn progress_rises_to_all_that_was_found() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "good.json.gz", &log_file(&events("a", "2024-01-10", 40)));
    trail::write(trail.path(), "bad.json.gz", b"no");
    let steps: Mutex<Vec<Progress>> = Mutex::default();
    let sources = [Location::local(trail.path()).unwrap()];
    let options = IngestOptions::default();
    let listen = |progress: &Progress| steps.lock().unwrap().push(*progress);
    ingest(&local.store, &sources, &options, clock_at(NOW), &listen).await.unwrap();

    let steps = steps.into_inner().unwrap();
    let last = steps.last().unwrap();
    assert!(last.found_all);
    assert_eq!((last.log_files_found, last.log_files_done), (2, 2));
    assert_eq!((last.events_seen, last.events_stored), (40, 40));
    assert!(last.bytes_found > 0);
    assert_eq!(last.bytes_done, last.bytes_found);
    for pair in steps.windows(2) {
        assert!(pair[0].log_files_done <= pair[1].log_files_done);
        assert!(pair[0].bytes_done <= pair[1].bytes_done);
    }
}

#[tokio::test]
async fn the_report_is_plain_json() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "good.json.gz", &log_file(&events("a", "2024-01-10", 2)));
    trail::write(trail.path(), "cut.json.gz", &log_file(&events("b", "2024-01-10", 2))[..40]);
    trail::write(
        trail.path(),
        "wrong.json",
        br#"{"Records":[{"eventTime":"2024-01-10T00:00:00Z"},7]}"#,
    );
    trail::write(trail.path(), "AWSLogs/123456789012/CloudTrail-Digest/x/d.json.gz", b"");
    let report = ingest_folder(&local.store, trail.path()).await;
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["log_files"]["found"], 3);
    assert_eq!(json["log_files"]["left_out"]["digest"], 1);
    assert_eq!(json["events"]["rejected"], 2);
    assert_eq!(json["events"]["seen"], 4);
    assert_eq!(json["rejected"].as_array().unwrap().len(), 2);
    let of = |end: &str| {
        let rejected = json["rejected"].as_array().unwrap();
        rejected.iter().find(|one| one["path"].as_str().unwrap().ends_with(end)).unwrap()
    };
    assert_eq!(of("cut.json.gz")["reason"], "truncated");
    assert_eq!(of("cut.json.gz")["place"]["file_byte"], 40);
    assert_eq!(of("wrong.json")["reason"], "undecodable");
    assert_eq!(of("wrong.json")["place"]["text"]["record"], 2);
    assert_eq!(of("wrong.json")["place"]["text"]["byte"], 49);
}
