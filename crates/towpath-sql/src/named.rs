//! [`Named`]: which columns, and which fields of rows in them, a statement names.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Parts of a dotted name that are told apart. What is kept of one grows with their square, and no
/// row is nested half as deep.
const PARTS_MAX: usize = 16;

/// What a statement names of a relation, or of a column or row field.
///
/// It is found in the syntax tree before names are bound, so it may be too much: a name may turn
/// out to be of another relation. It is never too little.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Whether all of it is named.
    all: bool,
    /// What is named of its columns or fields, by lower-case name.
    parts: HashMap<String, Named>,
}

static ALL: LazyLock<Named> = LazyLock::new(Named::all);

impl Named {
    /// Everything.
    #[must_use]
    pub fn all() -> Named {
        Named { all: true, parts: HashMap::new() }
    }

    /// What is named of the column or field `name`, in lower case; `None`: it is not named.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Named> {
        if self.all { Some(&ALL) } else { self.parts.get(name) }
    }

    /// Takes note that all of it is named.
    pub(crate) fn add_all(&mut self) {
        self.all = true;
    }

    /// Takes note of a dotted name, in lower case. Each of its parts may be a column, those after
    /// it fields, because those before it may name the relation.
    pub(crate) fn add(&mut self, path: &[String]) {
        if path.len() > PARTS_MAX {
            return self.add_all();
        }
        for start in 0..path.len() {
            let mut part = &mut *self;
            for name in path.iter().skip(start) {
                part = part.parts.entry(name.clone()).or_default();
            }
            part.all = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Named;

    fn named(paths: &[&[&str]]) -> Named {
        let mut named = Named::default();
        for path in paths {
            named.add(&path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        }
        named
    }

    #[test]
    fn a_dotted_name_may_begin_with_the_name_of_the_relation() {
        let named = named(&[&["bench", "useridentity", "arn"]]);
        let identity = named.part("useridentity").unwrap();
        assert!(identity.part("arn").is_some() && identity.part("type").is_none());
        assert!(named.part("arn").is_some() && named.part("eventname").is_none());
    }

    #[test]
    fn all_of_a_row_is_named_where_nothing_is_picked_from_it() {
        let named = named(&[&["useridentity", "arn"], &["useridentity"]]);
        assert!(named.part("useridentity").unwrap().part("type").is_some());
        assert!(Named::all().part("any").unwrap().part("field").is_some());
    }
}
