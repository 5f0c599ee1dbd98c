//! The kinds of events beside CloudTrail's own: their tables, and the files they come in.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, TimestampMicrosecondType};
use serde_json::{Value, json};
use towpath_event::{DecodeError, EventKind, KindDecoder, Shape, event_identity, parse_event_time};

fn decode(kind: EventKind, text: &str) -> RecordBatch {
    let mut decoder = KindDecoder::new(kind);
    decoder.append_log_file(text.as_bytes()).unwrap();
    decoder.finish().columns
}

fn refusal(kind: EventKind, text: &[u8]) -> DecodeError {
    let mut decoder = KindDecoder::new(kind);
    let err = decoder.append_log_file(text).unwrap_err();
    assert_eq!((decoder.events(), decoder.text_bytes()), (0, 0), "nothing of it is in");
    err
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn map(batch: &RecordBatch, column: &str, row: usize) -> Vec<(String, Option<String>)> {
    let entries = batch.column_by_name(column).unwrap().as_map().value(row);
    let (keys, values) =
        (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
    let entry =
        |at| (keys.value(at).to_owned(), values.is_valid(at).then(|| values.value(at).into()));
    (0..entries.len()).map(entry).collect()
}

/// A shape as Trino writes the type.
fn trino_type(shape: Shape) -> String {
    match shape {
        Shape::Boolean => "boolean".into(),
        Shape::Timestamp => "timestamp(3)".into(),
        Shape::Double => "double".into(),
        Shape::Integer => "integer".into(),
        Shape::MapOfVarchar => "map(varchar, varchar)".into(),
        Shape::Row(fields) => format!("row({})", trino_fields(fields)),
        Shape::Array(fields) => format!("array(row({}))", trino_fields(fields)),
        _ => "varchar".into(),
    }
}

fn trino_fields(fields: &[towpath_event::Field]) -> String {
    let field =
        |f: &towpath_event::Field| format!("{} {}", f.name.to_lowercase(), trino_type(f.shape));
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn columns(kind: EventKind) -> Vec<String> {
    let column = |c: &towpath_event::TableColumn| {
        format!("{} {}", c.name.to_lowercase(), trino_type(c.shape))
    };
    kind.table().iter().map(column).collect()
}

const HEAD: [&str; 7] = [
    "eventversion varchar",
    "eventcategory varchar",
    "eventtype varchar",
    "eventid varchar",
    "eventtime timestamp(3)",
    "awsregion varchar",
    "recipientaccountid varchar",
];

/// The columns after the common ones.
const TABLES: [(EventKind, &[&str]); 4] = [
    (
        EventKind::Insight,
        &[
            "sharedeventid varchar",
            "addendum map(varchar, varchar)",
            "insightsource varchar",
            "insightstate varchar",
            "insighteventsource varchar",
            "insighteventname varchar",
            "insighterrorcode varchar",
            "insighttype varchar",
            "insightcontext row(baselineaverage double, insightaverage double, \
                 baselineduration integer, insightduration integer, attributions array(row(\
                 attribute varchar, insightvalue varchar, insightaverage double, \
                 baselinevalue varchar, baselineaverage double, \
                 insight array(row(value varchar, average double)), \
                 baseline array(row(value varchar, average double)))))",
        ],
    ),
    (
        EventKind::ConfigurationItem,
        &[
            "addendum map(varchar, varchar)",
            "eventdata row(configurationitemversion varchar, \
                 configurationitemcapturetime varchar, configurationitemstatus varchar, \
                 configurationitemstateid varchar, accountid varchar, resourcetype varchar, \
                 resourceid varchar, resourcename varchar, arn varchar, awsregion varchar, \
                 availabilityzone varchar, resourcecreationtime varchar, \
                 configuration map(varchar, varchar), \
                 supplementaryconfiguration map(varchar, varchar), relatedevents varchar, \
                 relationships row(name varchar, resourcetype varchar, resourceid varchar, \
                 resourcename varchar), tags map(varchar, varchar))",
        ],
    ),
    (
        EventKind::Evidence,
        &[
            "addendum map(varchar, varchar)",
            "eventdata row(attributes map(varchar, varchar), awsaccountid varchar, \
                 awsorganization varchar, compliancecheck varchar, datasource varchar, \
                 eventname varchar, eventsource varchar, evidenceawsaccountid varchar, \
                 evidencebytype varchar, iamid varchar, evidenceid varchar, time timestamp(3), \
                 assessmentid varchar, controlsetid varchar, controlid varchar, \
                 controlname varchar, controldomainname varchar, frameworkname varchar, \
                 frameworkid varchar, service varchar, servicecategory varchar, \
                 resourcearn varchar, resourcetype varchar, evidencefolderid varchar, \
                 description varchar, manualevidences3resourcepath varchar, \
                 evidencefoldername varchar, resourcecompliancecheck varchar)",
        ],
    ),
    (
        EventKind::ActivityAuditLog,
        &[
            "addendum row(reason varchar, updatedfields varchar, originaluid varchar, \
                 originaleventid varchar)",
            "metadata row(ingestiontime varchar, channelarn varchar)",
            "eventdata row(version varchar, useridentity row(type varchar, \
                 principalid varchar, details map(varchar, varchar)), useragent varchar, \
                 eventsource varchar, eventname varchar, eventtime varchar, uid varchar, \
                 requestparameters map(varchar, varchar), \
                 responseelements map(varchar, varchar), errorcode varchar, \
                 errormessage varchar, sourceipaddress varchar, recipientaccountid varchar, \
                 additionaleventdata map(varchar, varchar))",
        ],
    ),
];

#[test]
fn the_tables_are_those_of_the_documentation() {
    for (kind, own) in TABLES {
        let expected: Vec<&str> = HEAD.iter().chain(own).copied().collect();
        let found = columns(kind);
        assert_eq!(found[..expected.len()], expected, "{kind:?}");
        // What the documentation lacks stands at the end.
        assert_eq!(found.len(), expected.len() + 3);
        let schema = kind.data_file_schema();
        assert_eq!(schema.fields().len(), kind.leaves().len());
        assert!(schema.field_with_name("eventJson").is_ok());
    }
}

/// An insight as a trail delivers it.
fn delivered_insight() -> Value {
    json!({
        "eventVersion": "1.08", "eventTime": "2024-03-01T10:00:00Z", "awsRegion": "eu-west-1",
        "eventID": "i-1", "eventType": "AwsCloudTrailInsight", "recipientAccountId": "1",
        "sharedEventID": "s-1", "eventCategory": "Insight",
        "insightDetails": {
            "state": "Start", "eventSource": "ssm.amazonaws.com", "eventName": "UpdateInstance",
            "insightType": "ApiErrorRateInsight", "errorCode": "Throttled",
            "insightContext": {
                "statistics": {
                    "baseline": {"average": 0.000_088_214_5}, "insight": {"average": 0.6},
                    "insightDuration": 5, "baselineDuration": 11336,
                },
                "attributions": [
                    {"attribute": "userIdentityArn",
                     "insight": [{"value": "arn:a", "average": 0.6}],
                     "baseline": []},
                    {"attribute": "errorCode", "insight": [{"value": "null", "average": "0.5"}]},
                ],
            },
        },
    })
}

#[test]
fn an_insight_of_a_trail_and_one_of_a_store_come_to_the_same_columns() {
    let flat = json!({
        "eventTime": "2024-03-01T10:00:00Z", "eventID": "i-2", "eventCategory": "Insight",
        "insightState": "Start", "insightEventSource": "ssm.amazonaws.com",
        "insightSource": "arn:aws:cloudtrail:eu-west-1:1:eventdatastore/x",
        "insightContext": {
            "baselineAverage": 0.000_088_214_5, "insightAverage": 0.6, "insightDuration": 5,
            "baselineDuration": 11336,
            "attributions": {"attribute": "userAgent", "insightValue": "x", "insightAverage": 0.5},
        },
    });
    let records = json!({"Records": [delivered_insight(), flat]}).to_string();
    let batch = decode(EventKind::Insight, &records);
    assert_eq!(batch.num_rows(), 2);
    for row in 0..2 {
        assert_eq!(text(&batch, "insightState", row).as_deref(), Some("Start"));
        assert_eq!(text(&batch, "insightEventSource", row).as_deref(), Some("ssm.amazonaws.com"));
        let double =
            |name| batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().value(row);
        let integer =
            |name| batch.column_by_name(name).unwrap().as_primitive::<Int32Type>().value(row);
        assert!((double("insightContext_baselineAverage") - 0.000_088_214_5).abs() < 1e-12);
        assert!((double("insightContext_insightAverage") - 0.6).abs() < 1e-12);
        assert_eq!(integer("insightContext_insightDuration"), 5);
        assert_eq!(integer("insightContext_baselineDuration"), 11336);
    }
    assert_eq!(text(&batch, "insightErrorCode", 0).as_deref(), Some("Throttled"));
    assert_eq!(text(&batch, "insightErrorCode", 1), None);

    let attributions =
        batch.column_by_name("insightContext_attributions").unwrap().as_list::<i32>();
    assert_eq!((attributions.value_length(0), attributions.value_length(1)), (2, 1));
    let rows = attributions.values().as_struct();
    let names = rows.column_by_name("attribute").unwrap().as_string::<i32>();
    assert_eq!(
        names.iter().flatten().collect::<Vec<_>>(),
        ["userIdentityArn", "errorCode", "userAgent"]
    );
    let shares = rows.column_by_name("insight").unwrap().as_list::<i32>();
    assert_eq!((shares.value_length(0), shares.value_length(1), shares.is_null(2)), (1, 1, true));
    let averages = shares.values().as_struct().column_by_name("average").unwrap();
    assert_eq!(averages.as_primitive::<Float64Type>().values(), &[0.6, 0.5]);
}

#[test]
fn a_file_may_hold_a_list_or_events_one_after_another() {
    let event = |id: &str| json!({"eventTime": "2024-03-01T10:00:00Z", "eventID": id}).to_string();
    let (a, b) = (event("a"), event("b"));
    for text_of in [
        format!(r#"{{"Records":[{a},{b}]}}"#),
        format!("[{a},{b}]"),
        format!("{a}\n{b}\n"),
        format!("\u{feff}{a}{b}"),
        format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}"),
        format!("[{a}]\r\n{b}"),
    ] {
        let batch = decode(EventKind::ActivityAuditLog, &text_of);
        let ids: Vec<Option<String>> = (0..2).map(|row| text(&batch, "eventID", row)).collect();
        assert_eq!(ids, [Some("a".to_owned()), Some("b".to_owned())], "{text_of}");
        assert_eq!(text(&batch, "eventJson", 1), Some(b.clone()));
        assert_eq!(text(&batch, "eventCategory", 1).as_deref(), Some("ActivityAuditLog"));
    }
    let empty = decode(EventKind::Evidence, r#"{"Records":[]}"#);
    assert_eq!(empty.num_rows(), 0);
}

#[test]
fn items_that_config_delivers_are_placed_by_their_capture_time() {
    let item = json!({
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2024-03-01T10:00:00.5Z",
        "configurationStateId": 1709287200500u64, "awsAccountId": "111122223333",
        "configurationItemStatus": "ResourceDiscovered", "resourceType": "AWS::EC2::Instance",
        "resourceId": "i-1", "ARN": "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
        "awsRegion": "eu-west-1", "tags": {"Name": "web"}, "relatedEvents": [],
        "relationships": [{"resourceType": "AWS::EC2::Subnet", "resourceId": "subnet-1",
                           "name": "Is contained in Subnet"},
                          {"resourceId": "vpc-1"}],
        "configuration": {"instanceId": "i-1", "state": {"code": 16}},
        "supplementaryConfiguration": {},
    });
    let snapshot =
        json!({"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [item]});
    let batch = decode(EventKind::ConfigurationItem, &snapshot.to_string());
    let of = |column: &str| text(&batch, column, 0);
    assert_eq!(of("eventCategory").as_deref(), Some("ConfigurationItem"));
    assert_eq!(of("awsRegion").as_deref(), Some("eu-west-1"));
    assert_eq!(of("recipientAccountId").as_deref(), Some("111122223333"));
    assert_eq!(of("eventData_accountId").as_deref(), Some("111122223333"));
    assert_eq!(of("eventData_awsRegion").as_deref(), Some("eu-west-1"));
    assert_eq!(of("eventData_configurationItemStateId").as_deref(), Some("1709287200500"));
    assert_eq!(of("eventData_relatedEvents").as_deref(), Some("[]"));
    assert_eq!(of("eventData_relationships_resourceId").as_deref(), Some("subnet-1"));
    assert_eq!(of("eventData_arn").unwrap(), "arn:aws:ec2:eu-west-1:111122223333:instance/i-1");
    assert_eq!(map(&batch, "eventData_tags", 0), [("Name".into(), Some("web".into()))]);
    assert_eq!(
        map(&batch, "eventData_configuration", 0)[1],
        ("state".into(), Some(r#"{"code":16}"#.into()))
    );
    let times = batch.column_by_name("eventTime").unwrap();
    let time = times.as_primitive::<TimestampMicrosecondType>().value(0);
    assert_eq!(Some(time), parse_event_time("2024-03-01T10:00:00.5Z"));

    // As a store exports it, in an event of its own.
    let event = json!({"eventTime": "2024-03-01T10:00:01Z", "awsRegion": "us-east-1",
                       "eventID": "e", "eventData": item});
    let batch = decode(EventKind::ConfigurationItem, &event.to_string());
    assert_eq!(text(&batch, "awsRegion", 0).as_deref(), Some("us-east-1"));
    assert_eq!(text(&batch, "eventData_awsRegion", 0).as_deref(), Some("eu-west-1"));
    assert_eq!(text(&batch, "eventData_accountId", 0).as_deref(), Some("111122223333"));
}

#[test]
fn an_event_as_it_is_given_to_a_channel_is_the_data_of_its_own_event() {
    let given = json!({
        "version": "1.0", "UID": "u-1", "eventTime": "2024-03-01T10:00:00Z",
        "userIdentity": {"type": "CustomUser", "principalId": "ann", "details": {"Org": "o"}},
        "eventSource": "github.audit.streaming", "eventName": "git.clone",
        "recipientAccountId": "111122223333", "errorMessage": "x",
        "requestParameters": {"repo": "r", "n": 1, "none": null},
    });
    let in_event = json!({"eventTime": "2024-03-01T10:00:00Z", "eventID": "e",
                          "metadata": {"channelARN": "arn:c"}, "eventData": given});
    let batch = decode(EventKind::ActivityAuditLog, &json!([given, in_event]).to_string());
    for row in 0..2 {
        assert_eq!(text(&batch, "eventData_uid", row).as_deref(), Some("u-1"));
        assert_eq!(
            text(&batch, "eventData_eventTime", row).as_deref(),
            Some("2024-03-01T10:00:00Z")
        );
        assert_eq!(text(&batch, "eventData_userIdentity_principalId", row).as_deref(), Some("ann"));
        let details = map(&batch, "eventData_userIdentity_details", row);
        assert_eq!(details, [("Org".into(), Some("o".into()))]);
        assert_eq!(map(&batch, "eventData_requestParameters", row)[1], ("none".into(), None));
    }
    assert_eq!(text(&batch, "recipientAccountId", 0).as_deref(), Some("111122223333"));
    assert_eq!(text(&batch, "recipientAccountId", 1), None);
    assert_eq!(text(&batch, "metadata_channelArn", 1).as_deref(), Some("arn:c"));
}

#[test]
fn odd_shapes_are_in_and_their_text_is_exact() {
    let odd = r#"{ "eventTime":"2024-03-01T10:00:00Z", "EVENTid": 12345678901234567890123456789012,
        "eventData": [[]], "eventdata": {"attributes": {"k": 1, "k": [2]}, "time": "no time",
        "service": {"a":"\ud800"}, "iamId": "\ud800\u0000"}, "addendum": "text" }"#;
    let batch = decode(EventKind::Evidence, odd);
    assert_eq!(text(&batch, "eventJson", 0).as_deref(), Some(odd));
    assert_eq!(text(&batch, "eventID", 0).unwrap(), "12345678901234567890123456789012");
    assert_eq!(map(&batch, "eventData_attributes", 0), [("k".into(), Some("[2]".into()))]);
    assert_eq!(text(&batch, "eventData_service", 0).unwrap(), r#"{"a":"\ud800"}"#);
    assert_eq!(text(&batch, "eventData_iamId", 0).unwrap(), "\u{fffd}\0");
    assert!(batch.column_by_name("addendum").unwrap().is_null(0));
    assert!(batch.column_by_name("eventData_time").unwrap().is_null(0));

    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let event = format!(r#"{{"eventTime":"2024-03-01T10:00:00Z","eventData":{deep}}}"#);
    assert_eq!(text(&decode(EventKind::Evidence, &event), "eventJson", 0), Some(event));
}

#[test]
fn identities_are_of_account_and_id_or_else_of_the_text() {
    let with_id = r#"{"eventTime":"2024-03-01T10:00:00Z","eventID":"e","recipientAccountId":"1"}"#;
    let without = r#"{"eventTime":"2024-03-01T10:00:00Z"}"#;
    let mut decoder = KindDecoder::new(EventKind::Insight);
    let summary = decoder.append_log_file(format!("{with_id}\n{without}").as_bytes()).unwrap();
    assert_eq!((summary.events, decoder.events()), (2, 2));
    assert_eq!(decoder.text_bytes(), with_id.len() + without.len());
    let time = parse_event_time("2024-03-01T10:00:00Z").unwrap();
    assert_eq!(summary.event_times, Some((time, time)));
    let batch = decoder.finish();
    let expected =
        [event_identity(Some("1"), Some("e"), with_id), event_identity(None, None, without)];
    assert_eq!(batch.identities, expected);
    assert_eq!((decoder.events(), decoder.text_bytes()), (0, 0));
    assert_eq!(decoder.finish().columns.num_rows(), 0);
}

#[test]
fn events_of_other_categories_are_told_apart() {
    let text = json!([
        delivered_insight(),
        {"eventTime": "2024-03-01T10:00:00Z", "eventCategory": "Management"},
        {"eventTime": "2024-03-01T10:00:00Z", "eventType": "AwsApiCall"},
        {"eventTime": "2024-03-01T10:00:00Z", "eventType": "AwsCloudTrailInsight"},
    ]);
    let batch = decode(EventKind::Insight, &text.to_string());
    assert_eq!(EventKind::Insight.has_rows(&batch), [true, false, false, true]);
    assert_eq!(EventKind::CloudTrail.has_rows(&batch), [true; 4]);
}

#[test]
fn a_file_that_is_not_good_to_its_end_is_refused_whole() {
    let good = r#"{"eventTime":"2024-03-01T10:00:00Z"}"#;
    let kind = EventKind::ActivityAuditLog;
    for (text, expected) in [
        (String::new(), "log file has no `Records` array"),
        ("7".into(), "log file has no `Records` array"),
        (format!("{good}\n7"), "log file has no `Records` array"),
        (format!("{good}\n{{\"eventTime\":"), "log file ends early at byte 50"),
        (format!("{good},{good}"), "expected a value at byte 36"),
        (format!("[{good} {good}]"), "expected a comma or `]` at byte 38"),
        (format!("[{good},7]"), "record is not an object in record 2 at byte 38"),
        (format!("{good}{{}}"), "record has no `eventTime` in record 2 at byte 36"),
        (r#"{"eventTime":null}"#.into(), "`eventTime` of record is not a time"),
        (r#"{"Records":7}"#.into(), "record has no `eventTime` in record 1 at byte 0"),
    ] {
        let err = refusal(kind, text.as_bytes()).to_string();
        assert!(err.contains(expected), "{text}: {err}");
    }
    let err = refusal(kind, b"{\"eventTime\":\"2024-03-01T10:00:00Z\"}\xff").to_string();
    assert_eq!(err, "log file is not UTF-8 at byte 36");
    let mut decoder = KindDecoder::new(kind);
    decoder.append_log_file(good.as_bytes()).unwrap();
    assert!(decoder.append_log_file(b"[{}]").is_err());
    assert_eq!(decoder.finish().columns.num_rows(), 1, "what was in before stays");
}
