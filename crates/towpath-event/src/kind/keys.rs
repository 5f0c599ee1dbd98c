//! Keys of an event, and the physical columns that they lead to.

use std::collections::HashMap;
use std::mem;

use crate::json::{JsonString, Nesting, Scanner, Value};
use crate::schema::{Field, Leaf, Shape, TableColumn};

/// The keys of one object that lead somewhere, in lower case.
#[derive(Debug, Default)]
pub(super) struct Keys {
    positions: HashMap<String, usize>,
    targets: Vec<Target>,
}

/// What a key leads to. Of an event that is also a row of itself, a key can lead to two columns.
#[derive(Debug, Default)]
struct Target {
    leaves: Vec<usize>,
    inner: Keys,
}

impl Keys {
    /// The keys of a table, those of the row `whole` once more at the top, and the aliases.
    pub(super) fn of_table(
        table: &[TableColumn],
        leaves: &[Leaf],
        whole: Option<&str>,
        aliases: &[(&str, &str)],
    ) -> Keys {
        let mut keys = Keys::default();
        for column in table {
            keys.add(column.name, column.shape, column.name, leaves);
            if let (true, Shape::Row(fields)) = (Some(column.name) == whole, column.shape) {
                keys.add_row(fields, column.name, leaves);
            }
        }
        for (path, column) in aliases {
            let mut target: Option<&mut Target> = None;
            for key in path.split('.') {
                let inner = match target {
                    Some(target) => &mut target.inner,
                    None => &mut keys,
                };
                target = Some(inner.target(key));
            }
            if let (Some(target), Some(leaf)) = (target, position(leaves, column)) {
                target.leaves.push(leaf);
            }
        }
        keys
    }

    /// Adds a key that leads to the columns of `shape` under `path`. Recursion is as deep as the
    /// table nests.
    fn add(&mut self, key: &str, shape: Shape, path: &str, leaves: &[Leaf]) {
        let target = self.target(key);
        match shape {
            Shape::Row(fields) => target.inner.add_row(fields, path, leaves),
            // The text is the event itself, and what is derived stands nowhere.
            _ if path == "eventJson" => {}
            _ => target.leaves.extend(position(leaves, path)),
        }
    }

    fn add_row(&mut self, fields: &[Field], path: &str, leaves: &[Leaf]) {
        for field in fields {
            self.add(field.name, field.shape, &format!("{path}_{}", field.name), leaves);
        }
    }

    fn target(&mut self, key: &str) -> &mut Target {
        let next = self.targets.len();
        let at = *self.positions.entry(key.to_ascii_lowercase()).or_insert(next);
        if at == next {
            self.targets.push(Target::default());
        }
        &mut self.targets[at]
    }

    /// Puts the values of the object `text` into `values`, one for each physical column. Of equal
    /// keys the last wins. Recursion is as deep as the keys.
    pub(super) fn read<'t>(&self, text: &'t [u8], values: &mut [Option<Value<'t>>]) {
        let mut found: Vec<Option<Value<'t>>> = vec![None; self.targets.len()];
        each_member(text, &mut |key, value| {
            if let Some(at) = self.positions.get(&lower_case(&key)) {
                found[*at] = Some(value);
            }
        });
        for (target, value) in self.targets.iter().zip(found) {
            let Some(value) = value.filter(|value| *value != Value::Null) else { continue };
            for leaf in &target.leaves {
                values[*leaf] = Some(value);
            }
            if let (false, Value::Nested(inner)) = (target.inner.targets.is_empty(), value) {
                match first_byte(inner) {
                    Some(b'{') => target.inner.read(inner, values),
                    // A row in an array: the first one counts.
                    _ => {
                        if let Some(Value::Nested(first)) = elements(inner).next()
                            && first_byte(first) == Some(b'{')
                        {
                            target.inner.read(first, values);
                        }
                    }
                }
            }
        }
    }
}

fn position(leaves: &[Leaf], column: &str) -> Option<usize> {
    leaves.iter().position(|leaf| leaf.column == column)
}

pub(super) fn first_byte(text: &[u8]) -> Option<u8> {
    text.first().copied()
}

/// A key in lower case, to compare it.
pub(super) fn lower_case(key: &JsonString<'_>) -> String {
    let mut characters = String::from_utf8_lossy(&key.characters()).into_owned();
    characters.make_ascii_lowercase();
    characters
}

/// Calls `each` for every member of the object `text`, which has been checked to be one.
pub(super) fn each_member<'t>(text: &'t [u8], each: &mut impl FnMut(JsonString<'t>, Value<'t>)) {
    let (mut scanner, mut nesting) = (Scanner::new(text, 0), Nesting::default());
    if scanner.peek_token() != Some(b'{') {
        return;
    }
    let mut another = scanner.enter_object();
    while another {
        let Ok(key) = scanner.key() else { return };
        let Ok(value) = scanner.value(&mut nesting) else { return };
        each(key, value);
        another = matches!(scanner.another_key(), Ok(true));
    }
}

/// The elements of the array `text`, which has been checked to be one.
pub(super) fn elements<'t>(text: &'t [u8]) -> impl Iterator<Item = Value<'t>> {
    let (mut scanner, mut nesting) = (Scanner::new(text, 0), Nesting::default());
    let mut another = scanner.peek_token() == Some(b'[') && scanner.enter_array();
    std::iter::from_fn(move || {
        if !mem::replace(&mut another, false) {
            return None;
        }
        let value = scanner.value(&mut nesting).ok()?;
        another = matches!(scanner.another_element(), Ok(true));
        Some(value)
    })
}
