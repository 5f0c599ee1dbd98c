//! Event data stores on object storage: append, snapshot, retention.
//!
//! A *lake* is a folder or a prefix of a bucket. It holds *event data stores*, each an open Delta
//! Lake table of Parquet files, which any Delta reader can read. This crate keeps the promises that
//! an audit store must: an append is in whole or not at all and is on the disk when it returns; what
//! was ingested rides in the same commit as its events; a commit that is not whole is refused rather
//! than passed over; a server that cannot hold a lake is refused before it loses anything.
//!
//! It knows neither SQL nor CloudTrail's fields: the schema is its caller's, but for `eventTime`.
//! It reads neither the clock nor the environment: `now` and options are arguments.
//!
//! ```no_run
//! # async fn example(schema: arrow::datatypes::SchemaRef, rows: arrow::array::RecordBatch)
//! # -> Result<(), towpath_store::Error> {
//! use std::collections::HashMap;
//! use std::time::Duration;
//! use towpath_store::{Append, Catalog, Location, NewStore, Retention};
//!
//! # let now = chrono::DateTime::UNIX_EPOCH;
//! let catalog = Catalog::create(Location::parse("/data/lake", &HashMap::new())?, now).await?;
//! let retention = Retention::days(2557)?;
//! let new = NewStore {
//!     name: "org-trail".into(),
//!     id: None,
//!     retention,
//!     schema,
//!     attributes: Default::default(),
//!     termination_protection: true,
//! };
//! let store = catalog.create_store(new, now).await?;
//!
//! let writer = store.writer(now, Duration::from_secs(60)).await?;
//! let file = writer.write_data_file(202401, &[rows]).await?;
//! writer.commit(Append { data_files: vec![file], sources: Vec::new() }, now).await?;
//!
//! let snapshot = store.snapshot().await?;
//! assert_eq!(snapshot.data_files().len(), 1);
//! # Ok(()) }
//! ```

mod arrivals;
mod attempts;
mod catalog;
mod chain;
mod change;
mod commit;
mod compact;
mod conditional_put;
mod data_file;
mod delta_log;
mod documents;
mod encoder;
mod error;
mod expire;
mod hold;
mod hybrid;
mod index;
mod kept;
mod key_sets;
mod lake_files;
mod layout;
mod lease;
mod local;
mod location;
mod merge;
mod names;
mod nearest;
mod ordered_rows;
mod parquet_layout;
mod redact;
mod removed;
mod repair;
mod retried_reads;
mod rows_digest;
mod saved_commits;
mod saved_snapshot;
mod settings;
mod signed_checkpoint;
mod signing_key;
mod snapshot;
mod sources;
mod store;
mod text_chunk;
mod text_leaf;
mod time;
mod verify;
mod worker;
mod writer;

pub use crate::catalog::{Catalog, NewStore};
pub use crate::commit::{CommittedFile, DigestMark, RedactedEvent, RedactionRecord, Source};
pub use crate::compact::{
    COMPACTION_MAX, COMPACTION_TARGET_BYTES, CompactionGroup, CompactionPolicy, CompactionReport,
    compaction_plan,
};
pub use crate::data_file::{
    DATA_FILE_BYTES_MAX, DATA_FILE_ROWS_MAX, DataFile, NewDataFile, sha256_hex,
};
pub use crate::documents::{Document, DocumentLease, Documents};
pub use crate::error::{Error, Result};
pub use crate::expire::{Expiry, GRACE, READERS_WAIT_MAX, RemovedFile, UNCOMMITTED_AGE_MIN};
pub use crate::hold::{HOLDS_MAX, Hold, NewHold};
pub use crate::index::{
    Counts, IndexPolicy, IndexReport, Needle, RowRanges, SUMMARIES, SUMMARY_EVENTS_COLUMN,
    StoreIndex, Summary, SummaryPer, Wanted,
};
pub use crate::kept::Kept;
pub use crate::key_sets::{is_key_set, key_set_column, may_have_key, with_key_sets};
pub use crate::layout::{EVENT_TIME_COLUMN, PARTITION_COLUMN};
pub use crate::location::Location;
pub use crate::merge::ROW_ORDER;
pub use crate::ordered_rows::OrderedRows;
pub use crate::parquet_layout::is_told_by_bloom_filter;
pub use crate::redact::{
    NewRedaction, REDACTED_EVENTS_MAX, RedactedRows, RedactionReport, Redactor,
};
pub use crate::removed::RemovedStore;
pub use crate::repair::{RepairPlan, RepairStep, TornReason};
pub use crate::settings::{RESTORE_DAYS, SettingsChange, StoreSettings};
pub use crate::signed_checkpoint::{CheckpointContent, SIGN_EVERY, SignedCheckpoint};
pub use crate::signing_key::{PublicKey, SigningKey, SigningKeys};
pub use crate::snapshot::Snapshot;
pub use crate::sources::{CommitSummary, SourceIndex};
pub use crate::store::EventDataStore;
pub use crate::time::{Retention, TimeRange, calendarmonth};
pub use crate::verify::{
    Finding, FindingKind, RedactionSummary, Verification, VerificationOptions,
};
pub use crate::worker::{Worker, run_alone};
pub use crate::writer::{APPEND_DATA_FILES_MAX, APPEND_SOURCES_MAX, Append, Writer};
