//! JSON or YAML as a small tree: texts, lists and maps, with the limits of something that a person
//! wrote.

use std::collections::HashSet;
use std::fmt;
use std::mem;

use saphyr_parser::{Event, Marker, Parser, ScanError, Tag};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::SelectorError;

/// Deepest nesting of a document. A CloudFormation template with selectors has about ten levels.
const DEPTH_MAX: usize = 64;

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    /// A scalar. Booleans and numbers are their text.
    Text(String),
    List(Vec<Node>),
    /// Members in order. No key stands twice.
    Map(Vec<(String, Node)>),
    /// Something with a tag, such as CloudFormation's `!Ref`: the tag.
    Function(String),
}

impl Node {
    /// The member `key` of a map.
    pub(super) fn member(&self, key: &str) -> Option<&Node> {
        let Node::Map(members) = self else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Calls `each` for every member of every map, however deep. The tree is at most
    /// [`DEPTH_MAX`] deep.
    pub(super) fn each_member<'d>(&'d self, each: &mut impl FnMut(&'d str, &'d Node)) {
        match self {
            Node::Map(members) => {
                for (key, value) in members {
                    each(key, value);
                    value.each_member(each);
                }
            }
            Node::List(values) => values.iter().for_each(|value| value.each_member(each)),
            _ => {}
        }
    }

    fn depth(&self) -> usize {
        let inner = match self {
            Node::Map(members) => members.iter().map(|(_, value)| value.depth()).max(),
            Node::List(values) => values.iter().map(Node::depth).max(),
            _ => return 0,
        };
        1 + inner.unwrap_or_default()
    }
}

/// Reads a document: as JSON if it begins like JSON and is, else as YAML.
pub(super) fn read(text: &str) -> Result<Node, SelectorError> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with(['{', '[']) {
        return read_yaml(text);
    }
    match serde_json::from_str::<Node>(text) {
        // serde_json itself stops at 128 levels.
        Ok(document) if document.depth() > DEPTH_MAX => Err(too_deep(1, 1)),
        Ok(document) => Ok(document),
        // YAML can begin so too. If it is neither, what is wrong with the JSON says more.
        Err(err) => read_yaml(text).map_err(|_yaml| SelectorError::Syntax {
            line: err.line(),
            column: err.column(),
            reason: reason_of(&err),
        }),
    }
}

/// The text of an error without the place, which is told apart.
fn reason_of(err: &serde_json::Error) -> String {
    let text = err.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

fn too_deep(line: usize, column: usize) -> SelectorError {
    let reason = format!("it nests more than {DEPTH_MAX} levels");
    SelectorError::Syntax { line, column, reason }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Node::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut keys = HashSet::new();
        while let Some((key, value)) = access.next_entry::<String, Node>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("key `{key}` stands twice")));
            }
            members.push((key, value));
        }
        Ok(Node::Map(members))
    }
}

/// A container that is not finished.
enum Open {
    List(Vec<Node>),
    Map { members: Vec<(String, Node)>, keys: HashSet<String>, key: Option<String> },
}

/// Builds the tree from the parser's events, with a stack of its own.
#[derive(Default)]
struct Builder {
    open: Vec<(Open, Option<String>)>,
    document: Option<Node>,
}

fn read_yaml(text: &str) -> Result<Node, SelectorError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|err| yaml_error(&err))?;
        builder.take(event).map_err(|reason| at(&span.start, reason))?;
        if builder.open.len() > DEPTH_MAX {
            return Err(too_deep(span.start.line(), span.start.col() + 1));
        }
    }
    Ok(builder.document.unwrap_or(Node::Null))
}

fn yaml_error(err: &ScanError) -> SelectorError {
    at(err.marker(), err.info().to_owned())
}

fn at(marker: &Marker, reason: String) -> SelectorError {
    SelectorError::Syntax { line: marker.line(), column: marker.col() + 1, reason }
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                // Without quotes, YAML has several words for null. No selector has one as its value.
                let is_null = style == saphyr_parser::ScalarStyle::Plain
                    && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let node = match function(tag.as_deref()) {
                    Some(name) => Node::Function(name),
                    None if is_null => Node::Null,
                    None => Node::Text(text.into_owned()),
                };
                self.add(node)
            }
            Event::SequenceStart(_, tag) => {
                self.open.push((Open::List(Vec::new()), function(tag.as_deref())));
                Ok(())
            }
            Event::MappingStart(_, tag) => {
                let map = Open::Map { members: Vec::new(), keys: HashSet::new(), key: None };
                self.open.push((map, function(tag.as_deref())));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((container, function)) = self.open.pop() else { return Ok(()) };
                let node = match container {
                    Open::List(values) => Node::List(values),
                    Open::Map { members, .. } => Node::Map(members),
                };
                self.add(function.map_or(node, Node::Function))
            }
            // An alias can make a small text a tree of any size.
            Event::Alias(_) => Err("aliases are not taken; write the value out".to_owned()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node) -> Result<(), String> {
        match self.open.last_mut().map(|(container, _)| container) {
            None if self.document.is_some() => Err("there is more than one document".to_owned()),
            None => {
                self.document = Some(node);
                Ok(())
            }
            Some(Open::List(values)) => {
                values.push(node);
                Ok(())
            }
            Some(Open::Map { members, keys, key }) => match (mem::take(key), node) {
                (Some(name), node) => {
                    if !keys.insert(name.clone()) {
                        return Err(format!("key `{name}` stands twice"));
                    }
                    members.push((name, node));
                    Ok(())
                }
                (None, Node::Text(name)) => {
                    *key = Some(name);
                    Ok(())
                }
                (None, _) => Err("a key is not a text".to_owned()),
            },
        }
    }
}

/// The tag of a value as it is written, unless it is one of YAML's own.
fn function(tag: Option<&Tag>) -> Option<String> {
    let tag = tag.filter(|tag| !tag.is_yaml_core_schema())?;
    Some(format!("{}{}", tag.handle, tag.suffix))
}
