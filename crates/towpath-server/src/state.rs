//! [`State`]: what the API keeps beside the stores, as small documents of the lake.
//!
//! Several servers may work on one lake: a document changes only as it was read.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use towpath::{DocumentLease, Documents};
use uuid::Uuid;

use crate::wire::ApiError;

/// Times that a change is made anew because another server was faster.
const CHANGES_MAX: u32 = 32;

/// Documents of one kind that a list reads. AWS's quotas are far below, but for imports, which
/// nobody removes.
const LISTED_MAX: usize = 10_000;

/// Bytes of an id. All that are made here are shorter, and a file system has room for it with what
/// is put around it; requests may ask for longer ones, which are of nothing.
const ID_BYTES_MAX: usize = 200;

/// The folder of the lake that the documents are in.
const FOLDER: &str = "api";

/// The documents of the API.
#[derive(Clone, Debug)]
pub(crate) struct State {
    documents: Documents,
}

/// Kinds of documents, each in a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Settings of stores that only AWS's API knows, by store id.
    Store,
    /// Tags and policies, by the kind and id of what they are on.
    Resource,
    /// Channels, by id.
    Channel,
    /// Dashboards, by name.
    Dashboard,
    /// Trails, by name.
    Trail,
    /// How far trails have delivered, by the name of the trail.
    Delivery,
    /// Imports, by id.
    Import,
    /// Statements that a query can be started by, by alias.
    Alias,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Store => "event-data-stores",
            Kind::Resource => "resources",
            Kind::Channel => "channels",
            Kind::Dashboard => "dashboards",
            Kind::Trail => "trails",
            Kind::Delivery => "trail-deliveries",
            Kind::Import => "imports",
            Kind::Alias => "aliases",
        }
    }
}

/// What a document holds. The writer tells it from an equal one of somebody else.
#[derive(Debug, Deserialize, Serialize)]
struct Content<T> {
    writer: Uuid,
    value: T,
}

impl State {
    pub(crate) fn new(lake: &towpath::Lake) -> State {
        State { documents: lake.documents(FOLDER) }
    }

    /// The document, if there is one.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<T>, ApiError> {
        if id.len() > ID_BYTES_MAX {
            return Ok(None);
        }
        let document = self.documents.read(&name(kind, id)).await.map_err(towpath::Error::from)?;
        document.map(|document| decode(&document.content)).transpose()
    }

    /// The document, or what it would hold at first.
    pub(crate) async fn get_or_default<T: DeserializeOwned + Default>(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<T, ApiError> {
        Ok(self.get(kind, id).await?.unwrap_or_default())
    }

    /// Creates a document; `false` if there is one already.
    pub(crate) async fn create<T: Serialize + Sync>(
        &self,
        kind: Kind,
        id: &str,
        value: &T,
    ) -> Result<bool, ApiError> {
        let content = encode(value)?;
        Ok(self.documents.create(&name(kind, id), content).await.map_err(towpath::Error::from)?)
    }

    /// Changes a document, or one with the default if there is none, and returns it as it then is.
    ///
    /// # Errors
    ///
    /// The error of `change`, upon which nothing is changed.
    pub(crate) async fn change<T>(
        &self,
        kind: Kind,
        id: &str,
        mut change: impl FnMut(&mut T) -> Result<(), ApiError>,
    ) -> Result<T, ApiError>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        let name = name(kind, id);
        for _ in 0..CHANGES_MAX {
            let read = self.documents.read(&name).await.map_err(towpath::Error::from)?;
            let mut value: T = match &read {
                Some(document) => decode(&document.content)?,
                None => T::default(),
            };
            change(&mut value)?;
            let content = encode(&value)?;
            let is_done = match &read {
                Some(read) => self.documents.replace(&name, read, content).await,
                None => self.documents.create(&name, content).await,
            };
            if is_done.map_err(towpath::Error::from)? {
                return Ok(value);
            }
        }
        Err(ApiError::user("ConflictException", "Another request keeps changing this resource"))
    }

    /// The right to be the only one at work on a document; `None` if another server has it.
    pub(crate) async fn lease(
        &self,
        kind: Kind,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DocumentLease>, ApiError> {
        let name = format!("{}-{id}", kind.folder());
        let lease = self.documents.lease(&name, now, Duration::ZERO).await;
        Ok(lease.map_err(towpath::Error::from)?)
    }

    /// Removes a document; one that is not there is removed already.
    pub(crate) async fn remove(&self, kind: Kind, id: &str) -> Result<(), ApiError> {
        Ok(self.documents.remove(&name(kind, id)).await.map_err(towpath::Error::from)?)
    }

    /// All documents of a kind with their ids, sorted by these.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        kind: Kind,
    ) -> Result<Vec<(String, T)>, ApiError> {
        let names = self.documents.names(kind.folder()).await.map_err(towpath::Error::from)?;
        let mut all = Vec::new();
        for name in names.iter().take(LISTED_MAX) {
            let Some(id) = name.strip_suffix(".json") else { continue };
            // Removed meanwhile: not there any more.
            if let Some(value) = self.get(kind, id).await? {
                all.push((id.to_owned(), value));
            }
        }
        Ok(all)
    }
}

/// `id` is made of what AWS allows in names and ids, so it has no `/`.
fn name(kind: Kind, id: &str) -> String {
    format!("{}/{id}.json", kind.folder())
}

fn encode<T: Serialize>(value: &T) -> Result<Bytes, ApiError> {
    serde_json::to_vec(&Content { writer: Uuid::new_v4(), value })
        .map(Bytes::from)
        .map_err(|error| ApiError::failure(error.to_string()))
}

fn decode<T: DeserializeOwned>(content: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(content)
        .map(|content: Content<T>| content.value)
        .map_err(|error| ApiError::failure(format!("a document of the API: {error}")))
}
