//! A snapshot: the data files of a store at one version. Immutable.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use deltalake::kernel::Metadata;
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake::kernel::transaction::PROTOCOL;
use deltalake::table::state::DeltaTableState;
use object_store::path::Path;
use uuid::Uuid;

use crate::data_file::{DataFile, data_file};
use crate::delta_log::{DeltaLog, Loaded};
use crate::error::{Error, Result};
use crate::kept::Kept;
use crate::lake_files::LakeFiles;
use crate::layout::{self, PARTITION_COLUMN};
use crate::settings::StoreSettings;
use crate::time::{Retention, TimeRange};

/// The data files of a store at one version.
///
/// Whoever has one sees the same events until it drops it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    version: u64,
    data_files: Arc<[DataFile]>,
    settings: StoreSettings,
    schema: SchemaRef,
    metadata: Metadata,
    /// The version of our newest `txn` action.
    txn_version: Option<i64>,
    /// The newest commit, if it is there as a commit.
    head: Option<Head>,
    /// Why this program must not write to the table, if it must not.
    write_refusal: Option<String>,
    /// How often the log was repaired while this process had it open.
    repairs: u64,
}

/// What the next commit says of the newest one.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// SHA-256 of its file.
    pub(crate) sha256: String,
    /// Whether this program made it.
    pub(crate) is_ours: bool,
}

impl Snapshot {
    /// The version of the table that this is: 0 for a new store, one more for each commit.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How often the log was repaired since this process opened the store. What was learnt from the
    /// commits of a snapshot is void when the next one has another number: the same version may be
    /// another commit.
    #[must_use]
    pub fn repairs(&self) -> u64 {
        self.repairs
    }

    /// The data files, by month and time.
    #[must_use]
    pub fn data_files(&self) -> &[DataFile] {
        &self.data_files
    }

    /// The data files that may hold an event inside `range`.
    ///
    /// "May": the test uses each file's least and greatest event time. A file that does hold such
    /// an event is always returned.
    pub fn data_files_in(&self, range: TimeRange) -> impl Iterator<Item = &DataFile> {
        self.data_files.iter().filter(move |file| file.may_hold(range))
    }

    /// The number of rows in all data files, expired ones included.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.data_files.iter().map(|file| file.rows).sum()
    }

    /// The size of all data files in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.data_files.iter().map(|file| file.size_bytes).sum()
    }

    /// The columns of the data files. The partition column `calendarmonth` is not in them.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The settings of the store at this version.
    #[must_use]
    pub fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    /// For how long events are kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.settings.retention
    }

    /// The first event time, in microseconds since 1970 UTC, that retention keeps at `now`.
    ///
    /// An event that arrives with an older time has expired. What holds keep beyond it is in
    /// [`Snapshot::kept`].
    #[must_use]
    pub fn cutoff(&self, now: DateTime<Utc>) -> i64 {
        self.settings.cutoff(now)
    }

    /// The event times that a reader at `now` may see.
    ///
    /// The data files hold others until they are dropped; a reader must leave those out.
    #[must_use]
    pub fn kept(&self, now: DateTime<Utc>) -> Kept {
        Kept::new(&self.settings, now)
    }

    /// Refuses the snapshot of a deleted store to readers.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDeleted`].
    pub fn check_readable(&self) -> Result<()> {
        self.settings.check_not_deleted()
    }

    /// This snapshot with other data files.
    pub(crate) fn with_data_files(&self, data_files: Vec<DataFile>) -> Snapshot {
        Snapshot { data_files: data_files.into(), ..self.clone() }
    }

    /// The newest commit; `None` if it is gone and only a checkpoint says what it did.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Takes over from `earlier`, which this process had before, how often the log was repaired.
    pub(crate) fn follow(&mut self, earlier: &Snapshot, is_repaired: bool) {
        self.repairs = earlier.repairs + u64::from(is_repaired);
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The version that the next commit makes, if this program may make one.
    pub(crate) fn next_version(&self, store: Uuid) -> Result<u64> {
        let refused = |reason| Error::UnsupportedTable { store: store.to_string(), reason };
        if let Some(reason) = &self.write_refusal {
            return Err(refused(reason.clone()));
        }
        let next = self.version + 1;
        match self.txn_version {
            Some(last) if i64::try_from(next).is_ok_and(|next| last >= next) => {
                Err(refused(format!(
                    "its last transaction, {last}, is not below version {next}; was it restored to \
                     an older version?"
                )))
            }
            _ => Ok(next),
        }
    }

    /// Whether this program may write to the table.
    pub(crate) fn is_writable(&self) -> bool {
        self.write_refusal.is_none()
    }

    /// A snapshot of a table that this program may write to, put together by who knows all of it;
    /// an error says what of it cannot be understood. `head` comes with the version of
    /// our newest `txn` action.
    pub(crate) fn restored(
        version: u64,
        mut data_files: Vec<DataFile>,
        metadata: Metadata,
        head: (Head, i64),
    ) -> Result<Snapshot, String> {
        let table = metadata.parse_schema().map_err(|err| err.to_string())?;
        let table: Schema = (&table).try_into_arrow().map_err(|err| err.to_string())?;
        data_files.sort_by(in_order);
        let (head, txn_version) = head;
        Ok(Snapshot {
            version,
            data_files: data_files.into(),
            settings: StoreSettings::read(&metadata)?,
            schema: data_file_schema(&Arc::new(table)),
            metadata,
            txn_version: Some(txn_version),
            head: Some(head),
            write_refusal: None,
            repairs: 0,
        })
    }

    /// Builds the snapshot of what was loaded, taking from `known` what has not changed.
    pub(crate) async fn build(
        files: &LakeFiles,
        log: &DeltaLog,
        loaded: &Loaded,
        known: Option<&Snapshot>,
    ) -> Result<Snapshot> {
        let state = &loaded.state;
        let txn_version = match loaded.newest.as_ref().and_then(|newest| newest.txn_version) {
            Some(version) => Some(version),
            None => log.transaction_version(state).await?,
        };
        let refused = |reason| Error::UnsupportedTable { store: log.id().to_string(), reason };
        PROTOCOL.can_read_from(state).map_err(|err| refused(err.to_string()))?;
        let metadata = state.metadata().clone();
        Ok(Snapshot {
            version: state.version(),
            data_files: data_files(files, log.id(), state, known).map_err(refused)?,
            settings: StoreSettings::read(&metadata).map_err(refused)?,
            schema: data_file_schema(&state.snapshot().arrow_schema()),
            metadata,
            txn_version,
            head: loaded.newest.as_ref().map(|newest| Head {
                sha256: newest.sha256.clone(),
                is_ours: newest.record.is_some(),
            }),
            write_refusal: PROTOCOL.can_write_to(state).err().map(|err| err.to_string()),
            repairs: 0,
        })
    }
}

/// The data files of the table, sorted; those that `known` has are not read again.
fn data_files(
    files: &LakeFiles,
    id: Uuid,
    state: &DeltaTableState,
    known: Option<&Snapshot>,
) -> Result<Arc<[DataFile]>, String> {
    let known: HashMap<&Path, &DataFile> = known
        .map(|known| known.data_files.iter().map(|file| (&file.path, file)).collect())
        .unwrap_or_default();
    let root = files.full_path(&layout::store(id));
    let mut found = Vec::with_capacity(state.log_data().num_files());
    for view in state.log_data().iter() {
        if view.deletion_vector_descriptor().is_some() {
            return Err(format!("data file `{}` has rows deleted in place", view.path()));
        }
        if view.path().contains("://") || view.path().starts_with('/') {
            return Err(format!("data file `{}` is outside of the store", view.path()));
        }
        let path: Path = root.parts().chain(view.object_store_path().parts()).collect();
        if let Some(known) = known.get(&path) {
            found.push((*known).clone());
            continue;
        }
        #[expect(deprecated, reason = "the arrays that replace it have no tags")]
        let add = view.add_action();
        found.push(data_file(path, &add)?);
    }
    found.sort_by(in_order);
    Ok(found.into())
}

/// The order of the data files of a snapshot: by month and time.
fn in_order(a: &DataFile, b: &DataFile) -> Ordering {
    let order = |file: &DataFile| (file.calendarmonth, file.event_times);
    order(a).cmp(&order(b)).then_with(|| a.path.cmp(&b.path))
}

/// The schema of the table without the partition column, which Delta keeps out of data files.
fn data_file_schema(table: &SchemaRef) -> SchemaRef {
    let fields: Vec<Arc<Field>> = table
        .fields()
        .iter()
        .filter(|field| field.name() != PARTITION_COLUMN)
        .map(Arc::clone)
        .collect();
    Arc::new(Schema::new(fields))
}
