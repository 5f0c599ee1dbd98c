//! Stores of the other kinds of events: filled from files, queried, joined with CloudTrail's own.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use towpath::{
    ErrorKind, EventKind, EventSelectors, IngestOptions, IngestReport, Intake, NewStore, Retention,
    Store, StoreChange,
};

use crate::support::{Fixture, event};

const ALL: IngestOptions =
    IngestOptions { from: None, to: None, apply_selectors: false, commit_text_bytes: 48 << 20 };

async fn new_store(fixture: &Fixture, name: &str, intake: Intake) -> Store {
    let mut new = NewStore::new(name, Retention::days(2557).unwrap());
    new.intake = intake;
    fixture.lake.create_store(new).await.unwrap()
}

async fn ingest(store: &Store, source: &Path, options: &IngestOptions) -> IngestReport {
    let source = source.to_str().unwrap();
    let report = store.ingest(&[source], options, &|_| ()).await.unwrap();
    assert!(report.events.reconcile(), "{report:?}");
    report
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if path.extension().is_some_and(|end| end == "gz") {
        let mut file = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
        file.write_all(text.as_bytes()).unwrap();
        file.finish().unwrap();
    } else {
        fs::write(path, text).unwrap();
    }
}

fn insight(id: &str, state: &str) -> Value {
    json!({
        "eventVersion": "1.08", "eventTime": "2026-10-01T10:00:00Z", "awsRegion": "eu-west-1",
        "eventID": id, "eventType": "AwsCloudTrailInsight", "recipientAccountId": "111122223333",
        "sharedEventID": "s-1", "eventCategory": "Insight",
        "insightDetails": {
            "state": state, "eventSource": "s3.amazonaws.com", "eventName": "DeleteBucket",
            "insightType": "ApiCallRateInsight",
            "insightContext": {
                "statistics": {"baseline": {"average": 0.25}, "insight": {"average": 4.5},
                               "insightDuration": 5, "baselineDuration": 11336},
                "attributions": [{"attribute": "userIdentityArn",
                                  "insight": [{"value": "arn:aws:iam::1:user/ann", "average": 4.5}],
                                  "baseline": []}],
            },
        },
    })
}

#[tokio::test]
async fn insights_of_a_trail_go_into_a_store_of_their_own() {
    let fixture = Fixture::new().await;
    let folder = fixture.folder.path().join("AWSLogs/111122223333");
    let log_file = folder.join("CloudTrail/eu-west-1/2026/10/01/a.json.gz");
    let delete = event("e-1", "DeleteBucket", "2026-10-01T10:01:00Z", "");
    write(&log_file, &format!(r#"{{"Records":[{delete}]}}"#));
    let insights = folder.join("CloudTrail-Insight/eu-west-1/2026/10/01/i.json.gz");
    let records = json!({"Records": [insight("i-1", "Start"), insight("i-2", "End")]});
    write(&insights, &records.to_string());

    let report = fixture.ingest_from(&folder).await;
    assert_eq!((report.events.stored, report.log_files.left_out.len()), (1, 1));
    let store = new_store(&fixture, "insights", Intake::of_kind(EventKind::Insight)).await;
    let report = ingest(&store, &folder, &ALL).await;
    assert_eq!((report.events.stored, report.events.filtered), (2, 0));
    assert_eq!(report.log_files.found, 1, "CloudTrail's own log files are not read");

    let rows = fixture
        .rows(
            "SELECT insightState, insightContext.insightAverage, insightContext.baselineDuration, \
             element_at(insightContext.attributions, 1).insight[1].value, calendarday \
             FROM insights WHERE insightEventName = 'DeleteBucket' ORDER BY eventID",
        )
        .await;
    let of = |state: &'static str| [state, "4.5", "11336", "arn:aws:iam::1:user/ann", "20261001"];
    assert_eq!(rows, [of("Start"), of("End")]);

    // Joins and unions with CloudTrail's own events.
    let rows = fixture
        .rows(
            "SELECT i.sharedEventId, e.eventId FROM insights i JOIN trail e \
             ON e.eventName = i.insightEventName AND e.eventTime > i.eventTime \
             WHERE i.insightState = 'End'",
        )
        .await;
    assert_eq!(rows, [["s-1", "e-1"]]);
    let rows = fixture
        .rows(
            "SELECT eventId, eventCategory FROM trail \
             UNION ALL SELECT eventId, eventCategory FROM insights ORDER BY 1",
        )
        .await;
    assert_eq!(rows, [["e-1", "Management"], ["i-1", "Insight"], ["i-2", "Insight"]]);
}

#[tokio::test]
async fn every_kind_is_filled_from_json_and_gzip_and_each_event_once() {
    let fixture = Fixture::new().await;
    for (number, kind) in EventKind::ALL.into_iter().skip(1).enumerate() {
        let name = format!("store-{number}");
        let store = new_store(&fixture, &name, Intake::of_kind(kind)).await;
        assert_eq!(store.intake().unwrap(), Intake::of_kind(kind));
        let folder = fixture.folder.path().join(&name);
        let one = |id: &str| {
            json!({"eventTime": "2026-10-01T10:00:00.123456Z", "eventID": id, "recipientAccountId": "1",
                   "eventCategory": kind.name(), "eventData": {"eventName": "x"}})
            .to_string()
        };
        write(&folder.join("list.json"), &format!("[{},{}]", one("a"), one("b")));
        write(&folder.join("lines.jsonl.gz"), &format!("{}\n{}\n", one("b"), one("c")));
        write(&folder.join("records.json.gz"), &format!(r#"{{"Records":[{}]}}"#, one("d")));
        write(&folder.join("broken.json"), &format!("{}\n{{", one("e")));
        let report = ingest(&store, &folder, &ALL).await;
        assert_eq!((report.events.stored, report.events.duplicate), (4, 1), "{kind:?}");
        assert_eq!(report.log_files.rejected, 1);
        assert!(report.rejected[0].path.ends_with("broken.json"));
        let again = ingest(&store, &folder, &ALL).await;
        assert_eq!((again.events.stored, again.log_files.already_ingested), (0, 3));

        let rows = fixture
            .rows(&format!(
                "SELECT count(*), count(DISTINCT eventId), min(eventCategory), \
                 CAST(max(eventTime) AS varchar) FROM {name}"
            ))
            .await;
        assert_eq!(rows, [["4", "4", kind.name(), "2026-10-01 10:00:00.123"]]);
        let rows = fixture
            .rows(&format!(
                "SELECT eventJson, eventJsonChecksum = lower(to_hex(sha256(to_utf8(eventJson)))) \
                 FROM {name} WHERE eventId = 'd'"
            ))
            .await;
        assert_eq!(rows, [[one("d"), "true".into()]]);
        // Every column can be read, however it nests.
        let all = fixture.rows(&format!("SELECT * FROM {name}")).await;
        assert_eq!((all.len(), all[0].len()), (4, kind.table().len()));
    }
}

#[tokio::test]
async fn events_of_another_category_are_counted_and_left_out() {
    let fixture = Fixture::new().await;
    let store = new_store(&fixture, "insights", Intake::of_kind(EventKind::Insight)).await;
    let file = fixture.folder.path().join("mixed.json");
    let own = event("e-1", "DeleteBucket", "2026-10-01T10:01:00Z", r#","eventType":"AwsApiCall""#);
    write(&file, &format!(r#"{{"Records":[{own},{}]}}"#, insight("i-1", "Start")));
    let report = ingest(&store, &file, &ALL).await;
    assert_eq!((report.events.seen, report.events.stored, report.events.filtered), (2, 1, 1));
    assert_eq!(fixture.rows("SELECT eventId FROM insights").await, [["i-1"]]);
}

#[tokio::test]
async fn a_file_that_is_too_large_to_be_read_at_once_is_taken_whole_in_each_form() {
    let fixture = Fixture::new().await;
    let store = new_store(&fixture, "config", Intake::of_kind(EventKind::ConfigurationItem)).await;
    // More than 32 MiB of text, in events of 8 MiB.
    let body = "x".repeat(8 << 20);
    let item = |id: &str| {
        format!(
            r#"{{"configurationItemCaptureTime":"2026-10-01T10:00:00Z","resourceId":"{id}","resourceType":"{body}"}}"#
        )
    };
    let items = |form: &str| (0..5).map(|n| item(&format!("{form}-{n}"))).collect::<Vec<_>>();
    for (form, text) in [
        (
            "list",
            format!(r#"{{"fileVersion":"1","configurationItems":[{}]}}"#, items("list").join(",")),
        ),
        ("array", format!("[{}]", items("array").join(",\n"))),
        ("lines", items("lines").join("\n")),
    ] {
        let file = fixture.folder.path().join(format!("{form}.json"));
        write(&file, &text);
        let report = ingest(&store, &file, &ALL).await;
        assert_eq!((report.log_files.ingested, report.events.stored), (1, 5), "{form}: {report:?}");
    }
    let rows = fixture
        .rows("SELECT eventData.resourceId, length(eventJson) > 8388608 FROM config ORDER BY 1")
        .await;
    let expected: Vec<[String; 2]> = ["array", "lines", "list"]
        .into_iter()
        .flat_map(|form| (0..5).map(move |n| [format!("{form}-{n}"), "true".to_owned()]))
        .collect();
    assert_eq!(rows, expected);

    // Of two lists only the last would count, and that cannot be told in time.
    let two = fixture.folder.path().join("two.json");
    let list = format!(r#""configurationItems":[{}]"#, items("two").join(","));
    write(&two, &format!("{{{list},{list}}}"));
    let report = ingest(&store, &two, &ALL).await;
    assert_eq!((report.log_files.rejected, report.events.stored), (1, 0));
    let message = &report.rejected[0].message;
    assert_eq!(message, "log file is large and has an object with two lists of events; split it");
}

const S3_READS: &str = "
- Name: S3 reads
  FieldSelectors:
  - {Field: eventCategory, Equals: Data}
  - {Field: resources.type, Equals: AWS::S3::Object}
  - {Field: readOnly, Equals: true}
- FieldSelectors:
  - {Field: eventCategory, Equals: Management}
  - {Field: eventName, StartsWith: [Delete]}
";

#[tokio::test]
async fn selectors_choose_events_when_asked_and_leave_history_whole() {
    let fixture = Fixture::new().await;
    let selectors = EventSelectors::parse(S3_READS).unwrap();
    let store = new_store(&fixture, "reads", Intake::selected(selectors.clone())).await;
    let object = |read: bool| {
        format!(
            r#","eventCategory":"Data","readOnly":{read},"resources":[{{"type":"AWS::S3::Object"}}]"#
        )
    };
    let time = "2026-10-01T10:00:00Z";
    let management = r#","eventCategory":"Management""#;
    let records = [
        event("1", "GetObject", time, &object(true)),
        event("2", "PutObject", time, &object(false)),
        event("3", "DeleteBucket", time, management),
        event("4", "CreateBucket", time, management),
    ];
    let file = fixture.folder.path().join("logs.json");
    write(&file, &format!(r#"{{"Records":[{}]}}"#, records.join(",")));

    let chosen = IngestOptions { apply_selectors: true, ..ALL };
    let report = ingest(&store, &file, &chosen).await;
    assert_eq!((report.events.seen, report.events.stored, report.events.filtered), (4, 2, 2));
    let ids = "SELECT eventId FROM reads ORDER BY 1";
    assert_eq!(fixture.rows(ids).await, [["1"], ["3"]]);

    // Asked for as history, the rest of the same file comes in, and nothing twice.
    let report = ingest(&store, &file, &ALL).await;
    assert_eq!((report.events.stored, report.events.duplicate, report.events.filtered), (2, 2, 0));
    assert_eq!(fixture.rows(ids).await.len(), 4);

    let kept = fixture.lake.store("reads").await.unwrap().intake().unwrap();
    assert_eq!(kept.selectors(), Some(&selectors));
}

#[tokio::test]
async fn selectors_change_within_their_kind_only() {
    let fixture = Fixture::new().await;
    let of = |category: &str| {
        let text = json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}]}]);
        EventSelectors::parse(&text.to_string()).unwrap()
    };
    let change =
        |category: &str| StoreChange { selectors: Some(of(category)), ..StoreChange::default() };
    fixture.store.update(change("Management")).await.unwrap();
    let store = fixture.lake.store("trail").await.unwrap();
    assert_eq!(store.intake().unwrap().selectors(), Some(&of("Management")));

    let err = store.update(change("Insight")).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert!(
        err.to_string().contains("`CloudTrail`, and the selectors are about `Insight`"),
        "{err}"
    );

    let insights = new_store(&fixture, "insights", Intake::selected(of("Insight"))).await;
    assert_eq!(insights.intake().unwrap().kind(), EventKind::Insight);
    insights.update(change("Insight")).await.unwrap();
}
