//! The batch queries of a lake, as documents that several processes read and change.
//!
//! ```text
//! <lake>/queries/records/<id>.json                 the query: statement, status, statistics, …
//! <lake>/queries/open/<id>                         empty; there while something is left to do
//! <lake>/queries/results/<id>/<run>-<n>.arrow      its rows
//! <lake>/queries/worker.lock | worker.lease        held by a worker that stands alone
//! ```
//!
//! Ids rise with time, so a sorted listing is in the order of submission. A record changes only by
//! comparing and replacing, so of several workers one gets a query, and only its end counts.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use towpath_store::{Catalog, Document, Documents};
use uuid::{Builder, Uuid};

use super::record::{QueryRecord, ResultIndex};
use super::results;
use crate::error::{Error, Result};

/// Times that a change of a record is made anew because another process changed it meanwhile. A
/// query has one worker and few people who cancel it.
const CHANGES_MAX: u32 = 32;

/// Records read at once: most of the time goes in waiting for the storage.
const READS_IN_FLIGHT_MAX: usize = 16;

/// The batch queries of one lake.
#[derive(Clone, Debug)]
pub(crate) struct QueryArchive {
    documents: Documents,
}

impl QueryArchive {
    pub(crate) fn new(catalog: &Catalog) -> QueryArchive {
        QueryArchive { documents: catalog.documents("queries") }
    }

    pub(crate) fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Adds a query, unless more than `unfinished_max` would then be unfinished.
    pub(crate) async fn add(&self, record: &QueryRecord, unfinished_max: usize) -> Result<()> {
        // The mark comes first: a query without one would wait for ever.
        self.documents.write(&mark(record.id), Bytes::new()).await?;
        let open = self.open().await?;
        let ahead = open.iter().filter(|id| **id < record.id).count();
        let added = if ahead >= unfinished_max {
            Err(Error::QueueFull { max: unfinished_max })
        } else {
            self.documents.create(&name(record.id), encode(record)?).await.map_err(Error::from)
        };
        match added {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::damaged(record.id, "its id is taken")),
            Err(error) => {
                self.documents.remove(&mark(record.id)).await?;
                Err(error)
            }
        }
    }

    /// The query, unless it has expired.
    pub(crate) async fn get(&self, id: Uuid, now: DateTime<Utc>) -> Result<QueryRecord> {
        let record = self.read(id).await?.map(|(record, _)| record);
        record.filter(|record| !record.is_expired(now)).ok_or(Error::QueryNotFound { id })
    }

    /// The query, expired or not.
    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<QueryRecord>> {
        Ok(self.read(id).await?.map(|(record, _)| record))
    }

    async fn read(&self, id: Uuid) -> Result<Option<(QueryRecord, Document)>> {
        let Some(document) = self.documents.read(&name(id)).await? else { return Ok(None) };
        match serde_json::from_slice::<QueryRecord>(&document.content) {
            Ok(record) if record.id == id => Ok(Some((record, document))),
            // The parser's own words may quote the statement.
            _ => Err(Error::damaged(id, "its record cannot be read")),
        }
    }

    /// Changes the query and returns it as it then is. `change` says whether there is a change to
    /// make; it is called anew when another process was faster.
    pub(crate) async fn change(
        &self,
        id: Uuid,
        mut change: impl FnMut(&mut QueryRecord) -> bool + Send,
    ) -> Result<(QueryRecord, bool)> {
        for _ in 0..CHANGES_MAX {
            let (mut record, read) = self.read(id).await?.ok_or(Error::QueryNotFound { id })?;
            if !change(&mut record) {
                return Ok((record, false));
            }
            if self.documents.replace(&name(id), &read, encode(&record)?).await? {
                if record.is_settled() {
                    self.documents.remove(&mark(id)).await?;
                }
                return Ok((record, true));
            }
        }
        Err(Error::damaged(id, "others kept changing it"))
    }

    /// The ids of the queries that something is left to do for, oldest first.
    pub(crate) async fn open(&self) -> Result<Vec<Uuid>> {
        let names = self.documents.names("open").await?;
        Ok(names.iter().filter_map(|name| Uuid::try_parse(name).ok()).collect())
    }

    /// Takes the mark off a query that nothing is left to do for.
    pub(crate) async fn unmark(&self, id: Uuid) -> Result<()> {
        Ok(self.documents.remove(&mark(id)).await?)
    }

    /// The ids of all queries, oldest first.
    pub(crate) async fn ids(&self) -> Result<Vec<Uuid>> {
        let names = self.documents.names("records").await?;
        let ids = names.iter().filter_map(|name| name.strip_suffix(".json"));
        Ok(ids.filter_map(|id| Uuid::try_parse(id).ok()).collect())
    }

    /// The queries of `ids` that are still there, in that order, until the caller has enough.
    pub(crate) fn records(
        &self,
        ids: Vec<Uuid>,
    ) -> impl futures::Stream<Item = Result<QueryRecord>> + Send + Unpin + '_ {
        let read = move |id| Box::pin(self.find(id));
        stream::iter(ids)
            .map(read)
            .buffered(READS_IN_FLIGHT_MAX)
            .try_filter_map(|record| std::future::ready(Ok(record)))
    }

    /// Removes the rows of all runs of the query but the one of `kept`.
    pub(crate) async fn remove_results(&self, id: Uuid, kept: Option<&ResultIndex>) -> Result<()> {
        let folder = results::folder(id);
        for name in self.documents.names(&folder).await? {
            let is_kept = kept.is_some_and(|kept| name.starts_with(&kept.run.to_string()));
            if !is_kept {
                self.documents.remove(&format!("{folder}/{name}")).await?;
            }
        }
        Ok(())
    }

    /// Removes the query with all that belongs to it, the record last.
    pub(crate) async fn remove(&self, id: Uuid) -> Result<()> {
        self.remove_results(id, None).await?;
        self.documents.remove(&mark(id)).await?;
        Ok(self.documents.remove(&name(id)).await?)
    }
}

/// A new id that sorts after those of earlier milliseconds.
pub(crate) fn new_id(now: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let random = Uuid::new_v4();
    // What lies between says that it is random, always in the same words.
    let [a, b, c, d, e, f, _, _, _, _, _, _, g, h, i, j] = *random.as_bytes();
    Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j]).into_uuid()
}

/// The millisecond that a new id was made in, as far as ids like ours say it.
pub(crate) fn id_millis(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> 80).unwrap_or_default()
}

fn name(id: Uuid) -> String {
    format!("records/{id}.json")
}

fn mark(id: Uuid) -> String {
    format!("open/{id}")
}

fn encode(record: &QueryRecord) -> Result<Bytes> {
    let text = serde_json::to_vec(record);
    text.map(Bytes::from).map_err(|_| Error::damaged(record.id, "its record cannot be written"))
}
