//! What can be written in a statement: the functions and the keywords, for help and completion.

use crate::parser::keyword_list;

/// One line a function, made by the generator of the reference out of the functions' own files.
const TABLE: &str = include_str!("functions/reference.tsv");

/// A function that a statement can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// The name users write.
    pub name: &'static str,
    /// Its group: `string`, `datetime` and so on. A name may be in several.
    pub group: &'static str,
    /// What it does, in one line of Markdown.
    pub summary: &'static str,
    /// Trino's page about it.
    pub trino_page: &'static str,
    aliases: &'static str,
    signatures: &'static str,
}

impl FunctionInfo {
    /// The ways to call it.
    pub fn signatures(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.signatures.split(';').filter(|one| !one.is_empty())
    }

    /// Other names of the same function.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.aliases.split(';').filter(|one| !one.is_empty())
    }

    fn read(line: &'static str) -> Option<FunctionInfo> {
        let mut cells = line.split('\t');
        let mut cell = || cells.next();
        let (group, name, aliases) = (cell()?, cell()?, cell()?);
        let (signatures, summary, trino_page) = (cell()?, cell()?, cell()?);
        Some(FunctionInfo { name, group, summary, trino_page, aliases, signatures })
    }
}

/// The functions that a statement can call, by group and name.
pub fn functions() -> impl Iterator<Item = FunctionInfo> {
    TABLE.lines().filter_map(FunctionInfo::read)
}

/// The words that have a meaning of their own in a statement, in upper case and sorted.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    keyword_list().into_iter()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::session::FunctionTable;

    /// Calls that the binder or the parser takes before a function is looked up.
    const SYNTAX: [&str; 20] = [
        "cast",
        "coalesce",
        "current_date",
        "current_time",
        "current_timestamp",
        "current_timezone",
        "grouping",
        "if",
        "json_array",
        "json_exists",
        "json_object",
        "json_query",
        "json_value",
        "localtime",
        "localtimestamp",
        "now",
        "nullif",
        "reduce_agg",
        "try",
        "try_cast",
    ];

    #[test]
    fn what_can_be_called_is_described_and_the_other_way_round() {
        let table = FunctionTable::new();
        let callable: BTreeSet<&str> = table.names().chain(SYNTAX).collect();
        let described: BTreeSet<&str> =
            functions().flat_map(|one| one.aliases().chain([one.name])).collect();
        let missing: Vec<_> = callable.difference(&described).collect();
        let unknown: Vec<_> = described.difference(&callable).collect();
        assert!(missing.is_empty(), "not described: {missing:?}");
        assert!(unknown.is_empty(), "not callable: {unknown:?}");
        assert_eq!(TABLE.lines().count(), functions().count());
    }

    #[test]
    fn keywords_are_sorted_and_each_stands_once() {
        let all: Vec<_> = keywords().collect();
        assert!(all.is_sorted());
        assert!(all.contains(&"SELECT") && all.contains(&"LIMIT"));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
