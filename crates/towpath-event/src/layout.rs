//! Which physical column a JSON key belongs to, looked up while decoding.
//!
//! Computed once from [`TABLE`]. A key is looked up among the keys of the row
//! it stands in, so `userIdentity.arn` and `sessionIssuer.arn` do not meet.

use std::ops::Range;
use std::sync::LazyLock;

use crate::schema::{EVENT_TEXT_PARTS, Field, Shape, TABLE};

/// Keys that are read into a field of another name: (row, key, field). Some producers spell ids
/// so.
const OTHER_SPELLINGS: &[(&str, &str, &str)] =
    &[("", "eventId", "eventID"), ("", "requestId", "requestID")];

/// Fields that stand in one row of the table, and in events in that row or in one nested in it:
/// (row, nested row, field). AWS writes them in either place.
const ALSO_NESTED: &[(&str, &str, &str)] = &[
    (SESSION, SESSION_ATTRIBUTES, "sourceIdentity"),
    (SESSION, SESSION_ATTRIBUTES, "ec2RoleDelivery"),
    (SESSION, SESSION_ATTRIBUTES, "ec2IssuedInVpc"),
];
const SESSION: &str = "userIdentity_sessionContext";
const SESSION_ATTRIBUTES: &str = "userIdentity_sessionContext_attributes";

/// Number of fields that stand in one row or in another nested in it.
pub(crate) const STRAYS: usize = ALSO_NESTED.len();

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The physical column at this position.
    Leaf(usize),
    /// The row at this position of [`Layout::rows`].
    Row(usize),
    /// The stray at this position of [`Layout::strays`], in the place that counts first.
    Stray(usize),
    /// The stray at this position of [`Layout::strays`], in the nested place.
    NestedStray(usize),
}

/// A field of [`ALSO_NESTED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stray {
    /// Its physical column.
    pub(crate) leaf: usize,
    /// Its nested row, as a position of [`Layout::rows`].
    pub(crate) nested_row: usize,
}

/// One JSON object that becomes columns: the event itself, or a row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// The keys that lead somewhere.
    pub(crate) keys: Vec<Key>,
    key_table: KeyTable,
    /// The physical columns of everything in the row.
    pub(crate) leaves: Range<usize>,
}

/// A key of a [`Row`].
#[derive(Debug)]
pub(crate) struct Key {
    /// The key as it stands in the text of most events: in quotes and with the colon.
    pub(crate) quoted: String,
    pub(crate) target: Target,
}

impl Row {
    fn new(first_leaf: usize) -> Row {
        let key_table = KeyTable { slots: [None; KEY_SLOTS] };
        Row { keys: Vec::new(), key_table, leaves: first_leaf..first_leaf }
    }

    fn add_key(&mut self, name: &'static str, target: Target) {
        self.key_table.insert(name, self.keys.len());
        self.keys.push(Key { quoted: format!("\"{name}\":"), target });
    }

    /// The position of `name` in [`Row::keys`], or `None` if the table has no such field.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.key_table.get(name)
    }
}

/// All rows of the table.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The event is at [`EVENT`]; a row stands after the row it is in.
    pub(crate) rows: Vec<Row>,
    pub(crate) strays: [Stray; STRAYS],
}

/// Position of the event itself in [`Layout::rows`].
pub(crate) const EVENT: usize = 0;

/// The layout of [`TABLE`].
pub(crate) static LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    let mut layout = Layout { rows: Vec::new(), strays: [Stray::default(); STRAYS] };
    let fields: Vec<Field> = TABLE
        .iter()
        .map(|column| Field { name: column.name, shape: column.shape, doc: column.doc })
        .collect();
    layout.add_row("", &fields, 0);
    layout
});

impl Layout {
    /// Adds the row at `path` whose first leaf is `first_leaf`, and the rows in it. Recursion is as
    /// deep as the table nests. Returns the row's position.
    fn add_row(&mut self, path: &str, fields: &[Field], first_leaf: usize) -> usize {
        let position = self.rows.len();
        self.rows.push(Row::new(first_leaf));
        let mut leaf = first_leaf;
        for field in fields {
            let target = match field.shape {
                Shape::Derived(_) => continue,
                // No key of an event leads to its own text.
                Shape::EventText => {
                    leaf += EVENT_TEXT_PARTS.len();
                    continue;
                }
                Shape::Row(inner) => {
                    let inner_path = if path.is_empty() {
                        field.name.to_owned()
                    } else {
                        format!("{path}_{}", field.name)
                    };
                    let row = self.add_row(&inner_path, inner, leaf);
                    leaf = self.rows[row].leaves.end;
                    Target::Row(row)
                }
                _ => {
                    leaf += 1;
                    self.leaf_target(path, field.name, leaf - 1)
                }
            };
            self.rows[position].add_key(field.name, target);
            for (_, key, _) in OTHER_SPELLINGS.iter().filter(|s| s.0 == path && s.2 == field.name) {
                self.rows[position].add_key(key, target);
            }
        }
        for (stray, (_, _, name)) in
            ALSO_NESTED.iter().enumerate().filter(|(_, stray)| stray.1 == path)
        {
            self.strays[stray].nested_row = position;
            self.rows[position].add_key(name, Target::NestedStray(stray));
        }
        self.rows[position].leaves = first_leaf..leaf;
        position
    }

    /// What the field `name` of the row at `path` leads to.
    fn leaf_target(&mut self, path: &str, name: &str, leaf: usize) -> Target {
        match ALSO_NESTED.iter().position(|stray| stray.0 == path && stray.2 == name) {
            None => Target::Leaf(leaf),
            Some(stray) => {
                self.strays[stray].leaf = leaf;
                Target::Stray(stray)
            }
        }
    }
}

/// Slots of a [`KeyTable`]: a power of two, at least three times the keys of the largest row, so
/// that few keys meet in one slot.
const KEY_SLOTS: usize = 128;

/// Keys and their positions, by a hash of their length and three of their bytes, with open
/// addressing.
#[derive(Debug)]
struct KeyTable {
    slots: [Option<(&'static str, usize)>; KEY_SLOTS],
}

impl KeyTable {
    /// Adds a key. The table has far fewer keys than slots, which a test holds.
    fn insert(&mut self, key: &'static str, position: usize) {
        let first = slot(key.as_bytes());
        let free = (0..KEY_SLOTS)
            .map(|step| (first + step) % KEY_SLOTS)
            .find(|&slot| self.slots[slot].is_none());
        if let Some(free) = free {
            self.slots[free] = Some((key, position));
        }
    }

    #[inline]
    fn get(&self, key: &[u8]) -> Option<usize> {
        let mut slot = slot(key);
        while let Some((candidate, position)) = self.slots[slot % KEY_SLOTS] {
            if candidate.as_bytes() == key {
                return Some(position);
            }
            slot += 1;
        }
        None
    }
}

/// The slot where a key is looked for first.
#[inline]
fn slot(key: &[u8]) -> usize {
    let first = key.first().copied().map_or(0, usize::from);
    let last = key.last().copied().map_or(0, usize::from);
    let middle = key.get(key.len() / 2).copied().map_or(0, usize::from);
    (key.len() + first * 5 + last * 11 + middle * 3) % KEY_SLOTS
}

#[cfg(test)]
mod tests {
    use super::{EVENT, KEY_SLOTS, LAYOUT, Target};
    use crate::schema::{LEAF_COUNT, leaves};

    #[test]
    fn the_path_of_every_leaf_leads_to_its_column() {
        let target = |row: usize, name: &str| {
            LAYOUT.rows[row].find(name.as_bytes()).map(|key| LAYOUT.rows[row].keys[key].target)
        };
        for (position, leaf) in leaves().enumerate().filter(|(_, leaf)| leaf.path[0] != "eventJson")
        {
            let mut row = EVENT;
            for name in &leaf.path {
                match target(row, name) {
                    Some(Target::Row(inner)) => row = inner,
                    Some(Target::Leaf(found)) => assert_eq!(found, position, "{name}"),
                    Some(Target::Stray(stray)) => {
                        assert_eq!(LAYOUT.strays[stray].leaf, position, "{name}");
                        let nested = target(LAYOUT.strays[stray].nested_row, name);
                        assert_eq!(nested, Some(Target::NestedStray(stray)));
                    }
                    other => panic!("{name} leads to {other:?}"),
                }
                assert!(LAYOUT.rows[row].leaves.contains(&position), "{name}");
            }
        }
    }

    #[test]
    fn the_event_has_all_leaves_and_fewer_rows_than_bits_to_remember_them() {
        assert_eq!(LAYOUT.rows[EVENT].leaves, 0..LEAF_COUNT);
        assert!(LAYOUT.rows.len() <= 32);
    }

    #[test]
    fn key_tables_have_room_and_find_only_their_keys() {
        for row in &LAYOUT.rows {
            assert!(row.keys.len() * 3 <= KEY_SLOTS);
            for key in ["", "e", "Eventname", "eventNam", "eventName ", "arns", "\u{fffd}"] {
                assert_eq!(row.find(key.as_bytes()), None, "{key}");
            }
        }
    }
}
