//! An event data store: one Delta table of a lake.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use deltalake::table::state::DeltaTableState;
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};
use tracing::warn;
use uuid::Uuid;

use crate::commit::{self, CommitRecord};
use crate::data_file::{self, DataFile, NewDataFile};
use crate::delta_log::{DeltaLog, Since};
use crate::error::{Error, Result};
use crate::index::Known as KnownIndex;
use crate::lake_files::LakeFiles;
use crate::layout;
use crate::lease::Lease;
use crate::ordered_rows::{self, OrderedRows};
use crate::saved_snapshot::{self, Followed, SAVE_AFTER_COMMITS};
use crate::settings::{StoreSettings, kernel_schema};
use crate::signing_key::SigningKeys;
use crate::snapshot::Snapshot;
use crate::sources::SourceIndex;
use crate::time::Retention;
use crate::verify::sha256_of;
use crate::worker::run_alone;
use crate::writer::{Append, Writer};

/// Times that a change of settings or an append is made anew on a newer version, at most. Only
/// other programs commit beside the holder of the lease.
pub(crate) const REBASES_MAX: u32 = 16;

/// What a commit is to say, made from the snapshot that it follows.
pub(crate) struct Prepared {
    pub(crate) record: CommitRecord,
    pub(crate) actions: Vec<Action>,
    pub(crate) operation: DeltaOperation,
}

/// An event data store. Cloning it is cheap, and the clones share what they loaded.
#[derive(Clone)]
pub struct EventDataStore {
    inner: Arc<Inner>,
}

struct Inner {
    files: LakeFiles,
    log: DeltaLog,
    /// The newest snapshot that was loaded.
    latest: RwLock<Arc<Snapshot>>,
    /// What it was made from.
    state: Mutex<State>,
    /// What is known of its index.
    index: Mutex<KnownIndex>,
    /// Writers of this process queue here, in order, before they ask for the lease.
    turn: Arc<Mutex<()>>,
}

/// What the newest snapshot was made from.
struct State {
    /// None: it was not made by Delta's library, which has not been asked yet.
    delta: Option<DeltaTableState>,
    /// What tells the newest commit's file from another one.
    tag: Option<String>,
}

/// The right to write to a store, and the turn among the writers of this process.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) lease: Lease,
    _turn: OwnedMutexGuard<()>,
}

impl EventDataStore {
    /// Opens the store, or returns `None` if there is none with that id.
    pub(crate) async fn open(files: &LakeFiles, id: Uuid) -> Result<Option<EventDataStore>> {
        let Some(followed) = Box::pin(saved_snapshot::open(files, id)).await else {
            let opened = EventDataStore::open_by_log(files, id).await?;
            if let Some(store) = opened.as_ref().map(EventDataStore::latest)
                && store.version() >= SAVE_AFTER_COMMITS
            {
                saved_snapshot::save(files, id, &store).await;
            }
            return Ok(opened);
        };
        let Followed { snapshot, tag, commits } = followed;
        if commits >= SAVE_AFTER_COMMITS {
            saved_snapshot::save(files, id, &snapshot).await;
        }
        let state = State { delta: None, tag };
        Ok(Some(EventDataStore::new(files, DeltaLog::new(files, id)?, snapshot, state)))
    }

    /// Opens the store by what Delta's library makes of its log alone.
    pub(crate) async fn open_by_log(files: &LakeFiles, id: Uuid) -> Result<Option<EventDataStore>> {
        let log = DeltaLog::new(files, id)?;
        let Some(loaded) = log.load(None).await? else { return Ok(None) };
        let snapshot = Snapshot::build(files, &log, &loaded, None).await?;
        let state = State { delta: Some(loaded.state), tag: loaded.tag };
        Ok(Some(EventDataStore::new(files, log, snapshot, state)))
    }

    fn new(files: &LakeFiles, log: DeltaLog, snapshot: Snapshot, state: State) -> EventDataStore {
        let inner = Inner {
            files: files.clone(),
            log,
            latest: RwLock::new(Arc::new(snapshot)),
            state: Mutex::new(state),
            index: Mutex::default(),
            turn: Arc::default(),
        };
        EventDataStore { inner: Arc::new(inner) }
    }

    /// The id, which never changes.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.inner.log.id()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> String {
        self.settings().name
    }

    /// For how long events are kept, as of the newest snapshot that was taken.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.settings().retention
    }

    /// When the store was made.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        self.settings().created_at
    }

    /// The settings as of the newest snapshot that was taken.
    #[must_use]
    pub fn settings(&self) -> StoreSettings {
        self.latest().settings().clone()
    }

    /// The lake's object store, which [`DataFile::path`] is a path of.
    #[must_use]
    pub fn object_store(&self) -> &Arc<dyn ObjectStore> {
        self.inner.files.location().store()
    }

    /// Where the Delta table is: an absolute path on the local file system, a URL elsewhere.
    #[must_use]
    pub fn address(&self) -> String {
        let location = self.inner.files.location();
        let table = layout::store(self.id());
        match location.local_path() {
            Some(lake) => lake.join(table.as_ref()).display().to_string(),
            None => format!("{}/{table}", location.url().as_str().trim_end_matches('/')),
        }
    }

    /// Where a data file is, as [`EventDataStore::address`].
    #[must_use]
    pub fn data_file_address(&self, file: &DataFile) -> String {
        let location = self.inner.files.location();
        if location.local_path().is_some() {
            return format!("/{}", file.path);
        }
        let url = location.url();
        format!("{}://{}/{}", url.scheme(), url.host_str().unwrap_or_default(), file.path)
    }

    /// The newest snapshot that was taken, without asking the storage for a newer one.
    #[must_use]
    pub fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.latest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The signing keys of the lake, as [`Catalog::signing_keys`](crate::Catalog::signing_keys).
    #[must_use]
    pub fn signing_keys(&self, passphrase: Option<String>) -> SigningKeys {
        SigningKeys::new(self.inner.files.clone(), passphrase)
    }

    pub(crate) fn files(&self) -> &LakeFiles {
        &self.inner.files
    }

    pub(crate) fn known_index(&self) -> &Mutex<KnownIndex> {
        &self.inner.index
    }

    pub(crate) fn log(&self) -> &DeltaLog {
        &self.inner.log
    }

    /// The data files of the store as it is now.
    ///
    /// After a repair by whatever process, that is what the repair left: the version may be lower
    /// than the last one's.
    ///
    /// # Errors
    ///
    /// [`Error::TornCommit`] if the newest commit is not whole; [`Error::UnsupportedTable`] if
    /// another program made of the table what this one cannot read; [`Error::StoreNotFound`] if
    /// the store is gone; errors of the storage.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let mut state = self.inner.state.lock().await;
        let known = self.latest();
        let log = &self.inner.log;
        let since = log.since(known.version(), state.tag.as_deref()).await?;
        let delta = match since {
            Since::Nothing => return Ok(known),
            Since::Newer => state.delta.as_ref(),
            Since::Rewritten => {
                warn!(store = %self.id(), version = known.version(), "log was repaired, read anew");
                None
            }
        };
        if since == Since::Newer && delta.is_none() {
            let followed = saved_snapshot::follow_known(&self.inner.files, self.id(), &known);
            if let Some(Followed { mut snapshot, tag, .. }) = Box::pin(followed).await {
                snapshot.follow(&known, false);
                state.tag = tag;
                return Ok(self.set_latest(snapshot));
            }
        }
        let Some(loaded) = Box::pin(log.load(delta)).await? else {
            return Err(Error::StoreNotFound { name: self.id().to_string(), near: None });
        };
        if since == Since::Newer && loaded.state.version() == known.version() {
            return Ok(known);
        }
        let mut snapshot = Snapshot::build(&self.inner.files, log, &loaded, Some(&known)).await?;
        snapshot.follow(&known, since == Since::Rewritten);
        *state = State { delta: Some(loaded.state), tag: loaded.tag };
        Ok(self.set_latest(snapshot))
    }

    fn set_latest(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        *self.inner.latest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&snapshot);
        snapshot
    }

    /// Waits for the right to write, at most `wait_max`, and takes a snapshot.
    ///
    /// Nobody else appends until the writer commits, is released or is dropped. `now` is the
    /// caller's clock; the lease counts on from it.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDeleted`]; [`Error::LeaseTimeout`] if another writer still has the store then;
    /// those of [`EventDataStore::snapshot`].
    pub async fn writer(&self, now: DateTime<Utc>, wait_max: Duration) -> Result<Writer> {
        let held = self.acquire(now, wait_max).await?;
        let snapshot = self.snapshot().await?;
        snapshot.settings().check_not_deleted()?;
        Ok(Writer::new(self.clone(), held, snapshot))
    }

    pub(crate) async fn acquire(&self, now: DateTime<Utc>, wait_max: Duration) -> Result<Held> {
        let what = format!("event data store `{}`", self.id());
        let began = Instant::now();
        let turn = Arc::clone(&self.inner.turn).lock_owned();
        let Ok(turn) = timeout(wait_max, turn).await else {
            return Err(Error::LeaseTimeout { what, waited: wait_max });
        };
        let left = wait_max.saturating_sub(began.elapsed());
        let lock = layout::writer_lock(self.id());
        let lease = Box::pin(Lease::acquire(&self.inner.files, &lock, &what, now, left)).await?;
        Ok(Held { lease, _turn: turn })
    }

    /// Commits what `prepare` makes of the newest snapshot, anew where another program came first,
    /// and returns the version; `None` if there was nothing to do. The caller has the lease.
    pub(crate) async fn commit_on_newest(
        &self,
        prepare: impl Fn(&Snapshot) -> Result<Option<Prepared>> + Send + Sync,
        now: DateTime<Utc>,
    ) -> Result<Option<u64>> {
        for _ in 0..REBASES_MAX {
            let snapshot = self.snapshot().await?;
            let Some(prepared) = prepare(&snapshot)? else { return Ok(None) };
            let Prepared { mut record, actions, operation } = prepared;
            let version = snapshot.next_version(self.id())?;
            record.link = self.chain_link(&snapshot).await?;
            let text = commit::encode(version, &record, actions, operation, now)
                .map_err(|err| self.log().not_added(err))?;
            if self.log().commit(version, text, record.commit).await? {
                self.log().checkpoint_if_due(version).await;
                return Ok(Some(version));
            }
        }
        Err(Error::CommitConflict {
            store: self.id().to_string(),
            version: self.latest().version(),
        })
    }

    /// The path of a data file from the root of the store, as the log names it; `None` if it is
    /// not in the store's folder.
    pub(crate) fn within(&self, file: &DataFile) -> Option<Path> {
        let root = self.inner.files.full_path(&layout::store(self.id()));
        Some(file.path.prefix_match(&root)?.collect())
    }

    /// The path of a file of the store from the root of the lake.
    pub(crate) fn path_in_lake(&self, within: &Path) -> Path {
        let root = layout::store(self.id());
        root.parts().chain(within.parts()).collect()
    }

    /// Writes rows of one month, in the order given, as a data file that is in no commit yet.
    ///
    /// Give it to [`Writer::commit`]. The file is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRows`] if the rows are not of the store's schema and of that month, or
    /// there are none; [`Error::AppendTooLarge`]; [`Error::OutOfSpace`]; errors of the storage.
    pub async fn write_data_file(
        &self,
        calendarmonth: i64,
        batches: &[RecordBatch],
    ) -> Result<NewDataFile> {
        let store = self.id().to_string();
        let schema = Arc::clone(self.latest().schema());
        check_schema(&store, &schema, batches)?;
        let Some(first) = batches.first() else {
            return Err(Error::InvalidRows { store, reason: "there are none".into() });
        };
        // The rows' own schema: equal, but for annotations that Delta does not keep.
        let schema = first.schema();
        let rows: Vec<RecordBatch> = batches.to_vec();
        let encode = move || data_file::encode(&store, &schema, calendarmonth, &rows);
        let encoded = run_alone("encode", encode);
        let (file, content) = match encoded.await {
            Ok(encoded) => encoded?,
            Err(err) => {
                let store = self.id().to_string();
                return Err(Error::InvalidRows { store, reason: err.to_string() });
            }
        };
        self.put_data_file(&file, content).await?;
        Ok(file)
    }

    /// As [`EventDataStore::write_data_file`], of rows that have yet to be put in order. Takes less
    /// memory and time than ordering them before.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn write_ordered(
        &self,
        calendarmonth: i64,
        rows: OrderedRows,
    ) -> Result<NewDataFile> {
        let store = self.id().to_string();
        check_schema(&store, self.latest().schema(), &rows.batches)?;
        let encode = move || ordered_rows::encode(&store, calendarmonth, &rows);
        let encoded = run_alone("encode", encode);
        let (file, content) = match encoded.await {
            Ok(encoded) => encoded?,
            Err(err) => {
                let store = self.id().to_string();
                return Err(Error::InvalidRows { store, reason: err.to_string() });
            }
        };
        self.put_data_file(&file, content).await?;
        Ok(file)
    }

    pub(crate) async fn put_data_file(&self, file: &NewDataFile, content: Bytes) -> Result<()> {
        let path = self.path_in_lake(&Path::from(file.path.as_str()));
        self.inner.files.write(&path, content).await
    }

    /// Reads a data file and compares it with what was committed.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedDataFile`] if its size or its SHA-256 is another; [`Error::Damaged`] if it is
    /// missing; [`Error::Storage`] if it cannot be read.
    pub async fn verify_data_file(&self, file: &DataFile) -> Result<()> {
        let missing = || Error::Damaged { path: file.path.clone(), reason: "it is missing".into() };
        let within = self.within(file).ok_or_else(missing)?;
        let found = sha256_of(self.files(), &self.path_in_lake(&within)).await?;
        let (bytes, found) = found.ok_or_else(missing)?;
        let damaged = |what, expected, found| Error::DamagedDataFile {
            path: file.path.clone(),
            what,
            expected,
            found,
        };
        if bytes != file.size_bytes {
            return Err(damaged("size", file.size_bytes.to_string(), bytes.to_string()));
        }
        if !file.sha256.is_empty() && found != file.sha256 {
            return Err(damaged("SHA-256", file.sha256.clone(), found));
        }
        Ok(())
    }

    /// Every log file that is in the store as of `snapshot`.
    ///
    /// Reads all commits; [`SourceIndex::refresh`] reads only those after what it knows.
    ///
    /// # Errors
    ///
    /// Those of [`SourceIndex::refresh`].
    pub async fn sources(&self, snapshot: &Snapshot) -> Result<SourceIndex> {
        let mut index = SourceIndex::default();
        index.refresh(self, snapshot).await?;
        Ok(index)
    }

    /// Appends as a [`Writer`] does, in one call, for a caller that needs no snapshot in between.
    ///
    /// # Errors
    ///
    /// Those of [`EventDataStore::writer`] and [`Writer::commit`].
    pub async fn append(
        &self,
        append: Append,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<u64> {
        self.writer(now, wait_max).await?.commit(append, now).await
    }
}

impl fmt::Debug for EventDataStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDataStore").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn check_schema(
    store: &str,
    expected: &arrow::datatypes::Schema,
    batches: &[RecordBatch],
) -> Result<()> {
    let invalid = |reason: String| Error::InvalidRows { store: store.to_owned(), reason };
    let expected = kernel_schema(expected).map_err(invalid)?;
    for batch in batches {
        let found = kernel_schema(&batch.schema()).map_err(invalid)?;
        if found == expected {
            continue;
        }
        let differing = expected
            .fields()
            .find(|field| found.field(field.name()) != Some(field))
            .or_else(|| found.fields().find(|field| expected.field(field.name()).is_none()));
        let reason = match differing {
            Some(field) => format!("column `{}` is not as in its schema", field.name()),
            None => "the columns are in another order than in its schema".to_owned(),
        };
        return Err(invalid(reason));
    }
    Ok(())
}
