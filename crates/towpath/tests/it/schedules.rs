//! Schedules: every event that arrives is in one run, however late it is, and in no two.

use std::fs;

use chrono::TimeDelta;
use towpath::arrow::array::AsArray;
use towpath::arrow::compute::cast;
use towpath::arrow::datatypes::DataType;
use towpath::{
    CATCH_UP_MAX, CompactionPolicy, ErrorKind, Every, IngestOptions, Lake, NewSchedule, NewStore,
    QueryFilter, QueryStatus, READERS_WAIT_MAX, Retention,
};
use uuid::Uuid;

use crate::lab::{Lab, work};
use crate::support::{LIMITS, event};

const IDS: &str = "SELECT eventID FROM trail ORDER BY eventID";

/// A lab with a store called `trail`.
async fn lab() -> (Lab, Lake) {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let store = NewStore::new("trail", Retention::days(2557).unwrap());
    lake.create_store(store).await.unwrap();
    (lab, lake)
}

/// An event of that id, of a time long past, arrives.
async fn arrives(lab: &Lab, lake: &Lake, id: &str) {
    let file = lab.folder.path().join(format!("{id}.json"));
    let event = event(id, "PutObject", "2023-01-01T00:00:00Z", "");
    fs::write(&file, format!(r#"{{"Records":[{event}]}}"#)).unwrap();
    let store = lake.store("trail").await.unwrap();
    let options = IngestOptions::default();
    let report = store.ingest(&[file.to_str().unwrap()], &options, &|_| ()).await.unwrap();
    assert_eq!(report.events.stored, 1);
}

fn hourly(statement: &str) -> NewSchedule {
    NewSchedule {
        name: "hourly".into(),
        statement: statement.into(),
        parameters: Default::default(),
        every: Every::Secs(3_600),
        limits: LIMITS,
        delivery: None,
    }
}

/// What each run gave, in order: the first column as text.
async fn runs(lake: &Lake) -> Vec<Vec<String>> {
    let mut queries =
        lake.list_queries(&QueryFilter::default(), None, 1_000).await.unwrap().queries;
    queries.reverse();
    // Those of one look have ids of one millisecond, whose order is anyone's.
    queries.sort_by_key(|query| query.created_at);
    let mut runs = Vec::new();
    for query in queries {
        assert_eq!(query.status, QueryStatus::Finished, "{:?}", query.error);
        runs.push(rows(lake, query.id).await);
    }
    runs
}

async fn rows(lake: &Lake, id: Uuid) -> Vec<String> {
    let page = lake.query_results(id, None, 1_000).await.unwrap();
    let mut rows = Vec::new();
    for batch in &page.batches {
        let column = cast(batch.column(0), &DataType::Utf8).unwrap();
        rows.extend(column.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()));
    }
    rows
}

#[tokio::test]
async fn a_run_sees_what_arrived_since_the_last_one_however_old_it_is() {
    let (lab, lake) = lab().await;
    arrives(&lab, &lake, "before").await;
    let schedule = lake.create_schedule(hourly(IDS)).await.unwrap();
    assert_eq!(schedule.next_at, Some(lab.now() + TimeDelta::hours(1)));
    arrives(&lab, &lake, "one").await;
    lab.pass(TimeDelta::minutes(59));
    lake.submit_due().await.unwrap();
    assert!(runs(&lake).await.is_empty(), "the window has not ended");
    lab.pass(TimeDelta::minutes(1));
    work(&lake).await;
    arrives(&lab, &lake, "two").await;
    arrives(&lab, &lake, "three").await;
    lab.pass(TimeDelta::hours(1));
    work(&lake).await;
    lab.pass(TimeDelta::hours(1));
    work(&lake).await;
    assert_eq!(runs(&lake).await, [vec!["one"], vec!["three", "two"], vec![]]);

    let schedule = lake.schedules().await.unwrap().remove(0);
    assert_eq!((schedule.runs, schedule.error), (3, None));
    let last = lake.describe_query(schedule.last_query.unwrap()).await.unwrap();
    assert_eq!(last.submitter.as_deref(), Some("schedule hourly"));
}

#[tokio::test]
async fn an_event_that_arrives_at_the_turn_of_a_window_is_in_the_next_one() {
    let (lab, lake) = lab().await;
    lake.create_schedule(hourly(IDS)).await.unwrap();
    lab.pass(TimeDelta::hours(1) - TimeDelta::milliseconds(1));
    arrives(&lab, &lake, "last").await;
    lab.pass(TimeDelta::milliseconds(1));
    arrives(&lab, &lake, "first").await;
    work(&lake).await;
    lab.pass(TimeDelta::hours(1));
    work(&lake).await;
    assert_eq!(runs(&lake).await, [vec!["last"], vec!["first"]]);
}

#[tokio::test]
async fn missed_windows_are_made_up_for_each_with_its_own_events() {
    let (lab, lake) = lab().await;
    lake.create_schedule(hourly(IDS)).await.unwrap();
    for id in ["a", "b", "c"] {
        lab.pass(TimeDelta::minutes(30));
        arrives(&lab, &lake, id).await;
        lab.pass(TimeDelta::minutes(30));
    }
    work(&lake).await;
    let mut runs = runs(&lake).await;
    runs.sort();
    assert_eq!(runs, [vec!["a"], vec!["b"], vec!["c"]]);
}

#[tokio::test]
async fn of_very_many_missed_windows_the_oldest_are_one_and_nothing_is_lost() {
    let (lab, lake) = lab().await;
    lake.create_schedule(hourly(IDS)).await.unwrap();
    lab.pass(TimeDelta::minutes(30));
    arrives(&lab, &lake, "a").await;
    lab.pass(TimeDelta::hours(2));
    arrives(&lab, &lake, "b").await;
    lab.pass(TimeDelta::hours(i64::from(CATCH_UP_MAX)) + TimeDelta::minutes(30));
    work(&lake).await;
    let mut runs = runs(&lake).await;
    runs.sort();
    assert_eq!(runs.len(), CATCH_UP_MAX as usize);
    assert_eq!(runs.pop().unwrap(), ["a", "b"]);
    assert!(runs.iter().all(Vec::is_empty));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_has_one_query_however_many_workers_see_it_end() {
    let (lab, lake) = lab().await;
    lake.create_schedule(hourly(IDS)).await.unwrap();
    arrives(&lab, &lake, "one").await;
    lab.pass(TimeDelta::hours(1));
    let mut workers = Vec::new();
    for _ in 0..6 {
        let lake = lab.lake().await;
        workers.push(tokio::spawn(async move { lake.submit_due().await.unwrap() }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(lake.schedules().await.unwrap()[0].runs, 1);
    work(&lake).await;
    assert_eq!(runs(&lake).await, [vec!["one"]]);
}

/// A store whose data files were compacted at once, and seem as old as the lake's clock says, with a
/// schedule over them that runs every so many days.
async fn compacted(every_days: i64) -> (Lab, Lake) {
    let (lab, lake) = lab().await;
    let mut new = hourly(IDS);
    new.every = Every::Secs(every_days.unsigned_abs() * 86_400);
    lake.create_schedule(new).await.unwrap();
    for id in ["a", "b", "c"] {
        arrives(&lab, &lake, id).await;
    }
    let store = lake.store("trail").await.unwrap();
    let done = store.compact(&CompactionPolicy::THOROUGH).await.unwrap();
    assert_eq!((done.files_before, done.files_after), (3, 1));
    for file in lab.files("stores") {
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(lab.now().into()).unwrap();
    }
    (lab, lake)
}

#[tokio::test]
async fn what_was_compacted_stays_until_the_schedule_has_seen_it() {
    let (lab, lake) = compacted(3).await;
    let store = lake.store("trail").await.unwrap();
    lab.pass(TimeDelta::days(2));
    assert!(store.plan_expiry().await.unwrap().removed.is_empty());
    assert!(store.expire().await.unwrap().removed.is_empty());
    lab.pass(TimeDelta::days(1));
    // Decided and submitted, but not run yet.
    lake.submit_due().await.unwrap();
    assert!(store.expire().await.unwrap().removed.is_empty());
    work(&lake).await;
    assert_eq!(runs(&lake).await, [vec!["a", "b", "c"]]);
    assert_eq!(store.expire().await.unwrap().removed.len(), 3);
}

#[tokio::test]
async fn a_schedule_keeps_what_was_compacted_for_a_week_at_most() {
    let (lab, lake) = compacted(30).await;
    let store = lake.store("trail").await.unwrap();
    lab.pass(READERS_WAIT_MAX);
    assert!(store.expire().await.unwrap().removed.is_empty());
    lab.pass(TimeDelta::seconds(1));
    assert_eq!(store.expire().await.unwrap().removed.len(), 3);
    lab.pass(TimeDelta::days(30));
    work(&lake).await;
    let last = lake.schedules().await.unwrap().remove(0).last_query.unwrap();
    assert_eq!(lake.describe_query(last).await.unwrap().status, QueryStatus::Failed);
}

#[tokio::test]
async fn the_times_of_the_window_are_parameters() {
    let (lab, lake) = lab().await;
    let sql = "SELECT CAST(:window_start AS varchar) || ' to ' || CAST(:window_end AS varchar)";
    let mut new = hourly(sql);
    new.every = Every::Cron("30 * * * *".into());
    lake.create_schedule(new).await.unwrap();
    lab.pass(TimeDelta::minutes(90));
    work(&lake).await;
    let mut runs = runs(&lake).await;
    runs.sort();
    assert_eq!(
        runs,
        [
            ["2026-11-22 12:00:00 to 2026-11-22 12:30:00"],
            ["2026-11-22 12:30:00 to 2026-11-22 13:30:00"]
        ]
    );
}

#[tokio::test]
async fn a_window_that_cannot_be_run_is_a_part_of_the_next_one() {
    let (lab, lake) = lab().await;
    lake.create_schedule(hourly(IDS)).await.unwrap();
    arrives(&lab, &lake, "one").await;
    let store = lake.store("trail").await.unwrap();
    store.delete().await.unwrap();
    lab.pass(TimeDelta::hours(1));
    work(&lake).await;
    let schedule = lake.schedules().await.unwrap().remove(0);
    assert!(schedule.error.is_some());
    store.restore().await.unwrap();
    lab.pass(TimeDelta::hours(1));
    work(&lake).await;
    assert_eq!(runs(&lake).await.last().unwrap(), &["one"]);
    assert_eq!(lake.schedules().await.unwrap()[0].error, None);
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused() {
    let (lab, lake) = lab().await;
    for (statement, every, kind) in [
        ("SELECT x FROM trail", Every::Secs(3_600), ErrorKind::InvalidStatement),
        ("SELECT :other", Every::Secs(3_600), ErrorKind::InvalidStatement),
        ("SELECT 1 FROM nowhere", Every::Secs(3_600), ErrorKind::StoreNotFound),
        (IDS, Every::Secs(1), ErrorKind::InvalidArgument),
        (IDS, Every::Cron("every day".into()), ErrorKind::InvalidArgument),
    ] {
        let mut new = hourly(statement);
        new.every = every;
        let error = lake.create_schedule(new).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{statement}: {error}");
    }
    lake.create_schedule(hourly(IDS)).await.unwrap();
    let taken = lake.create_schedule(hourly(IDS)).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Exists);
    lake.delete_schedule("hourly").await.unwrap();
    let gone = lake.delete_schedule("hourly").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    lab.pass(TimeDelta::hours(5));
    work(&lake).await;
    assert!(runs(&lake).await.is_empty());
}
