//! JSON text in the order in which it was written.
//!
//! CloudTrail writes the fields of an event in a fixed order, with numbers as the service spelled
//! them; a map of parsed values would keep neither.

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A number, or any other JSON text, exactly as it is to be written.
    Verbatim(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// A JSON object: `object! { "bucketName": bucket, "versioned": true }`.
macro_rules! object {
    ($($key:literal: $value:expr),* $(,)?) => {
        $crate::trail::json::Json::Object(vec![
            $((String::from($key), $crate::trail::json::Json::from($value))),*
        ])
    };
}

/// A JSON array: `list!["a", 1, object! {}]`.
macro_rules! list {
    ($($value:expr),* $(,)?) => {
        $crate::trail::json::Json::List(vec![$($crate::trail::json::Json::from($value)),*])
    };
}

pub(crate) use {list, object};

impl Json {
    /// Appends a field to an object; any other value is left as it is.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Json>) -> Json {
        if let Json::Object(fields) = &mut self {
            fields.push((String::from(key), value.into()));
        }
        self
    }

    /// The JSON text, without white space.
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    // The depth of these values is that of the code that builds them, so recursion is bounded.
    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Verbatim(text) => out.push_str(text),
            Json::Text(text) => write_text(text, out),
            Json::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    separate(index, out);
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(fields) => {
                out.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    separate(index, out);
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(String::from(text))
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Json {
        Json::Text(text.clone())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Json {
        Json::Verbatim(number.to_string())
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Json {
        Json::List(items)
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_json_in_the_order_written() {
        let value = object! {
            "z": list![1, true, Json::Null],
            "a": object! { "text": "line\n\"quoted\" \u{1} é" },
            "n": Json::Verbatim(String::from("9007199254740993")),
        };
        assert_eq!(
            value.to_text(),
            r#"{"z":[1,true,null],"a":{"text":"line\n\"quoted\" \u0001 é"},"n":9007199254740993}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&value.to_text()).is_ok());
    }
}
