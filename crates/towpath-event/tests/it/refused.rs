//! What is refused, where, and that nothing of it stays.

use towpath_event::{BATCH_TEXT_BYTES_MAX, DecodeError, EventBatch, EventBatchBuilder, Place};

/// A log file with something of everything.
pub(crate) const SAMPLE: &str = concat!(
    r#"{"Owner":[{"a":[1,-2.5e+3,{}]},null],"Records":[{"eventVersion":"1.11","userIdentity":"#,
    r#"{"type":"AssumedRole","sessionContext":{"attributes":{"creationDate":"20131102T010628Z","#,
    r#""sourceIdentity":"alice"},"webIdFederationData":{"attributes":{"k":"v"}}}},"#,
    r#""eventTime":"2023-07-10T12:00:00Z","requestParameters":{"a":{"b":[true,false]},"c":"\u00e9\n"},"#,
    r#""responseElements":null,"resources":[{"ARN":"x","type":"AWS::S3::Object"},7],"#,
    r#""readOnly":true,"eventID":"6b54e0ad","recipientAccountId":"123456789012"},"#,
    r#"{"eventTime":"2023-07-10T12:00:01Z","userAgent":"ü \ud83d\ude00","eventContext":{}}]"#,
    r#","Trailer":{"n":1e400}}"#
);

fn refusal(text: &str) -> DecodeError {
    EventBatchBuilder::new().append_log_file(text.as_bytes()).unwrap_err()
}

fn place(offset: u64, record: Option<u64>, records_before: u64) -> Place {
    Place { offset, record, records_before }
}

#[test]
fn broken_json_is_refused_wherever_it_stands() {
    let good = r#"{"eventTime":"2023-07-10T12:00:00Z"}"#;
    for text in [
        "",
        "  \n",
        "{",
        "nul",
        "[1,]",
        "{\"Records\":[]}}",
        "{\"Records\":[]} x",
        "{\"Records\":[]}{\"Records\":[]}",
        "{\"Records\":[],}",
        "{\"Records\":[,]}",
        "{\"Records\":[]\"a\":1}",
        "{\"Records\" []}",
        "{Records:[]}",
        "{'Records':[]}",
        &format!("{{\"Records\":[{good},]}}"),
        &format!("{{\"Records\":[{good} {good}]}}"),
        &format!("{{\"Records\":[{good}],\"a\":NaN}}"),
        &format!("{{\"Records\":[{good}],\"a\":Infinity}}"),
        &format!("{{\"Records\":[{good}],\"a\":01}}"),
        &format!("{{\"Records\":[{good}],\"a\":1.}}"),
        &format!("{{\"Records\":[{good}],\"a\":.5}}"),
        &format!("{{\"Records\":[{good}],\"a\":+1}}"),
        &format!("{{\"Records\":[{good}],\"a\":1e}}"),
        &format!("{{\"Records\":[{good}],\"a\":-}}"),
        &format!("{{\"Records\":[{good}],\"a\":\"\\x41\"}}"),
        &format!("{{\"Records\":[{good}],\"a\":\"\\u12g4\"}}"),
        &format!("{{\"Records\":[{good}],\"a\":truE}}"),
        &format!("{{\"Records\":[{good}],\"a\":[1}}}}"),
        &format!("{{\"Records\":[{good}],\"a\":{{]}}"),
        "\u{feff}\u{feff}{\"Records\":[]}",
        "\u{a0}{\"Records\":[]}",
        "// log\n{\"Records\":[]}",
    ] {
        let error = refusal(text);
        assert!(
            matches!(error, DecodeError::Syntax { .. } | DecodeError::Truncated { .. }),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn the_place_of_a_fault_tells_byte_record_and_how_many_came_before() {
    let good = r#"{"eventTime":"2023-07-10T12:00:00Z"}"#;
    let two = format!(r#"{{"Records":[{good},{good}"#);
    let after_two = two.len() as u64;
    for (rest, place) in [
        (r#",{"eventTime":}]}"#, place(after_two + 14, Some(3), 2)),
        (r#"],"a":?}"#, place(after_two + 6, None, 2)),
        ("]} ?", place(after_two + 3, None, 2)),
    ] {
        let error = refusal(&format!("{two}{rest}"));
        assert_eq!(error.place(), Some(place), "{rest}: {error:?}");
    }
    assert_eq!(refusal(&format!("{two},{{")).place(), Some(place(after_two + 2, Some(3), 2)));
    assert_eq!(refusal(&format!("{two},{{")).records_seen(), 3);
    assert_eq!(refusal(&two).place(), Some(place(after_two, None, 2)));
    assert_eq!(refusal(&two).records_seen(), 2);
    assert_eq!(refusal(&format!("{two},7]}}")).records_seen(), 3);
}

#[test]
fn json_that_is_no_log_file_is_told_so() {
    for text in [
        "{}",
        "null",
        "7",
        "\"Records\"",
        "[{\"Records\":[]}]",
        "{\"records\":[]}",
        "{\"Records\":{}}",
        "{\"Records\":null}",
        "{\"digestS3Bucket\":\"b\",\"logFiles\":[]}",
    ] {
        assert_eq!(refusal(text), DecodeError::NoRecords, "{text}");
        assert_eq!(refusal(text).records_seen(), 0);
    }
}

#[test]
fn a_record_that_is_no_object_is_refused() {
    for record in ["7", "null", "\"x\"", "[]", "[{}]", "true"] {
        let text = format!(r#"{{"Records":[{record}]}}"#);
        let place = place(12, Some(1), 0);
        assert_eq!(refusal(&text), DecodeError::RecordNotObject { place }, "{record}");
    }
}

#[test]
fn a_record_without_a_time_is_refused() {
    for record in [
        r#"{}"#,
        r#"{"eventID":"e"}"#,
        r#"{"EventTime":"2023-07-10T12:00:00Z"}"#,
        r#"{"userIdentity":{"eventTime":"2023-07-10T12:00:00Z"}}"#,
    ] {
        let text = format!(r#"{{"Records":[{record}]}}"#);
        let place = place(12, Some(1), 0);
        assert_eq!(refusal(&text), DecodeError::NoEventTime { place }, "{record}");
    }
}

#[test]
fn a_time_that_is_none_is_refused_even_after_one_that_is() {
    for time in ["\"yesterday\"", "\"\"", "1688990400", "null", "{}", "[\"2023-07-10T12:00:00Z\"]"]
    {
        let text =
            format!(r#"{{"Records":[{{"eventTime":"2023-07-10T12:00:00Z","eventTime":{time}}}]}}"#);
        let place = place(60, Some(1), 0);
        assert_eq!(refusal(&text), DecodeError::EventTimeNotATime { place }, "{time}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_at_its_first_bad_byte() {
    let start = br#"{"Records":[{"eventTime":"2023-07-10T12:00:00Z"},{"userAgent":""#;
    for bad in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80"] {
        let text = [start, bad, br#""}]}"#].concat();
        let error = EventBatchBuilder::new().append_log_file(&text).unwrap_err();
        let place = place(start.len() as u64, Some(2), 1);
        assert_eq!(error, DecodeError::NotUtf8 { place }, "{bad:?}");
    }
    let after_all = [br#"{"Records":[]}"#, &b"\xff"[..]].concat();
    let error = EventBatchBuilder::new().append_log_file(&after_all).unwrap_err();
    assert_eq!(error, DecodeError::NotUtf8 { place: place(14, None, 0) });
    // An earlier fault is told rather than a later one.
    let error = EventBatchBuilder::new().append_log_file(b"{?\xff").unwrap_err();
    assert!(matches!(error, DecodeError::Syntax { place: Place { offset: 1, .. }, .. }));
}

#[test]
fn errors_tell_the_place_and_nothing_of_the_text() {
    let secret = r#"{"Records":[{"eventTime":"secret"}]}"#;
    assert_eq!(
        refusal(secret).to_string(),
        "`eventTime` of record is not a time such as 2023-07-10T12:00:00Z in record 1 at byte 25"
    );
    assert_eq!(
        refusal(r#"{"Records":[secret]}"#).to_string(),
        "log file is not JSON: expected a value in record 1 at byte 12"
    );
    assert_eq!(refusal("{}").to_string(), "log file has no `Records` array");
    assert_eq!(refusal("{").to_string(), "log file ends early at byte 1");
}

#[test]
fn a_log_file_cut_at_any_byte_is_refused_and_leaves_nothing() {
    let mut builder = EventBatchBuilder::new();
    for end in 0..SAMPLE.len() {
        let result = builder.append_log_file(&SAMPLE.as_bytes()[..end]);
        match SAMPLE.get(..end) {
            Some(_) => assert!(matches!(result, Err(DecodeError::Truncated { .. })), "{end}"),
            None => assert!(matches!(result, Err(DecodeError::NotUtf8 { .. })), "{end}"),
        }
        assert_eq!((builder.events(), builder.text_bytes()), (0, 0));
    }
    assert_same(&builder.finish(), &EventBatchBuilder::new().finish());
}

#[test]
fn a_refused_log_file_leaves_the_batch_as_it_was() {
    let mut expected = EventBatchBuilder::new();
    expected.append_log_file(SAMPLE.as_bytes()).unwrap();
    expected.append_log_file(SAMPLE.as_bytes()).unwrap();
    let expected = expected.finish();
    for end in 0..SAMPLE.len() {
        let mut builder = EventBatchBuilder::new();
        builder.append_log_file(SAMPLE.as_bytes()).unwrap();
        let (events, text_bytes) = (builder.events(), builder.text_bytes());
        builder.append_log_file(&SAMPLE.as_bytes()[..end]).unwrap_err();
        assert_eq!((builder.events(), builder.text_bytes()), (events, text_bytes));
        builder.append_log_file(SAMPLE.as_bytes()).unwrap();
        assert_same(&builder.finish(), &expected);
    }
}

#[test]
fn a_refused_log_file_at_the_end_leaves_the_batch_as_it_was() {
    let mut expected = EventBatchBuilder::new();
    expected.append_log_file(SAMPLE.as_bytes()).unwrap();
    let expected = expected.finish();
    for end in 0..SAMPLE.len() {
        let mut builder = EventBatchBuilder::new();
        builder.append_log_file(SAMPLE.as_bytes()).unwrap();
        builder.append_log_file(&SAMPLE.as_bytes()[..end]).unwrap_err();
        assert_same(&builder.finish(), &expected);
    }
}

#[test]
fn a_text_beyond_what_arrow_can_count_is_refused_unread() {
    assert_eq!(i32::try_from(BATCH_TEXT_BYTES_MAX), Ok(i32::MAX));
    // Zeroed memory that is never read or written costs nothing.
    let zeros = vec![0; BATCH_TEXT_BYTES_MAX + 1];
    let mut builder = EventBatchBuilder::new();
    let error = builder.append_log_file(&zeros).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { .. }), "{error:?}");
    builder.append_log_file(SAMPLE.as_bytes()).unwrap();
    let error = builder.append_log_file(&zeros[1..]).unwrap_err();
    assert_eq!(error, DecodeError::BatchFull);
    assert_eq!(builder.events(), 2);
}

fn assert_same(actual: &EventBatch, expected: &EventBatch) {
    assert_eq!(actual.columns, expected.columns);
    assert_eq!(actual.identities, expected.identities);
}
