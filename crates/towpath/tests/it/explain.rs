//! `EXPLAIN` and the statistics of a query.

use futures::StreamExt;

use crate::support::{Fixture, LIMITS, event};

async fn three_months() -> Fixture {
    let fixture = Fixture::new().await;
    fixture
        .ingest(&[
            &event("1", "PutObject", "2024-01-15T00:00:00Z", ""),
            &event("2", "PutObject", "2024-02-15T00:00:00Z", ""),
            &event("3", "DeleteBucket", "2024-02-16T00:00:00Z", ""),
            &event("4", "PutObject", "2024-03-15T00:00:00Z", ""),
        ])
        .await;
    fixture
}

async fn error_of(fixture: &Fixture, statement: &str) -> String {
    fixture.lake.query(statement, LIMITS).await.unwrap_err().to_string()
}

async fn plan_of(fixture: &Fixture, statement: &str) -> String {
    fixture.rows(statement).await[0][0].clone()
}

#[tokio::test]
async fn a_plan_shows_operators_under_trinos_names_and_what_is_left_out() {
    let fixture = three_months().await;
    let plan = plan_of(
        &fixture,
        "EXPLAIN SELECT eventName, count(*) FROM trail WHERE eventTime >= '2024-02-01' \
         GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
    )
    .await;
    let expected = [
        "Output[columnNames = [eventName, _col1]]",
        "TopN[count = 5, orderBy = [",
        "Aggregate[type = PARTIAL, keys = [eventname]]",
        "ScanFilter[table = trail, filterPredicate = (eventTime >= TIMESTAMP '2024-02-01 ",
        "Layout: [eventname:varchar]",
        "Data files: 2 of 3 (",
        "left out by event time: 1",
        "Row groups: 2 of 2; left out by statistics: 0",
    ];
    for part in expected {
        assert!(plan.contains(part), "{part}\n{plan}");
    }
}

#[tokio::test]
async fn statistics_of_row_groups_are_tried_before_the_query_runs() {
    let fixture = three_months().await;
    let plan =
        plan_of(&fixture, "EXPLAIN SELECT eventID FROM trail WHERE eventName = 'AAAA'").await;
    assert!(plan.contains("Row groups: 0 of 3; left out by statistics: 3"), "{plan}");
}

#[tokio::test]
async fn analyze_says_what_was_read() {
    let fixture = three_months().await;
    let plan = plan_of(
        &fixture,
        "EXPLAIN ANALYZE SELECT eventID FROM trail WHERE eventName = 'DeleteBucket'",
    )
    .await;
    let expected = [
        "Planning: ",
        "Row groups: 1 of 3; left out by",
        "Events: 1 matched of 2 scanned",
        "Output: 1 rows",
    ];
    for part in expected {
        assert!(plan.contains(part), "{part}\n{plan}");
    }
}

#[tokio::test]
async fn a_store_in_which_nothing_can_match_is_named() {
    let fixture = three_months().await;
    let plan =
        plan_of(&fixture, "EXPLAIN SELECT eventID FROM trail WHERE eventTime > '2025-01-01'").await;
    assert!(plan.contains("Nothing to read in trail: Data files: 0 of 3"), "{plan}");
}

#[tokio::test]
async fn the_plan_comes_as_json_too() {
    let fixture = three_months().await;
    let plan = plan_of(&fixture, "EXPLAIN (TYPE LOGICAL, FORMAT JSON) TABLE trail").await;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["name"], "Output");
    assert_eq!(plan["children"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn validate_plans_and_does_no_more() {
    let fixture = three_months().await;
    assert_eq!(fixture.rows("EXPLAIN (TYPE VALIDATE) SELECT eventID FROM trail").await, [["true"]]);
    let error = error_of(&fixture, "EXPLAIN (TYPE VALIDATE) SELECT evntID FROM trail").await;
    assert!(error.contains("Column 'evntID' cannot be resolved"), "{error}");
    let error = error_of(&fixture, "EXPLAIN (TYPE IO) SELECT 1").await;
    assert!(error.contains("line 1:15: EXPLAIN does not offer TYPE IO"), "{error}");
}

#[tokio::test]
async fn a_query_says_what_it_read() {
    let fixture = three_months().await;
    let statement = "SELECT eventID FROM trail \
                     WHERE eventName = 'DeleteBucket' AND eventTime >= '2024-02-01'";
    let mut rows = fixture.lake.query(statement, LIMITS).await.unwrap();
    assert_eq!(rows.statistics().events_scanned, 0);
    while let Some(batch) = rows.next().await {
        batch.unwrap();
    }
    let statistics = rows.statistics();
    assert_eq!((statistics.rows, statistics.events_matched, statistics.events_scanned), (1, 1, 2));
    assert_eq!((statistics.data_files, statistics.data_files_chosen), (3, 2));
    assert_eq!((statistics.row_groups, statistics.row_groups_chosen), (2, 1));
    assert!(statistics.bytes_scanned > 0 && statistics.bytes_scanned < statistics.data_file_bytes);
    assert_eq!(rows.statistics(), statistics, "the time stands still after the last row");
}
