//! Parameters are values, whatever their text looks like, and each has one.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};
use towpath_sql::{ErrorKind, ParameterValue as P, ParameterValues, SqlError, Statement};

use crate::support::{Tables, run_statement};

async fn rows(sql: &str, values: &ParameterValues) -> Vec<Vec<Value>> {
    let statement = Statement::parse(sql).unwrap().bind(values).unwrap();
    match run_statement(&statement, &Tables::default()).await {
        Ok(rows) => rows.rows,
        Err(error) => panic!("{sql}: {error}"),
    }
}

fn varchar(text: &str) -> P {
    P::Varchar(text.to_owned())
}

fn named(values: &[(&str, P)]) -> ParameterValues {
    let named: BTreeMap<_, _> =
        values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    ParameterValues { named, ..ParameterValues::default() }
}

fn refused(sql: &str, values: &ParameterValues) -> SqlError {
    let error = Statement::parse(sql).unwrap().bind(values).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    error
}

#[tokio::test]
async fn every_kind_of_value_has_its_type() {
    let moment = DateTime::from_timestamp(1_704_164_645, 678_900_000).unwrap();
    let cases = [
        (P::Null, "unknown", Value::Null),
        (P::Boolean(true), "boolean", json!("true")),
        (P::Integer(-7), "integer", json!("-7")),
        (P::Bigint(7), "bigint", json!("7")),
        (P::Bigint(i64::MIN), "bigint", json!("-9223372036854775808")),
        (P::Double(-0.5), "double", json!("-5.0E-1")),
        (P::Double(f64::NAN), "double", json!("NaN")),
        (P::Decimal("-12.50".to_owned()), "decimal(4,2)", json!("-12.50")),
        (varchar("it's"), "varchar(4)", json!("it's")),
        (P::Date(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()), "date", json!("2024-02-29")),
        (P::Timestamp(moment.naive_utc()), "timestamp(3)", json!("2024-01-02 03:04:05.678")),
        (
            P::TimestampWithTimeZone(moment),
            "timestamp(3) with time zone",
            json!("2024-01-02 03:04:05.678 UTC"),
        ),
    ];
    for (value, name, text) in cases {
        let milliseconds = match value {
            P::Timestamp(m) => P::Timestamp(m - chrono::TimeDelta::microseconds(900)),
            P::TimestampWithTimeZone(m) => {
                P::TimestampWithTimeZone(m - chrono::TimeDelta::microseconds(900))
            }
            other => other,
        };
        let values = ParameterValues::positional([milliseconds.clone(), milliseconds]);
        let found = rows("SELECT typeof(?), CAST(? AS varchar)", &values).await;
        assert_eq!(found, [vec![json!(name), text]]);
    }
    let values = ParameterValues::positional([P::Varbinary(vec![0, 255])]);
    assert_eq!(rows("SELECT to_hex(?)", &values).await, [[json!("00FF")]]);
}

#[tokio::test]
async fn a_value_is_never_read_as_text_of_the_statement() {
    let hostile = "' OR 1 = 1 -- ?, :a";
    let values = ParameterValues::positional([varchar(hostile), varchar(hostile)]);
    let found = rows("SELECT ?, x FROM (VALUES 'a', 'b') t(x) WHERE x = ?", &values).await;
    assert_eq!(found, Vec::<Vec<Value>>::new());
    let found = rows("SELECT :a || '?'", &named(&[("A", varchar(hostile))])).await;
    assert_eq!(found, [[json!("' OR 1 = 1 -- ?, :a?")]]);
}

#[tokio::test]
async fn names_bind_wherever_they_stand_and_ignore_case() {
    let values = named(&[("low", P::Integer(2)), ("n", P::Bigint(1)), ("key", varchar("k"))]);
    let sql = "SELECT x, JSON_OBJECT(:key :x) FROM (VALUES 1, 2, 3) t(x) WHERE x >= :LOW \
               ORDER BY x OFFSET :n LIMIT :n";
    // `:x` after a key is no parameter: there the colon is JSON_OBJECT's own.
    assert_eq!(Statement::parse(sql).unwrap().parameters().named, ["key", "LOW", "n"]);
    assert_eq!(rows(sql, &values).await, [[json!(3), json!("{\"k\":3}")]]);
    let found = rows("SELECT JSON_OBJECT('a' : :key)", &named(&[("key", varchar("v"))])).await;
    assert_eq!(found, [[json!("{\"a\":\"v\"}")]]);
}

#[tokio::test]
async fn one_value_twice_groups_as_one_expression() {
    let sql = "SELECT date_trunc(?, x), count(*) FROM (VALUES TIMESTAMP '2024-01-02 03:04:05') t(x) \
               GROUP BY date_trunc(?, x) ORDER BY date_trunc(?, x) FETCH FIRST ? ROWS ONLY";
    let mut values = vec![varchar("month"); 3];
    values.push(varchar("5"));
    let found = rows(sql, &ParameterValues::positional(values)).await;
    assert_eq!(found, [[json!("2024-01-01 00:00:00"), json!(1)]]);
}

#[tokio::test]
async fn quoted_marks_are_parameters_only_on_request() {
    let sql = "SELECT '?' || ?, TIMESTAMP '?' > TIMESTAMP '2024-01-01 00:00:00'";
    let parameters = Statement::parse(sql).unwrap().parameters();
    assert_eq!((parameters.positional, parameters.quoted), (1, 2));
    let values = [varchar("a"), varchar("b"), varchar("2024-01-02 00:00:00")];
    let values = ParameterValues { quoted_marks: true, ..ParameterValues::positional(values) };
    assert_eq!(rows(sql, &values).await, [[json!("ab"), json!(true)]]);
    let found = rows("SELECT '?' || ?", &ParameterValues::positional([varchar("b")])).await;
    assert_eq!(found, [[json!("?b")]]);
}

#[test]
fn a_relation_may_be_a_parameter() {
    let statement = Statement::parse("SELECT * FROM ? WHERE x = 1").unwrap();
    assert!(statement.relation_names().is_empty());
    let id = "1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10";
    let bound = statement.bind(&ParameterValues::positional([varchar(id)])).unwrap();
    let names: Vec<_> = bound.relation_names().into_iter().map(|name| name.text).collect();
    assert_eq!(names, [id]);
    let error = refused("SELECT * FROM ?", &ParameterValues::positional([P::Bigint(1)]));
    assert_eq!(error.to_string(), "line 1:15: Parameter '?' must be a table's name here");
}

#[tokio::test]
async fn parameters_and_values_match_one_to_one() {
    let one = ParameterValues::positional([P::Null]);
    let cases = [
        ("SELECT ?,\n ?", "line 2:2: Incorrect number of parameters: expected 2 but found 1"),
        ("SELECT 1", "line 1:1: Incorrect number of parameters: expected 0 but found 1"),
        ("SELECT 1 LIMIT ?", "line 1:16: Parameter '?' must be a number of rows here"),
    ];
    for (sql, text) in cases {
        assert_eq!(refused(sql, &one).to_string(), text);
    }
    let error = refused("SELECT :start_time", &named(&[("start_tme", P::Null)]));
    assert_eq!(error.to_string(), "line 1:8: Parameter ':start_time' has no value");
    assert_eq!(error.hint(), Some("there is a value for ':start_tme'"));
    let error = refused("SELECT :a", &named(&[("a", P::Null), ("b", P::Null)]));
    assert_eq!(error.to_string(), "the statement has no parameter ':b'");
    for (sql, text) in [
        ("SELECT ?", "line 1:8: Incorrect number of parameters: expected 1 but found 0"),
        ("SELECT :a", "line 1:8: Parameter ':a' has no value"),
    ] {
        let statement = Statement::parse(sql).unwrap();
        let found = run_statement(&statement, &Tables::default()).await.unwrap_err();
        assert_eq!(found, text);
    }
    assert!(Statement::parse("SELECT : a").is_err(), "a name stands at its colon");
}

#[test]
fn values_are_bounded() {
    let long = "x".repeat(towpath_sql::limits::PARAMETER_BYTES_MAX + 1);
    let statement = Statement::parse("SELECT ?").unwrap();
    let error = statement.bind(&ParameterValues::positional([P::Varchar(long)])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}
