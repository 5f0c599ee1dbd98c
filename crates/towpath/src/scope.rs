//! [`Scope`]: what somebody may see of a lake, and queries that see no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::batch_query::BatchQuery;
use crate::lake::Lake;

/// The stores that somebody may query, and whose events of each. What is not named is not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope {
    stores: BTreeMap<Uuid, Visible>,
}

/// What may be seen of one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Visible {
    /// All events.
    All,
    /// The events that these accounts received, by `recipientAccountId`. An event without one is
    /// not seen.
    Accounts(BTreeSet<String>),
}

impl Visible {
    /// Whether what `other` sees is a part of this.
    fn covers(&self, other: &Visible) -> bool {
        match (self, other) {
            (Visible::All, _) => true,
            (Visible::Accounts(_), Visible::All) => false,
            (Visible::Accounts(mine), Visible::Accounts(theirs)) => theirs.is_subset(mine),
        }
    }
}

impl Scope {
    /// Lets `visible` of the store be seen, and no more of it than that.
    pub fn set(&mut self, store: Uuid, visible: Visible) {
        self.stores.insert(store, visible);
    }

    /// What may be seen of the store; none: not even that it is there.
    pub fn of(&self, store: Uuid) -> Option<&Visible> {
        self.stores.get(&store)
    }

    /// Whether some events of a store that may be queried may not be seen.
    pub(crate) fn hides_events(&self) -> bool {
        self.stores.values().any(|visible| *visible != Visible::All)
    }

    /// Whether the rows of `query` are of nothing but what may be seen here: rows that somebody
    /// else's query gave may tell more.
    pub fn covers(&self, query: &BatchQuery) -> bool {
        query.stores.iter().all(|store| {
            let theirs = match &query.scope {
                None => Some(&Visible::All),
                Some(scope) => scope.of(*store),
            };
            match (self.of(*store), theirs) {
                (Some(mine), Some(theirs)) => mine.covers(theirs),
                _ => false,
            }
        })
    }
}

impl Lake {
    /// The same lake, with queries that see no more than `scope` lets them: a store that is not in
    /// it does not exist for them, and events that are hidden are in no row, no count and no error.
    ///
    /// A batch query keeps the scope that it was started in, whoever runs it. `EXPLAIN` is refused
    /// where events are hidden, since it tells of all. Ingesting, and the administration of stores
    /// and batch queries, are not limited.
    #[must_use]
    pub fn within(&self, scope: Scope) -> Lake {
        let mut lake = self.clone();
        lake.scope = Some(Arc::new(scope));
        lake
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_cover_fewer_accounts_and_nothing_else() {
        let accounts = |names: &[&str]| {
            Visible::Accounts(names.iter().map(|name| (*name).to_owned()).collect())
        };
        assert!(Visible::All.covers(&accounts(&["1"])));
        assert!(accounts(&["1", "2"]).covers(&accounts(&["1"])));
        assert!(!accounts(&["1"]).covers(&accounts(&["1", "2"])));
        assert!(!accounts(&["1"]).covers(&Visible::All));
    }
}
