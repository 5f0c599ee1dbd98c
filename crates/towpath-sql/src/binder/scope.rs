//! The columns a name can mean, and which one it does.

use arrow::datatypes::FieldRef;
use datafusion::common::Column;

use super::{BoundQuery, OutputColumn, semantic};
use crate::ast::Ident;
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError, nearest};

/// A column in scope.
#[derive(Clone, Debug)]
pub(super) struct ScopeColumn {
    /// Lower-case parts of the relation's name or alias; empty for the output of a `USING` join.
    pub(super) relation: Vec<String>,
    /// Lower-case name; `None` for an unnamed expression of a subquery.
    pub(super) key: Option<String>,
    /// The name `*` shows.
    pub(super) heading: String,
    pub(super) field: FieldRef,
    pub(super) data_type: Type,
    pub(super) column: Column,
    /// Joined away by `USING`: reachable by a qualified name only.
    pub(super) joined: bool,
    /// Left out of `*`.
    pub(super) hidden: bool,
}

/// The columns of a `FROM` clause, left to right.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) columns: Vec<ScopeColumn>,
}

/// What a dotted name was found to be: a column, and how many of the parts named it. The parts
/// after that are row fields.
pub(super) struct Found<'a> {
    pub(super) column: &'a ScopeColumn,
    pub(super) parts_used: usize,
}

impl Scope {
    /// Looks up a dotted name; the longest reading as a column wins, as in Trino.
    pub(super) fn find(&self, parts: &[Ident]) -> Result<Option<Found<'_>>> {
        for parts_used in (1..=parts.len()).rev() {
            let Some((name, qualifier)) = parts.get(..parts_used).and_then(<[Ident]>::split_last)
            else {
                continue;
            };
            let qualifier: Vec<String> = qualifier.iter().map(Ident::key).collect();
            let key = name.key();
            let mut found = self.columns.iter().filter(|column| column.is(&key, &qualifier));
            let Some(column) = found.next() else { continue };
            if found.next().is_some() {
                let whole: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
                let message = format!("Column '{}' is ambiguous", whole.join("."));
                let at = parts.first().map_or(0, |part| part.at);
                return Err(SqlError::at(ErrorKind::AmbiguousName, at, message));
            }
            return Ok(Some(Found { column, parts_used }));
        }
        Ok(None)
    }

    /// The columns `relation.*` stands for.
    pub(super) fn of_relation(&self, qualifier: &[String]) -> Vec<&ScopeColumn> {
        self.columns.iter().filter(|column| column.relation.ends_with(qualifier)).collect()
    }

    /// The columns `*` stands for.
    pub(super) fn visible(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().filter(|column| !column.joined)
    }

    /// The name in scope nearest to `wanted`, as the table spells it.
    pub(super) fn nearest(&self, wanted: &str) -> Option<&str> {
        let named = self.columns.iter().filter(|column| column.key.is_some());
        nearest(wanted, named.map(|column| column.heading.as_str()))
    }

    /// Makes the columns of a query visible under a relation's name.
    pub(super) fn of_query(query: &BoundQuery, relation: &[String]) -> Scope {
        let columns =
            query.columns.iter().map(|column| ScopeColumn::of(column, relation)).collect();
        Scope { columns }
    }

    /// Puts the columns of `right` after those of `self`.
    pub(super) fn join(mut self, right: Scope) -> Scope {
        self.columns.extend(right.columns);
        self
    }

    /// Renames the columns, for `t(a, b)`.
    pub(super) fn rename(&mut self, names: &[Ident], alias: &Ident) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        if names.len() != self.columns.len() {
            let message = format!(
                "Column alias list has {} entries but '{}' has {} columns available",
                names.len(),
                alias.text,
                self.columns.len()
            );
            return Err(semantic(alias.at, message));
        }
        for (column, name) in self.columns.iter_mut().zip(names) {
            column.key = Some(name.key());
            column.heading.clone_from(&name.text);
        }
        Ok(())
    }
}

impl ScopeColumn {
    /// Whether a name in lower case means this column.
    fn is(&self, key: &str, qualifier: &[String]) -> bool {
        self.key.as_deref() == Some(key)
            && if qualifier.is_empty() { !self.joined } else { self.relation.ends_with(qualifier) }
    }

    fn of(column: &OutputColumn, relation: &[String]) -> ScopeColumn {
        ScopeColumn {
            relation: relation.to_vec(),
            key: column.key.clone(),
            heading: column.heading.clone(),
            field: FieldRef::clone(&column.field),
            data_type: column.data_type.clone(),
            column: column.column.clone(),
            joined: false,
            hidden: false,
        }
    }
}
