//! The transaction log of one store: loading what it says, adding a commit to it.
//!
//! Delta's own library reads the log and spells the actions. What it leaves to its caller is here:
//!
//! * a commit is written at exactly the version after the snapshot it was made from, so that a
//!   writer that lost its lease without noticing cannot commit over what it has not seen;
//! * after any error the commit is looked up before it is tried again, because an error does not
//!   mean that it was not made;
//! * a newest commit that is not whole is refused, because Delta reads an empty one as a commit
//!   that changed nothing and goes on behind it.

use std::error::Error as StdError;
use std::sync::Arc;

use bytes::Bytes;
use deltalake::DeltaTable;
use deltalake::DeltaTableError;
use deltalake::checkpoints::create_checkpoint;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::{CommitOrBytes, LogStoreRef, StorageConfig, default_logstore};
use deltalake::table::state::DeltaTableState;
use object_store::ObjectStore;
use object_store::prefix::PrefixStore;
use tokio::{task, try_join};
use tracing::{debug, warn};
use url::Url;
use uuid::Uuid;

use crate::attempts::{Attempts, pause_after};
use crate::commit::{self, APP_ID, ParsedCommit};
use crate::error::{Error, Result, is_permanent};
use crate::lake_files::LakeFiles;
use crate::layout;
use crate::retried_reads::RetriedReads;

/// Attempts at adding one commit. The pauses between them make 2.6 seconds, so that a store that
/// sheds load is outlasted; the commit stays at one version, so more would do no harm but wait.
const COMMIT_ATTEMPTS_MAX: u32 = 8;

/// Times that the log is loaded, of which single reads were tried again already: once more for what
/// changed in between, such as a commit that a repair moved aside.
const LOADS_MAX: u32 = 2;

/// Commits between two checkpoints.
///
/// Opening a store reads the newest checkpoint and the commits after it. One every hundred keeps
/// that under a second on an object store, at one more object per hundred.
pub(crate) const CHECKPOINT_COMMITS: u64 = 100;

/// The log of one store.
#[derive(Clone)]
pub(crate) struct DeltaLog {
    id: Uuid,
    files: LakeFiles,
    log_store: LogStoreRef,
}

/// What the log says, and its newest commit if that is there as a commit.
pub(crate) struct Loaded {
    pub(crate) state: DeltaTableState,
    pub(crate) newest: Option<ParsedCommit>,
    /// What tells that commit's file from one that a repair made room for.
    pub(crate) tag: Option<String>,
}

/// What became of a log since a version of it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Nothing,
    Newer,
    /// The commit of that version is gone, or is another one: the log was repaired.
    Rewritten,
}

impl DeltaLog {
    pub(crate) fn new(files: &LakeFiles, id: Uuid) -> Result<DeltaLog> {
        let root = layout::store(id);
        // The library joins paths to this URL and gives their path part to the object store, whose
        // root is the lake. A scheme of our own keeps it from reading more into the URL.
        let url = Url::parse(&format!("towpath:///{root}/")).map_err(|err| Error::Log {
            what: "address",
            store: id.to_string(),
            source: Box::new(err),
        })?;
        let objects: Arc<dyn ObjectStore> =
            Arc::new(RetriedReads::new(Arc::clone(files.objects())));
        let rooted = Arc::new(PrefixStore::new(Arc::clone(&objects), root));
        let log_store = default_logstore(rooted, objects, &url, &StorageConfig::default());
        Ok(DeltaLog { id, files: files.clone(), log_store })
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn root_url(&self) -> &Url {
        self.log_store.root_url()
    }

    /// Loads the newest version, from `known` on if that is given; `None` if there is no table.
    ///
    /// # Errors
    ///
    /// [`Error::TornCommit`] if the newest commit is not whole.
    pub(crate) async fn load(&self, known: Option<&DeltaTableState>) -> Result<Option<Loaded>> {
        let mut attempts = Attempts::at_most(LOADS_MAX);
        let state = loop {
            match Box::pin(self.load_once(known)).await {
                Ok(state) => break state,
                Err(DeltaTableError::NotATable(_)) if known.is_none() => return Ok(None),
                Err(err) => {
                    self.check_newest_listed().await?;
                    if !attempts.another_if(may_pass(&err)).await {
                        return Err(Error::log("read", self.id.to_string(), err));
                    }
                }
            }
        };
        let path = layout::commit(self.id, state.version());
        let (newest, tag) = match self.files.read_versioned(&path).await? {
            Some((text, found)) => (Some(self.parse(state.version(), &text)?), found.e_tag),
            None => (None, None),
        };
        Ok(Some(Loaded { state, newest, tag }))
    }

    async fn load_once(
        &self,
        known: Option<&DeltaTableState>,
    ) -> Result<DeltaTableState, DeltaTableError> {
        match known {
            None => DeltaTableState::try_new(&self.log_store, None).await,
            Some(known) => {
                let mut state = known.clone();
                state.update(&self.log_store, None).await?;
                Ok(state)
            }
        }
    }

    /// The version of our newest `txn` action, where the newest commit itself does not tell.
    pub(crate) async fn transaction_version(&self, state: &DeltaTableState) -> Result<Option<i64>> {
        let mut attempts = Attempts::at_most(LOADS_MAX);
        loop {
            match Box::pin(state.transaction_version(&self.log_store, APP_ID)).await {
                Ok(version) => return Ok(version),
                Err(err) => {
                    if !attempts.another_if(may_pass(&err)).await {
                        return Err(Error::log("read", self.id.to_string(), err));
                    }
                }
            }
        }
    }

    /// What came after version `known`, whose commit had `tag`. Versions have no gaps, so that one
    /// question tells whether there is a newer one; another tells whether a repair moved aside what
    /// was loaded, which nothing that is newer would show.
    pub(crate) async fn since(&self, known: u64, tag: Option<&str>) -> Result<Since> {
        let (next, newest) = (layout::commit(self.id, known + 1), layout::commit(self.id, known));
        let is_newer = self.files.exists(&next);
        let Some(tag) = tag else {
            return Ok(if is_newer.await? { Since::Newer } else { Since::Nothing });
        };
        let (is_newer, found) = try_join!(is_newer, self.files.tag(&newest))?;
        Ok(match found.flatten() {
            Some(found) if found == tag && is_newer => Since::Newer,
            Some(found) if found == tag => Since::Nothing,
            _ => Since::Rewritten,
        })
    }

    /// What the commit of a version says; `None` if there is no such commit.
    ///
    /// # Errors
    ///
    /// [`Error::TornCommit`] if it is not whole.
    pub(crate) async fn read_commit(&self, version: u64) -> Result<Option<ParsedCommit>> {
        let text = self.files.read(&layout::commit(self.id, version)).await?;
        text.map(|text| self.parse(version, &text)).transpose()
    }

    fn parse(&self, version: u64, text: &[u8]) -> Result<ParsedCommit> {
        commit::parse(text).map_err(|reason| Error::TornCommit {
            store: self.id.to_string(),
            version,
            reason,
        })
    }

    /// Refuses a newest commit that is not whole, found by listing, as the library fails on it.
    async fn check_newest_listed(&self) -> Result<()> {
        let Ok(listing) = self.files.list(&layout::log_folder(self.id)).await else {
            return Ok(());
        };
        let newest =
            listing.files.iter().filter_map(|(name, _)| layout::commit_version(name)).max();
        match newest {
            None => Ok(()),
            Some(newest) => match self.read_commit(newest).await {
                Err(torn @ Error::TornCommit { .. }) => Err(torn),
                // Whatever else is wrong, the library's own error says it.
                _ => Ok(()),
            },
        }
    }

    /// Adds a commit as exactly `version`; `false` if another commit has that version.
    ///
    /// `id` is the commit's own, in its record; it tells the commit from another one's.
    ///
    /// # Errors
    ///
    /// [`Error::CommitUnknown`] if it may or may not have been added. Any other error says that it
    /// was not.
    pub(crate) async fn commit(&self, version: u64, text: Bytes, id: Uuid) -> Result<bool> {
        let mut attempt = 0;
        loop {
            let content = CommitOrBytes::LogBytes(text.clone());
            let put = self.log_store.write_commit_entry(version, content, id).await;
            let Err(err) = put else { return Ok(true) };
            debug!(store = %self.id, version, attempt, "commit not acknowledged, looking it up");
            attempt += 1;
            let last = attempt >= COMMIT_ATTEMPTS_MAX || !may_pass(&err);
            match self.read_commit(version).await {
                Ok(Some(found)) => {
                    return Ok(found.record.is_some_and(|record| record.commit == id));
                }
                Ok(None) if last => {
                    return Err(self.not_added(err));
                }
                Err(torn @ Error::TornCommit { .. }) => return Err(torn),
                Err(err) if last => {
                    return Err(Error::CommitUnknown {
                        store: self.id.to_string(),
                        version,
                        source: Box::new(err),
                    });
                }
                Ok(None) | Err(_) => pause_after(attempt - 1).await,
            }
        }
    }

    /// The error for a commit that was not added.
    pub(crate) fn not_added(&self, err: TransactionError) -> Error {
        Error::log("add to", self.id.to_string(), err.into())
    }

    /// Writes a checkpoint of `version` if one is due. The commits say the same, only slower, so
    /// one that cannot be written is not an error.
    pub(crate) async fn checkpoint_if_due(&self, version: u64) {
        if !(version + 1).is_multiple_of(CHECKPOINT_COMMITS) {
            return;
        }
        let log_store = Arc::clone(&self.log_store);
        // In a task of its own: on a full disk the library is known to panic.
        let checkpoint = task::spawn(async move {
            let mut table = DeltaTable::new(log_store);
            table.load_version(version).await?;
            create_checkpoint(&table, None).await
        });
        let failed: Box<dyn StdError + Send + Sync> = match checkpoint.await {
            Ok(Ok(())) => return,
            Ok(Err(err)) => Box::new(err),
            Err(err) => Box::new(err),
        };
        warn!(store = %self.id, version, error = &*failed as &dyn StdError, "checkpoint not written");
    }
}

/// Whether trying again may help.
fn may_pass(err: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(err);
    while let Some(err) = cause {
        if err.downcast_ref::<object_store::Error>().is_some_and(is_permanent) {
            return false;
        }
        if let Some(TransactionError::ObjectStore { source }) = err.downcast_ref()
            && is_permanent(source)
        {
            return false;
        }
        cause = err.source();
    }
    true
}
