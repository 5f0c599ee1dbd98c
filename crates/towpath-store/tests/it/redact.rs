//! A redaction is on the record, leaves all other rows as they are, and waits for legal holds.

use crate::faulty_changes::{NameOfB, redaction};
use crate::support::{WAIT, append, local_store, micros, now};
use std::sync::Arc;
use towpath_store::{CompactionPolicy, Error, NewHold, Redactor, TimeRange, VerificationOptions};

fn redactor() -> Arc<dyn Redactor> {
    Arc::new(NameOfB)
}

#[tokio::test]
async fn redaction_is_one_commit_that_verification_shows() {
    let (_folder, catalog, store) = local_store().await;
    append(&store, &["a", "b", "c"]).await.unwrap();
    append(&store, &["d"]).await.unwrap();
    let mut plan = redaction();
    plan.is_plan = true;
    let plan = store.redact(&plan, &redactor(), now(), WAIT).await.unwrap();
    assert_eq!((plan.version, plan.data_files, plan.other_rows), (None, 1, 2));
    let done = store.redact(&redaction(), &redactor(), now(), WAIT).await.unwrap();
    assert_eq!((done.version, &done.events), (Some(3), &plan.events));
    store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();

    let report = catalog.verify("trail", &VerificationOptions::all(now())).await.unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    let shown = &report.redactions[0];
    assert_eq!((shown.version, shown.by.as_str(), shown.reason.as_str()), (3, "w", "r"));
    assert_eq!((&shown.fields[0], &shown.event_ids[0]), (&"eventName".to_owned(), &"b".to_owned()));
    assert_eq!(report.rows, 4);
    // Doing it again does nothing.
    let again = store.redact(&redaction(), &redactor(), now(), WAIT).await.unwrap();
    assert_eq!((again.version, again.events.len()), (None, 0));
}

#[tokio::test]
async fn event_under_a_legal_hold_is_not_redacted_until_it_is_released() {
    let (_folder, _catalog, store) = local_store().await;
    append(&store, &["b"]).await.unwrap();
    let place = |start, end| NewHold {
        range: TimeRange::new(micros(start), micros(end)).unwrap(),
        reason: "case".into(),
        placed_by: "w".into(),
    };
    store.place_hold(place(61, 100), now(), WAIT).await.unwrap();
    let hold = store.place_hold(place(60, 61), now(), WAIT).await.unwrap();
    for is_plan in [true, false] {
        let mut new = redaction();
        new.is_plan = is_plan;
        let err = store.redact(&new, &redactor(), now(), WAIT).await.unwrap_err();
        assert!(matches!(err, Error::RedactionRefused { .. }), "{err:?}");
        assert!(err.to_string().contains(&hold.id.to_string()), "{err}");
    }
    store.release_hold(hold.id, "judge", now(), WAIT).await.unwrap();
    let done = store.redact(&redaction(), &redactor(), now(), WAIT).await.unwrap();
    assert_eq!(done.events.len(), 1);
}

#[tokio::test]
async fn redaction_says_who_and_why_and_what() {
    let (_folder, _catalog, store) = local_store().await;
    append(&store, &["b"]).await.unwrap();
    let mut without_reason = redaction();
    without_reason.reason = " ".into();
    let mut without_name = redaction();
    without_name.by = "x".repeat(1_025);
    let mut without_fields = redaction();
    without_fields.fields.clear();
    let mut without_events = redaction();
    without_events.event_ids.clear();
    for new in [without_reason, without_name, without_fields, without_events] {
        let err = store.redact(&new, &redactor(), now(), WAIT).await.unwrap_err();
        assert!(matches!(err, Error::RedactionRefused { .. }), "{err:?}");
    }
    assert_eq!(store.snapshot().await.unwrap().version(), 1);
}
