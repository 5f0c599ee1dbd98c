//! A slow decoder on `serde_json` that says what the fast one must find.
//!
//! It shares no code with the fast one but the table of columns and the reading of times, which
//! has its own tests. It rests on `RawValue`, which keeps the exact text of a value.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use towpath_event::{Leaf, Shape, parse_event_time};

use crate::cells::{Cell, Cells, stored_values};

/// The exact texts of the records of a log file.
pub(crate) fn records(log_file: &str) -> Vec<String> {
    let mut records = Vec::new();
    for (key, value) in fields(log_file).unwrap() {
        if key == "Records" {
            records.extend(elements(&value).unwrap());
        }
    }
    records
}

/// What the columns of the event must hold.
pub(crate) fn cells(event: &str) -> Cells {
    let top = fields(event).unwrap();
    let columns = stored_values().map(|leaf| (leaf.column.as_str(), cell(&top, leaf)));
    columns.chain([("eventJson", Cell::text(event))]).collect()
}

/// Keys and values of an object, as they stand in it.
type Members = [(String, String)];

fn cell(top: &Members, leaf: &Leaf) -> Cell {
    if leaf.column == "eventCategory" {
        return match find(top, &leaf.path).map(|value| varchar(&value)) {
            None | Some(Cell::Null) => Cell::text(category(top)),
            Some(category) => category,
        };
    }
    let Some(value) = find(top, &leaf.path) else { return Cell::Null };
    match leaf.shape {
        Shape::Varchar => varchar(&value),
        Shape::Boolean => boolean(&value),
        Shape::Timestamp => {
            text(&value).and_then(|text| parse_event_time(&text)).map_or(Cell::Null, Cell::Micros)
        }
        Shape::MapOfVarchar => map(&value),
        Shape::Resources => resources(&value),
        other => panic!("{other:?} is not stored"),
    }
}

/// The value at `path`, looked for where events may have it.
fn find(top: &Members, path: &[&str]) -> Option<String> {
    match path {
        ["eventID"] => last_of(top, &["eventID", "eventId"]),
        ["requestID"] => last_of(top, &["requestID", "requestId"]),
        [identity, context, name @ ("sourceIdentity" | "ec2RoleDelivery" | "ec2IssuedInVpc")] => {
            let own = walk(top, &[identity, context, name]).filter(|value| value != "null");
            own.or_else(|| walk(top, &[identity, context, "attributes", name]))
        }
        path => walk(top, path),
    }
}

fn walk(top: &Members, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(last_of(top, &[first])?, |value, name| last_field(&value, &[name]))
}

fn last_field(object: &str, names: &[&str]) -> Option<String> {
    last_of(&fields(object)?, names)
}

fn last_of(members: &Members, names: &[&str]) -> Option<String> {
    let (_, value) = members.iter().rfind(|(key, _)| names.contains(&key.as_str()))?;
    Some(value.clone())
}

fn varchar(value: &str) -> Cell {
    match text(value) {
        Some(text) => Cell::Text(text),
        None if value == "null" => Cell::Null,
        None => Cell::text(value),
    }
}

fn boolean(value: &str) -> Cell {
    match text(value).as_deref().unwrap_or(value) {
        "true" => Cell::Boolean(true),
        "false" => Cell::Boolean(false),
        _ => Cell::Null,
    }
}

fn map(value: &str) -> Cell {
    let Some(fields) = fields(value) else { return Cell::Null };
    let is_last = |position: usize, key: &str| {
        !fields.iter().skip(position + 1).any(|(later, _)| later == key)
    };
    let entries = fields.iter().enumerate().filter(|(position, (key, _))| is_last(*position, key));
    Cell::Map(entries.map(|(_, (key, value))| (key.clone(), optional(value))).collect())
}

fn resources(value: &str) -> Cell {
    let Some(elements) = elements(value) else { return Cell::Null };
    let names: [&[&str]; 4] =
        [&["accountId"], &["type"], &["ARN", "arn"], &["ARNPrefix", "arnPrefix"]];
    let resource = |element: &String| {
        let _object = fields(element)?;
        Some(names.map(|names| last_field(element, names).and_then(|value| optional(&value))))
    };
    Cell::Resources(elements.iter().map(resource).collect())
}

fn optional(value: &str) -> Option<String> {
    match varchar(value) {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

fn category(top: &Members) -> &'static str {
    let present = |name: &str| last_of(top, &[name]).map(|value| map(&value));
    if matches!(present("insightDetails"), Some(Cell::Map(_))) {
        return "Insight";
    }
    let management = last_of(top, &["managementEvent"]).map_or(Cell::Null, |v| boolean(&v));
    let is_data = match management {
        Cell::Boolean(management) => !management,
        _ => match last_of(top, &["resources"]).map(|value| resources(&value)) {
            Some(Cell::Resources(resources)) => resources
                .iter()
                .flatten()
                .any(|[_, kind, _, _]| kind.as_deref() == Some("AWS::S3::Object")),
            _ => false,
        },
    };
    if is_data { "Data" } else { "Management" }
}

/// The fields of an object in order, repeated ones too; `None` if `value` is not an object.
fn fields(value: &str) -> Option<Vec<(String, String)>> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                fields.push((key, value.get().to_owned()));
            }
            Ok(fields)
        }
    }
    if !value.trim_start().trim_start_matches('\u{feff}').starts_with('{') {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(value.trim_start_matches('\u{feff}'));
    Some(deserializer.deserialize_map(Fields).unwrap())
}

/// The elements of an array; `None` if `value` is not an array.
fn elements(value: &str) -> Option<Vec<String>> {
    let elements: Vec<Box<RawValue>> =
        value.starts_with('[').then(|| serde_json::from_str(value).unwrap())?;
    Some(elements.iter().map(|element| element.get().to_owned()).collect())
}

/// The characters of a string; `None` if `value` is not a string.
fn text(value: &str) -> Option<String> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    if !value.starts_with('"') {
        return None;
    }
    // As bytes, `serde_json` gives lone surrogates too, three bytes each that no UTF-8 has.
    let bytes = serde_json::Deserializer::from_str(value).deserialize_bytes(Bytes).unwrap();
    let mut replaced = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        if first == 0xed && after[0] >= 0xa0 {
            replaced.extend_from_slice("\u{fffd}".as_bytes());
            rest = &after[2..];
        } else {
            replaced.push(first);
            rest = after;
        }
    }
    Some(String::from_utf8(replaced).unwrap())
}
