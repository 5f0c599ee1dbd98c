//! Events of every shape the table does not expect: the columns hold what the slow decoder finds.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::BoxedStrategy;
use serde::de::IgnoredAny;
use towpath_event::{DecodeError, EventBatchBuilder, Field, Shape, TABLE, event_identity};

use crate::cells::{Cell, cells};
use crate::reference;
use crate::refused::SAMPLE;

proptest! {
    #[test]
    fn odd_events_decode_as_the_reference_decodes_them(
        events in vec(event(), 0..6),
        spaces in (space(), space(), space()),
    ) {
        let (a, b, c) = spaces;
        let separator = format!("{a},{b}");
        let text = format!(
            "{a}{{{b}\"Records\"{a}:{c}[{a}{}{b}]{c}}}{a}",
            events.join(&separator)
        );
        let mut builder = EventBatchBuilder::new();
        let summary = builder.append_log_file(text.as_bytes());
        prop_assert_eq!(summary.map(|summary| summary.events), Ok(events.len() as u64));
        let batch = builder.finish();
        let rows = cells(&batch);
        prop_assert_eq!(reference::records(&text), events.clone());
        for ((event, row), identity) in events.iter().zip(rows).zip(batch.identities) {
            prop_assert_eq!(&row, &reference::cells(event));
            let column = |name: &str| match &row[name] {
                Cell::Text(text) => Some(text.clone()),
                _ => None,
            };
            let (account, id) = (column("recipientAccountId"), column("eventID"));
            let again = event_identity(account.as_deref(), id.as_deref(), event);
            prop_assert_eq!(identity, again);
        }
    }

    #[test]
    fn a_text_is_json_exactly_when_serde_json_says_so(
        place in 0..SAMPLE.len(),
        length in 0_usize..4,
        put in prop_oneof![
            "[\\[\\]{}:,\"\\\\tfn0-9.eE+-]{0,3}",
            Just("NaN".to_owned()),
            Just("\\ud800".to_owned()),
            Just("\\x".to_owned()),
            "[ -~]{0,3}",
        ],
    ) {
        let mut text = SAMPLE.as_bytes().to_vec();
        text.splice(place..(place + length).min(SAMPLE.len()), put.into_bytes());
        let mut builder = EventBatchBuilder::new();
        let result = builder.append_log_file(&text);
        let is_json = str::from_utf8(&text)
            .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        match result {
            Ok(_) | Err(DecodeError::NoRecords) => prop_assert!(is_json),
            Err(
                DecodeError::Syntax { .. }
                | DecodeError::Truncated { .. }
                | DecodeError::NotUtf8 { .. },
            ) => prop_assert!(!is_json, "{result:?}"),
            // Found before the rest of the text was read.
            Err(_) => {}
        }
        if result.is_err() {
            prop_assert_eq!(builder.events(), 0);
            prop_assert_eq!(builder.finish().columns.num_rows(), 0);
        }
    }
}

/// An event with fields of the table and others, most of the expected shape, some repeated.
fn event() -> impl Strategy<Value = String> {
    let fields: Vec<Field> = TABLE
        .iter()
        .filter(|column| !matches!(column.shape, Shape::Derived(_)))
        .map(|column| Field { name: column.name, shape: column.shape, doc: column.doc })
        .collect();
    // The last wins, so that whatever `eventTime` was drawn before does not refuse the log file.
    (members(&fields, 24), time())
        .prop_map(|(members, time)| object(&[members, vec![(quoted("eventTime"), time)]].concat()))
}

/// Keys and values of an object that has `fields`.
fn members(fields: &[Field], count: usize) -> BoxedStrategy<Vec<(String, String)>> {
    let known: Vec<BoxedStrategy<(String, String)>> = fields
        .iter()
        .map(|field| (key(field.name), value_of(field.shape, count)).boxed())
        .chain(
            ["eventId", "requestId", "sourceIdentity", "ec2RoleDelivery", "ec2IssuedInVpc"]
                .map(|name| (key(name), any_value()).boxed()),
        )
        .collect();
    let unknown = ("\"[a-zA-Z ]{0,9}\"", any_value());
    let member = prop_oneof![9 => proptest::strategy::Union::new(known), 1 => unknown];
    vec(member, 0..count).boxed()
}

/// A value of the shape, or of another one.
fn value_of(shape: Shape, count: usize) -> BoxedStrategy<String> {
    let expected = match shape {
        Shape::Boolean => {
            prop_oneof![Just("true"), Just("false"), Just("\"true\""), Just("\"\\u0066alse\"")]
                .prop_map(str::to_owned)
                .boxed()
        }
        Shape::Timestamp => time().boxed(),
        Shape::MapOfVarchar => any_object().boxed(),
        Shape::Resources => vec(resource(), 0..4).prop_map(|elements| array(&elements)).boxed(),
        Shape::Row(fields) => {
            members(fields, count / 2 + 2).prop_map(|members| object(&members)).boxed()
        }
        _ => string().boxed(),
    };
    prop_oneof![4 => expected, 1 => any_value()].boxed()
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\"2023-07-10T12:00:00Z\"".to_owned()),
        Just("\"20131102T010628Z\"".to_owned()),
        Just("\"2023-07-10T12:00:00\\u005a\"".to_owned()),
        "\"20[0-9]{2}-0[1-9]-[01][1-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,8})?Z\"",
    ]
}

fn resource() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("ARN"),
        Just("arn"),
        Just("ARNPrefix"),
        Just("arnPrefix"),
        Just("accountId"),
        Just("type"),
        Just("other"),
    ];
    let value =
        prop_oneof![3 => string(), 2 => Just("\"AWS::S3::Object\"".to_owned()), 1 => any_value()];
    let whole = vec((name.prop_map(quoted), value), 0..6).prop_map(|members| object(&members));
    prop_oneof![5 => whole, 1 => any_value()]
}

fn any_value() -> BoxedStrategy<String> {
    let scalar = prop_oneof![string(), number(), Just("null".to_owned()), Just("true".to_owned())];
    scalar
        .prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                (space(), vec(inner.clone(), 0..5))
                    .prop_map(|(space, elements)| format!("[{space}{}]", elements.join(" ,"))),
                vec((string_key(), inner), 0..5).prop_map(|members| object(&members)),
            ]
        })
        .boxed()
}

fn any_object() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => vec((string_key(), any_value()), 0..9),
        // More keys than are compared one by one, some of them equal.
        1 => vec(("\"[a-z]\"", number()), 0..40),
    ]
    .prop_map(|members| object(&members))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("123456789012345678901234567890".to_owned()),
        Just("1e400".to_owned()),
        Just("-0".to_owned()),
        Just("9007199254740993".to_owned()),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
    ]
}

/// A string with its quotes.
fn string() -> impl Strategy<Value = String> {
    let lone = prop_oneof![Just("\\ud800"), Just("\\uDFFF"), Just("\\ud83d\\u0041")];
    vec(prop_oneof![9 => character(), 1 => lone.prop_map(str::to_owned)], 0..12)
        .prop_map(|characters| format!("\"{}\"", characters.concat()))
}

/// A string that may be a key: `serde_json` does not take lone surrogates in keys.
fn string_key() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(character(), 0..4).prop_map(|characters| format!("\"{}\"", characters.concat())),
        // Few different keys, so that some are equal.
        1 => prop_oneof![Just("\"a\""), Just("\"\\u0061\""), Just("\"\"")].prop_map(str::to_owned),
    ]
}

fn character() -> impl Strategy<Value = String> {
    let escape = prop_oneof![
        Just("\\n"),
        Just("\\\""),
        Just("\\\\"),
        Just("\\/"),
        Just("\\b\\f\\r\\t"),
        Just("\\u0000"),
        Just("\\u00e9"),
        Just("\\uD83d\\ude00"),
    ];
    let plain =
        any::<char>().prop_filter("must be escaped", |c| !c.is_control() && !"\"\\".contains(*c));
    prop_oneof![
        4 => "[ -!#-\\[\\]-~]{1,9}",
        2 => plain.prop_map(String::from),
        2 => escape.prop_map(str::to_owned),
        1 => "[a-z]{60,70}",
    ]
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![Just(""), Just(" "), Just("\r\n"), Just("\t \n")].prop_map(str::to_owned)
}

/// The key with its quotes, now and then written with an escape.
fn key(name: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        9 => Just(quoted(name)),
        1 => Just(format!("\"\\u{:04x}{}\"", name.as_bytes()[0], name.get(1..).unwrap())),
    ]
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn array(elements: &[String]) -> String {
    format!("[{}]", elements.join(" ,"))
}
