//! A row past its retention is never returned, to the microsecond.

use chrono::{Duration, TimeZone, Utc};

use crate::support::{Fixture, event, lake_at, rows};

#[tokio::test]
async fn an_event_is_returned_until_its_retention_is_over_to_the_microsecond() {
    let time = Utc.with_ymd_and_hms(2020, 2, 29, 23, 59, 59).unwrap() + Duration::microseconds(7);
    let last_moment = time + Duration::days(2557);
    let fixture = Fixture::at(last_moment).await;
    fixture.ingest(&[&event("a", "GetObject", "2020-02-29T23:59:59.000007Z", "")]).await;
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [["1"]]);

    let a_microsecond_later = last_moment + Duration::microseconds(1);
    let later = lake_at(&fixture.folder.path().join("lake"), a_microsecond_later).await;
    assert_eq!(rows(&later, "SELECT count(*) FROM trail").await, [["0"]]);
    assert!(rows(&later, "SELECT eventID FROM trail").await.is_empty());
}

#[tokio::test]
async fn expired_rows_are_left_out_of_a_file_that_also_holds_kept_ones() {
    let now = Utc.with_ymd_and_hms(2027, 1, 15, 0, 0, 0).unwrap();
    let fixture = Fixture::at(Utc.with_ymd_and_hms(2021, 1, 1, 0, 0, 0).unwrap()).await;
    fixture
        .ingest(&[
            &event("old", "GetObject", "2020-01-14T23:59:59Z", ""),
            &event("kept", "GetObject", "2020-01-20T00:00:00Z", ""),
        ])
        .await;

    let later = lake_at(&fixture.folder.path().join("lake"), now).await;
    assert_eq!(rows(&later, "SELECT eventID FROM trail").await, [["kept"]]);
    assert_eq!(rows(&later, "SELECT count(*) FROM trail").await, [["1"]]);
    let extent = "SELECT min(eventTime), max(eventTime) FROM trail";
    assert_eq!(rows(&later, extent).await, [["2020-01-20T00:00:00", "2020-01-20T00:00:00"]]);
}

#[tokio::test]
async fn an_event_that_is_expired_when_it_arrives_is_counted_and_not_stored() {
    let fixture = Fixture::new().await;
    let report = fixture
        .ingest(&[
            &event("old", "GetObject", "2013-01-01T00:00:00Z", ""),
            &event("new", "GetObject", "2026-01-01T00:00:00Z", ""),
        ])
        .await;
    assert_eq!((report.events.seen, report.events.stored, report.events.expired), (2, 1, 1));
    assert!(report.events.reconcile());
}
