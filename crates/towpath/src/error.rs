//! [`Error`], and what a caller can do about it: [`ErrorKind`].

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use tokio::task::JoinError;
use towpath_event::{EventKind, EventTextError};
use towpath_sql::SqlError;
use towpath_sql::functions::args::FunctionError;
use uuid::Uuid;

use crate::batch_query::QueryStatus;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What could not be done, to what. The cause, if any, is the `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The statement cannot run as it is written. Displayed as Trino does it,
    /// `line 1:8: Column 'evntName' cannot be resolved`.
    #[error(transparent)]
    Statement(#[from] SqlError),

    /// The statement was planned and failed on the events that it met.
    #[error("{0}")]
    Evaluation(String),

    /// The query hit a limit, named in the text, of [`QueryLimits`](crate::QueryLimits) or of
    /// [`LakeOptions`](crate::LakeOptions). Rows that came before are not the whole result.
    #[error("query stopped: {0}")]
    Limit(String),

    /// Rows that do not fit into memory could not be kept on disk while the query runs.
    #[error(
        "could not spill rows to disk; look after the folder that queries spill to (`spill_dir`)"
    )]
    Spill(#[source] Box<DataFusionError>),

    /// Stored events could not be read. The query has no result rather than a short one.
    #[error("could not read the store's data files")]
    DataFiles(#[source] Box<DataFusionError>),

    /// No batch query has this id, or it is older than seven days.
    #[error("batch query `{id}` does not exist")]
    QueryNotFound {
        /// The id.
        id: Uuid,
    },

    /// The batch query has ended, so it cannot be cancelled.
    #[error("batch query `{id}` has ended: it is {status}")]
    QueryEnded {
        /// The id.
        id: Uuid,
        /// How it ended.
        status: QueryStatus,
    },

    /// As many batch queries as allowed are queued or running.
    #[error("{max} batch queries are queued or running; wait for one to end")]
    QueueFull {
        /// How many may be.
        max: usize,
    },

    /// The token is not one that the last page came with.
    #[error("the page token is not of this result; begin again without one")]
    InvalidPageToken,

    /// What the lake keeps of a batch query is not whole.
    #[error("batch query `{id}` cannot be used: {reason}")]
    DamagedQuery {
        /// The id.
        id: Uuid,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// Rows could not be kept or read again.
    #[error("could not keep the rows of a batch query")]
    Results(#[source] Box<dyn StdError + Send + Sync>),

    /// Delivered results are not what was signed.
    #[error("the results are not as they were signed: {0}")]
    InvalidSignFile(String),

    /// The lake has nothing of this kind under this name.
    #[error("{what} `{name}` does not exist")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// Under which name.
        name: String,
    },

    /// The name is taken.
    #[error("{what} `{name}` already exists")]
    Exists {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },

    /// What the lake keeps under this name is not whole.
    #[error("{what} `{name}` is damaged")]
    DamagedDocument {
        /// What is kept.
        what: &'static str,
        /// Under which name.
        name: String,
    },

    /// An argument is not one that can be used.
    #[error("{0}")]
    InvalidArgument(String),

    /// Selectors are about another kind of events than the store has columns for.
    #[error(
        "event data store `{store}` keeps events of `{}`, and the selectors are about `{}`: they have \
         other columns",
        is.name(), asked.name()
    )]
    OtherColumns {
        /// Its name.
        store: String,
        /// What it keeps.
        is: EventKind,
        /// What the selectors are about.
        asked: EventKind,
    },

    /// The store of the audit trail takes part in no ordinary operation.
    #[error(
        "event data store `towpath-audit` is the lake's own audit trail: it cannot be created, \
         changed, deleted or appended to"
    )]
    AuditStore,

    /// The audit trail could not be written, and what is not recorded is not done.
    #[error("not done, because it could not be recorded in the lake's audit trail")]
    NotRecorded(#[source] Box<Error>),

    /// A lake, a store or its log could not be used.
    #[error(transparent)]
    Store(#[from] towpath_store::Error),

    /// Log files could not be ingested.
    #[error(transparent)]
    Ingest(#[from] towpath_ingest::Error),
}

/// What a caller can do about an [`Error`]; servers and commands map it to codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Change the statement.
    InvalidStatement,
    /// The statement failed on a value; change the statement or the rows that it looks at.
    Evaluation,
    /// Raise the limit, or ask for less.
    LimitExceeded,
    /// Change the argument.
    InvalidArgument,
    /// Name a store that exists.
    StoreNotFound,
    /// Choose another name or id.
    StoreExists,
    /// Restore the store: it is pending deletion.
    StoreInactive,
    /// Turn the store's termination protection off first.
    TerminationProtected,
    /// Release the legal holds on the store first.
    OnHold,
    /// Leave the store of the audit trail as it is.
    Reserved,
    /// There is nothing to restore, or not any more.
    NotRestorable,
    /// Name a lake that exists, or create one.
    NotALake,
    /// Name a saved query or a schedule that exists.
    NotFound,
    /// Choose another name for the saved query or the schedule, or replace the one there is.
    Exists,
    /// Name a batch query that exists.
    QueryNotFound,
    /// The batch query is over; there is nothing left to do.
    QueryEnded,
    /// Wait for a batch query to end.
    QueueFull,
    /// Read the pages from the first one on again.
    InvalidPageToken,
    /// Do not trust the results.
    Unverified,
    /// Try again: another writer was in the way.
    Conflict,
    /// Mend the storage: unreachable, full, forbidden or damaged.
    Storage,
}

impl ErrorKind {
    /// The code that CloudTrail's API has for it, if it has one.
    pub fn aws_code(self) -> Option<&'static str> {
        Some(match self {
            ErrorKind::InvalidStatement | ErrorKind::LimitExceeded => {
                "InvalidQueryStatementException"
            }
            ErrorKind::Evaluation | ErrorKind::InvalidArgument => "InvalidParameterException",
            ErrorKind::StoreNotFound => "EventDataStoreNotFoundException",
            ErrorKind::StoreExists => "EventDataStoreAlreadyExistsException",
            ErrorKind::StoreInactive => "InactiveEventDataStoreException",
            ErrorKind::TerminationProtected => "EventDataStoreTerminationProtectedException",
            ErrorKind::NotRestorable => "InvalidEventDataStoreStatusException",
            ErrorKind::OnHold | ErrorKind::Conflict => "ConflictException",
            ErrorKind::Reserved => "OperationNotPermittedException",
            ErrorKind::QueryNotFound => "QueryIdNotFoundException",
            ErrorKind::QueryEnded => "InactiveQueryException",
            ErrorKind::QueueFull => "MaxConcurrentQueriesException",
            ErrorKind::InvalidPageToken => "InvalidNextTokenException",
            _ => return None,
        })
    }

    /// The code that the audit trail has for it.
    pub(crate) fn code(self) -> String {
        self.aws_code().map_or_else(|| format!("{self:?}"), str::to_owned)
    }
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Statement(error) => statement_kind(error),
            Error::Evaluation(_) => ErrorKind::Evaluation,
            Error::Limit(_) => ErrorKind::LimitExceeded,
            Error::DataFiles(_)
            | Error::Spill(_)
            | Error::DamagedQuery { .. }
            | Error::DamagedDocument { .. }
            | Error::Results(_) => ErrorKind::Storage,
            Error::AuditStore => ErrorKind::Reserved,
            Error::NotRecorded(_) => ErrorKind::Storage,
            Error::NotFound { .. } => ErrorKind::NotFound,
            Error::Exists { .. } => ErrorKind::Exists,
            Error::QueryNotFound { .. } => ErrorKind::QueryNotFound,
            Error::QueryEnded { .. } => ErrorKind::QueryEnded,
            Error::QueueFull { .. } => ErrorKind::QueueFull,
            Error::InvalidPageToken => ErrorKind::InvalidPageToken,
            Error::InvalidSignFile(_) => ErrorKind::Unverified,
            Error::InvalidArgument(_) | Error::OtherColumns { .. } => ErrorKind::InvalidArgument,
            Error::Store(error) => store_kind(error),
            Error::Ingest(error) => ingest_kind(error),
        }
    }

    /// What to do, where it can be said in a line: a near name, a command.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Statement(error) => error.hint().map(str::to_owned),
            _ => None,
        }
    }

    /// For [`Error::Statement`] with a place, the line of `statement` with a mark under the place.
    pub fn caret(&self, statement: &str) -> Option<String> {
        match self {
            Error::Statement(error) => {
                Some(error.render_caret(statement)).filter(|caret| !caret.is_empty())
            }
            _ => None,
        }
    }

    pub(crate) fn damaged(id: Uuid, reason: &'static str) -> Error {
        Error::DamagedQuery { id, reason }
    }

    /// The error for rows that cannot be encoded or decoded.
    pub(crate) fn result(error: ArrowError) -> Error {
        Error::Results(Box::new(error))
    }

    /// The error for rows that cannot be compressed.
    pub(crate) fn compression(error: io::Error) -> Error {
        Error::Results(Box::new(error))
    }

    /// The error for a record that was stopped before it was written.
    pub(crate) fn stopped(error: &JoinError) -> Error {
        Error::NotRecorded(Box::new(Error::Evaluation(error.to_string())))
    }

    pub(crate) fn too_long(run_max: Duration) -> Error {
        Error::Limit(format!("it ran longer than {} s (`run_secs_max`)", run_max.as_secs()))
    }

    fn too_much_spilled() -> Error {
        Error::Limit("the running queries need more room on disk (`spill_bytes_max`)".into())
    }

    pub(crate) fn too_many_rows(rows_max: u64) -> Error {
        Error::Limit(format!("the result has more than {rows_max} rows (`result_rows_max`)"))
    }
}

impl From<DataFusionError> for Error {
    /// Sorts what the engine reports by what the caller can do about it.
    fn from(error: DataFusionError) -> Error {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(what) => Error::Limit(what.clone()),
            DataFusionError::ParquetError(what) => match failed_filter(what) {
                Some(own) => Error::Evaluation(own),
                None => Error::DataFiles(Box::new(error)),
            },
            DataFusionError::ObjectStore(_) => Error::DataFiles(Box::new(error)),
            DataFusionError::IoError(what) if is_spill_limit(what) => Error::too_much_spilled(),
            DataFusionError::IoError(_) => Error::Spill(Box::new(error)),
            DataFusionError::ArrowError(what, _) if let ArrowError::IoError(_, what) = &**what => {
                if is_spill_limit(what) {
                    Error::too_much_spilled()
                } else {
                    Error::Spill(Box::new(error))
                }
            }
            DataFusionError::External(inner) if inner.is::<EventTextError>() => {
                Error::DataFiles(Box::new(error))
            }
            DataFusionError::Execution(what) => Error::Evaluation(what.clone()),
            // A function's own words, without the engine's before them.
            DataFusionError::External(own) => Error::Evaluation(own.to_string()),
            DataFusionError::ArrowError(what, _) => Error::Evaluation(match what.as_ref() {
                ArrowError::ExternalError(own) => own.to_string(),
                other => other.to_string(),
            }),
            root => Error::Evaluation(root.strip_backtrace()),
        }
    }
}

/// What a function said that failed on a value while Parquet's row filter called it.
fn failed_filter(error: &ParquetError) -> Option<String> {
    let ParquetError::External(error) = error else { return None };
    let Some(ArrowError::ComputeError(text)) = error.downcast_ref() else { return None };
    FunctionError::in_debug_text(text).map(str::to_owned)
}

/// Whether queries may spill no more. The engine has no error of its own for it while it writes.
fn is_spill_limit(error: &io::Error) -> bool {
    error.to_string().contains("datafusion.runtime.max_temp_directory_size")
}

fn statement_kind(error: &SqlError) -> ErrorKind {
    use towpath_sql::ErrorKind as SqlErrorKind;
    match error.kind() {
        SqlErrorKind::RelationNotFound => ErrorKind::StoreNotFound,
        SqlErrorKind::LimitExceeded | SqlErrorKind::Interrupted => ErrorKind::LimitExceeded,
        SqlErrorKind::Storage => cause(error).map_or(ErrorKind::Storage, store_kind),
        _ => ErrorKind::InvalidStatement,
    }
}

/// The store's own error that a statement failed with.
fn cause(error: &SqlError) -> Option<&towpath_store::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

fn store_kind(error: &towpath_store::Error) -> ErrorKind {
    use towpath_store::Error as StoreError;
    match error {
        StoreError::StoreNotFound { .. } => ErrorKind::StoreNotFound,
        StoreError::StoreExists { .. } => ErrorKind::StoreExists,
        StoreError::NotALake { .. } => ErrorKind::NotALake,
        StoreError::InvalidLocation { .. }
        | StoreError::InvalidName { .. }
        | StoreError::InvalidHold { .. }
        | StoreError::HoldNotFound { .. }
        | StoreError::InvalidCheckpoint { .. }
        | StoreError::RedactionRefused { .. }
        | StoreError::InvalidRetention { .. }
        | StoreError::InvalidAttributes { .. } => ErrorKind::InvalidArgument,
        StoreError::StoreDeleted { .. } => ErrorKind::StoreInactive,
        StoreError::TerminationProtected { .. } => ErrorKind::TerminationProtected,
        StoreError::OnHold { .. } => ErrorKind::OnHold,
        StoreError::StoreNotDeleted { .. } | StoreError::RestoreTooLate { .. } => {
            ErrorKind::NotRestorable
        }
        StoreError::CommitConflict { .. } | StoreError::LeaseTimeout { .. } => ErrorKind::Conflict,
        _ => ErrorKind::Storage,
    }
}

fn ingest_kind(error: &towpath_ingest::Error) -> ErrorKind {
    use towpath_ingest::Error as IngestError;
    match error {
        IngestError::InvalidSource { .. }
        | IngestError::SourceNotFound { .. }
        | IngestError::InvalidQueue { .. }
        | IngestError::InvalidPublicKeys { .. }
        | IngestError::TooManyHours { .. }
        | IngestError::EmptyRange => ErrorKind::InvalidArgument,
        IngestError::Store(error) => store_kind(error),
        _ => ErrorKind::Storage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_spilling_is_none_of_the_data_files_or_the_statement() {
        let full = "the allowable limit; increase `datafusion.runtime.max_temp_directory_size`.";
        for (text, kind) in
            [(full, ErrorKind::LimitExceeded), ("No space left on device", ErrorKind::Storage)]
        {
            let error = || io::Error::other(text);
            let arrow = ArrowError::IoError(text.to_owned(), error());
            for error in [
                DataFusionError::IoError(error()),
                DataFusionError::ArrowError(Box::new(arrow), None),
            ] {
                let error = Error::from(error);
                assert_eq!(error.kind(), kind, "{error:?}");
                assert!(matches!(error, Error::Limit(_) | Error::Spill(_)), "{error:?}");
            }
        }
    }
}
