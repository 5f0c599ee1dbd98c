//! Taking fields out of an event's text, and nothing else.

use std::fmt;
use std::ops::Range;

use crate::json::{Fault, Nesting, Scanner};

/// Keys of one field, at most: deeper than any event's fields lie.
const KEYS_MAX: usize = 32;

/// Longest field, in bytes.
const FIELD_BYTES_MAX: usize = 1_024;

/// Arrays within arrays that are looked through for a field. No event nests them so.
const ARRAYS_MAX: usize = 32;

/// What takes the place of a value.
const NOTHING: &str = "null";

/// What tells which event it is, when, and where it stands: never taken out.
const KEPT: [&str; 9] = [
    "eventTime",
    "eventID",
    "recipientAccountId",
    "eventSource",
    "eventName",
    "eventCategory",
    "eventType",
    "eventVersion",
    "Records",
];

/// A field of an event, by its keys from the outside in: `userIdentity.userName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventField {
    text: String,
    keys: Vec<String>,
}

/// Why a text does not name a field that can be taken out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` cannot be redacted: {reason}")]
pub struct EventFieldError {
    field: String,
    reason: &'static str,
}

impl EventField {
    /// Reads a field: keys with dots between them, a key with a dot in it in double quotes. Case
    /// does not count. Of an array, the field of each element is meant.
    ///
    /// # Errors
    ///
    /// [`EventFieldError`] for an empty key, one without its second quote, too many, and for
    /// fields that tell which event it is.
    pub fn parse(text: &str) -> Result<EventField, EventFieldError> {
        let refused = |reason| EventFieldError { field: text.to_owned(), reason };
        if text.len() > FIELD_BYTES_MAX {
            return Err(refused("it has more than 1024 bytes"));
        }
        let mut keys = Vec::new();
        let mut rest = text;
        loop {
            let (key, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(|| refused("a quote is open"))?,
                None => match rest.find('.') {
                    Some(dot) => rest.split_at(dot),
                    None => (rest, ""),
                },
            };
            if key.is_empty() {
                return Err(refused("a key is empty"));
            }
            keys.push(key.to_owned());
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix('.').ok_or_else(|| refused("a dot must follow a quote"))?;
        }
        if keys.len() > KEYS_MAX {
            return Err(refused("it has more than 32 keys"));
        }
        let is_kept = |key: &String| KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(key));
        if keys.first().is_some_and(is_kept) {
            return Err(refused("it tells which event it is"));
        }
        Ok(EventField { text: text.to_owned(), keys })
    }
}

impl fmt::Display for EventField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text of an event with `null` in place of the values of `fields`, and how many values those
/// were. All else stands as it stood. `None` if the text is not that of an event.
#[must_use]
pub fn redact_text(text: &str, fields: &[EventField]) -> Option<(String, u64)> {
    let mut finder = Finder {
        scanner: Scanner::new(text.as_bytes(), 0),
        nesting: Nesting::default(),
        found: Vec::new(),
    };
    if finder.scanner.peek_token() != Some(b'{') {
        return None;
    }
    let wanted: Vec<&[String]> = fields.iter().map(|field| field.keys.as_slice()).collect();
    finder.object(&wanted).ok()?;
    let mut redacted = String::with_capacity(text.len());
    let mut copied = 0;
    for place in &finder.found {
        redacted.push_str(text.get(copied..place.start)?);
        redacted.push_str(NOTHING);
        copied = place.end;
    }
    redacted.push_str(text.get(copied..)?);
    Some((redacted, finder.found.len() as u64))
}

/// Finds the places of values.
struct Finder<'t> {
    scanner: Scanner<'t>,
    nesting: Nesting,
    found: Vec<Range<usize>>,
}

impl Finder<'_> {
    /// Looks through an object. Recursion is as deep as the longest of `wanted`.
    fn object(&mut self, wanted: &[&[String]]) -> Result<(), Fault> {
        let mut another = self.scanner.enter_object();
        while another {
            let key = self.scanner.key()?.characters();
            let key = String::from_utf8_lossy(&key);
            let mut inner = Vec::new();
            let mut is_whole = false;
            for keys in wanted {
                let Some((first, others)) = keys.split_first() else { continue };
                if first.eq_ignore_ascii_case(&key) {
                    is_whole |= others.is_empty();
                    inner.push(others);
                }
            }
            if is_whole {
                self.take()?;
            } else {
                self.value(&inner, 0)?;
            }
            another = self.scanner.another_key()?;
        }
        Ok(())
    }

    fn value(&mut self, wanted: &[&[String]], arrays: usize) -> Result<(), Fault> {
        match self.scanner.peek_token() {
            Some(b'{') if !wanted.is_empty() => self.object(wanted),
            Some(b'[') if !wanted.is_empty() => {
                if arrays >= ARRAYS_MAX {
                    return Err(Fault);
                }
                let mut another = self.scanner.enter_array();
                while another {
                    self.value(wanted, arrays + 1)?;
                    another = self.scanner.another_element()?;
                }
                Ok(())
            }
            _ => self.scanner.value(&mut self.nesting).map(|_| ()),
        }
    }

    /// Takes the value that follows, unless it is null already.
    fn take(&mut self) -> Result<(), Fault> {
        let start = self.scanner.peek_token_at();
        self.scanner.value(&mut self.nesting)?;
        if self.scanner.since(start) != NOTHING.as_bytes() {
            self.found.push(start..self.scanner.at());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{EventField, redact_text};
    use proptest::prelude::{prop, prop_assert_eq, proptest};

    fn redacted(text: &str, fields: &[&str]) -> Option<(String, u64)> {
        let fields: Vec<_> = fields.iter().map(|field| EventField::parse(field).unwrap()).collect();
        redact_text(text, &fields)
    }

    #[test]
    fn values_of_the_fields_become_null_and_all_else_stays() {
        let text = r#"{ "userIdentity" : {"userName":"J\u00f6rg","arn":"a"},
            "requestParameters":{"a.b":[1,{"c":2}],"d":1e400},"resources":[{"ARN":"x"},{"arn":"y","t":1}] }"#;
        for (fields, values, from, to) in [
            (vec!["useridentity.USERNAME"], 1, r#""J\u00f6rg""#, "null"),
            (vec![r#"requestParameters."a.b""#], 1, r#"[1,{"c":2}]"#, "null"),
            (vec![r#"requestParameters."a.b".c"#], 1, r#"{"c":2}"#, r#"{"c":null}"#),
            (vec!["requestParameters.d"], 1, "1e400", "null"),
            (vec!["nowhere", "userIdentity.nothing", "requestParameters.d.e"], 0, "", ""),
        ] {
            let expected = if values == 0 { text.to_owned() } else { text.replace(from, to) };
            assert_eq!(redacted(text, &fields), Some((expected, values)), "{fields:?}");
        }
        let (all, values) =
            redacted(text, &["resources.arn", "userIdentity", "userIdentity.arn"]).unwrap();
        assert_eq!(values, 3);
        assert!(all.contains(r#"[{"ARN":null},{"arn":null,"t":1}]"#), "{all}");
        assert_eq!(redacted(&all, &["resources.arn", "userIdentity"]).unwrap(), (all, 0));
    }

    #[test]
    fn every_value_of_a_repeated_key_is_taken_out() {
        let text = r#"{"a":1,"a":2,"A":{"b":[3]}}"#;
        assert_eq!(redacted(text, &["a"]), Some((r#"{"a":null,"a":null,"A":null}"#.into(), 3)));
    }

    #[test]
    fn what_is_no_event_is_not_redacted() {
        for text in ["", "[]", "{", r#"{"a"}"#, "7"] {
            assert_eq!(redacted(text, &["a"]), None, "{text}");
        }
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
        assert_eq!(redacted(&deep, &["a.b"]), None);
        assert_eq!(redacted(&deep, &["a"]).unwrap().1, 1);
    }

    #[test]
    fn fields_that_name_nothing_or_the_event_itself_are_refused() {
        let keys = "a.".repeat(33);
        for text in ["", ".", "a..b", "a.", r#""a"#, r#""a"b"#, "EVENTID", "eventTime.x", &keys] {
            assert!(EventField::parse(text).is_err(), "{text}");
        }
        let err = EventField::parse("eventID").unwrap_err();
        assert_eq!(err.to_string(), "`eventID` cannot be redacted: it tells which event it is");
    }

    proptest! {
        #[test]
        fn redaction_is_that_of_a_json_library(
            values in prop::collection::vec(("[a-d]", "[ -~]{0,6}"), 1..5),
            field in "[a-d]",
        ) {
            let mut object = serde_json::Map::new();
            for (key, value) in values {
                object.insert(key.clone(), serde_json::json!({ "x": value, "y": [1, key] }));
            }
            let text = serde_json::to_string(&object).unwrap();
            let (found, _) = redacted(&text, &[&format!("{field}.x")]).unwrap();
            if let Some(inner) = object.get_mut(&field) {
                inner["x"] = serde_json::Value::Null;
            }
            prop_assert_eq!(found, serde_json::to_string(&object).unwrap());
        }
    }
}
