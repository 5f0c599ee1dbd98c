//! What the engine does to be fast changes no answer.
//!
//! A random predicate is asked twice: as it is, and inside of a `CASE` with `random()`, which the
//! optimizer may neither move into the scan nor answer from what is known of files and row groups.

use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::support::{Fixture, event};

/// Random statements, each with two plans. Debug builds take some 50 ms for each.
const CASES: u32 = 60;

const KEYS: [&str; 5] = ["bucketName", "key", "Host", "x\\ny", ""];
const VALUES: [&str; 4] = ["logs", "data", "10", ""];
const NAMES: [&str; 4] = ["GetObject", "PutObject", "AssumeRole", "ConsoleLogin"];

/// Events whose fields differ by the digits of their number, of three months.
fn events() -> Vec<String> {
    let pick =
        |of: &[&str], number: usize| of.get(number % of.len()).map_or("", |it| *it).to_owned();
    let one = |number: usize| {
        let time =
            format!("2024-0{}-{:02}T0{}:00:00Z", 1 + number % 3, 1 + number % 28, number % 7);
        let entries = |seed: usize| -> String {
            let entry = |at: usize| {
                let value = pick(&VALUES, seed / 3 + at);
                let value =
                    if seed % 11 == at { "null".to_owned() } else { format!("\"{value}\"") };
                format!("\"{}\":{value}", pick(&KEYS, seed + at))
            };
            (0..seed % 4).map(entry).collect::<Vec<String>>().join(",")
        };
        let mut more = String::new();
        if !number.is_multiple_of(5) {
            more += &format!(r#","requestParameters":{{{}}}"#, entries(number));
        }
        if number.is_multiple_of(3) {
            more += &format!(r#","additionalEventData":{{{}}}"#, entries(number / 2));
            more += r#","errorCode":"AccessDenied""#;
        }
        more += &format!(r#","userIdentity":{{"arn":"arn:{}"}}"#, number % 9);
        event(&number.to_string(), &pick(&NAMES, number / 2), &time, &more)
    };
    (0..400).map(one).collect()
}

fn predicates() -> impl Strategy<Value = String> {
    let text = |of: &'static [&'static str]| {
        prop::sample::select(of).prop_map(|it| it.replace("\\n", "\n"))
    };
    let map = prop_oneof![Just("requestParameters"), Just("additionalEventData")];
    let lookup = (map, text(&KEYS)).prop_map(|(map, key)| format!("element_at({map}, '{key}')"));
    let of_lookup =
        (lookup, text(&VALUES), text(&VALUES), 0..10).prop_map(|(it, a, b, form)| match form {
            0..=2 => format!("{it} = '{a}'"),
            3 => format!("{it} <> '{a}'"),
            4 => format!("{it} LIKE '{a}%'"),
            5 => format!("{it} IN ('{a}', '{b}')"),
            6 => format!("{it} IS NOT NULL"),
            7 => format!("{it} IS NULL"),
            8 => format!("coalesce({it}, '{a}') = '{b}'"),
            _ => format!("lower({it}) || 'x' = '{a}x'"),
        });
    let of_columns = prop_oneof![
        text(&NAMES).prop_map(|name| format!("eventName = '{name}'")),
        (1..4).prop_map(|month| format!("eventTime >= '2024-0{month}-10'")),
        (1..4).prop_map(|month| format!("calendarday < 20240{month}15")),
        (0..10).prop_map(|number| format!("userIdentity.arn = 'arn:{number}'")),
        (0..500).prop_map(|number| format!("eventID = '{number}'")),
        Just("errorCode IS NOT NULL".to_owned()),
    ];
    prop_oneof![3 => of_lookup, 2 => of_columns].prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

fn statements() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "SELECT eventID FROM trail WHERE {} ORDER BY eventID",
        "SELECT eventTime, eventID, requestParameters FROM trail WHERE {} \
         ORDER BY eventTime DESC, eventID LIMIT 7",
        "SELECT eventName, count(*), min(eventTime) FROM trail WHERE {} GROUP BY 1 ORDER BY 1",
        "SELECT count(*), max(eventTime), count(DISTINCT userIdentity.arn) FROM trail WHERE {}",
        "SELECT date_trunc('day', eventTime), errorCode, count(*) FROM trail WHERE {} \
         GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT element_at(requestParameters, 'bucketName'), count(*) FROM trail WHERE {} \
         GROUP BY 1 ORDER BY 1",
    ])
}

#[test]
fn a_predicate_that_reaches_the_data_files_finds_the_same_events_as_one_that_does_not() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(async {
        let fixture = Fixture::new().await;
        for records in events().chunks(150) {
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            assert_eq!(fixture.ingest(&records).await.events.rejected, 0);
        }
        fixture
    });
    let mut runner =
        TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let strategy = (statements(), predicates());
    let outcome = runner.run(&strategy, |(statement, predicate)| {
        let hidden = format!("CASE WHEN random() < 0 THEN false ELSE ({predicate}) END");
        let fast = runtime.block_on(fixture.rows(&statement.replace("{}", &predicate)));
        let plain = runtime.block_on(fixture.rows(&statement.replace("{}", &hidden)));
        prop_assert_eq!(fast, plain);
        Ok(())
    });
    outcome.unwrap();
}
