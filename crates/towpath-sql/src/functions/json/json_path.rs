//! The JSON paths of `json_extract`, `json_extract_scalar` and `json_size`.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_extract>.
//!
//! * `$` is the value; `.name`, `[n]`, `["name"]` step into it. A step of digits is an index when
//!   it meets an array and a key when it meets an object, however it is written: `$.1`, `$[1]`.
//! * Of repeated keys the first counts. A step that leads nowhere gives no value.
//! * `[*]` and `.*` give an array of all that match. Stock Trino refuses them; CloudTrail Lake and
//!   Athena accept them, and saved queries rely on it.

use datafusion::common::Result;

use crate::functions::args::invalid as invalid_argument;
use crate::functions::json::json_text::{MalformedJson, Scanner};

/// Most steps in a path. A path is written by hand; more steps than levels can match nothing.
const PATH_STEPS_MAX: usize = super::json_text::JSON_DEPTH_MAX;

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A key, or an index if it meets an array.
    Name { key: String, index: Option<usize> },
    /// Every element or member.
    Wildcard,
}

impl JsonPath {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// ``Invalid JSON path: '…'`` as Trino words it.
    pub(crate) fn parse(text: &str) -> Result<JsonPath> {
        let invalid = || invalid_argument(format!("Invalid JSON path: '{text}'"));
        let mut rest = text.trim().strip_prefix('$').ok_or_else(invalid)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).ok_or_else(invalid)?;
            steps.push(step);
            rest = after;
            if steps.len() > PATH_STEPS_MAX {
                return Err(invalid());
            }
        }
        Ok(JsonPath { steps })
    }

    /// True if the path can match more than one value.
    pub(crate) fn has_wildcard(&self) -> bool {
        self.steps.contains(&Step::Wildcard)
    }

    /// The text of the value the path leads to in `json`, as it stands there.
    ///
    /// `None` if it leads nowhere, or if the text is not JSON up to the end of that value; what
    /// comes after is not looked at, as in Trino. The path must have no wildcard.
    pub(crate) fn first<'a>(&self, json: &'a str) -> Option<&'a str> {
        let mut found = None;
        visit(&mut Scanner::new(json), &self.steps, &mut |raw| found = Some(raw)).ok()?;
        found
    }

    /// The texts of all values the path leads to, or `None` if the text is not JSON.
    pub(crate) fn all<'a>(&self, json: &'a str) -> Option<Vec<&'a str>> {
        let mut found = Vec::new();
        visit(&mut Scanner::new(json), &self.steps, &mut |raw| found.push(raw)).ok()?;
        Some(found)
    }
}

/// Reads one step at the start of `text`, and returns what is left.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(after) = text.strip_prefix('.') {
        if let Some(after) = after.strip_prefix('*') {
            return Some((Step::Wildcard, after));
        }
        return unquoted(after, |c| matches!(c, ':' | '-' | '$' | '@' | '/'));
    }
    let inside = text.strip_prefix('[')?;
    if let Some(after) = inside.strip_prefix("*]") {
        return Some((Step::Wildcard, after));
    }
    for quote in ['"', '\''] {
        if let Some(after) = inside.strip_prefix(quote) {
            let (step, after) = quoted(after, quote)?;
            return Some((step, after.strip_prefix(']')?));
        }
    }
    let (step, after) = unquoted(inside, |_| false)?;
    Some((step, after.strip_prefix(']')?))
}

/// Reads a name of letters, digits, `_` and what `also` allows.
fn unquoted(text: &str, also: impl Fn(char) -> bool) -> Option<(Step, &str)> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || also(c)));
    let (name, after) = text.split_at_checked(end.unwrap_or(text.len()))?;
    if name.is_empty() { None } else { Some((named(name.to_owned()), after)) }
}

/// Reads up to the closing `quote`; a backslash keeps the quote or backslash after it.
fn quoted(text: &str, quote: char) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '\\' => match rest.next()? {
                escaped if escaped == quote || escaped == '\\' => name.push(escaped),
                _ => return None,
            },
            end if end == quote => return Some((named(name), rest.as_str())),
            other => name.push(other),
        }
    }
}

fn named(key: String) -> Step {
    let index = key.parse().ok();
    Step::Name { key, index }
}

/// Walks `steps` from the value that `scanner` stands at, calling `found` with each match.
fn visit<'a>(
    scanner: &mut Scanner<'a>,
    steps: &[Step],
    found: &mut dyn FnMut(&'a str),
) -> std::result::Result<(), MalformedJson> {
    let Some((step, rest)) = steps.split_first() else {
        found(scanner.skip()?);
        return Ok(());
    };
    match (scanner.peek(), step) {
        (Some(b'{'), Step::Name { key, .. }) => scanner.each(b'}', |scanner| {
            let (raw, escaped) = scanner.clone().raw_string()?;
            // Most keys have no escapes and need no copy to be compared.
            let matches = if escaped {
                scanner.key()? == *key
            } else {
                scanner.key()?;
                raw == key
            };
            if matches {
                visit(scanner, rest, found)?;
            } else {
                scanner.skip()?;
            }
            Ok(!matches)
        }),
        (Some(b'{'), Step::Wildcard) => scanner.each(b'}', |scanner| {
            scanner.key()?;
            visit(&mut scanner.clone(), rest, found)?;
            scanner.skip()?;
            Ok(true)
        }),
        (Some(b'['), Step::Name { index, .. }) => {
            let mut position = 0;
            scanner.each(b']', |scanner| {
                let matches = *index == Some(position);
                position += 1;
                if matches {
                    visit(scanner, rest, found)?;
                } else {
                    scanner.skip()?;
                }
                Ok(!matches)
            })
        }
        (Some(b'['), Step::Wildcard) => scanner.each(b']', |scanner| {
            visit(&mut scanner.clone(), rest, found)?;
            scanner.skip()?;
            Ok(true)
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::JsonPath;

    fn first<'a>(json: &'a str, path: &str) -> Option<&'a str> {
        JsonPath::parse(path).unwrap().first(json)
    }

    #[test]
    fn steps_lead_into_objects_and_arrays() {
        let json = r#"{"a":{"x-amz":[10,{"b c":"v"}],"AWS:Item":1},"a":2,"\u0062":3} trailing"#;
        let cases = [
            ("$.a.x-amz[0]", Some("10")),
            ("$.a.x-amz.0", Some("10")),
            (r#"$.a["x-amz"][1]["b c"]"#, Some(r#""v""#)),
            ("$['a']['AWS:Item']", Some("1")),
            ("$.a.AWS:Item", Some("1")),
            ("$.b", Some("3")),
            ("$.a.x-amz[2]", None),
            ("$.a.x-amz.y", None),
            ("$.z", None),
        ];
        for (path, expected) in cases {
            assert_eq!(first(json, path), expected, "{path}");
        }
    }

    #[test]
    fn wildcards_give_every_match() {
        let path = JsonPath::parse("$.items[*].id").unwrap();
        assert!(path.has_wildcard());
        let json = r#"{"items":[{"id":1},{"no":2},{"id":3}]}"#;
        assert_eq!(path.all(json), Some(vec!["1", "3"]));
        let members = JsonPath::parse("$.*").unwrap();
        assert_eq!(members.all(r#"{"a":1,"b":[2]}"#), Some(vec!["1", "[2]"]));
        assert_eq!(path.all("{"), None);
    }

    #[test]
    fn a_path_that_is_not_one_is_refused() {
        for path in
            ["", "a", "$[", "$.", "$..a", "$[]", "$[\"a", "$[\"\\x\"]", "$.a b", "$[1", "$a"]
        {
            let error = JsonPath::parse(path).unwrap_err().to_string();
            assert!(error.contains("Invalid JSON path: "), "{path}: {error}");
        }
    }
}
