//! Redacted fields are gone from answers for good, and everything else stays.

use towpath::{
    ErrorKind, IndexPolicy, NewHold, RedactedEvent, Redaction, TimeRange, VerificationOptions,
};

use crate::index::spans;
use crate::support::{Fixture, event, now};

const PERSON: &str = r#","userIdentity":{"type":"IAMUser","userName":"J\u00f6rg","arn":"arn:aws:iam::1:user/joerg"},"sourceIPAddress":"192.0.2.7","requestParameters":{"bucketName":"logs","owner":{"mail":"j@example.org","n":1e2}},"unknownField":{"mail":"j@example.org"}"#;

fn redaction(ids: &[&str], fields: &[&str]) -> Redaction {
    Redaction {
        event_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        reason: "erasure request 7".into(),
        by: "jdoe".into(),
        range: None,
        is_plan: false,
    }
}

const FIELDS: [&str; 4] = [
    "userIdentity.userName",
    "sourceipaddress",
    "requestParameters.owner.mail",
    "unknownField.mail",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redacted_fields_are_null_in_columns_and_text_and_all_else_stays() {
    let fixture = Fixture::new().await;
    let one = event("one", "GetObject", "2026-10-01T00:00:00Z", PERSON);
    let other = event("other", "PutObject", "2026-10-01T00:00:01Z", PERSON);
    fixture.ingest(&[&one, &other]).await;
    let others = "SELECT * FROM trail WHERE eventID <> 'one'";
    let before = fixture.rows(others).await;

    let mut plan = redaction(&["one"], &FIELDS);
    plan.is_plan = true;
    let planned = fixture.store.redact(&plan).await.unwrap();
    assert_eq!(planned.version, None);
    let done = fixture.store.redact(&redaction(&["one"], &FIELDS)).await.unwrap();
    assert_eq!(done.events, planned.events);
    let [RedactedEvent { event_id, values, .. }] = done.events.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!((event_id.as_str(), *values), ("one", 4));

    let expected = one
        .replace(r#""J\u00f6rg""#, "null")
        .replace(r#""192.0.2.7""#, "null")
        .replace(r#""j@example.org""#, "null");
    let shown = "SELECT userIdentity.userName, sourceIPAddress, userIdentity.arn, \
                 element_at(requestParameters, 'owner'), eventJson, eventJsonChecksum = \
                 lower(to_hex(sha256(to_utf8(eventJson)))) FROM trail WHERE eventID = 'one'";
    let owner = r#"{"mail":null,"n":1e2}"#;
    let arn = "arn:aws:iam::1:user/joerg";
    assert_eq!(fixture.rows(shown).await, [["NULL", "NULL", arn, owner, &expected, "true"]]);
    assert_eq!(fixture.rows(others).await, before);

    let report = fixture.lake.verify("trail", &VerificationOptions::all(now())).await.unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!(report.redactions[0].event_ids, ["one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redacted_values_leave_the_index_at_once() {
    let fixture = Fixture::new().await;
    let one = event("one", "GetObject", "2026-10-01T00:00:00Z", PERSON);
    let other = event("other", "PutObject", "2026-10-01T00:00:01Z", PERSON);
    fixture.ingest(&[&one, &other]).await;
    fixture.store.index(&IndexPolicy::THOROUGH).await.unwrap();
    let [before] = spans(&fixture).try_into().unwrap();
    fixture.store.redact(&redaction(&["one"], &FIELDS)).await.unwrap();
    let [after] = spans(&fixture).try_into().unwrap();
    assert_ne!(after, before);
    let address = "SELECT eventID FROM trail WHERE sourceIPAddress = '192.0.2.7'";
    assert_eq!(fixture.rows(address).await, [["other"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redacted_event_does_not_come_back_from_any_log_file() {
    let fixture = Fixture::new().await;
    let one = event("one", "GetObject", "2026-10-01T00:00:00Z", PERSON);
    fixture.ingest(&[&one]).await;
    fixture.store.redact(&redaction(&["one"], &FIELDS)).await.unwrap();
    let again = fixture.ingest(&[&one]).await;
    assert_eq!(again.events.stored, 0, "the same log file");
    let other = event("two", "GetObject", "2026-10-01T00:00:00Z", "");
    let changed = one.replace("192.0.2.7", "192.0.2.8");
    let again = fixture.ingest(&[&one, &other, &changed]).await;
    assert_eq!((again.events.stored, again.events.duplicate), (1, 2), "{again:?}");
    let ips = "SELECT DISTINCT sourceIPAddress FROM trail";
    assert_eq!(fixture.rows(ips).await, [["NULL"]]);
    // Nothing is left to take out.
    let again = fixture.store.redact(&redaction(&["one"], &FIELDS)).await.unwrap();
    assert_eq!((again.version, again.events.len()), (None, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redaction_is_refused_for_identities_and_under_a_hold() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("one", "GetObject", "2026-10-01T00:00:00Z", PERSON)]).await;
    for field in ["eventID", "eventtime", "", "a..b"] {
        let refused = fixture.store.redact(&redaction(&["one"], &[field])).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{field}");
    }
    let new = NewHold { range: TimeRange::ALL, reason: "case".into(), placed_by: "w".into() };
    fixture.store.place_hold(new).await.unwrap();
    let refused = fixture.store.redact(&redaction(&["one"], &FIELDS)).await.unwrap_err();
    assert!(refused.to_string().contains("legal hold"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maintenance_signs_the_store_once_a_day() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("one", "GetObject", "2026-10-01T00:00:00Z", "")]).await;
    for _ in 0..2 {
        fixture.store.maintain().await.unwrap();
        fixture.ingest(&[&event("two", "GetObject", "2026-10-01T00:00:00Z", "")]).await;
    }
    let report = fixture.lake.verify("trail", &VerificationOptions::all(now())).await.unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!(report.signed_checkpoints, 1);
}
