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

/// Statements that together use most of the grammar.
const SEEDS: [&str; 12] = [
    "SELECT a, count(*) FROM (VALUES (1, 'x')) t(a, b) WHERE a > 0 AND b LIKE 'x%' GROUP BY a HAVING count(*) > 0 ORDER BY 1 LIMIT 3",
    "SELECT x, y FROM (VALUES ARRAY[1, 2]) t(x) CROSS JOIN UNNEST(x) WITH ORDINALITY AS u(y, n) LEFT JOIN UNNEST(x) v(z) ON TRUE",
    "SELECT transform(filter(ARRAY[1, 2, 3], x -> x > 1), y -> CAST(y AS varchar) || 'a')",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT sum(n), max_by(n, n) FROM t",
    "SELECT rank() OVER (PARTITION BY a ORDER BY b DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), lag(b) OVER w FROM (VALUES (1, 2)) t(a, b) WINDOW w AS (ORDER BY a)",
    "SELECT CAST(ROW(1, ARRAY['a']) AS ROW(a bigint, b array(varchar))).b[1], MAP(ARRAY['k'], ARRAY[1])['k'], (1, 2) IN ((1, 2), (3, 4))",
    "SELECT a FROM (VALUES 1, 2) t(a) WHERE EXISTS (SELECT 1 FROM (VALUES 2) u(b) WHERE b = a) OR a IN (SELECT 3) OR a > ALL (VALUES 0)",
    "SELECT TIMESTAMP '2024-01-01 00:00:00' + INTERVAL '1' DAY, DATE '2024-01-01' - INTERVAL '1-2' YEAR TO MONTH, 1.5 / 3, -7 % 2, TRY(1 / 0)",
    "SELECT json_value('{\"a\": 1}', 'lax $.a' RETURNING integer DEFAULT 1 ON EMPTY), json_extract_scalar('{}', '$.a'), JSON_OBJECT('a': 1)",
    "SELECT a, b, grouping(a, b), sum(c) FILTER (WHERE c > 0) FROM (VALUES (1, 2, 3)) t(a, b, c) GROUP BY GROUPING SETS ((a, b), ROLLUP (a), CUBE (b))",
    "(SELECT 1 UNION SELECT 2) EXCEPT ALL VALUES 1 INTERSECT SELECT 2 ORDER BY 1 OFFSET 1 FETCH FIRST 1 ROW WITH TIES",
    "SELECT CASE a WHEN 1 THEN 'x' ELSE NULL END, IF(a = 1, 2), COALESCE(NULL, a), NULLIF(a, 1), EXTRACT(YEAR FROM current_date) FROM (VALUES 1) t(a) JOIN (VALUES 1) u(a) USING (a)",
];

#[tokio::test]
async fn no_broken_statement_panics_the_planner() {
    let mut seed: u64 = 7;
    let mut next = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    for _ in 0..600 {
        let mut words: Vec<&str> = SEEDS[next(SEEDS.len())].split(' ').collect();
        for _ in 0..=next(3) {
            let at = next(words.len());
            match next(3) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[next(words.len())]),
                _ => {
                    let other: Vec<&str> = SEEDS[next(SEEDS.len())].split(' ').collect();
                    words[at] = other[next(other.len())];
                }
            }
            if words.is_empty() {
                break;
            }
        }
        // Whether it runs does not matter; that it comes back does.
        let _outcome = run(&words.join(" "), &Tables::default()).await;
    }
    for statement in SEEDS {
        if let Err(error) = run(statement, &Tables::default()).await {
            panic!("{statement}\n{error}");
        }
    }
}
