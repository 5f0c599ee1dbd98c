//! Queries over what arrived in a span of time, whatever the events' own times.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use towpath_sql::{ParameterValues, RelationError, RelationName, Relations};
use towpath_store::EventDataStore;
use uuid::Uuid;

use crate::error::Result;
use crate::lake::{Asked, Lake};
use crate::limits::QueryLimits;
use crate::rows::Rows;

/// Per store, the commits whose events a query sees.
///
/// A span ends where the next one begins, so that what arrives late is in one of them and in no
/// two: spans are of versions, which have no gaps, and time only chooses among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrivals {
    pub(crate) stores: BTreeMap<Uuid, CommitSpan>,
}

/// The commits after one version up to and with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommitSpan {
    /// The last version before the span; none if it begins with the store.
    pub(crate) after: Option<u64>,
    /// The last version of the span; `after` itself if there is none.
    pub(crate) through: u64,
}

/// The stores of a lake as if they held what arrived and nothing else.
pub(crate) struct ArrivedIn<'a> {
    pub(crate) lake: &'a Lake,
    pub(crate) arrivals: &'a Arrivals,
}

#[async_trait]
impl Relations for ArrivedIn<'_> {
    async fn resolve(&self, name: &RelationName) -> Result<Arc<dyn TableProvider>, RelationError> {
        self.lake.relation(name, Some(self.arrivals)).await
    }
}

impl CommitSpan {
    /// What arrived in `store` after `after` and before `end`.
    ///
    /// A commit whose time lies after `now` comes from a clock that is ahead: it has arrived, and
    /// must not keep those behind it waiting for years.
    pub(crate) async fn until(
        store: &EventDataStore,
        after: Option<u64>,
        end: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<CommitSpan> {
        let newest = store.snapshot().await?.version();
        let first = after.map_or(0, |after| after.saturating_add(1));
        let mut through = None;
        let mut commits = store.commits(first, newest);
        let waits = end.timestamp_millis()..=now.timestamp_millis();
        while let Some(commit) = commits.try_next().await? {
            if commit.timestamp_millis.is_some_and(|millis| waits.contains(&millis)) {
                break;
            }
            through = Some(commit.version);
        }
        // The first version makes the store and brings nothing.
        Ok(CommitSpan { after, through: through.or(after).unwrap_or(0) })
    }
}

/// Up to where a reader has seen what arrived, store by store.
///
/// The default has seen nothing. It is what a reader keeps between two questions, also across
/// restarts: it can be written and read with serde.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The newest version of each store that was seen.
    versions: BTreeMap<Uuid, u64>,
}

impl Lake {
    /// As [`Lake::query_with`], over the events alone that arrived after `seen`, in the stores that
    /// the statement names, whatever the events' own times; and what has been seen with them.
    ///
    /// Every event is in the rows of exactly one of the questions that follow each other so. A
    /// reader that must not miss any keeps the new `Seen` only after it is done with the rows.
    ///
    /// # Errors
    ///
    /// As [`Lake::query_with`].
    pub async fn query_arrived(
        &self,
        statement: &str,
        parameters: &ParameterValues,
        seen: &Seen,
        limits: QueryLimits,
    ) -> Result<(Rows, Seen)> {
        let mut arrivals = Arrivals::default();
        let mut now_seen = seen.clone();
        for id in self.plan_only(statement, parameters, limits).await? {
            let store = self.catalog().store(&id.to_string()).await?;
            let through = store.snapshot().await?.version();
            let after = seen.versions.get(&id).copied();
            arrivals.stores.insert(id, CommitSpan { after, through });
            now_seen.versions.insert(id, through);
        }
        let asked = Asked { statement, parameters, arrivals: Some(&arrivals) };
        Ok((Box::pin(self.ask_recorded(asked, limits)).await?, now_seen))
    }
}
