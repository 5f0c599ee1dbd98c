//! Counts from summaries are those of the events, whatever is counted, by what and of which times.

use std::fs;
use std::sync::OnceLock;

use chrono::{DateTime, Days, TimeZone, Utc};
use proptest::prelude::{ProptestConfig, prop, prop_assert_eq, proptest};
use proptest::sample::select;
use tokio::runtime::Runtime;
use towpath::{IndexPolicy, Lake};

use crate::support::{Fixture, event, lake_at, rows};

/// A lake whose store has an index for most data files, and the same without.
struct Lakes {
    runtime: Runtime,
    _folders: [Fixture; 2],
    indexed: Lake,
    plain: Lake,
}

/// When the events are ingested: all of them are within retention.
fn ingested_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 4, 10, 0, 0, 0).unwrap()
}

/// When it is asked: retention ends in the middle of an hour that has events.
fn asked_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 1, 12, 10, 30, 0).unwrap() + Days::new(2557)
}

fn events(part: u32) -> Vec<String> {
    let of = |number: u32| {
        let random = number.wrapping_mul(2_654_435_761_u32.wrapping_add(2 * part)) >> 7;
        let (day, hour, minute) = (10 + random % 3, 9 + random / 3 % 3, random / 9 % 60);
        let month = 1 + part % 3;
        let time = format!("2024-{month:02}-{day}T{hour:02}:{minute:02}:{:02}Z", number % 60);
        let error = ["", r#","errorCode":"AccessDenied""#, r#","errorCode":"Throttling""#];
        let more = format!(
            r#","awsRegion":"eu-{}","userIdentity":{{"type":"IAMUser","arn":"arn:{}","principalId":"AID{}"}}{}"#,
            random % 2,
            random % 5,
            random % 7,
            error[(random / 11 % 3) as usize],
        );
        let name = ["GetObject", "PutObject", "DeleteBucket"][(random / 5 % 3) as usize];
        let event = event(&format!("{part}-{number}"), name, &time, &more);
        if random.is_multiple_of(4) {
            event.replace("s3.amazonaws", "ec2.amazonaws")
        } else {
            event
        }
    };
    (0..60 + part).map(of).collect()
}

async fn fixture(is_indexed: bool) -> (Fixture, Lake) {
    let fixture = Fixture::at(ingested_at()).await;
    for part in 0..6 {
        let events = events(part);
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        fixture.ingest(&events).await;
        if is_indexed && part == 4 {
            fixture.store.index(&IndexPolicy::THOROUGH).await.unwrap();
        }
    }
    let lake = lake_at(&fixture.folder.path().join("lake"), asked_at()).await;
    (fixture, lake)
}

fn lakes() -> &'static Lakes {
    static LAKES: OnceLock<Lakes> = OnceLock::new();
    LAKES.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (with, indexed) = runtime.block_on(fixture(true));
        let (without, plain) = runtime.block_on(fixture(false));
        Lakes { runtime, _folders: [with, without], indexed, plain }
    })
}

const GROUPS: [&str; 11] = [
    "",
    "eventSource",
    "eventName",
    "userIdentity.arn",
    "date_trunc('hour', eventTime)",
    "date_trunc('day', eventTime), eventSource",
    "date_trunc('month', eventTime), errorCode",
    "errorCode, eventName",
    "calendarday",
    "awsRegion, recipientAccountId",
    "date_trunc('minute', eventTime)",
];
const VALUES: [&str; 8] = [
    "count(*)",
    "count(1), count(errorCode)",
    "count(DISTINCT userIdentity.principalId)",
    "min(eventName), max(errorCode), count(*)",
    "count(*) * 2, count(DISTINCT eventSource)",
    "max(eventTime), count(*)",
    "count(*) FILTER (WHERE errorCode IS NULL)",
    "approx_distinct(eventName)",
];
const FILTERS: [&str; 13] = [
    "true",
    "errorCode = 'AccessDenied'",
    "errorCode IS NOT NULL",
    "eventName IN ('GetObject', 'DeleteBucket') AND eventSource LIKE 's3%'",
    "eventTime >= '2024-01-12' AND eventTime < '2024-03-11'",
    "eventTime >= '2024-01-11 10:00:00' AND eventTime < '2024-02-11 11:00:00'",
    "eventTime > '2024-01-11 10:07:13' AND eventTime <= '2024-03-11 09:59:59'",
    "eventTime BETWEEN timestamp '2024-02-10 10:00:00' AND timestamp '2024-02-12 00:00:00'",
    "NOT (eventTime < '2024-02-11' OR userIdentity.arn = 'arn:2')",
    "calendarday = 20240211 OR errorCode = 'Throttling'",
    "userIdentity.arn = 'arn:1' AND eventTime < '2024-02-01'",
    "date_trunc('hour', eventTime) = timestamp '2024-02-10 10:00:00'",
    "eventTime = timestamp '2024-02-10 10:00:00' OR eventID = '1-7'",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_events(
        groups in select(GROUPS.to_vec()),
        values in select(VALUES.to_vec()),
        filters in prop::collection::vec(select(FILTERS.to_vec()), 1..3),
    ) {
        let lakes = lakes();
        let mut statement = format!("SELECT {values} FROM trail WHERE ({})", filters.join(") AND ("));
        if !groups.is_empty() {
            statement = statement.replacen("SELECT", &format!("SELECT {groups},"), 1);
            statement.push_str(&format!(" GROUP BY {groups}"));
        }
        let (mut found, mut expected) = lakes.runtime.block_on(async {
            (rows(&lakes.indexed, &statement).await, rows(&lakes.plain, &statement).await)
        });
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected, "{}", statement);
    }
}

/// The first line of a plan that says what summaries did, if they did anything.
fn told(statement: &str) -> Option<String> {
    let lakes = lakes();
    let plan = lakes.runtime.block_on(rows(&lakes.indexed, &format!("EXPLAIN {statement}")));
    let line = plan[0][0].lines().find(|line| line.contains("Summaries of trail"));
    line.map(|line| line.trim_start_matches(['│', ' ']).to_owned())
}

#[test]
fn only_files_that_are_cut_or_have_no_summary_are_read() {
    // Retention cuts through an hour of the two files of January, and one has no index.
    for (statement, expected) in [
        ("SELECT eventName, count(*) FROM trail GROUP BY 1", "3 data files counted, 3 to be read"),
        (
            "SELECT count(*) FROM trail WHERE errorCode = 'x' AND eventTime >= '2024-02-01'",
            "3 data files counted, 1 to be read",
        ),
    ] {
        let told = told(statement).unwrap_or_default();
        assert!(told.ends_with(expected), "{statement}\n{told}");
    }
    for statement in [
        "SELECT count(*) FROM trail WHERE eventID = '1-7'",
        "SELECT userAgent, count(*) FROM trail GROUP BY 1",
        "SELECT errorCode, date_trunc('hour', eventTime), count(*) FROM trail GROUP BY 1, 2",
        "SELECT eventName, max(eventTime) FROM trail GROUP BY 1",
        "SELECT eventName FROM trail WHERE errorCode IS NULL",
    ] {
        assert_eq!(told(statement), None, "{statement}");
    }
}

#[tokio::test]
async fn damaged_summary_changes_no_answer() {
    let fixture = Fixture::at(ingested_at()).await;
    for part in 0..3 {
        let events = events(part);
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        fixture.ingest(&events).await;
    }
    let statement = "SELECT eventName, errorCode, count(*) FROM trail GROUP BY 1, 2 ORDER BY 1, 2";
    let expected = fixture.rows(statement).await;
    fixture.store.index(&IndexPolicy::THOROUGH).await.unwrap();
    let folder = fixture.folder.path().join("lake/stores").join(fixture.store.id().to_string());
    let listed = fs::read_dir(folder.join("_towpath/index")).unwrap();
    let [span]: [_; 1] =
        listed.map(|entry| entry.unwrap().path()).collect::<Vec<_>>().try_into().unwrap();
    let whole = fs::read(&span).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 12) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x21;
        for content in [&damaged[..], &whole[..place]] {
            fs::write(&span, content).unwrap();
            let lake = lake_at(&fixture.folder.path().join("lake"), ingested_at()).await;
            assert_eq!(rows(&lake, statement).await, expected, "byte {place}");
        }
    }
}
