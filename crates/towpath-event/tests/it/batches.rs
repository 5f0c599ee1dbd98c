//! Many log files in one batch.

use towpath_event::{EventBatchBuilder, event_identity, leaves};

use crate::cells::{Cell, cells};
use crate::refused::SAMPLE;

fn log_file(events: &[&str]) -> Vec<u8> {
    format!(r#"{{"Records":[{}]}}"#, events.join(",")).into_bytes()
}

#[test]
fn a_batch_holds_its_events_in_the_order_they_came() {
    let mut builder = EventBatchBuilder::new();
    for n in 0..300 {
        // Every third event lacks what the others have, so that nulls stand among values.
        let more = if n % 3 == 0 { "" } else { r#","requestParameters":{"n":1},"readOnly":true"# };
        let event = format!(r#"{{"eventTime":"2023-07-10T12:00:00Z","eventID":"{n}"{more}}}"#);
        assert_eq!(builder.append_log_file(&log_file(&[&event])).unwrap().events, 1);
    }
    assert_eq!(builder.events(), 300);
    let batch = builder.finish();
    for (field, leaf) in batch.columns.schema().fields().iter().zip(leaves()) {
        assert_eq!((field.name(), field.data_type()), (&leaf.column, &leaf.batch_type()));
    }
    assert_eq!(batch.identities.len(), 300);
    for (n, row) in cells(&batch).into_iter().enumerate() {
        assert_eq!(row["eventID"], Cell::text(&n.to_string()));
        let expected = if n % 3 == 0 { Cell::Null } else { Cell::map(&[("n", Some("1"))]) };
        assert_eq!(row["requestParameters"], expected);
        assert_eq!(row["readOnly"] == Cell::Null, n % 3 == 0);
    }
}

#[test]
fn a_summary_tells_number_and_times_of_the_events_of_its_log_file() {
    let mut builder = EventBatchBuilder::new();
    let event = |time: &str| format!(r#"{{"eventTime":"{time}"}}"#);
    let times = ["2023-07-10T12:00:00Z", "2023-07-09T12:00:00Z", "2023-07-11T12:00:00Z"];
    let [a, b, c] = times.map(event);
    let summary = builder.append_log_file(&log_file(&[&a, &b, &c])).unwrap();
    assert_eq!(summary.events, 3);
    assert_eq!(summary.event_times, Some((1_688_904_000_000_000, 1_689_076_800_000_000)));
    let summary = builder.append_log_file(&log_file(&[&a])).unwrap();
    assert_eq!(summary.event_times, Some((1_688_990_400_000_000, 1_688_990_400_000_000)));
    let summary = builder.append_log_file(br#"{"Records":[]}"#).unwrap();
    assert_eq!((summary.events, summary.event_times), (0, None));
}

#[test]
fn a_builder_can_be_used_again_after_finishing() {
    let mut builder = EventBatchBuilder::new();
    assert_eq!(builder.finish().columns.num_rows(), 0);
    builder.append_log_file(SAMPLE.as_bytes()).unwrap();
    let first = builder.finish();
    assert_eq!((builder.events(), builder.text_bytes()), (0, 0));
    builder.append_log_file(SAMPLE.as_bytes()).unwrap();
    let second = builder.finish();
    assert_eq!(first.columns, second.columns);
    assert_eq!(first.identities, second.identities);
}

#[test]
fn identities_are_those_of_the_stored_columns() {
    let mut builder = EventBatchBuilder::new();
    let events = [
        r#"{"eventTime":"2023-07-10T12:00:00Z","eventID":"e","recipientAccountId":"1"}"#,
        r#"{"eventTime":"2023-07-10T12:00:00Z","eventID":"e","recipientAccountId":"1","x":1}"#,
        r#"{"eventTime":"2023-07-10T12:00:00Z","eventID":"e","recipientAccountId":"2"}"#,
        r#"{"eventTime":"2023-07-10T12:00:00Z","eventID":"e"}"#,
        r#"{"eventTime":"2023-07-10T12:00:00Z"}"#,
        r#"{"eventTime":"2023-07-10T12:00:01Z"}"#,
        r#"{"eventTime":"2023-07-10T12:00:00Z","eventID":""}"#,
    ];
    builder.append_log_file(&log_file(&events)).unwrap();
    let identities = builder.finish().identities;
    let accounts_and_ids = [
        (Some("1"), Some("e")),
        (Some("1"), Some("e")),
        (Some("2"), Some("e")),
        (None, Some("e")),
        (None, None),
        (None, None),
        (None, Some("")),
    ];
    for ((event, (account, id)), identity) in events.iter().zip(accounts_and_ids).zip(&identities) {
        assert_eq!(*identity, event_identity(account, id, event), "{event}");
    }
    assert_eq!(identities[0].key, identities[1].key);
    assert_ne!(identities[0].content, identities[1].content);
    let mut keys: Vec<u128> = identities.iter().map(|identity| identity.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), events.len() - 1);
}
