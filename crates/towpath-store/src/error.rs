//! What can go wrong with a lake or a store, as things a caller can act on.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use deltalake::DeltaTableError;
use object_store::path::Path;
use uuid::Uuid;

use crate::repair::TornReason;

/// The result of an operation on a lake or a store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a lake or a store was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No store has this name or id.
    #[error("event data store `{name}` does not exist{}", did_you_mean(.near.as_deref()))]
    StoreNotFound {
        /// What was asked for.
        name: String,
        /// The name of a store that differs from it only a little.
        near: Option<String>,
    },

    /// The name or the id is taken.
    #[error("event data store `{store}` already exists")]
    StoreExists {
        /// The name or id that is taken.
        store: String,
    },

    /// The store was deleted. Nothing but restoring it is possible, and holds on it.
    #[error(
        "event data store `{store}` is pending deletion since {}; it can be restored until {}",
        minute(.deleted_at),
        minute(.restorable_until)
    )]
    StoreDeleted {
        /// The store's name.
        store: String,
        /// When it was deleted.
        deleted_at: DateTime<Utc>,
        /// Until when it can be restored.
        restorable_until: DateTime<Utc>,
    },

    /// The store was not deleted, so it cannot be restored.
    #[error("event data store `{store}` is not pending deletion; there is nothing to restore")]
    StoreNotDeleted {
        /// The store's name.
        store: String,
    },

    /// The store's time for being restored is over.
    #[error("event data store `{store}` could be restored until {}", minute(.restorable_until))]
    RestoreTooLate {
        /// The store's name.
        store: String,
        /// Until when it could be restored.
        restorable_until: DateTime<Utc>,
    },

    /// The store must not be deleted while its termination protection is on.
    #[error("event data store `{store}` has termination protection; turn it off to delete it")]
    TerminationProtected {
        /// The store's name.
        store: String,
    },

    /// The store must not be deleted while there are legal holds on it.
    #[error("event data store `{store}` is under {holds} legal hold(s); release them to delete it")]
    OnHold {
        /// The store's name.
        store: String,
        /// How many holds.
        holds: usize,
    },

    /// The store has no legal hold with this id.
    #[error("event data store `{store}` has no legal hold `{hold}`")]
    HoldNotFound {
        /// The store's name.
        store: String,
        /// The id asked for.
        hold: Uuid,
    },

    /// The legal hold cannot be placed. Nothing was written.
    #[error("the legal hold is refused: {reason}")]
    InvalidHold {
        /// What is wrong with it.
        reason: String,
    },

    /// The place holds no lake. An empty or missing one may become a lake.
    #[error("`{url}` is not a lake: {reason}")]
    NotALake {
        /// Where a lake was looked for.
        url: String,
        /// What was found there instead.
        reason: &'static str,
    },

    /// The lake was written by a newer version of this program.
    #[error("lake `{url}` has format {found}, newer than {newest}; use a newer version of towpath")]
    UnsupportedFormat {
        /// The lake.
        url: String,
        /// The format that its marker names.
        found: u32,
        /// The newest format that this version reads.
        newest: u32,
    },

    /// The text is no place a lake or log files can be at.
    #[error("`{location}` is not a usable location: {reason}")]
    InvalidLocation {
        /// The text.
        location: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The name is not one an event data store may have.
    #[error("`{name}` cannot name an event data store: {reason}")]
    InvalidName {
        /// The name.
        name: String,
        /// What a name must be.
        reason: &'static str,
    },

    /// The retention is outside of what AWS allows.
    #[error("retention of {days} days is outside of 7 to 3653 days")]
    InvalidRetention {
        /// The days asked for.
        days: u32,
    },

    /// The newest commit of a store is not whole, as a power loss without fsync leaves it.
    ///
    /// Nothing was read or written: going on would silently lose the events of that commit.
    #[error(
        "the newest commit, {version}, of event data store `{store}` is not whole: {reason}; \
         `towpath doctor --repair` explains it and moves it aside"
    )]
    TornCommit {
        /// The store's id.
        store: String,
        /// The version of the commit.
        version: u64,
        /// How one can tell.
        reason: TornReason,
    },

    /// Another writer committed since the snapshot this append was made from was taken.
    ///
    /// Nothing was committed. Take the writer again, look for duplicates again, append again.
    #[error(
        "another writer committed to event data store `{store}` at version {version}; append again"
    )]
    CommitConflict {
        /// The store's id.
        store: String,
        /// The version the other writer made.
        version: u64,
    },

    /// The commit may or may not have been made, and the storage could not be asked.
    ///
    /// Opening the store tells: a commit is in whole or not at all.
    #[error(
        "storage did not say whether version {version} of event data store `{store}` was committed"
    )]
    CommitUnknown {
        /// The store's id.
        store: String,
        /// The version that may have been made.
        version: u64,
        /// The last error of the storage.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// Another writer kept the store for longer than the caller would wait.
    #[error("another writer kept {what} for more than {} ms; try again later", .waited.as_millis())]
    LeaseTimeout {
        /// What is kept: a store or the lake's catalog.
        what: String,
        /// How long this writer waited.
        waited: Duration,
    },

    /// The server does not do conditional writes atomically, so commits could be lost silently.
    #[error(
        "the object store at `{url}` cannot hold a lake: {reason}; use a server whose conditional \
         PUT (`If-None-Match`, `If-Match`) is atomic"
    )]
    UnsafeObjectStore {
        /// The lake.
        url: String,
        /// What the self-test saw.
        reason: String,
    },

    /// The disk is full. What was committed before is whole.
    #[error("no space left on the device for `{path}`; free some and try again")]
    OutOfSpace {
        /// What could not be written.
        path: String,
    },

    /// More than one append may hold. Nothing was written; split it.
    #[error("{what} is {found}, more than {max}; split the append")]
    AppendTooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// How large it may be.
        max: u64,
    },

    /// The attributes of a store cannot be these. Nothing was written.
    #[error("attributes of an event data store are refused: {reason}")]
    InvalidAttributes {
        /// What is wrong with them.
        reason: String,
    },

    /// The rows do not belong into one data file of this store. Nothing was written.
    #[error("rows cannot become a data file of event data store `{store}`: {reason}")]
    InvalidRows {
        /// The store's id.
        store: String,
        /// What is wrong with them.
        reason: String,
    },

    /// The table uses something of Delta Lake that this version cannot honour.
    #[error("event data store `{store}` cannot be read: {reason}")]
    UnsupportedTable {
        /// The store's id.
        store: String,
        /// What it uses.
        reason: String,
    },

    /// A data file is not the one that was committed.
    #[error("data file `{path}` is damaged: its {what} is {found}, but {expected} was committed")]
    DamagedDataFile {
        /// The data file.
        path: Path,
        /// What differs: `size` or `SHA-256`.
        what: &'static str,
        /// What was committed.
        expected: String,
        /// What is there.
        found: String,
    },

    /// A file of the lake does not hold what it must.
    #[error("`{path}` is damaged: {reason}")]
    Damaged {
        /// The file.
        path: Path,
        /// What is wrong with it.
        reason: String,
    },

    /// A signing key could not be made, opened or used.
    #[error("could not {what}: {reason}")]
    SigningKey {
        /// What was tried.
        what: String,
        /// Why not.
        reason: String,
    },

    /// A signed checkpoint is not one, or not one of this store.
    #[error("the signed checkpoint cannot be used: {reason}")]
    InvalidCheckpoint {
        /// What is wrong with it.
        reason: String,
    },

    /// Data files could not be read as Parquet, though they are what was committed.
    #[error("could not decode a data file")]
    Decode {
        /// What the decoder said.
        #[source]
        source: parquet::errors::ParquetError,
    },

    /// A compaction would not have kept the rows as they are. Nothing was committed.
    #[error("data files of event data store `{store}` were not compacted: {reason}")]
    CompactionMismatch {
        /// The store's id.
        store: String,
        /// What differs.
        reason: String,
    },

    /// Fields were not taken out of events. Nothing was committed.
    #[error("events of event data store `{store}` were not redacted: {reason}")]
    RedactionRefused {
        /// The store's id.
        store: String,
        /// Why not.
        reason: String,
    },

    /// Rows could not be encoded as Parquet.
    #[error("could not encode a data file")]
    Encode {
        /// What the encoder said.
        #[source]
        source: parquet::errors::ParquetError,
    },

    /// The storage refused or failed, also after trying again.
    #[error("could not {what} `{path}`")]
    Storage {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: String,
        /// What the storage said.
        #[source]
        source: object_store::Error,
    },

    /// The store's transaction log could not be read or written.
    #[error("could not {what} the log of event data store `{store}`")]
    Log {
        /// What was tried.
        what: &'static str,
        /// The store's id.
        store: String,
        /// What the Delta library said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// The error for a failed operation of the storage; a full disk is told apart.
    pub(crate) fn storage(what: &'static str, path: &Path, source: object_store::Error) -> Error {
        if is_out_of_space(&source) {
            return Error::OutOfSpace { path: path.to_string() };
        }
        Error::Storage { what, path: path.to_string(), source }
    }

    /// Whether the storage refused the caller, rather than failed.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        use object_store::Error::{PermissionDenied, Unauthenticated};
        matches!(
            self,
            Error::Storage { source: PermissionDenied { .. } | Unauthenticated { .. }, .. }
        )
    }

    /// Whether the storage has no such place.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Storage { source: object_store::Error::NotFound { .. }, .. })
    }

    /// The error for a failed operation of the Delta library; a full disk is told apart.
    pub(crate) fn log(what: &'static str, store: String, source: DeltaTableError) -> Error {
        if is_out_of_space(&source) {
            return Error::OutOfSpace { path: store };
        }
        Error::Log { what, store, source: Box::new(source) }
    }
}

/// Whether a full disk (or quota) is somewhere among the causes of `err`.
pub(crate) fn is_out_of_space(err: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(err);
    while let Some(err) = cause {
        if let Some(io) = err.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        {
            return true;
        }
        cause = err.source();
    }
    false
}

/// Whether trying again cannot help.
pub(crate) fn is_permanent(err: &object_store::Error) -> bool {
    matches!(
        err,
        object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. }
            | object_store::Error::NotSupported { .. }
            | object_store::Error::NotImplemented { .. }
            | object_store::Error::InvalidPath { .. }
            | object_store::Error::UnknownConfigurationKey { .. }
    ) || is_out_of_space(err)
}

/// A time as a person reads it in a message.
fn minute(time: &DateTime<Utc>) -> impl Display {
    time.format("%Y-%m-%d %H:%M UTC")
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Error, is_out_of_space};
    use object_store::path::Path;
    use std::io;

    #[test]
    fn full_disk_is_found_behind_the_storage_library() {
        let full = object_store::Error::Generic {
            store: "local",
            source: Box::new(io::Error::from(io::ErrorKind::StorageFull)),
        };
        assert!(is_out_of_space(&full));

        let err = Error::storage("write", &Path::from("a/b"), full);
        assert!(matches!(&err, Error::OutOfSpace { path } if path == "a/b"), "{err:?}");
        assert!(err.to_string().starts_with("no space left"), "{err}");
    }

    #[test]
    fn other_errors_keep_their_cause() {
        let denied = object_store::Error::Generic {
            store: "local",
            source: Box::new(io::Error::from(io::ErrorKind::PermissionDenied)),
        };
        let err = Error::storage("read", &Path::from("a"), denied);
        assert_eq!(err.to_string(), "could not read `a`");
        assert!(std::error::Error::source(&err).is_some());
    }

    #[test]
    fn missing_store_names_the_one_that_was_meant() {
        let err = Error::StoreNotFound { name: "trial".into(), near: Some("trail".into()) };
        assert_eq!(
            err.to_string(),
            "event data store `trial` does not exist; did you mean `trail`?"
        );
    }
}
