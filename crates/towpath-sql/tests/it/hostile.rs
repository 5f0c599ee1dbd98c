//! No statement, however odd, takes the process down: it ends in time, in bounded memory, with an
//! error that says which limit it met.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use datafusion::execution::context::SessionConfig;
use datafusion::execution::runtime_env::RuntimeEnv;
use towpath_sql::{ErrorKind, Interrupt, Statement, physical_plan, session_state};

use crate::support::{Tables, now, run};

/// Time a statement may take in a debug build on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(30);

async fn outcome(sql: &str) -> Result<usize, String> {
    let started = Instant::now();
    let short: String = sql.chars().take(100).collect();
    let outcome = tokio::time::timeout(TIME_MAX, run(sql, &Tables::default())).await;
    let elapsed = started.elapsed();
    assert!(elapsed < TIME_MAX, "{short}: {elapsed:?}");
    outcome.unwrap_or_else(|_| panic!("{short}: no end")).map(|rows| rows.rows.len())
}

async fn refused(cases: &[(String, &str)]) {
    for (sql, expected) in cases {
        let short: String = sql.chars().take(100).collect();
        match outcome(sql).await {
            Ok(rows) => panic!("{short}: {rows} rows"),
            Err(error) => assert!(error.contains(expected), "{short}: {error}"),
        }
    }
}

/// `count` copies of `item`, joined.
fn many(item: &str, separator: &str, count: usize) -> String {
    vec![item; count].join(separator)
}

#[tokio::test]
async fn plans_are_bounded_before_they_are_made() {
    let mut doublings = "WITH t0 AS (SELECT 1 x)".to_owned();
    for level in 1..=30 {
        let before = level - 1;
        let _ = write!(doublings, ", t{level} AS (SELECT a.x FROM t{before} a, t{before} b)");
    }
    let mut rows = "WITH t0 AS (SELECT 1 x)".to_owned();
    for level in 1..=30 {
        let _ = write!(rows, ", t{level} AS (SELECT ROW(x, x) x FROM t{})", level - 1);
    }
    let cases = [
        (many("SELECT 1", " UNION ALL ", 10_000), "line 1:"),
        (format!("SELECT * FROM {}", many("(VALUES 1)", ", ", 600)), "more than 500 relations"),
        (format!("{doublings} SELECT count(*) FROM t30"), "more than 500 relations"),
        (
            format!("SELECT 1 FROM (VALUES 1) t(x) GROUP BY CUBE ({})", many("x", ", ", 30)),
            "more than 2048 grouping sets",
        ),
        (
            format!(
                "SELECT 1 FROM (VALUES (1, 2)) t(x, y) GROUP BY {}",
                many("CUBE (x, y)", ", ", 9)
            ),
            "more than 2048 grouping sets",
        ),
        (format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)), "nested deeper"),
        (format!("SELECT {}1{}", "abs(".repeat(900), ")".repeat(900)), "nested deeper"),
        (format!("SELECT 1 {}", "+ 1 ".repeat(5_000)), "operators in a row"),
        (format!("SELECT {}", many("1", ", ", 3_000)), "more than 2000 columns"),
        (format!("SELECT 1 IN ({})", many("1", ", ", 250_000)), "more than 200000 parts"),
        (format!("SELECT {}SELECT 1{}", "(".repeat(150), ")".repeat(150)), ""),
    ];
    let cases: Vec<_> = cases.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    refused(&cases).await;
}

#[tokio::test]
async fn long_statements_that_mean_something_run() {
    let list: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let list = list.join(", ");
    let cases = [
        format!("SELECT count(*) FROM (VALUES 7, -7) t(x) WHERE x IN ({list})"),
        format!("SELECT count(*) FROM (VALUES 7, -7) t(x) WHERE x NOT IN ({list})"),
        format!("SELECT * FROM {}", many("(VALUES 1)", ", ", 60)),
        format!("SELECT x FROM (VALUES 1) t(x) WHERE {}", many("x = 1", " OR ", 2_000)),
        format!("SELECT x FROM (VALUES 1) t(x) WHERE {}", many("x = 1", " AND ", 2_000)),
        many("SELECT 1", " UNION ALL ", 150),
        format!("VALUES {}", many("(1, 'a')", ", ", 5_000)),
        format!("SELECT CASE {} END", many("WHEN false THEN 1", " ", 1_000)),
    ];
    for sql in cases {
        if let Err(error) = outcome(&sql).await {
            panic!("{}: {error}", sql.chars().take(100).collect::<String>());
        }
    }
}

#[tokio::test]
async fn growth_is_stopped_where_it_happens() {
    let cases = [
        ("SELECT repeat('x', 2000000000)", "must be less than or equal to 10000"),
        ("SELECT length(lpad('x', 2000000000, 'y'))", "exceeds"),
        ("SELECT cardinality(sequence(1, 9000000000000000000))", "entries"),
        ("SELECT CAST('a' AS char(2000000000))", "larger than 65536"),
    ];
    for (sql, expected) in cases {
        match outcome(sql).await {
            Ok(_) => panic!("{sql} has an answer"),
            Err(error) => assert!(error.contains(expected), "{sql}: {error}"),
        }
    }
}

#[tokio::test]
async fn planning_stops_when_it_is_asked_to() {
    let conditions: Vec<String> = (0..60).map(|n| format!("x > {n}")).collect();
    let sql = format!("SELECT x FROM (VALUES 1, 2) t(x) WHERE {}", conditions.join(" AND "));
    let statement = Statement::parse(&sql).unwrap();
    // The interrupt is due at the n-th look: in the binder, then ever later in the optimizer.
    let mut stages = Vec::new();
    for looks in [0, 5, 30, 60, usize::MAX] {
        let count = AtomicUsize::new(0);
        let interrupt = Interrupt::new(move || count.fetch_add(1, Ordering::Relaxed) >= looks);
        let config = SessionConfig::new().with_extension(Arc::new(interrupt));
        let session = session_state(config, Arc::new(RuntimeEnv::default()), now());
        stages.push(match statement.plan(&session, &Tables::default()).await {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
                "bind"
            }
            Ok(planned) => match physical_plan(&session, &planned).await {
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("stopped while it was planned"), "{text}");
                    "optimize"
                }
                Ok(_) => "planned",
            },
        });
    }
    assert_eq!((stages.first(), stages.last()), (Some(&"bind"), Some(&"planned")));
    assert!(stages.contains(&"optimize"), "{stages:?}");
}
