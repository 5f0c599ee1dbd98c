//! Events whose form is valid and unusual: what other readers lose, alter or refuse.
//!
//! Everything here is to arrive in a store, with `eventJson` equal to the text below.

use super::company::{Caller, DEVELOPMENT, VIRGINIA};
use super::event::{Event, Record};
use super::json::{Json, list, object};
use super::moment::Moment;
use super::random::Random;

/// Depth of the one request that is nested on purpose. CloudTrail's own nest to about ten.
const DEPTH: usize = 60;
/// Letters in the one long string. CloudTrail omits request parameters over 100 kB.
const LONG_TEXT: usize = 20_000;

/// The odd events, all on 31 October 2024, and the old ones of the same day.
pub(crate) fn records() -> Vec<Record> {
    let start = Moment::day(2024, 10, 31).at(13, 0);
    let mut records = odd_requests(start);
    records.extend(odd_elsewhere(start.plus(120)));
    records.extend(old_versions(start.plus(300)));
    records.extend(same_id_other_content(start.plus(500)));
    records
}

fn base(moment: Moment) -> Event {
    let caller = Caller::user(DEVELOPMENT, "yuki", "198.51.100.14");
    Event::call(moment, VIRGINIA, &caller, "ec2", "DescribeInstances")
}

/// A string, a list, a number, and every trouble that JSON allows, as `requestParameters`.
fn odd_requests(start: Moment) -> Vec<Record> {
    let verbatim = |text: &str| Json::Verbatim(String::from(text));
    let deep = format!("{}1{}", "{\"in\":".repeat(DEPTH), "}".repeat(DEPTH));
    let requests = [
        Json::from("instanceId=i-0dead10cc00000042&force=true"),
        list!["i-0dead10cc00000042", object! { "force": true }, Json::Null],
        verbatim("42"),
        object! {},
        verbatim(r#"{"big":9007199254740993,"bigger":123456789012345678901234567890}"#),
        verbatim(r#"{"huge":1e400,"tiny":-0.0,"spelled":1.50E+3,"one":1.0}"#),
        verbatim(r#"{"escaped":"caf\u00e9 \ud83d\udea2 \/ \u0000","lone":"\ud800","tab":"\t"}"#),
        verbatim(r#"{"text":"運河 🛶 «écluse»","empty":"","nothing":null}"#),
        verbatim(r#"{"twice":"first","twice":"second"}"#),
        verbatim(r#"{"bucketName":"lower","BucketName":"upper","BUCKETNAME":"loud"}"#),
        verbatim(&deep),
        object! { "userData": "lock ".repeat(LONG_TEXT / 5) },
        object! { "disableApiTermination": object! { "value": true } },
        object! { "disableApiTermination": false },
        object! { "quoted": "a \"b\" \\ {c} [d] , : 'e'", "line": "one\ntwo\r\n\tthree" },
        object! { "": "a key without a name", "a.b": "a key with a dot", "$.c": "a path" },
    ];
    let mut random = Random::named("odd requests");
    let mut records = Vec::new();
    for (moment, request) in (0..).map(|second| start.plus(second)).zip(requests) {
        records.push(base(moment).request(request).numbered(&mut random).into_record());
    }
    records
}

/// Oddities outside the request: each is a change to the text of an ordinary event.
fn odd_elsewhere(start: Moment) -> Vec<Record> {
    let user = base(start).to_text();
    let identity = user.split("\"userIdentity\":").nth(1).unwrap_or_default();
    let identity = identity.split(",\"eventTime\"").next().unwrap_or_default().to_owned();
    let fraction = start.to_string().replace('Z', ".125Z");
    let changes: [(&str, &str); 14] = [
        (&identity, "null"),
        (&identity, "\"yuki\""),
        (&identity, r#"{"accountId":"444455556666","invokedBy":"health.amazonaws.com"}"#),
        (&identity, r#"{"type":"IAMUser","userName":"yuki","badge":{"no":7},"arn":["a","b"]}"#),
        ("\"readOnly\":true", "\"readOnly\":\"true\""),
        ("\"readOnly\":true", "\"readOnly\":true,\"resources\":[]"),
        ("\"readOnly\":true", r#""readOnly":true,"resources":"arn:aws:ec2:::all""#),
        (
            "\"readOnly\":true",
            r#""readOnly":true,"resources":[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::kf-dev-scratch/2024/"}]"#,
        ),
        ("\"eventCategory\"", r#""tideTable":{"high":[4.2,16.6]},"eventCategory""#),
        ("\"requestParameters\":null,", ""),
        ("\"sourceIPAddress\":\"198.51.100.14\"", "\"sourceIPAddress\":\"AWS Internal/3\""),
        ("\"recipientAccountId\":\"444455556666\",", ""),
        (",\"", ",\n    \""),
        (&start.to_string(), &fraction),
    ];
    let mut random = Random::named("odd elsewhere");
    let mut records = Vec::new();
    for (from, to) in changes {
        let mut record = base(start).numbered(&mut random).into_record();
        record.text = record.text.replace(from, to);
        records.push(record);
    }
    records
}

/// What CloudTrail wrote from 2013 on, before the fields of today were there.
fn old_versions(start: Moment) -> Vec<Record> {
    let old_fields: [(&'static str, &[&'static str]); 8] = [
        ("1.00", &["requestID", "eventID", "readOnly", "eventType", "recipientAccountId"]),
        ("1.01", &["eventType", "recipientAccountId"]),
        ("1.02", &[]),
        ("1.03", &[]),
        ("1.04", &[]),
        ("1.05", &[]),
        ("1.06", &["managementEvent"]),
        ("1.07", &[]),
    ];
    let mut random = Random::named("old versions");
    let mut records = Vec::new();
    for (step, (version, missing)) in (0..).zip(old_fields) {
        let moment = start.plus(step * 7);
        let mut event = base(moment).version(version).without("tlsDetails");
        if step < 6 {
            event = event.without("managementEvent");
        }
        if step < 7 {
            event = event.without("eventCategory");
        }
        for field in missing {
            event = event.without(field);
        }
        records.push(event.numbered(&mut random).into_record());
    }
    records
}

/// Two pairs of events that share their id and differ in content. A store keeps all four.
fn same_id_other_content(start: Moment) -> Vec<Record> {
    let mut random = Random::named("same id");
    let mut records = Vec::new();
    for step in 0..2 {
        let first = base(start.plus(step)).numbered(&mut random);
        let second = first.clone().error("Client.InternalError", "An internal error has occurred");
        records.extend([first.into_record(), second.into_record()]);
    }
    records
}
