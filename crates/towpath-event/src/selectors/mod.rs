//! Event selectors: which events a store takes, as CloudTrail words it.
//!
//! [`EventSelectors`] reads the advanced selectors of trails and event data stores and the older
//! basic ones of trails, as JSON or YAML, alone or inside a CloudFormation template. It checks them
//! by CloudTrail's rules and then says for each event of a batch whether one of them takes it.
//!
//! * Selectors are alternatives: an event is taken if any of them takes it.
//! * Fields of one selector must all agree.
//! * Of one field, `Equals`, `StartsWith` and `EndsWith` are alternatives, and of `NotEquals`,
//!   `NotStartsWith` and `NotEndsWith` any one that hits excludes. A field that an event lacks is
//!   hit by none of them.
//! * Comparisons are exact, case included.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html>

mod advanced;
mod basic;
mod document;
mod field;
mod matching;

use arrow::array::RecordBatch;

use crate::kind::EventKind;
use advanced::Selector;
use document::Node;

/// Most bytes of the text of selectors. The most that CloudTrail takes, 500 values of 2048
/// characters, is about a megabyte.
pub const SELECTORS_TEXT_BYTES_MAX: usize = 2 << 20;

/// Most selectors, of either kind, as in CloudTrail.
const SELECTORS_MAX: usize = 5;

/// The selectors of a store: checked, and ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSelectors {
    kind: EventKind,
    selectors: Vec<Selector>,
    /// The selectors as they were given, in the JSON of CloudTrail's API.
    json: String,
}

impl EventSelectors {
    /// Reads selectors from JSON or YAML.
    ///
    /// Taken are a list of selectors, an object or a whole CloudFormation template with
    /// `AdvancedEventSelectors` or `EventSelectors` anywhere in it. What stands beside them is not
    /// looked at. Booleans and numbers count as their text, a single value as a list of one.
    ///
    /// # Errors
    ///
    /// [`SelectorError`], which names the selector and its field.
    pub fn parse(text: &str) -> Result<EventSelectors, SelectorError> {
        if text.len() > SELECTORS_TEXT_BYTES_MAX {
            return Err(SelectorError::TooLarge { bytes: text.len() });
        }
        let document = document::read(text)?;
        match found(&document)? {
            Found::Advanced(list) => {
                let given = advanced::read(list)?;
                let kind = advanced::kind(&given)?;
                let json = advanced::json(&given);
                Ok(EventSelectors { kind, selectors: given, json })
            }
            Found::Basic(list) => {
                let given = basic::read(list)?;
                let selectors = given.iter().flat_map(basic::BasicSelector::advanced).collect();
                let json = basic::json(&given);
                Ok(EventSelectors { kind: EventKind::CloudTrail, selectors, json })
            }
        }
    }

    /// What kind of events the selectors are about, which is also the schema of their store.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The selectors in the JSON of CloudTrail's API: an object with the member
    /// `AdvancedEventSelectors` or `EventSelectors`. [`EventSelectors::parse`] reads it back.
    pub fn to_json(&self) -> &str {
        &self.json
    }

    /// For each row of `columns`, a batch of events of [`EventSelectors::kind`], whether a selector
    /// takes it.
    pub fn matches(&self, columns: &RecordBatch) -> Vec<bool> {
        matching::matches(&self.selectors, columns)
    }
}

/// Why selectors are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// The text is longer than any selectors.
    #[error("selectors have {bytes} bytes, and no more than {SELECTORS_TEXT_BYTES_MAX} are read")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },

    /// The text is neither JSON nor YAML.
    #[error("selectors are neither JSON nor YAML: line {line}, column {column}: {reason}")]
    Syntax {
        /// Line of the first fault, from 1.
        line: usize,
        /// Column of it, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },

    /// The text has no selectors, or several sets of them.
    #[error("{0}")]
    NotSelectors(&'static str),

    /// A selector is not as CloudTrail wants it.
    #[error("selector {selector}{}: {reason}", place(name.as_deref(), field.as_deref()))]
    Selector {
        /// Which one, from 1.
        selector: usize,
        /// Its `Name`, if it has one.
        name: Option<String>,
        /// The field of it that is wrong, if one is.
        field: Option<String>,
        /// What is wrong, and what would be right.
        reason: String,
    },

    /// The selectors do not go together.
    #[error("{0}")]
    Together(String),
}

/// Name and field in brackets and after a comma, to stand after the number of a selector.
fn place(name: Option<&str>, field: Option<&str>) -> String {
    let name = name.map(|name| format!(" (`{name}`)")).unwrap_or_default();
    let field = field.map(|field| format!(", field `{field}`")).unwrap_or_default();
    name + &field
}

/// The selectors of a document.
enum Found<'d> {
    Advanced(&'d [Node]),
    Basic(&'d [Node]),
}

const ADVANCED: &str = "AdvancedEventSelectors";
const BASIC: &str = "EventSelectors";

/// Finds the one list of selectors in `document`.
fn found(document: &Node) -> Result<Found<'_>, SelectorError> {
    if let Node::List(selectors) = document {
        let is_advanced =
            selectors.iter().any(|selector| selector.member("FieldSelectors").is_some());
        return Ok(if is_advanced || selectors.is_empty() {
            Found::Advanced(selectors)
        } else {
            Found::Basic(selectors)
        });
    }
    let mut lists = Vec::new();
    document.each_member(&mut |key, value| match (key, value) {
        (ADVANCED, Node::List(selectors)) => lists.push(Found::Advanced(selectors)),
        (BASIC, Node::List(selectors)) => lists.push(Found::Basic(selectors)),
        _ => {}
    });
    match (lists.pop(), lists.is_empty()) {
        (Some(found), true) => Ok(found),
        (None, _) => Err(SelectorError::NotSelectors(
            "there are no selectors: expected a list `AdvancedEventSelectors` or `EventSelectors`",
        )),
        _ => Err(SelectorError::NotSelectors(
            "there is more than one list of selectors: a store has one, advanced or basic",
        )),
    }
}

/// A selector while it is read: what an error about it names.
#[derive(Clone, Debug)]
struct Reading {
    selector: usize,
    name: Option<String>,
    field: Option<String>,
}

impl Reading {
    /// Of the selector at `index`, from 0.
    fn new(index: usize) -> Reading {
        Reading { selector: index + 1, name: None, field: None }
    }

    fn error(&self, reason: impl Into<String>) -> SelectorError {
        SelectorError::Selector {
            selector: self.selector,
            name: self.name.clone(),
            field: self.field.clone(),
            reason: reason.into(),
        }
    }

    /// The members of a map whose keys are all among `known`.
    fn members<'d>(
        &self,
        node: &'d Node,
        known: &[&str],
    ) -> Result<&'d [(String, Node)], SelectorError> {
        let Node::Map(members) = node else {
            return Err(self.error(format!("expected an object with {}", listed(known))));
        };
        match members.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            Some((key, _)) => {
                Err(self.error(format!("`{key}` is not known; expected {}", listed(known))))
            }
            None => Ok(members),
        }
    }

    fn list<'d>(&self, key: &str, node: &'d Node) -> Result<&'d [Node], SelectorError> {
        match node {
            Node::List(list) => Ok(list),
            _ => Err(self.error(format!("`{key}` is not a list"))),
        }
    }

    fn text<'d>(&self, key: &str, node: &'d Node) -> Result<&'d str, SelectorError> {
        match node {
            Node::Text(text) => Ok(text),
            Node::Function(name) => Err(self.error(format!(
                "`{key}` is `{name}`, which only CloudFormation can resolve; write the value out"
            ))),
            _ => Err(self.error(format!("`{key}` is not a text"))),
        }
    }

    /// The values of `key`: texts, or one text alone.
    fn texts(&self, key: &str, node: &Node) -> Result<Vec<String>, SelectorError> {
        match node {
            Node::List(list) => {
                list.iter().map(|value| self.text(key, value).map(str::to_owned)).collect()
            }
            _ => Ok(vec![self.text(key, node)?.to_owned()]),
        }
    }
}

/// `` `a`, `b` or `c` ``.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
