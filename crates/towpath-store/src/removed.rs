//! Removing deleted stores for good, once they can no longer be restored.

use std::fs;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::task;
use tracing::info;
use uuid::Uuid;

use crate::catalog::{self, Catalog};
use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::layout;
use crate::names;
use crate::snapshot::Snapshot;

/// A deleted store that was removed for good, or would be: what the lake keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RemovedStore {
    /// Its id, which no other store may have.
    pub id: Uuid,
    /// Its name, which is free again.
    pub name: String,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
    /// When it was removed.
    pub removed_at: DateTime<Utc>,
    /// The version of its log.
    pub version: u64,
    /// The rows it had.
    pub rows: u64,
    /// The bytes of its data files.
    pub bytes: u64,
}

impl RemovedStore {
    /// What would be left of a store at `now`; `None` if it is to stay.
    fn of(id: Uuid, snapshot: &Snapshot, now: DateTime<Utc>) -> Option<RemovedStore> {
        let settings = snapshot.settings();
        let is_over = settings.restorable_until().is_some_and(|until| now >= until);
        if !is_over || !settings.holds.is_empty() {
            return None;
        }
        Some(RemovedStore {
            id,
            name: settings.name.clone(),
            deleted_at: settings.deleted_at?,
            removed_at: now,
            version: snapshot.version(),
            rows: snapshot.rows(),
            bytes: snapshot.size_bytes(),
        })
    }
}

impl Catalog {
    /// The deleted stores that [`Catalog::remove_deleted`] would remove at `now`.
    ///
    /// # Errors
    ///
    /// Those of [`Catalog::stores`].
    pub async fn removable(&self, now: DateTime<Utc>) -> Result<Vec<RemovedStore>> {
        let stores = self.stores().await?;
        let removable =
            stores.iter().filter_map(|store| RemovedStore::of(store.id(), &store.latest(), now));
        Ok(removable.collect())
    }

    /// Removes for good every deleted store that can no longer be restored and is not on hold.
    ///
    /// That it was removed is recorded before its files are, so a crash in between leaves a store
    /// that is gone, and files that the next call removes.
    ///
    /// # Errors
    ///
    /// Those of [`Catalog::stores`]; [`Error::LeaseTimeout`]; errors of the storage.
    pub async fn remove_deleted(
        &self,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Vec<RemovedStore>> {
        let mut removed = Vec::new();
        for store in self.stores().await? {
            if RemovedStore::of(store.id(), &store.latest(), now).is_none() {
                continue;
            }
            let lease = Box::pin(catalog::acquire(self.files(), now, wait_max)).await?;
            let held = store.acquire(now, wait_max).await;
            let recorded = match held {
                Ok(held) => {
                    // Restored or put on hold in the meantime?
                    let recorded = match store.snapshot().await {
                        Ok(newest) => self.record(store.id(), &newest, now).await,
                        Err(err) => Err(err),
                    };
                    held.lease.release().await;
                    recorded
                }
                Err(err) => Err(err),
            };
            lease.release().await;
            removed.extend(recorded?);
        }
        self.remove_files().await?;
        Ok(removed)
    }

    async fn record(
        &self,
        id: Uuid,
        newest: &Snapshot,
        now: DateTime<Utc>,
    ) -> Result<Option<RemovedStore>> {
        let Some(removed) = RemovedStore::of(id, newest, now) else { return Ok(None) };
        let path = layout::removed(id);
        let text = serde_json::to_string(&removed)
            .map_err(|err| Error::Damaged { path: path.clone(), reason: err.to_string() })?;
        self.files().write(&path, Bytes::from(format!("{text}\n"))).await?;
        names::give_back(self.files(), &removed.name, id).await?;
        info!(store = %id, rows = removed.rows, "deleted event data store removed");
        Ok(Some(removed))
    }

    /// Removes what is left of the files of stores that are recorded as removed.
    async fn remove_files(&self) -> Result<()> {
        let recorded = self.files().list(&layout::removed_folder()).await?;
        let present = self.store_ids().await?;
        for (name, _) in &recorded.files {
            let id = name.strip_suffix(".json").and_then(|id| Uuid::try_parse(id).ok());
            if let Some(id) = id.filter(|id| present.contains(id)) {
                remove_store(self.files(), id).await?;
            }
        }
        Ok(())
    }
}

/// Removes all files of a store.
async fn remove_store(files: &LakeFiles, id: Uuid) -> Result<()> {
    let root = layout::store(id);
    let Some(lake) = files.location().local_path() else {
        for file in files.list_below(&root).await? {
            files.remove(&file.location).await?;
        }
        return Ok(());
    };
    let folder = lake.join(root.as_ref());
    let removed = task::spawn_blocking(move || match fs::remove_dir_all(&folder) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        _ => Ok(()),
    });
    let removed = removed.await.map_err(io::Error::other).flatten();
    removed.map_err(|err| {
        let source = object_store::Error::Generic { store: "local files", source: err.into() };
        Error::storage("remove", &root, source)
    })
}
