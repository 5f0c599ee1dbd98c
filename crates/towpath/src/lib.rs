//! towpath keeps CloudTrail events for years in *event data stores* and answers Trino SQL over
//! them, as AWS CloudTrail Lake did, on any folder or object store.
//!
//! A [`Lake`] is a folder or bucket prefix that holds stores. A [`Store`] takes log files with
//! [`Store::ingest`], each event exactly once, and [`Lake::query`] answers statements over all
//! stores as streams of Arrow record batches.
//!
//! ```no_run
//! # async fn example() -> Result<(), towpath::Error> {
//! use futures::StreamExt;
//! use towpath::{IngestOptions, Lake, LakeOptions, NewStore, QueryLimits, Retention};
//!
//! let lake = Lake::open_or_create("/var/lib/towpath", LakeOptions::new(chrono::Utc::now)).await?;
//! let store = lake.create_store(NewStore::new("org-trail", Retention::days(2557)?)).await?;
//! let report = store.ingest(&["/mnt/trail/AWSLogs"], &IngestOptions::default(), &|_| ()).await?;
//! assert_eq!(report.events.rejected, 0);
//!
//! let limits = QueryLimits { run_secs_max: 60, result_rows_max: None };
//! let statement = "SELECT eventTime, userIdentity.arn FROM org-trail WHERE eventName = 'DeleteBucket'";
//! let mut rows = lake.query(statement, limits).await?;
//! while let Some(batch) = rows.next().await {
//!     println!("{} events", batch?.num_rows());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The library runs in the caller's Tokio runtime, keeps no global state, never reads the clock or
//! the environment (both come in with [`LakeOptions`]), and prints nothing. Signatures name
//! `arrow` types only, re-exported as [`arrow`].

mod arrivals;
mod audit;
mod batch_query;
mod columns;
mod connect;
mod data_files;
mod digests;
mod error;
mod explain;
mod extremes;
mod footers;
mod functions;
mod hidden;
mod key_filter;
mod lake;
mod limits;
mod needles;
mod parameters;
mod readers;
mod redact;
mod rows;
mod sample_query;
mod saved_query;
mod schedule;
mod scope;
mod sign_file;
mod statistics;
mod store;
mod summaries;
mod table;
pub mod text;
mod trail;
mod upkeep;
mod verify;
mod watch;
mod yielding;

pub use arrow;
pub use towpath_event::{EventKind, EventSelectors, SELECTORS_TEXT_BYTES_MAX, SelectorError};
pub use towpath_ingest::{
    ChainReport, CoverageGap, CoverageHour, CoverageOptions, CoverageReport, DigestEvent,
    DigestFault, DigestKeys, DigestOptions, DigestReport, LogFault, UncoveredWhy,
};
pub use towpath_ingest::{DigestMarks, TrailDelivery, VerifyOptions};
pub use towpath_ingest::{IngestOptions, IngestReport, Intake, Progress, WatchEvent, WatchReport};
pub use towpath_sql::{ParameterValue, ParameterValues, keywords};
pub use towpath_store::{
    CheckpointContent, CompactionPolicy, CompactionReport, DocumentLease, Documents, Expiry,
    Finding, FindingKind, Hold, IndexPolicy, IndexReport, NewHold, PublicKey, READERS_WAIT_MAX,
    RedactedEvent, RedactionReport, RedactionSummary, RemovedStore, RepairPlan, Retention,
    SignedCheckpoint, TimeRange, Verification, VerificationOptions,
};

pub use crate::arrivals::Seen;
pub use crate::audit::{AUDIT_STORE, AuditEvent, AuditMode, AuditOutcome, BegunChange, Principal};
pub use crate::batch_query::{
    BatchDelivery, BatchQuery, BatchStatistics, Delivery, DeliveryStatus, NewQuery, PAGE_ROWS_MAX,
    QueryFilter, QueryList, QueryStatus, ResultPage, WorkerOptions,
};
pub use crate::columns::{Column, function_names};
pub use crate::connect::Tool;
pub use crate::digests::{fetch_digest_keys, verify_digests};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::lake::{Lake, LakeOptions};
pub use crate::limits::QueryLimits;
pub use crate::redact::Redaction;
pub use crate::rows::Rows;
pub use crate::sample_query::{SampleQuery, sample_queries};
pub use crate::saved_query::{SavedQuery, statement_parameters};
pub use crate::schedule::{CATCH_UP_MAX, Every, NewSchedule, Schedule};
pub use crate::scope::{Scope, Visible};
pub use crate::sign_file::{VerifiedResults, verify_results};
pub use crate::statistics::QueryStatistics;
pub use crate::store::{NewStore, Store, StoreChange, StoreStatus, StoreSummary};
pub use crate::trail::Trail;
pub use crate::watch::WatchOptions;
