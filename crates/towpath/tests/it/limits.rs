//! What a limit stops fails; nothing is cut silently.

use towpath::{ErrorKind, Lake, LakeOptions, QueryLimits};

use crate::support::{Fixture, event, now};

async fn ten_events() -> Fixture {
    let fixture = Fixture::new().await;
    let events: Vec<String> = (0..10)
        .map(|n| {
            event(&n.to_string(), "PutObject", &format!("2024-01-0{}T00:00:00Z", n % 9 + 1), "")
        })
        .collect();
    fixture.ingest(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
    fixture
}

#[tokio::test]
async fn a_result_with_more_rows_than_allowed_fails() {
    let fixture = ten_events().await;
    for (rows_max, fits) in [(10, true), (9, false)] {
        let limits = QueryLimits { run_secs_max: 60, result_rows_max: Some(rows_max) };
        let rows = fixture.lake.query("SELECT eventID FROM trail", limits).await.unwrap();
        match rows.collect().await {
            Ok(_) => assert!(fits),
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(error.kind(), ErrorKind::LimitExceeded);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_runs_too_long_is_stopped() {
    let fixture = ten_events().await;
    let limits = QueryLimits { run_secs_max: 1, result_rows_max: None };
    let statement = "SELECT count(*) FROM trail a, trail b, trail c, trail d, trail e, trail f, \
         trail g, trail h, trail i, trail j WHERE a.eventID || b.eventID || c.eventID <> j.eventID";
    let stopped = match fixture.lake.query(statement, limits).await {
        Ok(rows) => rows.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(stopped.kind(), ErrorKind::LimitExceeded, "{stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_gives_no_row_is_stopped_too() {
    let fixture = Fixture::new().await;
    let events: Vec<String> = (0..400)
        .map(|n| event(&format!("event-{n}"), "GetObject", "2026-11-20T10:00:00Z", ""))
        .collect();
    fixture.ingest(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let limits = QueryLimits { run_secs_max: 1, result_rows_max: None };
    let statement = "SELECT count(*) FROM trail a, trail b, trail c, trail d \
         WHERE a.eventID || b.eventID || c.eventID || d.eventID LIKE '%xyz%'";
    // A join that held its thread would go on for many minutes.
    let stopped = match fixture.lake.query(statement, limits).await {
        Ok(rows) => rows.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(stopped.kind(), ErrorKind::LimitExceeded, "{stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_needs_more_memory_and_spill_than_allowed_fails() {
    let fixture = ten_events().await;
    let mut options = LakeOptions::new(now);
    options.memory_bytes_max = 1 << 20;
    options.spill_bytes_max = 1 << 20;
    let url = fixture.folder.path().join("lake");
    let small = Lake::open(url.to_str().unwrap(), options).await.unwrap();
    let statement = "SELECT a.eventJson || cast(b.n AS varchar) AS long FROM trail a \
         CROSS JOIN UNNEST(sequence(1, 10000)) AS b(n) ORDER BY long";
    let limits = QueryLimits { run_secs_max: 120, result_rows_max: None };
    let stopped = match small.query(statement, limits).await {
        Ok(rows) => rows.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(stopped.kind(), ErrorKind::LimitExceeded, "{stopped}");
}
