//! The audit trail of a lake: every operation an event, each once, whoever dies in between.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use futures::future::join;
use serde_json::json;
use towpath::{
    AUDIT_STORE, AuditEvent, AuditMode, ErrorKind, Every, IngestOptions, Lake, LakeOptions,
    NewHold, NewQuery, NewSchedule, NewStore, ParameterValue, ParameterValues, Principal,
    Retention, SavedQuery, Seen, Store, StoreChange, TimeRange,
};

use crate::support::{Fixture, LIMITS, event, lake_at, now, rows};

/// Events of the trail by name and error, with how many there are.
const BY_NAME: &str = "SELECT eventName, errorCode, count(*) FROM towpath-audit \
                       GROUP BY 1, 2 ORDER BY 1, 2";

fn folder(fixture: &Fixture) -> PathBuf {
    fixture.folder.path().join("lake/audit")
}

/// The files in a folder of the trail.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn each_operation_on_a_store_leaves_exactly_one_event() {
    let fixture = Fixture::new().await;
    let (lake, store) = (&fixture.lake, &fixture.store);
    fixture.ingest(&[&event("a", "GetObject", "2026-11-20T10:00:00Z", "")]).await;
    let change = |retention, protection| StoreChange {
        retention,
        termination_protection: Some(protection),
        ..StoreChange::default()
    };
    store.update(change(None, true)).await.unwrap();
    assert_eq!(store.delete().await.unwrap_err().kind(), ErrorKind::TerminationProtected);
    store.update(change(Some(Retention::days(400).unwrap()), false)).await.unwrap();
    let (reason, placed_by) = ("case 1".to_owned(), "ana".to_owned());
    let new = NewHold { range: TimeRange::ALL, reason, placed_by };
    let hold = store.place_hold(new).await.unwrap();
    assert_eq!(store.delete().await.unwrap_err().kind(), ErrorKind::OnHold);
    store.release_hold(hold.id, "ana").await.unwrap();
    store.delete().await.unwrap();
    store.restore().await.unwrap();
    lake.create_store(NewStore::new("trail", Retention::days(7).unwrap())).await.unwrap_err();

    let expected = [
        ["CreateEventDataStore", "EventDataStoreAlreadyExistsException", "1"],
        ["CreateEventDataStore", "NULL", "1"],
        ["DeleteEventDataStore", "ConflictException", "1"],
        ["DeleteEventDataStore", "EventDataStoreTerminationProtectedException", "1"],
        ["DeleteEventDataStore", "NULL", "1"],
        ["PlaceHold", "NULL", "1"],
        ["ReleaseHold", "NULL", "1"],
        ["RestoreEventDataStore", "NULL", "1"],
        ["StartImport", "NULL", "1"],
        ["UpdateEventDataStore", "NULL", "2"],
    ];
    assert_eq!(fixture.rows(BY_NAME).await, expected);
    let shortened = "SELECT element_at(requestParameters, 'retentionPeriodBefore'), \
                     element_at(requestParameters, 'retentionPeriod'), userIdentity.type, \
                     resources[1].arn LIKE '%' || '$ID' FROM towpath-audit \
                     WHERE element_at(requestParameters, 'retentionPeriod') IS NOT NULL \
                     AND eventName = 'UpdateEventDataStore'";
    let shortened = shortened.replace("$ID", &store.id().to_string());
    assert_eq!(fixture.rows(&shortened).await, [["2557", "400", "Application", "true"]]);
    // What was collected lies nowhere else.
    lake.collect_audit_events().await.unwrap();
    assert!(files(&folder(&fixture).join("begun")).is_empty());
    assert!(files(&folder(&fixture).join("pending")).is_empty());
}

#[tokio::test]
async fn each_question_leaves_exactly_one_event_with_its_statement() {
    let fixture = Fixture::new().await;
    let lake = &fixture.lake;
    lake.collect_audit_events().await.unwrap();
    let before = fixture.rows("SELECT count(*) FROM towpath-audit").await;
    assert_eq!(before, [["1"]]);

    fixture.rows("SELECT 'plain' FROM trail").await;
    lake.query("SELECT wrong FROM trail", LIMITS).await.unwrap_err();
    let bound = ParameterValues {
        positional: vec![ParameterValue::Varchar("needle".to_owned())],
        ..ParameterValues::default()
    };
    let statement = "SELECT 1 FROM trail WHERE eventID = ?";
    lake.query_with(statement, &bound, LIMITS).await.unwrap().collect().await.unwrap();
    let seen = Seen::default();
    let none = ParameterValues::default();
    let (arrived, _) = lake.query_arrived("TABLE trail", &none, &seen, LIMITS).await.unwrap();
    arrived.collect().await.unwrap();
    let id = lake.start_query(NewQuery::new("SELECT 2 FROM trail", LIMITS)).await.unwrap();
    lake.start_query(NewQuery::new("SELECT nothing FROM trail", LIMITS)).await.unwrap_err();
    lake.run_queries(&until_idle(), std::future::pending()).await.unwrap();
    for _ in 0..2 {
        lake.query_results(id, None, 10).await.unwrap();
    }
    assert_eq!(lake.cancel_query(id).await.unwrap_err().kind(), ErrorKind::QueryEnded);

    let asked = "SELECT eventName, element_at(requestParameters, 'queryStatement'), \
                 element_at(requestParameters, 'queryParameters') LIKE '%needle%', errorCode, \
                 cardinality(resources), readOnly FROM towpath-audit \
                 WHERE eventName <> 'CreateEventDataStore' \
                 AND element_at(requestParameters, 'queryStatement') NOT LIKE '%towpath-audit%' \
                 ORDER BY 1, 2";
    let expected = [
        ["StartQuery", "SELECT 'plain' FROM trail", "NULL", "NULL", "1", "true"],
        ["StartQuery", "SELECT 1 FROM trail WHERE eventID = ?", "true", "NULL", "1", "true"],
        ["StartQuery", "SELECT 2 FROM trail", "NULL", "NULL", "NULL", "true"],
        [
            "StartQuery",
            "SELECT nothing FROM trail",
            "NULL",
            "InvalidQueryStatementException",
            "NULL",
            "true",
        ],
        [
            "StartQuery",
            "SELECT wrong FROM trail",
            "NULL",
            "InvalidQueryStatementException",
            "NULL",
            "true",
        ],
        ["StartQuery", "TABLE trail", "NULL", "NULL", "1", "true"],
    ];
    assert_eq!(fixture.rows(asked).await, expected);
    let read = format!(
        "SELECT eventName, errorCode, count(*) FROM towpath-audit \
         WHERE element_at(requestParameters, 'queryId') = '{id}' GROUP BY 1, 2 ORDER BY 1"
    );
    let expected =
        [["CancelQuery", "InactiveQueryException", "1"], ["GetQueryResults", "NULL", "2"]];
    assert_eq!(fixture.rows(&read).await, expected);
}

fn until_idle() -> towpath::WorkerOptions {
    let mut options = towpath::WorkerOptions::default();
    options.until_idle = true;
    options
}

#[tokio::test]
async fn saved_queries_and_schedules_leave_events_too() {
    let fixture = Fixture::new().await;
    let lake = &fixture.lake;
    let (name, statement) = ("root-use".to_owned(), "SELECT 1 FROM trail".to_owned());
    let saved = SavedQuery { name, statement: statement.clone(), description: None };
    lake.save_query(&saved, false).await.unwrap();
    assert_eq!(lake.save_query(&saved, false).await.unwrap_err().kind(), ErrorKind::Exists);
    lake.delete_saved_query("root-use").await.unwrap();
    let new = NewSchedule {
        name: "hourly".to_owned(),
        statement,
        parameters: ParameterValues::default(),
        every: Every::Secs(3_600),
        limits: LIMITS,
        delivery: None,
    };
    lake.create_schedule(new).await.unwrap();
    lake.delete_schedule("hourly").await.unwrap();
    let expected = [
        ["CreateEventDataStore", "NULL", "1"],
        ["CreateSchedule", "NULL", "1"],
        ["DeleteSavedQuery", "NULL", "1"],
        ["DeleteSchedule", "NULL", "1"],
        ["PutSavedQuery", "Exists", "1"],
        ["PutSavedQuery", "NULL", "1"],
    ];
    assert_eq!(fixture.rows(BY_NAME).await, expected);
}

#[tokio::test]
async fn what_expires_and_what_is_removed_for_good_is_recorded_and_empty_runs_are_not() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("a", "GetObject", "2026-11-20T10:00:00Z", "")]).await;
    fixture.store.expire().await.unwrap();
    assert!(fixture.lake.remove_deleted_stores().await.unwrap().is_empty());
    let later = lake_at(&fixture.folder.path().join("lake"), now() + TimeDelta::days(3_000)).await;
    let expiry = later.store("trail").await.unwrap().expire().await.unwrap();
    assert_eq!(expiry.dropped.len(), 1);
    later.store("trail").await.unwrap().delete().await.unwrap();
    let last = lake_at(&fixture.folder.path().join("lake"), now() + TimeDelta::days(3_010)).await;
    assert_eq!(last.remove_deleted_stores().await.unwrap().len(), 1);
    let told = "SELECT eventName, eventSource, element_at(responseElements, 'events'), \
                element_at(responseElements, 'removed') FROM towpath-audit \
                WHERE eventSource = 'towpath' ORDER BY eventTime";
    let expected = [
        ["ExpireEvents", "towpath", "1", "NULL"],
        ["RemoveEventDataStores", "towpath", "NULL", "1"],
    ];
    assert_eq!(rows(&last, told).await, expected);
}

#[tokio::test]
async fn a_change_whose_process_was_killed_is_found_after_an_hour() {
    let fixture = Fixture::new().await;
    let event = AuditEvent::new("DeleteEventDataStore").about(fixture.store.id());
    drop(fixture.lake.begin_change(event).await.unwrap());
    let deleted = "SELECT errorCode, userIdentity.userName FROM towpath-audit \
                   WHERE eventName = 'DeleteEventDataStore'";
    assert!(fixture.rows(deleted).await.is_empty());
    let path = fixture.folder.path().join("lake");
    for _ in 0..2 {
        let later = lake_at(&path, now() + TimeDelta::hours(1)).await;
        assert_eq!(rows(&later, deleted).await, [["OutcomeUnknown", "unnamed"]]);
    }
}

#[tokio::test]
async fn a_kill_between_the_two_records_of_a_change_leaves_one_event() {
    let fixture = Fixture::new().await;
    let (begun_folder, pending) =
        (folder(&fixture).join("begun"), folder(&fixture).join("pending"));
    for removed_first in [false, true] {
        let event = AuditEvent::new("RestoreEventDataStore").about(fixture.store.id());
        let begun = fixture.lake.begin_change(event).await.unwrap();
        let [first] = files(&begun_folder).try_into().unwrap();
        let content = fs::read(&first).unwrap();
        begun.end(&Ok(json!({"done": true}))).await;
        // As if it had been killed before it took the first record away.
        fs::write(&first, &content).unwrap();
        if removed_first {
            // And as if a collection had been killed after its commit, before it removed a record.
            let [second] = files(&pending).try_into().unwrap();
            let second_content = fs::read(&second).unwrap();
            fixture.lake.collect_audit_events().await.unwrap();
            fs::write(&second, second_content).unwrap();
        }
        fixture.lake.collect_audit_events().await.unwrap();
        assert!(!first.try_exists().unwrap() && files(&pending).is_empty());
    }
    let later = lake_at(&fixture.folder.path().join("lake"), now() + TimeDelta::hours(2)).await;
    let expected = [["CreateEventDataStore", "NULL", "1"], ["RestoreEventDataStore", "NULL", "2"]];
    assert_eq!(rows(&later, BY_NAME).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_record_and_collect_at_once_lose_and_double_nothing() {
    let fixture = Fixture::new().await;
    let path = fixture.folder.path().join("lake");
    let (one, two) = join(lake_at(&path, now()), lake_at(&path, now())).await;
    let work = |lake: Lake, name: &'static str| async move {
        for number in 0..10 {
            rows(&lake, &format!("SELECT '{name}', {number} FROM trail")).await;
            if number % 3 == 0 {
                lake.collect_audit_events().await.unwrap();
            }
        }
    };
    join(work(one.clone(), "one"), work(two.clone(), "two")).await;
    let (first, second) = join(one.collect_audit_events(), two.collect_audit_events()).await;
    first.and(second).unwrap();
    let asked = "SELECT count(*), count(DISTINCT eventID), \
                 count(DISTINCT element_at(requestParameters, 'queryStatement')) \
                 FROM towpath-audit WHERE eventName = 'StartQuery'";
    assert_eq!(rows(&one, asked).await, [["20", "20", "20"]]);
}

#[tokio::test]
async fn nobody_changes_the_store_of_the_trail() {
    let fixture = Fixture::new().await;
    let lake = &fixture.lake;
    for name in [AUDIT_STORE, "TOWPATH-audit"] {
        let new = NewStore::new(name, Retention::days(7).unwrap());
        assert_eq!(lake.create_store(new).await.unwrap_err().kind(), ErrorKind::Reserved);
    }
    let renamed = StoreChange { name: Some(AUDIT_STORE.to_owned()), ..StoreChange::default() };
    let error = fixture.store.update(renamed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Reserved);

    let store = lake.store(AUDIT_STORE).await.unwrap();
    assert!(store.termination_protection());
    assert_eq!(store.retention().as_days(), 3_653);
    let shorter =
        StoreChange { retention: Some(Retention::days(7).unwrap()), ..StoreChange::default() };
    for refused in [
        store.update(shorter).await,
        store.update(StoreChange::default()).await,
        store.delete().await,
        store.ingest(&["/"], &IngestOptions::default(), &|_| ()).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Reserved);
    }
    let names: Vec<String> = lake.stores().await.unwrap().iter().map(Store::name).collect();
    assert_eq!(names, ["trail"]);
    let refused = "SELECT count(*) FROM towpath-audit \
                   WHERE errorCode = 'OperationNotPermittedException'";
    assert_eq!(fixture.rows(refused).await, [["7"]]);
}

#[tokio::test]
async fn a_lake_that_insists_gives_no_row_without_a_record() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("a", "GetObject", "2026-11-20T10:00:00Z", "")]).await;
    fixture.lake.collect_audit_events().await.unwrap();
    let pending = folder(&fixture).join("pending");
    let break_pending = || {
        fs::remove_dir_all(&pending).unwrap();
        fs::write(&pending, "in the way").unwrap();
    };
    break_pending();
    // By default, a query is answered all the same.
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [["1"]]);
    fs::remove_file(&pending).unwrap();

    fixture.lake.set_audit_mode(AuditMode::Required).await.unwrap();
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [["1"]]);
    break_pending();
    let asked = fixture.lake.query("SELECT count(*) FROM trail", LIMITS).await.unwrap();
    let error = asked.collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.to_string().contains("audit trail"), "{error}");

    // A change that cannot be recorded is not begun, whatever the mode.
    let begun = folder(&fixture).join("begun");
    fs::remove_dir_all(&begun).unwrap();
    fs::write(&begun, "in the way").unwrap();
    assert_eq!(fixture.store.delete().await.unwrap_err().kind(), ErrorKind::Storage);
    fs::remove_file(&begun).unwrap();
    fs::remove_file(&pending).unwrap();
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [["1"]]);
}

#[tokio::test]
async fn turning_the_trail_off_is_its_last_event() {
    let fixture = Fixture::new().await;
    let lake = &fixture.lake;
    assert_eq!(lake.audit_mode().await, AuditMode::On);
    lake.set_audit_mode(AuditMode::Off).await.unwrap();
    fixture.rows("SELECT 1 FROM trail").await;
    fixture.store.delete().await.unwrap();
    fixture.store.restore().await.unwrap();
    let path = fixture.folder.path().join("lake");
    assert_eq!(lake_at(&path, now()).await.audit_mode().await, AuditMode::Off);
    lake.set_audit_mode(AuditMode::On).await.unwrap();
    let expected = [["CreateEventDataStore", "NULL", "1"], ["UpdateAuditMode", "NULL", "2"]];
    assert_eq!(fixture.rows(BY_NAME).await, expected);

    fs::write(folder(&fixture).join("setting.json"), "{").unwrap();
    let other = lake_at(&path, now()).await;
    assert_eq!(other.audit_mode().await, AuditMode::Required);
}

#[tokio::test]
async fn what_is_no_record_is_put_aside_and_stops_nothing() {
    let fixture = Fixture::new().await;
    let pending = folder(&fixture).join("pending");
    let time = "20261122T120000000Z";
    fs::write(pending.join(format!("{time}-a.json.gz")), "no gzip").unwrap();
    let no_event = towpath_gzip(r#"{"Records":[{"eventID":{"x":1}}]}"#);
    fs::write(pending.join(format!("{time}-b.json.gz")), no_event).unwrap();
    let count = "SELECT count(*) FROM towpath-audit WHERE eventName = 'CreateEventDataStore'";
    assert_eq!(fixture.rows(count).await, [["1"]]);
    assert!(files(&pending).iter().all(|path| !path.ends_with(format!("{time}-a.json.gz"))));
    assert!(!files(&folder(&fixture).join("damaged")).is_empty());
}

fn towpath_gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn an_event_names_who_acts_and_holds_no_secret() {
    let fixture = Fixture::new().await;
    let mut options = LakeOptions::new(now);
    let secret = "canary-of-a-secret";
    options.storage_options = [("aws_secret_access_key".to_owned(), secret.to_owned())].into();
    options.key_passphrase = Some(secret.to_owned());
    options.principal = Principal::os_user("ana", "laptop").in_account("123456789012", "eu-west-1");
    let url = fixture.folder.path().join("lake");
    let lake = Lake::open(url.to_str().unwrap(), options).await.unwrap();
    rows(&lake, "SELECT 1 FROM trail").await;
    let key = Principal::access_key("ci", "AKIAEXAMPLE").at("192.0.2.7").with_user_agent("aws-cli");
    rows(&lake.acting_as(key), "SELECT 2 FROM trail").await;
    rows(&lake.recorded_by_caller(), "SELECT 3 FROM trail").await;
    let who = "SELECT userIdentity.arn, userIdentity.accessKeyId, sourceIPAddress, userAgent LIKE \
               'towpath/%', recipientAccountId FROM towpath-audit \
               WHERE eventName = 'StartQuery' ORDER BY 1";
    let expected = [
        ["arn:towpath:os::laptop:user/ana", "NULL", "laptop", "true", "123456789012"],
        ["arn:towpath:server:::principal/ci", "AKIAEXAMPLE", "192.0.2.7", "false", "000000000000"],
    ];
    assert_eq!(rows(&lake, who).await, expected);
    let secrets =
        format!("SELECT count(*) FROM towpath-audit WHERE eventJson LIKE '%{}%'", "canary-of");
    // The one that asks is recorded after it is planned, so it does not find itself.
    assert_eq!(rows(&lake, &secrets).await, [["0"]]);
}
