//! CloudTrail's log files → events → an event data store: each event once, and nothing by halves.
//!
//! [`ingest`] looks for log files in folders and buckets, decompresses and decodes them, leaves out
//! what the store already has, and commits the rest batch by batch, each batch together with the
//! list of the log files it came from. It says what it did in an [`IngestReport`], whose numbers
//! reconcile, and names every log file that it could not take. [`watch()`] does the same for what
//! arrives, until it is told to stop. [`verify_digests`] checks the log files against the digests that
//! CloudTrail signed.
//!
//! ```no_run
//! # async fn example(store: towpath_store::EventDataStore) -> Result<(), Box<dyn std::error::Error>> {
//! use std::{collections::HashMap, sync::Arc};
//! use towpath_ingest::{IngestOptions, ingest};
//! use towpath_store::Location;
//!
//! # let now = || chrono::DateTime::UNIX_EPOCH;
//! let sources = [Location::parse("s3://trail-bucket/AWSLogs/", &HashMap::new())?];
//! let report = ingest(&store, &sources, &IngestOptions::default(), Arc::new(now), &|_| ()).await?;
//! assert!(report.events.reconcile());
//! # Ok(()) }
//! ```

mod intake;
mod marks;
mod pipeline;

mod find;
mod log_file;
mod source;

mod gunzip;
mod large;
mod read;
mod refusal;
mod split;

mod append;
mod checkpoint;
mod dedup;
mod order;
mod stored;

mod aws;
mod budget;
mod error;
mod report;
mod tally;

mod deliver;
mod digest;
mod watch;

pub use aws::AwsError;
pub use deliver::{TrailDelivery, TrailRules};
pub use digest::{
    ChainReport, CoverageGap, CoverageHour, CoverageOptions, CoverageReport, DigestEvent,
    DigestFault, DigestKeys, DigestOptions, DigestReport, LogFault, NewDigest, NewLogFile,
    TrailWriter, UncoveredWhy, WrittenDigest, WrittenLogFile, coverage, fetch_public_keys,
    verify_digests,
};
pub use error::{Error, Result};
pub use intake::Intake;
pub use log_file::LeftOut;
pub use pipeline::{Clock, IngestOptions, VerifyOptions, ingest, ingest_verified};
pub use report::{
    ByteCounts, DigestMarks, EventCounts, IngestReport, LogFileCounts, Progress,
    REJECTED_NAMED_MAX, RejectPlace, RejectReason, Rejected,
};
pub use watch::{
    Message, NotificationQueue, QueueError, SqsQueue, WatchEvent, WatchOptions, WatchReport, watch,
};
