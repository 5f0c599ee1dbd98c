//! What a scope hides, and ways around it that lead nowhere.

use std::collections::BTreeSet;
use std::error::Error;

use towpath::{ErrorKind, IndexPolicy, Lake, NewQuery, NewStore, Retention, Scope, Visible};

use crate::lab::work;
use crate::support::{Fixture, LIMITS, event, rows};

const MINE: &str = "111122223333";

fn accounts(names: &[&str]) -> Visible {
    Visible::Accounts(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
}

/// An event of an account that nobody but its owner may see.
fn hidden(id: &str) -> String {
    let name = "hiddenCanary";
    event(id, name, "2026-11-20T10:00:00Z", r#","sourceIPAddress":"192.0.2.99""#)
        .replace(MINE, "999999999999")
}

/// A store with two events of one account, two of another and one of none; and the lake as
/// somebody sees it who may see the first account.
async fn shared() -> (Fixture, Lake) {
    let fixture = Fixture::new().await;
    let of_nobody = event("e5", "nobody", "2026-11-20T10:00:00Z", "")
        .replace(r#","recipientAccountId":"111122223333""#, "");
    let events = [
        event("e1", "GetObject", "2026-11-20T10:00:00Z", ""),
        hidden("e2"),
        event("e3", "PutObject", "2026-11-20T11:00:00Z", ""),
        hidden("e4"),
        of_nobody,
    ];
    fixture.ingest(&events.each_ref().map(String::as_str)).await;
    // Its values and counts are those of all accounts.
    fixture.store.index(&IndexPolicy::THOROUGH).await.unwrap();
    let mut scope = Scope::default();
    scope.set(fixture.store.id(), accounts(&[MINE]));
    let lake = fixture.lake.within(scope);
    (fixture, lake)
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_events_are_in_no_row_whatever_the_statement() {
    let (fixture, lake) = shared().await;
    let id = fixture.store.id();
    assert_eq!(rows(&fixture.lake, "SELECT count(*) FROM trail").await, [["5"]]);
    for by in ["recipientAccountId", "recipientAccountId, awsRegion", "date(eventTime)"] {
        let counts = format!("SELECT count(*) FROM trail GROUP BY {by}");
        assert_eq!(rows(&lake, &counts).await, [["2"]], "{by}");
    }
    let needle = "SELECT eventID FROM trail WHERE sourceIPAddress = '192.0.2.99'";
    assert_eq!(rows(&fixture.lake, needle).await.len(), 2);
    assert!(rows(&lake, needle).await.is_empty());
    for (statement, expected) in [
        ("SELECT count(*) FROM trail".to_owned(), "2"),
        ("SELECT count(eventID) FROM trail".to_owned(), "2"),
        (format!("SELECT count(*) FROM {id}"), "2"),
        (format!("SELECT count(*) FROM \"{id}\" AS recipientAccountId"), "2"),
        ("SELECT count(*) FROM TRAIL WHERE true OR recipientAccountId = 'x'".to_owned(), "2"),
        ("SELECT count(*) FROM trail WHERE recipientAccountId IS NULL".to_owned(), "0"),
        ("SELECT count(*) FROM trail WHERE recipientAccountId <> '111122223333'".to_owned(), "0"),
        ("SELECT count(*) FROM trail WHERE eventName LIKE '%Canary%'".to_owned(), "0"),
        ("SELECT count(*) FROM trail WHERE eventJson LIKE '%Canary%'".to_owned(), "0"),
        ("SELECT count(*) FROM (SELECT * FROM (SELECT eventName n FROM trail))".to_owned(), "2"),
        ("WITH t AS (SELECT * FROM trail) SELECT count(*) FROM t".to_owned(), "2"),
        ("SELECT count(*) FROM trail a CROSS JOIN trail b".to_owned(), "4"),
        (
            "SELECT count(*) FROM trail a FULL JOIN trail b ON a.eventID = b.eventName".to_owned(),
            "4",
        ),
        ("SELECT (SELECT count(*) FROM trail)".to_owned(), "2"),
        (
            "SELECT count(*) FROM (VALUES 'e2', 'e4', 'e5', 'e1') AS v(x) \
             WHERE x IN (SELECT eventID FROM trail)"
                .to_owned(),
            "1",
        ),
        (
            "SELECT count(*) FROM (VALUES 1) AS v(x) \
             WHERE EXISTS (SELECT 1 FROM trail WHERE eventID = 'e2')"
                .to_owned(),
            "0",
        ),
        (
            "SELECT count(*) FROM (SELECT eventID FROM trail UNION ALL SELECT eventID FROM trail)"
                .to_owned(),
            "4",
        ),
        ("SELECT count(DISTINCT sourceIPAddress) FROM trail".to_owned(), "0"),
        ("SELECT max(eventID) FROM trail".to_owned(), "e3"),
        ("SELECT count(*) FROM (SELECT 1 FROM trail LIMIT 5)".to_owned(), "2"),
        (
            "SELECT eventID FROM (SELECT eventID, row_number() OVER (ORDER BY eventID) n \
             FROM trail) WHERE n = 2"
                .to_owned(),
            "e3",
        ),
        ("SELECT eventID FROM trail ORDER BY eventTime DESC LIMIT 1".to_owned(), "e3"),
        (
            "SELECT eventID FROM trail WHERE eventTime > timestamp '2026-11-20 10:30:00'"
                .to_owned(),
            "e3",
        ),
    ] {
        assert_eq!(rows(&lake, &statement).await, [[expected]], "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_cannot_make_a_hidden_event_fail_to_show_it() {
    let (_fixture, lake) = shared().await;
    for (condition, expected) in [
        ("cast(regexp_replace(eventName, '(Get|Put)Object', '1') AS integer) = 1", "2"),
        ("CASE WHEN eventName = 'hiddenCanary' THEN 1 / 0 ELSE 1 END = 1", "2"),
        ("1 / (if(sourceIPAddress = '192.0.2.99', 0, 1)) = 1", "2"),
        ("eventID > 'a' AND cast(replace(eventID, 'e', '') AS integer) IN (1, 3)", "2"),
        ("json_extract_scalar(eventJson, if(eventID = 'e2', 'x[', '$.eventID')) = 'e1'", "1"),
    ] {
        let statement = format!("SELECT count(*) FROM trail WHERE {condition}");
        assert_eq!(rows(&lake, &statement).await, [[expected]], "{statement}");
    }
    // Such statements do fail and tell, where nothing is hidden.
    let (fixture, _) = shared().await;
    let statement = "SELECT count(*) FROM trail WHERE cast(eventName AS integer) = 1";
    let failed = fixture.lake.query(statement, LIMITS).await.unwrap().collect().await;
    let failed = failed.unwrap_err();
    let mut told = failed.to_string();
    let mut cause = failed.source();
    while let Some(error) = cause {
        told.push_str(&error.to_string());
        cause = error.source();
    }
    assert!(told.contains("annot cast"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_out_of_scope_do_not_exist_and_plans_stay_hidden() {
    let (fixture, lake) = shared().await;
    let other = NewStore::new("trial", Retention::days(30).unwrap());
    let other = fixture.lake.create_store(other).await.unwrap();
    for statement in [
        "SELECT 1 FROM trial".to_owned(),
        format!("SELECT 1 FROM {}", other.id()),
        "SELECT 1 FROM trail WHERE eventID IN (SELECT eventID FROM trial)".to_owned(),
        "WITH t AS (SELECT * FROM trial) SELECT 1 FROM trail".to_owned(),
        "SELECT 1 FROM trai".to_owned(),
    ] {
        let error = lake.query(&statement, LIMITS).await.unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::StoreNotFound, None), "{statement}");
        let error = lake.start_query(NewQuery::new(statement, LIMITS)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreNotFound);
    }
    for explain in ["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (TYPE VALIDATE)"] {
        let statement = format!("{explain} SELECT count(*) FROM trail");
        let error = lake.query(&statement, LIMITS).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{statement}");
        let error = lake.start_query(NewQuery::new(statement, LIMITS)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_query_keeps_its_scope_whoever_runs_and_reads_it() {
    let (fixture, lake) = shared().await;
    let id = lake.start_query(NewQuery::new("SELECT eventID FROM trail", LIMITS)).await.unwrap();
    let all = fixture.lake.start_query(NewQuery::new("SELECT 1 FROM trail", LIMITS)).await.unwrap();
    // A worker that may see everything.
    assert_eq!(work(&fixture.lake).await, 2);
    let query = fixture.lake.describe_query(id).await.unwrap();
    assert_eq!(query.statistics.rows, 2, "{query:?}");
    let everything = fixture.lake.describe_query(all).await.unwrap();
    assert_eq!(everything.statistics.rows, 5);

    let store = fixture.store.id();
    for (visible, of_mine, of_all) in [
        (Some(accounts(&[MINE])), true, false),
        (Some(accounts(&[MINE, "999999999999"])), true, false),
        (Some(accounts(&["999999999999"])), false, false),
        (Some(Visible::All), true, true),
        (None, false, false),
    ] {
        let mut scope = Scope::default();
        if let Some(visible) = visible {
            scope.set(store, visible);
        }
        assert_eq!((scope.covers(&query), scope.covers(&everything)), (of_mine, of_all));
    }
}
