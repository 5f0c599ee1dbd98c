//! Advanced event selectors: read, checked, and written again.

use serde_json::{Map, Value, json};

use super::document::Node;
use super::field::{Category, Field, OPERATORS, Operator};
use super::{ADVANCED, Reading, SELECTORS_MAX, SelectorError, listed};
use crate::kind::EventKind;

/// Values of all fields of all selectors, as in CloudTrail.
const VALUES_MAX: usize = 500;
/// Characters of a value, as in CloudTrail.
const VALUE_CHARS_MAX: usize = 2048;
/// Characters of a name, as in CloudTrail.
const NAME_CHARS_MAX: usize = 1000;

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) name: Option<String>,
    pub(super) category: Category,
    /// Every field but once, `eventCategory` among them.
    pub(super) fields: Vec<FieldSelector>,
}

/// What one field must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldSelector {
    pub(super) field: Field,
    /// Operators and values, in the order in which they were given.
    pub(super) conditions: Vec<(Operator, Vec<String>)>,
}

impl FieldSelector {
    /// The field compared to one value.
    pub(super) fn new(field: Field, operator: Operator, values: Vec<String>) -> FieldSelector {
        FieldSelector { field, conditions: vec![(operator, values)] }
    }

    fn values(&self) -> impl Iterator<Item = &String> {
        self.conditions.iter().flat_map(|(_, values)| values)
    }
}

/// Reads and checks a list of selectors.
pub(super) fn read(list: &[Node]) -> Result<Vec<Selector>, SelectorError> {
    if list.is_empty() || list.len() > SELECTORS_MAX {
        let text = format!("there are {} selectors; a store has 1 to {SELECTORS_MAX}", list.len());
        return Err(SelectorError::Together(text));
    }
    let selectors: Vec<Selector> = list
        .iter()
        .enumerate()
        .map(|(index, node)| read_selector(index, node))
        .collect::<Result<_, _>>()?;
    let fields = selectors.iter().flat_map(|selector| &selector.fields);
    let values: usize = fields.map(|field| field.values().count()).sum();
    if values > VALUES_MAX {
        let text = format!("the selectors have {values} values together; at most {VALUES_MAX}");
        return Err(SelectorError::Together(text));
    }
    Ok(selectors)
}

/// What all of `selectors` are about: a store has one schema.
pub(super) fn kind(selectors: &[Selector]) -> Result<EventKind, SelectorError> {
    let mut kinds = selectors.iter().map(|selector| selector.category.kind());
    let kind = kinds.next().unwrap_or_default();
    match kinds.find(|other| *other != kind) {
        None => Ok(kind),
        Some(other) => Err(SelectorError::Together(format!(
            "events of `{}` and of `{}` have different columns: make a store for each",
            kind.name(),
            other.name()
        ))),
    }
}

fn read_selector(index: usize, node: &Node) -> Result<Selector, SelectorError> {
    let mut reading = Reading::new(index);
    let members = reading.members(node, &["Name", "FieldSelectors"])?;
    if let Some(name) = node.member("Name").filter(|name| **name != Node::Null) {
        let name = reading.text("Name", name)?;
        if name.chars().count() > NAME_CHARS_MAX {
            return Err(
                reading.error(format!("its name has more than {NAME_CHARS_MAX} characters"))
            );
        }
        reading.name = Some(name.to_owned());
    }
    let fields = members.iter().find(|(key, _)| key == "FieldSelectors");
    let fields = match fields {
        Some((key, fields)) => reading.list(key, fields)?,
        None => return Err(reading.error("it has no `FieldSelectors`")),
    };
    let fields: Vec<FieldSelector> =
        fields.iter().map(|field| read_field(&reading, field)).collect::<Result<_, _>>()?;
    let category = category(&reading, &fields)?;
    check(&reading, category, &fields)?;
    Ok(Selector { name: reading.name, category, fields })
}

fn read_field(reading: &Reading, node: &Node) -> Result<FieldSelector, SelectorError> {
    let mut reading = reading.clone();
    if let Some(name) = node.member("Field") {
        reading.field = Some(reading.text("Field", name)?.to_owned());
    }
    let mut known = vec!["Field"];
    known.extend(OPERATORS.map(|(name, _)| name));
    let members = reading.members(node, &known)?;
    let Some(name) = reading.field.clone() else {
        return Err(reading.error("one of its field selectors has no `Field`"));
    };
    let Some(field) = Field::of(&name) else {
        return Err(reading.error(format!("there is no such field; {}", listed(&Field::names()))));
    };
    let mut conditions = Vec::new();
    for (key, node) in members {
        let Some(operator) = Operator::of(key) else { continue };
        let values = reading.texts(key, node)?;
        if values.is_empty() {
            return Err(reading.error(format!("`{key}` has no values")));
        }
        for value in &values {
            if value.is_empty() || value.chars().count() > VALUE_CHARS_MAX {
                let limits = format!("1 to {VALUE_CHARS_MAX} characters");
                return Err(reading.error(format!("a value of `{key}` does not have {limits}")));
            }
            if let Some(refusal) = field.refusal(operator, value) {
                return Err(reading.error(refusal));
            }
        }
        conditions.push((operator, values));
    }
    if conditions.is_empty() {
        let operators = listed(&OPERATORS.map(|(name, _)| name));
        return Err(reading.error(format!("it has no operator; expected {operators}")));
    }
    Ok(FieldSelector { field, conditions })
}

/// The category that the fields name.
fn category(reading: &Reading, fields: &[FieldSelector]) -> Result<Category, SelectorError> {
    let named = fields.iter().find(|field| field.field == Field::EventCategory);
    let mut reading = reading.clone();
    reading.field = Some(Field::EventCategory.name().to_owned());
    let Some(named) = named else {
        return Err(reading.error("every selector needs it"));
    };
    match named.conditions.as_slice() {
        [(Operator::Equals, values)] => match values.as_slice() {
            [category] => Category::of(category)
                .ok_or_else(|| reading.error(format!("there is no category `{category}`"))),
            _ => Err(reading.error("it takes one value; make a selector for each category")),
        },
        _ => Err(reading.error("it takes `Equals` only")),
    }
}

/// Refuses fields that the category does not have, lacks or has twice, and their operators.
fn check(
    reading: &Reading,
    category: Category,
    fields: &[FieldSelector],
) -> Result<(), SelectorError> {
    let of = |field: Field| {
        let mut reading = reading.clone();
        reading.field = Some(field.name().to_owned());
        reading
    };
    for (at, FieldSelector { field, conditions }) in fields.iter().enumerate() {
        if fields.iter().take(at).any(|earlier| earlier.field == *field) {
            return Err(of(*field).error("it stands twice; put all its operators together"));
        }
        let allowed = category.operators(*field);
        if allowed.is_empty() {
            let has = listed(&category.fields());
            return Err(of(*field).error(format!("this category only has {has}")));
        }
        if let Some((operator, _)) = conditions.iter().find(|(name, _)| !allowed.contains(name)) {
            let allowed: Vec<&str> = allowed.iter().map(|operator| operator.name()).collect();
            let (operator, allowed) = (operator.name(), listed(&allowed));
            return Err(of(*field).error(format!("it takes {allowed} here, not `{operator}`")));
        }
        let values: usize = conditions.iter().map(|(_, values)| values.len()).sum();
        if category.is_single(*field) && values > 1 {
            return Err(of(*field).error("it takes one value; make a selector for each"));
        }
    }
    let has = |field: &&Field| !fields.iter().any(|given| given.field == **field);
    match category.required().iter().find(has) {
        Some(missing) => Err(of(*missing).error("this category needs it")),
        None => Ok(()),
    }
}

/// Selectors in the JSON of CloudTrail's API.
pub(super) fn json(selectors: &[Selector]) -> String {
    let selectors: Vec<Value> = selectors.iter().map(selector_json).collect();
    json!({ADVANCED: selectors}).to_string()
}

fn selector_json(selector: &Selector) -> Value {
    let fields: Vec<Value> = selector
        .fields
        .iter()
        .map(|FieldSelector { field, conditions }| {
            let mut members = Map::new();
            members.insert("Field".to_owned(), field.name().into());
            for (operator, values) in conditions {
                members.insert(operator.name().to_owned(), values.clone().into());
            }
            members.into()
        })
        .collect();
    let mut members = Map::new();
    if let Some(name) = &selector.name {
        members.insert("Name".to_owned(), name.clone().into());
    }
    members.insert("FieldSelectors".to_owned(), fields.into());
    members.into()
}
