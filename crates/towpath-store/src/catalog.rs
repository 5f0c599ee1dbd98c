//! The catalog: which event data stores a lake has.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::info;
use uuid::Uuid;

use crate::commit::{self, CommitRecord};
use crate::conditional_put;
use crate::delta_log::DeltaLog;
use crate::documents::Documents;
use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::layout::{self, FORMAT_NEWEST};
use crate::lease::Lease;
use crate::location::Location;
use crate::names;
use crate::nearest::nearest;
use crate::repair::{self, RepairPlan};
use crate::settings::{StoreSettings, check_attributes, check_name, new_metadata, protocol};
use crate::signing_key::SigningKeys;
use crate::store::EventDataStore;
use crate::time::Retention;

/// How long making a store waits for another one that is being made: a few writes each.
const CATALOG_WAIT_MAX: Duration = Duration::from_secs(60);

/// Stores that a catalog keeps open. Reading a log anew takes 20 ms of a query; a lake with more
/// stores than this, which no account of CloudTrail Lake may have, reads some of them anew.
const OPEN_STORES_MAX: usize = 1_000;

/// The event data stores of one lake.
#[derive(Clone, Debug)]
pub struct Catalog {
    files: LakeFiles,
    /// The stores that were opened, to be asked for newer versions rather than read anew.
    open: Arc<Mutex<HashMap<Uuid, EventDataStore>>>,
}

/// An event data store to be made.
#[derive(Clone, Debug)]
pub struct NewStore {
    /// Its name: 3 to 128 letters, digits, `.`, `_` and `-`; unique without regard to case.
    pub name: String,
    /// Its id, to keep that of a store that lived in CloudTrail Lake; a new one otherwise.
    pub id: Option<Uuid>,
    /// For how long it keeps events.
    pub retention: Retention,
    /// The columns of its data files. `eventTime` must be among them, in UTC microseconds; the
    /// partition column `calendarmonth` must not.
    pub schema: SchemaRef,
    /// What the caller keeps with it, by name.
    pub attributes: BTreeMap<String, String>,
    /// Whether deleting it is refused until that is changed.
    pub termination_protection: bool,
}

/// The file that marks a lake.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    format: u32,
    #[serde(default)]
    created_at: String,
}

impl Catalog {
    /// Opens the lake at `location`.
    ///
    /// # Errors
    ///
    /// [`Error::NotALake`] if there is none, [`Error::UnsupportedFormat`] if a newer version made
    /// it, [`Error::Storage`] if the storage cannot be read.
    pub async fn open(location: Location) -> Result<Catalog> {
        let files = LakeFiles::new(location);
        if is_lake(&files).await? {
            return Ok(Catalog::new(files));
        }
        let reason = if is_empty(&files).await? {
            "there is nothing; create an event data store in it first"
        } else {
            HOLDS_OTHER_FILES
        };
        Err(not_a_lake(&files, reason))
    }

    /// Opens the lake at `location`; makes one if the place is empty or missing.
    ///
    /// On an object store the first call also tests whether the server can hold a lake at all.
    ///
    /// # Errors
    ///
    /// [`Error::NotALake`] if the place holds other files, [`Error::UnsafeObjectStore`] if the
    /// server fails the test, and those of [`Catalog::open`].
    pub async fn create(location: Location, now: DateTime<Utc>) -> Result<Catalog> {
        let files = LakeFiles::new(location);
        if !is_lake(&files).await? {
            if !is_empty(&files).await? {
                return Err(not_a_lake(&files, HOLDS_OTHER_FILES));
            }
            Box::pin(conditional_put::ensure(&files)).await?;
            let created_at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
            let marker = json!({"format": FORMAT_NEWEST, "createdAt": created_at});
            // If another one made it in the meantime, it made the same.
            files.create(&layout::marker(), Bytes::from(format!("{marker}\n"))).await?;
            is_lake(&files).await?;
        }
        Ok(Catalog::new(files))
    }

    fn new(files: LakeFiles) -> Catalog {
        Catalog { files, open: Arc::default() }
    }

    /// Where the lake is.
    #[must_use]
    pub fn location(&self) -> &Location {
        self.files.location()
    }

    /// The lake's signing keys, the private ones sealed with `passphrase` if there is one.
    #[must_use]
    pub fn signing_keys(&self, passphrase: Option<String>) -> SigningKeys {
        SigningKeys::new(self.files.clone(), passphrase)
    }

    /// The documents in `folder` of the lake, a name that the lake uses for nothing else.
    #[must_use]
    pub fn documents(&self, folder: &str) -> Documents {
        Documents::new(self.files.clone(), folder)
    }

    /// Makes an event data store.
    ///
    /// A crash in between leaves at most a name that is reserved for nothing, which the next call
    /// for that name takes over.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; [`Error::InvalidAttributes`]; [`Error::StoreExists`] if the name or the id is taken;
    /// [`Error::InvalidRows`] if the schema lacks `eventTime`; [`Error::LeaseTimeout`] if another
    /// store is being made for too long; [`Error::UnsafeObjectStore`]; errors of the storage.
    pub async fn create_store(&self, new: NewStore, now: DateTime<Utc>) -> Result<EventDataStore> {
        check_name(&new.name)?;
        check_attributes(&new.attributes)?;
        Box::pin(conditional_put::ensure(&self.files)).await?;
        let lease = Box::pin(acquire(&self.files, now, CATALOG_WAIT_MAX)).await?;
        let created = Box::pin(self.create_leased(&new, now)).await;
        lease.release().await;
        let id = created?;
        info!(store = %id, name = new.name, "event data store created");
        self.store_by_id(id, &new.name).await
    }

    async fn create_leased(&self, new: &NewStore, now: DateTime<Utc>) -> Result<Uuid> {
        let id = new.id.unwrap_or_else(Uuid::new_v4);
        let settings = StoreSettings {
            attributes: new.attributes.clone(),
            termination_protection: new.termination_protection,
            ..StoreSettings::new(new.name.clone(), new.retention, now)
        };
        let log = DeltaLog::new(&self.files, id)?;
        let record = CommitRecord::new();
        let text = creation(&log, &record, &settings, &new.schema, now)?;
        let is_removed = names::is_removed(&self.files, id).await?;
        if is_removed || names::is_store(&self.files, id).await? {
            return Err(Error::StoreExists { store: id.to_string() });
        }
        names::reserve(&self.files, &new.name, id).await?;
        if log.commit(0, text, record.commit).await? {
            Ok(id)
        } else {
            Err(Error::StoreExists { store: id.to_string() })
        }
    }

    /// All stores, by name.
    ///
    /// # Errors
    ///
    /// The first error of opening one; [`Catalog::store_ids`] and [`Catalog::store`] let a caller
    /// go on with the others.
    pub async fn stores(&self) -> Result<Vec<EventDataStore>> {
        let mut stores = Vec::new();
        for id in self.store_ids().await? {
            match self.store_by_id(id, &id.to_string()).await {
                Ok(store) => stores.push(store),
                // A folder without a first commit: one that was never made.
                Err(Error::StoreNotFound { .. }) => {}
                Err(err) => return Err(err),
            }
        }
        stores.sort_by_cached_key(|store| store.name().to_ascii_lowercase());
        Ok(stores)
    }

    /// The ids of all stores, and of those whose making was cut short.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the storage cannot be read.
    pub async fn store_ids(&self) -> Result<Vec<Uuid>> {
        let listing = self.files.list(&layout::stores()).await?;
        Ok(listing.folders.iter().filter_map(|name| Uuid::try_parse(name).ok()).collect())
    }

    /// Opens the store with this name, id, or ARN that ends in `eventdatastore/` and the id.
    ///
    /// # Errors
    ///
    /// [`Error::StoreNotFound`]; [`Error::TornCommit`] if its newest commit is not whole;
    /// [`Error::UnsupportedTable`]; errors of the storage.
    pub async fn store(&self, name: &str) -> Result<EventDataStore> {
        let id = self.resolve(name).await?;
        let store = self.store_by_id(id, name).await?;
        // A crash while the store was renamed leaves a reservation of a name it does not have.
        if store_id(name).is_none() && !store.name().eq_ignore_ascii_case(name) {
            return Err(self.not_found(name).await);
        }
        Ok(store)
    }

    /// The id of the store with this name, id or ARN, which need not be possible to open.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Uuid> {
        match store_id(name) {
            Some(id) => Ok(id),
            None if check_name(name).is_err() => Err(self.not_found(name).await),
            None => match names::reserved(&self.files, name).await? {
                Some(reservation) => Ok(reservation.id),
                None => Err(self.not_found(name).await),
            },
        }
    }

    async fn store_by_id(&self, id: Uuid, asked: &str) -> Result<EventDataStore> {
        if let Some(store) = self.open_store(id) {
            let is_read = store.snapshot().await.is_ok();
            // A name is reserved for as long as the store is there. An id may outlive it.
            let may_be_removed = store_id(asked).is_some() || store.settings().deleted_at.is_some();
            if is_read && !(may_be_removed && names::is_removed(&self.files, id).await?) {
                return Ok(store);
            }
            self.lock_open().remove(&id);
        }
        let opened = Box::pin(EventDataStore::open(&self.files, id)).await;
        let is_whole = matches!(&opened, Ok(Some(store)) if store.settings().deleted_at.is_none());
        // Only a store that was deleted is ever removed, and then its log may be there in part.
        if !is_whole && names::is_removed(&self.files, id).await? {
            return Err(self.not_found(asked).await);
        }
        match opened? {
            Some(store) => {
                let mut open = self.lock_open();
                if open.len() >= OPEN_STORES_MAX {
                    open.clear();
                }
                open.insert(id, store.clone());
                Ok(store)
            }
            None => Err(self.not_found(asked).await),
        }
    }

    fn open_store(&self, id: Uuid) -> Option<EventDataStore> {
        self.lock_open().get(&id).cloned()
    }

    fn lock_open(&self) -> MutexGuard<'_, HashMap<Uuid, EventDataStore>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The catalog's files, for what else is done to the whole lake.
    pub(crate) fn files(&self) -> &LakeFiles {
        &self.files
    }

    pub(crate) async fn not_found(&self, name: &str) -> Error {
        let names = self.files.list(&layout::names()).await.unwrap_or_default();
        let names = names.files.iter().filter_map(|(name, _)| name.strip_suffix(".json"));
        Error::StoreNotFound { name: name.to_owned(), near: nearest(name, names) }
    }

    /// What a repair of the store would do; changes nothing. It need not be possible to open it.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if more is wrong than a power loss explains; errors of the storage.
    pub async fn repair_plan(&self, id: Uuid) -> Result<RepairPlan> {
        repair::plan(&self.files, id).await
    }

    /// Repairs the store as planned: moves aside the commits that are not whole.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseTimeout`] if a writer has the store; errors of the storage. What was moved
    /// until then stays moved; plan again.
    pub async fn repair(
        &self,
        plan: &RepairPlan,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<()> {
        let lock = layout::writer_lock(plan.store);
        let what = format!("event data store `{}`", plan.store);
        let lease = Box::pin(Lease::acquire(&self.files, &lock, &what, now, wait_max)).await?;
        let repaired = repair::apply(&self.files, plan).await;
        lease.release().await;
        repaired
    }
}

/// Waits for the right to change which names the lake's stores have.
pub(crate) async fn acquire(
    files: &LakeFiles,
    now: DateTime<Utc>,
    wait_max: Duration,
) -> Result<Lease> {
    let what = format!("the catalog of `{}`", files.location());
    Lease::acquire(files, &layout::catalog_lock(), &what, now, wait_max).await
}

const HOLDS_OTHER_FILES: &str = "it holds other files; choose an empty or a new folder";

fn not_a_lake(files: &LakeFiles, reason: &'static str) -> Error {
    Error::NotALake { url: files.location().to_string(), reason }
}

/// Whether the place is a lake, of a format that this version knows.
async fn is_lake(files: &LakeFiles) -> Result<bool> {
    if files.location().local_path().is_some_and(std::path::Path::is_file) {
        return Err(not_a_lake(files, "it is a file"));
    }
    let path = layout::marker();
    let Some(content) = files.read(&path).await? else { return Ok(false) };
    let marker: Marker = serde_json::from_slice(&content)
        .map_err(|err| Error::Damaged { path, reason: err.to_string() })?;
    if marker.format > FORMAT_NEWEST {
        return Err(Error::UnsupportedFormat {
            url: files.location().to_string(),
            found: marker.format,
            newest: FORMAT_NEWEST,
        });
    }
    Ok(true)
}

async fn is_empty(files: &LakeFiles) -> Result<bool> {
    Ok(!files.any_file_but(layout::may_precede_lake).await?)
}

/// The id that a text names: itself, or the end of an ARN.
fn store_id(text: &str) -> Option<Uuid> {
    let id = match text.rsplit_once("eventdatastore/") {
        Some((arn, id)) if arn.starts_with("arn:") => id,
        _ => text,
    };
    Uuid::try_parse(id).ok()
}

/// The first commit of a store.
fn creation(
    log: &DeltaLog,
    record: &CommitRecord,
    settings: &StoreSettings,
    schema: &SchemaRef,
    now: DateTime<Utc>,
) -> Result<Bytes> {
    let failed = |source| Error::Log { what: "make", store: log.id().to_string(), source };
    let metadata = new_metadata(log.id(), settings, schema)?;
    let protocol = protocol().map_err(|err| failed(err.into()))?;
    let operation = DeltaOperation::Create {
        mode: SaveMode::ErrorIfExists,
        location: log.root_url().clone(),
        protocol: protocol.clone(),
        metadata: metadata.clone(),
    };
    let actions = vec![Action::Protocol(protocol), Action::Metadata(metadata)];
    commit::encode(0, record, actions, operation, now).map_err(|err| failed(err.into()))
}
