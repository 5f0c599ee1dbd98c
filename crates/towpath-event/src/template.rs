//! What a data file holds of an event's text: a template of it, and the rest.
//!
//! The columns hold nearly every value of an event, so its text would hold all of them twice. The
//! **template** is the text with a mark in place of each value that is in a column. Events of one
//! kind have the same template, and a thousand of them are stored in a few bytes each:
//!
//! ```text
//! text      {"eventTime":"2023-07-10T12:32:49Z","readOnly":true,"items":[1,2],
//!            "requestParameters":{"bucketName":"logs","maxKeys":10}}
//! template  {"eventTime":$,"readOnly":%,"items":*,
//!            "requestParameters":{@:$,@:%}}
//! rest      [1,2]
//! ```
//!
//! | mark | stands for |
//! |---|---|
//! | `$` | the column's value between double quotes; a timestamp as `2023-07-10T12:32:49Z` |
//! | `&` | the same with `"`, `\` and control characters escaped: the short escapes `\b \t \n \f \r` where there is one, else `\u001f` in small letters; no other character is escaped |
//! | `%` | the column's value as it is: a number, a boolean, nested JSON |
//! | `@`, `^` | the next key of a map, between quotes as `$` and `&` are |
//! | `*` | the next of the JSON values of the rest, which commas separate |
//!
//! Marks stand outside of strings, where JSON has no such characters. Which column a mark means
//! follows from the keys around it, as it does when an event is decoded; in a map it is the next
//! entry, in resources the field of the element at that place. All else, white space and `null`
//! too, is text.
//!
//! Where a text has no template, the rest is the whole text. That is so for events that repeat a
//! key of a column, because a column holds one value only.

use std::ops::Range;

use crate::json::{Fault, JsonString, Nesting, Scanner, Value};
use crate::layout::{EVENT, LAYOUT, Target};
use crate::resources::field_of_key;
use crate::schema::LEAF_COUNT;

const STRING: u8 = b'$';
const ESCAPED: u8 = b'&';
const EXACT: u8 = b'%';
const KEY: u8 = b'@';
const ESCAPED_KEY: u8 = b'^';
const REST: u8 = b'*';

/// Between the values of the rest.
const SEPARATOR: u8 = b',';

const _: () = assert!(LEAF_COUNT <= 128, "Draft::leaves_seen has a bit for each");

/// How a column can give a value of the text back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is null, which the template says itself.
    Null,
    /// Between quotes.
    String,
    /// Between quotes, with escapes.
    Escaped,
    /// As it is.
    Exact,
    /// Not at all.
    Lost,
}

impl Kept {
    /// What a varchar keeps of a value.
    #[inline]
    pub(crate) fn by_varchar(value: &Value<'_>) -> Kept {
        match value {
            Value::Null => Kept::Null,
            Value::String(string) => Kept::of_string(string),
            _ => Kept::Exact,
        }
    }

    /// What a varchar keeps of a string.
    #[inline]
    pub(crate) fn of_string(string: &JsonString<'_>) -> Kept {
        if !string.escaped {
            Kept::String
        } else if is_escaped_our_way(string.raw) {
            Kept::Escaped
        } else {
            Kept::Lost
        }
    }

    /// What is kept of a value that no column is for.
    #[inline]
    pub(crate) fn by_none(value: &Value<'_>) -> Kept {
        if *value == Value::Null { Kept::Null } else { Kept::Lost }
    }
}

/// The template and the rest of one event while it is being decoded.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    template: Vec<u8>,
    rest: Vec<u8>,
    /// How far the text is in the template.
    copied: usize,
    /// One bit for each physical column that the event has had so far.
    leaves_seen: u128,
    repeats: bool,
}

impl Draft {
    /// Begins with the event whose text starts at `start`.
    #[inline]
    pub(crate) fn begin(&mut self, start: usize) {
        self.template.clear();
        self.rest.clear();
        self.copied = start;
        self.leaves_seen = 0;
        self.repeats = false;
    }

    /// Takes note that a value of the physical column `leaf` follows.
    #[inline]
    pub(crate) fn see_leaf(&mut self, leaf: usize) {
        let bit = 1 << leaf;
        self.repeats |= self.leaves_seen & bit != 0;
        self.leaves_seen |= bit;
    }

    /// Takes note that a key of the event stands in it twice: no column has both values.
    #[inline]
    pub(crate) fn see_repeated_key(&mut self) {
        self.repeats = true;
    }

    /// Puts a mark in place of the value from `start` to where the scanner stands.
    #[inline]
    pub(crate) fn value(&mut self, scanner: &Scanner<'_>, start: usize, kept: Kept) {
        let mark = match kept {
            Kept::Null => return,
            Kept::String => STRING,
            Kept::Escaped => ESCAPED,
            Kept::Exact => EXACT,
            Kept::Lost => {
                if !self.rest.is_empty() {
                    self.rest.push(SEPARATOR);
                }
                self.rest.extend_from_slice(scanner.since(start));
                REST
            }
        };
        self.mark(scanner, start..scanner.at(), mark);
    }

    /// Puts a mark in place of the key of a map whose opening quote is at `start`. The scanner
    /// stands somewhere behind it.
    #[inline]
    pub(crate) fn map_key(&mut self, scanner: &Scanner<'_>, start: usize, key: &JsonString<'_>) {
        let mark = match Kept::of_string(key) {
            Kept::String => KEY,
            Kept::Escaped => ESCAPED_KEY,
            // There is no place in the rest for a key: it is as lost as a repeated one.
            _ => {
                self.repeats = true;
                return;
            }
        };
        self.mark(scanner, start..start + key.raw.len() + 2, mark);
    }

    #[inline]
    fn mark(&mut self, scanner: &Scanner<'_>, place: Range<usize>, mark: u8) {
        self.template.extend_from_slice(scanner.between(self.copied, place.start));
        self.template.push(mark);
        self.copied = place.end;
    }

    /// Completes the event, which ends where the scanner stands. Returns its template, if it has
    /// one, and the rest, which then is of use unless it is empty.
    #[inline]
    pub(crate) fn finish(&mut self, scanner: &Scanner<'_>) -> Option<(&[u8], &[u8])> {
        if self.repeats {
            return None;
        }
        self.template.extend_from_slice(scanner.since(self.copied));
        Some((&self.template, &self.rest))
    }
}

/// Whether a string, as it stands between its quotes, is what [`escape`] makes of its characters.
fn is_escaped_our_way(raw: &[u8]) -> bool {
    let mut rest = raw;
    loop {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        let (before, escape) = rest.split_at(plain);
        if before.iter().any(|byte| *byte < b' ') {
            return false;
        }
        let taken = match escape {
            [] => return true,
            [_, b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r', ..] => 2,
            [_, b'u', b'0', b'0', high @ (b'0' | b'1'), low, ..] => {
                let control = (high - b'0') << 4 | low_digit(*low);
                if matches!(low, b'A'..=b'F') || short_escape(control).is_some() {
                    return false;
                }
                6
            }
            _ => return false,
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
}

fn low_digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or_default()
}

/// The letter that stands for a character after a backslash.
fn short_escape(character: u8) -> Option<u8> {
    Some(match character {
        b'"' | b'\\' => character,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => return None,
    })
}

/// Appends `text` with escapes, as the mark `&` has it.
pub(crate) fn escape(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for &byte in text {
        match short_escape(byte) {
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
            None if byte < b' ' => {
                out.extend_from_slice(b"\\u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
            None => out.push(byte),
        }
    }
}

/// Where a value of the text is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In a physical column.
    Leaf(usize),
    /// The key, or the value, of an entry of the map in a physical column.
    Key {
        leaf: usize,
        entry: usize,
    },
    Entry {
        leaf: usize,
        entry: usize,
    },
    /// A field of an element of the resources in a physical column.
    Resource {
        leaf: usize,
        element: usize,
        field: usize,
    },
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Quoted,
    Escaped,
    Exact,
}

/// One part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// This part of the template.
    Text(Range<usize>),
    Value(Source, Form),
    /// The next value of the rest.
    Rest,
}

/// The parts of the text that has this template.
///
/// # Errors
///
/// [`Fault`] if it is not a template of any text.
pub(crate) fn parts(template: &[u8]) -> Result<Vec<Part>, Fault> {
    let scanner = Scanner::new(template, 0);
    let mut reader = Reader { scanner, nesting: Nesting::default(), copied: 0, parts: Vec::new() };
    if reader.scanner.peek() != Some(b'{') {
        return Err(Fault);
    }
    reader.row(EVENT)?;
    if reader.scanner.peek().is_some() {
        return Err(Fault);
    }
    reader.text_before(0);
    Ok(reader.parts)
}

/// Reads a template.
struct Reader<'t> {
    scanner: Scanner<'t>,
    nesting: Nesting,
    /// How far the template is in the parts.
    copied: usize,
    parts: Vec<Part>,
}

impl Reader<'_> {
    /// Reads an object that is a row of the table. Recursion is as deep as the table nests.
    fn row(&mut self, row: usize) -> Result<(), Fault> {
        let row = &LAYOUT.rows[row];
        let mut another = self.scanner.enter_object();
        while another {
            let key = self.scanner.key()?;
            let target = row.find(&key.characters()).map(|key| row.keys[key].target);
            let leaf = match target {
                Some(Target::Row(inner)) if self.scanner.peek_token() == Some(b'{') => {
                    self.row(inner)?;
                    another = self.scanner.another_key()?;
                    continue;
                }
                None | Some(Target::Row(_)) => None,
                Some(Target::Leaf(leaf)) => Some(leaf),
                Some(Target::Stray(stray) | Target::NestedStray(stray)) => {
                    Some(LAYOUT.strays[stray].leaf)
                }
            };
            match (leaf, self.scanner.peek_token()) {
                (Some(leaf), Some(b'{')) => self.map(leaf)?,
                (Some(leaf), Some(b'[')) => self.resources(leaf)?,
                (leaf, _) => self.value(leaf.map(Source::Leaf))?,
            }
            another = self.scanner.another_key()?;
        }
        Ok(())
    }

    fn map(&mut self, leaf: usize) -> Result<(), Fault> {
        let mut entries = 0..;
        let mut another = self.scanner.enter_object();
        while let Some(entry) = entries.next().filter(|_| another) {
            let form = match self.scanner.peek_token() {
                Some(KEY) => Form::Quoted,
                Some(ESCAPED_KEY) => Form::Escaped,
                _ => return Err(Fault),
            };
            self.part(Part::Value(Source::Key { leaf, entry }, form));
            if !self.scanner.eat(b':') {
                return Err(Fault);
            }
            self.value(Some(Source::Entry { leaf, entry }))?;
            another = self.scanner.another_key()?;
        }
        Ok(())
    }

    fn resources(&mut self, leaf: usize) -> Result<(), Fault> {
        let mut elements = 0..;
        let mut another = self.scanner.enter_array();
        while let Some(element) = elements.next().filter(|_| another) {
            if self.scanner.peek_token() == Some(b'{') {
                self.resource(leaf, element)?;
            } else {
                self.value(None)?;
            }
            another = self.scanner.another_element()?;
        }
        Ok(())
    }

    fn resource(&mut self, leaf: usize, element: usize) -> Result<(), Fault> {
        let mut another = self.scanner.enter_object();
        while another {
            let field = field_of_key(self.scanner.key()?);
            self.value(field.map(|field| Source::Resource { leaf, element, field }))?;
            another = self.scanner.another_key()?;
        }
        Ok(())
    }

    /// Reads what stands for a value that, if any column has it, is found in `source`.
    fn value(&mut self, source: Option<Source>) -> Result<(), Fault> {
        let form = match self.scanner.peek_token() {
            Some(b'n') => return self.scanner.value(&mut self.nesting).map(|_| ()),
            Some(REST) => {
                self.part(Part::Rest);
                return Ok(());
            }
            Some(STRING) => Form::Quoted,
            Some(ESCAPED) => Form::Escaped,
            Some(EXACT) => Form::Exact,
            _ => return Err(Fault),
        };
        let source = source.ok_or(Fault)?;
        self.part(Part::Value(source, form));
        Ok(())
    }

    /// Steps over a mark, for which `part` stands.
    fn part(&mut self, part: Part) {
        self.scanner.skip_byte();
        self.text_before(1);
        self.parts.push(part);
    }

    /// Adds the text up to `marks` bytes before where the scanner stands.
    fn text_before(&mut self, marks: usize) {
        let end = self.scanner.at() - marks;
        if self.copied < end {
            self.parts.push(Part::Text(self.copied..end));
        }
        self.copied = end + marks;
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Part, Source, escape, is_escaped_our_way, parts};
    use crate::schema::leaf_index;

    #[test]
    fn strings_are_escaped_our_way_exactly_when_escaping_gives_them_back() {
        for (raw, characters, ours) in [
            (r#"a\"b\\c"#, "a\"b\\c", true),
            (r"\b\t\n\f\r", "\u{8}\t\n\u{c}\r", true),
            (r"\u0000\u001f\u000b", "\0\u{1f}\u{b}", true),
            (r"\u001F", "\u{1f}", false),
            (r"\u000a", "\n", false),
            (r"\u0041", "A", false),
            (r"\/", "/", false),
            (r"\ud800", "\u{fffd}", false),
            ("raw\t\\n", "raw\t\n", false),
            ("über\\n", "über\n", true),
        ] {
            assert_eq!(is_escaped_our_way(raw.as_bytes()), ours, "{raw}");
            let mut escaped = Vec::new();
            escape(characters.as_bytes(), &mut escaped);
            assert_eq!(escaped == raw.as_bytes(), ours, "{raw}");
        }
    }

    #[test]
    fn a_template_is_read_into_its_parts() {
        let template = br#"{"eventTime":$ ,"x":*,"requestParameters":{@:%},"readOnly":null}"#;
        let map = leaf_index("requestParameters");
        let expected = [
            Part::Text(0..13),
            Part::Value(Source::Leaf(leaf_index("eventTime")), Form::Quoted),
            Part::Text(14..20),
            Part::Rest,
            Part::Text(21..43),
            Part::Value(Source::Key { leaf: map, entry: 0 }, Form::Quoted),
            Part::Text(44..45),
            Part::Value(Source::Entry { leaf: map, entry: 0 }, Form::Exact),
            Part::Text(46..64),
        ];
        assert_eq!(parts(template), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            "{}x",
            r#"{"x":1}"#,
            r#"{"x":$}"#,
            r#"{"eventName":"x"}"#,
            r#"{"requestParameters":{"a":$}}"#,
            r#"{"requestParameters":{@$}}"#,
            r#"{"resources":[$]}"#,
            r#"{"userIdentity":$}"#,
        ] {
            assert!(parts(text.as_bytes()).is_err(), "{text}");
        }
    }
}
