//! Errors are worded as Trino words them, with their place.

use towpath_sql::{ErrorKind, Statement};

use crate::support::{Tables, run};

async fn error(sql: &str) -> String {
    run(sql, &Tables::default()).await.unwrap_err()
}

#[tokio::test]
async fn mistakes_are_named_with_line_and_column() {
    let cases = [
        ("SELECT nosuch FROM (VALUES 1) t(x)", "line 1:8: Column 'nosuch' cannot be resolved"),
        ("SELECT *\nFROM missing-store", "line 2:6: Table 'missing-store' does not exist"),
        ("SELECT nosuchfn(1)", "line 1:8: Function 'nosuchfn' not registered"),
        ("SELECT 8 = 'x'", "line 1:10: Cannot apply operator: integer = varchar(1)"),
        ("SELECT FROM x", "line 1:8: mismatched input 'FROM'. Expecting: <expression>"),
        ("DROP TABLE x", "line 1:1: DROP statements are not supported: only queries can be run"),
        (
            "SELECT a.x FROM (VALUES 1) a(x), (VALUES 1) b(x) WHERE x = 1",
            "line 1:56: Column 'x' is ambiguous",
        ),
        (
            "SELECT x, count(*) FROM (VALUES 1) t(x)",
            "line 1:8: 'x' must be an aggregate expression or appear in GROUP BY clause",
        ),
        ("SELECT 'abc", "line 1:8: unterminated string literal"),
        ("SELECT 1; SELECT 2", "line 1:11: mismatched input 'SELECT'. Expecting: <EOF>"),
    ];
    for (sql, expected) in cases {
        assert_eq!(error(sql).await, expected, "{sql}");
    }
}

#[test]
fn a_placeholder_is_an_error_that_says_what_to_write() {
    let error = Statement::parse("SELECT * FROM $EDS_ID").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Syntax);
    assert!(error.hint().unwrap().contains("id or the name of an event data store"), "{error}");
    assert_eq!(
        error.render_caret("SELECT * FROM $EDS_ID"),
        "SELECT * FROM $EDS_ID\n              ^"
    );
}

#[test]
fn no_text_panics_or_overflows_the_stack() {
    let pieces = [
        "SELECT",
        "(",
        ")",
        "'",
        "\"",
        "--",
        "/*",
        "1f0c9b7e-5d3a",
        "FROM",
        "ARRAY[",
        "]",
        ",",
        "x ->",
        "CASE",
        "WHEN",
        "\u{0}",
        "é",
        "U&'\\",
        "X'",
        "0x",
        "1e",
        "$",
        "INTERVAL",
        "'1'",
        "DAY",
        "VALUES",
        "UNION",
        "[",
        ".",
    ];
    // A fixed generator, so that a failure repeats.
    let mut seed: u64 = 42;
    for _ in 0..20_000 {
        let mut sql = String::from("SELECT ");
        for _ in 0..12 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from(seed >> 33).unwrap() % pieces.len();
            sql.push_str(pieces[index]);
            sql.push(' ');
        }
        let _parsed = Statement::parse(&sql);
    }
    for deep in ["(", "NOT ", "-", "ARRAY[", "CASE WHEN ", "(SELECT ", "x -> ", "f("] {
        let error = Statement::parse(&format!("SELECT {}", deep.repeat(100_000))).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::LimitExceeded | ErrorKind::Syntax),
            "{deep} {error}"
        );
    }
    assert!(Statement::parse(&format!("SELECT {}1", "1 + ".repeat(150))).is_ok());
    assert!(Statement::parse(&format!("SELECT {}1", "1 + ".repeat(10_000))).is_err());
    assert!(Statement::parse(&format!("SELECT {}true", "true OR ".repeat(10_000))).is_ok());
}
