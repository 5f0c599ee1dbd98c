//! Why an ingest stopped.
//!
//! A file that is no good stops nothing: it is a line in the report. What stops an ingest is a
//! source that cannot be read or a store that cannot be written.

use std::{io, result};

use crate::{aws::AwsError, watch::QueueError};

/// Why an ingest could not be done, or not to its end. Everything committed before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was given as a source is neither a path nor a URL that is understood.
    #[error("source `{text}` is neither a path nor a URL such as `s3://bucket/prefix`")]
    InvalidSource {
        /// What was given.
        text: String,
    },

    /// Nothing is at the place that was given as a source.
    #[error("source `{location}` does not exist")]
    SourceNotFound {
        /// The source as it was given.
        location: String,
    },

    /// The range of event times to ingest holds no instant.
    #[error("range of event times is empty: `from` must be before `to`")]
    EmptyRange,

    /// A local source is there but cannot be looked at.
    #[error("could not read source `{location}`")]
    ReadSource {
        /// The source as it was given.
        location: String,
        /// What the file system said.
        source: io::Error,
    },

    /// The files below a prefix of a bucket could not be listed.
    #[error("could not list `{location}`")]
    ListSource {
        /// The prefix.
        location: String,
        /// What the file system or the object store said.
        source: object_store::Error,
    },

    /// A log file could not be downloaded although it was listed.
    #[error("could not read log file `{path}`")]
    ReadLogFile {
        /// The log file.
        path: String,
        /// What the object store said, after its own retries.
        source: object_store::Error,
    },

    /// A data file of the store could not be read to look for duplicates.
    #[error("could not read data file `{path}`")]
    ReadDataFile {
        /// The data file, relative to the lake.
        path: String,
        /// What is wrong with it.
        source: parquet::errors::ParquetError,
    },

    /// A data file of the store lacks a column, or has one of another type.
    #[error("data file `{path}` has no column `{column}` of the expected type")]
    UnexpectedColumn {
        /// The data file, relative to the lake.
        path: String,
        /// The column.
        column: &'static str,
    },

    /// The text of an event of the store could not be put together to look for duplicates.
    #[error("could not read the events of data file `{path}`")]
    EventText {
        /// The data file, relative to the lake.
        path: String,
        /// What is wrong with it.
        source: towpath_event::EventTextError,
    },

    /// A thread that looked for log files or read digests ended without a result.
    #[error("a worker thread ended early")]
    Worker(#[source] tokio::task::JoinError),

    /// No thread could be started to decode or sort events, or one ended without a result.
    #[error("could not decode or sort events on a thread")]
    Thread(#[source] io::Error),

    /// What was given as a queue of notifications is none.
    #[error("queue `{text}` cannot be used: {reason}")]
    InvalidQueue {
        /// What was given.
        text: String,
        /// Why it cannot be used.
        reason: String,
    },

    /// The queue of notifications could not be asked.
    #[error("could not ask the queue of notifications")]
    Queue(#[source] QueueError),

    /// It cannot be told what the store takes.
    #[error("event data store `{store}` takes what this version does not know: {reason}")]
    UnknownIntake {
        /// Its name.
        store: String,
        /// What its attributes say.
        reason: String,
    },

    /// A log file or a digest of a trail could not be written.
    #[error("could not write `{path}`")]
    WriteTrailFile {
        /// Its path or URL.
        path: String,
        /// What the object store said, after its own retries.
        source: object_store::Error,
    },

    /// What was given as public keys is none.
    #[error("public keys cannot be used: {reason}")]
    InvalidPublicKeys {
        /// Why they cannot be used.
        reason: String,
    },

    /// The sources hold more digests and log files than are checked at once.
    #[error("more than {max} digests and log files: name a part of the sources")]
    TooManyDigests {
        /// How many are checked at once.
        max: usize,
    },

    /// A report would have more hours than anybody reads.
    #[error("more than {max} hours of accounts and regions: name a shorter time")]
    TooManyHours {
        /// How many a report has at most.
        max: usize,
    },

    /// CloudTrail's public keys could not be asked for.
    #[error("could not get CloudTrail's public keys of region `{region}`")]
    PublicKeys {
        /// The region.
        region: String,
        /// What went wrong.
        source: AwsError,
    },

    /// The event data store could not be read or written.
    #[error(transparent)]
    Store(#[from] towpath_store::Error),
}

/// [`result::Result`] with this crate's [`Error`].
pub type Result<T, E = Error> = result::Result<T, E>;
