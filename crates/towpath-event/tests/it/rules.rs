//! What the columns hold, rule by rule.

use towpath_event::EventBatchBuilder;

use crate::cells::{Cell, cells, cells_of_event, cells_of_fields};

#[test]
fn varchar_columns_take_any_value_as_its_text() {
    for (value, expected) in [
        (r#""us-east-1""#, Cell::text("us-east-1")),
        (r#""""#, Cell::text("")),
        ("null", Cell::Null),
        ("true", Cell::text("true")),
        ("false", Cell::text("false")),
        ("-0.50E+7", Cell::text("-0.50E+7")),
        ("123456789012345678901234567890", Cell::text("123456789012345678901234567890")),
        ("1e400", Cell::text("1e400")),
        (r#"{ "a" : [1, "\n"] }"#, Cell::text(r#"{ "a" : [1, "\n"] }"#)),
        ("[ ]", Cell::text("[ ]")),
    ] {
        let cells = cells_of_fields(&format!(r#""awsRegion":{value}"#));
        assert_eq!(cells["awsRegion"], expected, "{value}");
    }
}

#[test]
fn strings_lose_their_escapes() {
    for (text, expected) in [
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r"\u0041\u00e9\u20AC\uD83D\uDE00", "Aé€😀"),
        (r"a\u0000b", "a\0b"),
        (r"\ud800", "\u{fffd}"),
        (r"\ud800x\udc00", "\u{fffd}x\u{fffd}"),
        (r"\ud800\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud800\n", "\u{fffd}\n"),
        (r"\ud800\u0041", "\u{fffd}A"),
        (r"\\u0041", r"\u0041"),
        ("tab\tand\u{1}raw\nline", "tab\tand\u{1}raw\nline"),
        ("über\u{10ffff}", "über\u{10ffff}"),
    ] {
        let cells = cells_of_fields(&format!(r#""userAgent":"{text}""#));
        assert_eq!(cells["userAgent"], Cell::text(expected), "{text}");
        let Cell::Text(event_json) = &cells["eventJson"] else { panic!("no eventJson") };
        assert!(event_json.contains(text), "{text}");
    }
}

#[test]
fn quotes_and_backslashes_are_found_wherever_they_stand() {
    for length in 0..200 {
        let plain = "x".repeat(length);
        let cells = cells_of_fields(&format!(r#""userAgent":"{plain}","errorCode":"{plain}\"y""#));
        assert_eq!(cells["userAgent"], Cell::text(&plain));
        assert_eq!(cells["errorCode"], Cell::text(&format!("{plain}\"y")));
    }
}

#[test]
fn boolean_columns_take_booleans_and_their_names() {
    for (value, expected) in [
        ("true", Cell::Boolean(true)),
        ("false", Cell::Boolean(false)),
        (r#""true""#, Cell::Boolean(true)),
        (r#""false""#, Cell::Boolean(false)),
        (r#""\u0074rue""#, Cell::Boolean(true)),
        (r#""yes""#, Cell::Null),
        ("1", Cell::Null),
        ("null", Cell::Null),
        (r#"{"value":true}"#, Cell::Null),
    ] {
        let cells = cells_of_fields(&format!(r#""readOnly":{value},"managementEvent":{value}"#));
        assert_eq!(cells["readOnly"], expected, "{value}");
        assert_eq!(cells["managementEvent"], expected, "{value}");
    }
}

#[test]
fn map_columns_hold_scalars_as_text_and_nested_values_as_json() {
    let cells = cells_of_fields(concat!(
        r#""requestParameters":{"bucketName":"logs","n":1.50,"big":123456789012345678901,"#,
        r#""yes":true,"none":null,"list":[ {"a":"\u00e9"}],"row":{"value": true},"\u006bey":"","#,
        r#""":"empty key"}"#
    ));
    let expected = Cell::map(&[
        ("bucketName", Some("logs")),
        ("n", Some("1.50")),
        ("big", Some("123456789012345678901")),
        ("yes", Some("true")),
        ("none", None),
        ("list", Some(r#"[ {"a":"\u00e9"}]"#)),
        ("row", Some(r#"{"value": true}"#)),
        ("key", Some("")),
        ("", Some("empty key")),
    ]);
    assert_eq!(cells["requestParameters"], expected);
    assert_eq!(cells["responseElements"], Cell::Null);
}

#[test]
fn every_map_column_reads_its_own_field() {
    for (field, column) in [
        (r#""requestParameters":{"k":1}"#, "requestParameters"),
        (r#""responseElements":{"k":1}"#, "responseElements"),
        (r#""additionalEventData":{"k":1}"#, "additionalEventData"),
        (r#""serviceEventDetails":{"k":1}"#, "serviceEventDetails"),
        (r#""addendum":{"k":1}"#, "addendum"),
        (r#""edgeDeviceDetails":{"k":1}"#, "edgeDeviceDetails"),
        (r#""insightDetails":{"k":1}"#, "insightDetails"),
        (r#""eventContext":{"requestContext":{"k":1}}"#, "eventContext_requestContext"),
        (r#""eventContext":{"tagContext":{"k":1}}"#, "eventContext_tagContext"),
    ] {
        let cells = cells_of_fields(field);
        let expected = Cell::map(&[("k", Some("1"))]);
        let maps: Vec<_> = cells.iter().filter(|cell| *cell.1 == expected).collect();
        assert_eq!(maps, [(&column, &expected)]);
    }
}

#[test]
fn an_empty_object_is_an_empty_map_and_other_values_are_none() {
    for (value, expected) in [
        ("{}", Cell::map(&[])),
        ("{ }", Cell::map(&[])),
        ("null", Cell::Null),
        (r#""HIDDEN_DUE_TO_SECURITY_REASONS""#, Cell::Null),
        ("[{}]", Cell::Null),
        ("7", Cell::Null),
        ("false", Cell::Null),
    ] {
        let cells = cells_of_fields(&format!(r#""requestParameters":{value}"#));
        assert_eq!(cells["requestParameters"], expected, "{value}");
    }
}

#[test]
fn of_equal_keys_the_last_wins() {
    let cells = cells_of_fields(concat!(
        r#""eventName":"first","requestParameters":{"a":1},"eventID":"e1","#,
        r#""requestParameters":{"b":1,"a":2,"\u0062":3},"resources":[{"arn":"x"}],"#,
        r#""eventName":"last","eventId":"e2","readOnly":true,"resources":[{"ARN":"y","arn":"z"}],"#,
        r#""readOnly":null,"userAgent":"gone","userAgent":null"#
    ));
    assert_eq!(cells["eventName"], Cell::text("last"));
    assert_eq!(cells["requestParameters"], Cell::map(&[("a", Some("2")), ("b", Some("3"))]));
    assert_eq!(cells["eventID"], Cell::text("e2"));
    assert_eq!(cells["readOnly"], Cell::Null);
    assert_eq!(cells["userAgent"], Cell::Null);
    let resource = [None, None, Some("z".to_owned()), None];
    assert_eq!(cells["resources"], Cell::Resources(vec![Some(resource)]));
}

#[test]
fn a_repeated_row_replaces_all_of_the_first() {
    let first = r#""userIdentity":{"arn":"a","sessionContext":{"sourceIdentity":"s","attributes":{"mfaAuthenticated":"true"},"webIdFederationData":{"attributes":{"k":"v"}}}}"#;
    for second in [r#""userIdentity":{"type":"Root"}"#, r#""userIdentity":{"type":"Root"},"x":1"#] {
        let cells = cells_of_fields(&format!("{first},{second}"));
        let identity: Vec<_> = cells
            .iter()
            .filter(|(column, cell)| column.starts_with("userIdentity") && **cell != Cell::Null)
            .collect();
        assert_eq!(identity, [(&"userIdentity_type", &Cell::text("Root"))]);
    }
    let cells = cells_of_fields(&format!(r#"{first},"userIdentity":"root""#));
    let identity = cells.iter().filter(|(column, _)| column.starts_with("userIdentity"));
    assert!(identity.clone().count() > 20);
    assert!(identity.into_iter().all(|(_, cell)| *cell == Cell::Null));
}

#[test]
fn many_keys_with_some_equal_keep_the_last_of_each() {
    let entries: Vec<String> = (0..10_000).map(|n| format!(r#""key{}":{n}"#, n % 9_000)).collect();
    let cells = cells_of_fields(&format!(r#""requestParameters":{{{}}}"#, entries.join(",")));
    let Cell::Map(entries) = &cells["requestParameters"] else { panic!("no map") };
    assert_eq!(entries.len(), 9_000);
    assert_eq!(entries[0], ("key1000".to_owned(), Some("1000".to_owned())));
    assert_eq!(entries[8_999], ("key999".to_owned(), Some("9999".to_owned())));
}

#[test]
fn resources_keep_their_number_whatever_they_are() {
    let cells = cells_of_fields(concat!(
        r#""resources":[{"accountId":"1","type":"AWS::S3::Bucket","ARN":"b","extra":{}},"#,
        r#"{"type":"AWS::S3::Object","ARNPrefix":"p"},{},null,"arn",{"arnPrefix":7,"arn":["x"]}]"#
    ));
    let some = |text: &str| Some(text.to_owned());
    let expected = vec![
        Some([some("1"), some("AWS::S3::Bucket"), some("b"), None]),
        Some([None, some("AWS::S3::Object"), None, some("p")]),
        Some([None, None, None, None]),
        None,
        None,
        Some([None, None, some(r#"["x"]"#), some("7")]),
    ];
    assert_eq!(cells["resources"], Cell::Resources(expected));
    for (value, expected) in [
        ("[]", Cell::Resources(vec![])),
        ("null", Cell::Null),
        ("{}", Cell::Null),
        (r#""arn""#, Cell::Null),
    ] {
        let cells = cells_of_fields(&format!(r#""resources":{value}"#));
        assert_eq!(cells["resources"], expected, "{value}");
    }
}

#[test]
fn ids_in_other_spellings_count_and_other_letter_cases_do_not() {
    let cells = cells_of_fields(
        r#""eventId":"e","requestId":"r","EVENTNAME":"x","eventname":"x","useridentity":{"arn":"x"}"#,
    );
    assert_eq!(cells["eventID"], Cell::text("e"));
    assert_eq!(cells["requestID"], Cell::text("r"));
    assert_eq!(cells["eventName"], Cell::Null);
    assert_eq!(cells["userIdentity_arn"], Cell::Null);
}

#[test]
fn a_column_name_of_a_leaf_is_no_key() {
    let cells = cells_of_fields(r#""userIdentity_arn":"x","calendarday":1,"eventJson":"x""#);
    assert_eq!(cells["userIdentity_arn"], Cell::Null);
    let Cell::Text(event_json) = &cells["eventJson"] else { panic!("no eventJson") };
    assert!(event_json.starts_with('{'), "{event_json}");
}

#[test]
fn the_category_is_derived_where_it_is_missing() {
    let object = r#""resources":[{"type":"AWS::S3::Bucket"},{"type":"AWS::S3::Object"}]"#;
    for (fields, expected) in [
        (r#""eventName":"x""#, "Management"),
        (r#""managementEvent":true"#, "Management"),
        (r#""managementEvent":false"#, "Data"),
        (r#""managementEvent":"false","eventCategory":null"#, "Data"),
        (object, "Data"),
        (&format!(r#""managementEvent":true,{object}"#), "Management"),
        (r#""resources":[{"type":"AWS::KMS::Key"}]"#, "Management"),
        (r#""insightDetails":{"state":"Start"}"#, "Insight"),
        (r#""insightDetails":{},"managementEvent":false"#, "Insight"),
        (r#""insightDetails":null"#, "Management"),
        (r#""eventCategory":"NetworkActivity","managementEvent":false"#, "NetworkActivity"),
        (r#""eventCategory":"","managementEvent":false"#, ""),
    ] {
        assert_eq!(cells_of_fields(fields)["eventCategory"], Cell::text(expected), "{fields}");
    }
}

#[test]
fn nothing_else_is_made_up() {
    let event = r#"{"eventTime":"2023-07-10T12:00:00.25Z"}"#;
    let present: Vec<_> =
        cells_of_event(event).into_iter().filter(|(_, cell)| *cell != Cell::Null).collect();
    let expected = [
        ("eventCategory", Cell::text("Management")),
        ("eventJson", Cell::text(event)),
        ("eventTime", Cell::Micros(1_688_990_400_250_000)),
    ];
    assert_eq!(present, expected);
}

#[test]
fn event_json_is_the_exact_text_between_the_records_braces() {
    let event = "{ \"z\" : 1.0 ,\r\n\t\"eventTime\":\"2023-07-10T12:00:00Z\", \"z\":\"\\u0000\\ud800\\/\", \"a\":{ } }";
    let text =
        format!("\u{feff} {{ \"v\":[[]], \"Records\" :\n[ {event}\t,{event} ] , \"x\":1 }}\r\n");
    let mut builder = EventBatchBuilder::new();
    assert_eq!(builder.append_log_file(text.as_bytes()).unwrap().events, 2);
    assert_eq!(builder.text_bytes(), 2 * event.len());
    for row in cells(&builder.finish()) {
        assert_eq!(row["eventJson"], Cell::text(event));
    }
}

#[test]
fn records_may_stand_anywhere_and_more_than_once() {
    let event = |id: &str| format!(r#"{{"eventTime":"2023-07-10T12:00:00Z","eventID":"{id}"}}"#);
    let text = format!(
        r#"{{"Records":null,"a":{{"Records":[1]}},"Records":[{}],"\u0052ecords":[{},{}],"Records":7}}"#,
        event("1"),
        event("2"),
        event("3"),
    );
    let mut builder = EventBatchBuilder::new();
    assert_eq!(builder.append_log_file(text.as_bytes()).unwrap().events, 3);
    let ids: Vec<_> =
        cells(&builder.finish()).into_iter().map(|mut row| row.remove("eventID")).collect();
    assert_eq!(ids, ["1", "2", "3"].map(|id| Some(Cell::text(id))));
}

#[test]
fn nesting_of_any_depth_is_read() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":[0,"#, "]}]")] {
        let depth = 100_000;
        let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for field in ["userAgent", "unknown", "readOnly", "userIdentity", "resources"] {
            let cells = cells_of_fields(&format!(r#""{field}":{nested}"#));
            if field == "userAgent" {
                assert_eq!(cells["userAgent"], Cell::text(&nested));
            }
        }
        let cells = cells_of_fields(&format!(r#""requestParameters":{{"k":{nested}}}"#));
        assert_eq!(cells["requestParameters"], Cell::map(&[("k", Some(&nested))]));
    }
}

#[test]
fn a_string_of_ten_megabytes_is_read() {
    let long = "x".repeat(10 << 20);
    let cells = cells_of_fields(&format!(r#""requestParameters":{{"k":"{long}"}}"#));
    assert_eq!(cells["requestParameters"], Cell::map(&[("k", Some(&long))]));
}
