//! What reaches the scan, and what planning refuses.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::execution::context::SessionConfig;
use datafusion::execution::runtime_env::RuntimeEnv;
use towpath_sql::{ErrorKind, Statement, session_state};

use crate::support::{Tables, now, run};

fn tables() -> Tables {
    let fields = vec![
        Field::new("eventtime", DataType::Timestamp(TimeUnit::Millisecond, None), true),
        Field::new("zoned", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("eventname", DataType::Utf8, true),
        Field::new("day", DataType::Date32, true),
    ];
    let mut tables = Tables::default();
    tables.add("events", RecordBatch::new_empty(Arc::new(Schema::new(fields))));
    tables
}

/// The optimized plan's predicate for a `WHERE` condition.
async fn predicate(condition: &str) -> String {
    let sql = format!("SELECT count(*) FROM events WHERE {condition}");
    let session = session_state(SessionConfig::new(), Arc::new(RuntimeEnv::default()), now());
    let planned = Statement::parse(&sql).unwrap().plan(&session, &tables()).await.unwrap();
    let plan = session.optimize(&planned.plan).unwrap().display_indent().to_string();
    let line = plan.lines().find(|line| line.contains("Filter: ")).unwrap_or(&plan).trim();
    line.trim_start_matches("Filter: ").to_owned()
}

#[tokio::test]
async fn comparisons_with_strings_become_comparisons_of_the_bare_column() {
    let cases = [
        (
            "eventTime > '2023-01-05 13:51:00'",
            "eventtime > TimestampMillisecond(1672926660000, None)",
        ),
        (
            "'2023-01-05T13:51:00Z' <= eventTime",
            "eventtime >= TimestampMillisecond(1672926660000, None)",
        ),
        (
            "eventTime > date_add('hour', -1, current_timestamp)",
            "eventtime > TimestampMillisecond(1704161045678, None)",
        ),
        ("zoned >= '2023-01-05'", "zoned >= TimestampMicrosecond(1672876800000000, Some(\"UTC\"))"),
        (
            "zoned >= current_timestamp - interval '1' day",
            "zoned >= TimestampMicrosecond(1704078245678000, Some(\"UTC\"))",
        ),
        ("day = '2023-01-05'", "day = Date32(\"2023-01-05\")"),
        ("eventName = 'x'", "eventname = Utf8(\"x\")"),
        (
            "eventName IN ('a', 'b', 'c', 'd')",
            "IN ([Utf8(\"a\"), Utf8(\"b\"), Utf8(\"c\"), Utf8(\"d\")])",
        ),
        ("eventName LIKE 'x%'", "eventname LIKE Utf8(\"x%\")"),
    ];
    for (condition, expected) in cases {
        let found = predicate(condition).await;
        assert!(found.contains(expected), "{condition}\n{found}\n{expected}");
        assert!(!found.contains("CAST"), "{condition}\n{found}");
    }
}

#[tokio::test]
async fn expansion_of_common_tables_is_bounded() {
    let mut sql = String::from("WITH t0 AS (SELECT 1 AS x)");
    for level in 1..20 {
        let below = level - 1;
        sql.push_str(&format!(", t{level} AS (SELECT a.x FROM t{below} a, t{below} b)"));
    }
    sql.push_str(" SELECT count(*) FROM t19");
    let error = run(&sql, &Tables::default()).await.unwrap_err();
    assert!(error.contains("relations"), "{error}");
}

#[test]
fn long_statements_are_refused() {
    let error = Statement::parse(&" ".repeat(2 << 20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[tokio::test]
async fn deep_statements_are_planned_or_refused_but_never_overflow() {
    let deep = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("SELECT {}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    let subquery = deep("(SELECT ", "1", ")", 8);
    assert!(run(&subquery, &Tables::default()).await.is_ok());
    let error = run(&deep("(SELECT ", "1", ")", 9), &Tables::default()).await.unwrap_err();
    assert!(error.contains("subqueries are nested deeper than 8 levels"), "{error}");
    for (open, middle, close) in
        [("(", "1", ")"), ("abs(", "1", ")"), ("(1 + ", "1", ")"), ("NOT ", "true", "")]
    {
        let sql = deep(open, middle, close, 40);
        assert!(run(&sql, &Tables::default()).await.is_ok(), "{open}");
        for depth in [60, 90, 120, 190] {
            let sql = deep(open, middle, close, depth);
            let session =
                session_state(SessionConfig::new(), Arc::new(RuntimeEnv::default()), now());
            if let Ok(statement) = Statement::parse(&sql) {
                let planned = statement.plan(&session, &Tables::default()).await;
                assert!(planned.is_ok(), "{open} {depth}");
            }
        }
    }
}
