//! The names of a lake's stores: which name is reserved for which store.
//!
//! What a store is called stands in its own log; a reservation only makes the name unique and finds
//! the store. So a rename is one commit, and a reservation that a crash left behind is for nothing:
//! it neither finds the store nor keeps the name from others.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::layout;
use crate::store::EventDataStore;

/// The file that reserves a name.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) id: Uuid,
    name: String,
}

/// Whether a store with this id was made, and was not removed.
pub(crate) async fn is_store(files: &LakeFiles, id: Uuid) -> Result<bool> {
    Ok(files.read(&layout::commit(id, 0)).await?.is_some() && !is_removed(files, id).await?)
}

/// Whether a store with this id was removed after its deletion, or is being removed.
pub(crate) async fn is_removed(files: &LakeFiles, id: Uuid) -> Result<bool> {
    Ok(files.read(&layout::removed(id)).await?.is_some())
}

/// Reserves `name` for the store `id`. The caller has the catalog's lease.
///
/// # Errors
///
/// [`Error::StoreExists`] if another store has the name.
pub(crate) async fn reserve(files: &LakeFiles, name: &str, id: Uuid) -> Result<()> {
    let path = layout::name(name);
    let reservation = json!({"id": id, "name": name});
    let content = Bytes::from(format!("{reservation}\n"));
    if files.create(&path, content.clone()).await? {
        return Ok(());
    }
    match reserved(files, name).await? {
        Some(taken) if taken.id != id && is_called(files, taken.id, name).await? => {
            Err(Error::StoreExists { store: taken.name })
        }
        _ => files.write(&path, content).await,
    }
}

/// Gives `name` back if it is reserved for the store `id`.
pub(crate) async fn give_back(files: &LakeFiles, name: &str, id: Uuid) -> Result<()> {
    match reserved(files, name).await? {
        Some(reservation) if reservation.id == id => files.remove(&layout::name(name)).await,
        _ => Ok(()),
    }
}

/// Which store `name` is reserved for, if any.
pub(crate) async fn reserved(files: &LakeFiles, name: &str) -> Result<Option<Reservation>> {
    let path = layout::name(name);
    let Some(content) = files.read(&path).await? else { return Ok(None) };
    match serde_json::from_slice(&content) {
        Ok(reservation) => Ok(Some(reservation)),
        Err(err) => Err(Error::Damaged { path, reason: err.to_string() }),
    }
}

/// Whether the store has this name. One that cannot be opened keeps the name it may have.
async fn is_called(files: &LakeFiles, id: Uuid, name: &str) -> Result<bool> {
    if !is_store(files, id).await? {
        return Ok(false);
    }
    match Box::pin(EventDataStore::open(files, id)).await {
        Ok(Some(store)) => Ok(store.name().eq_ignore_ascii_case(name)),
        Ok(None) => Ok(false),
        Err(_) => Ok(true),
    }
}
