//! What a CloudTrail event is: its fields, its Arrow schema, and JSON to Arrow.
//!
//! CloudTrail delivers events in log files, `{"Records":[{...},...]}`. An [`EventBatchBuilder`]
//! turns the text of log files into the columns of an [`EventBatch`]; [`TABLE`] is the one
//! definition of those columns. Nothing here reads or writes files, reads the clock, or knows of
//! SQL.
//!
//! ```
//! use towpath_event::EventBatchBuilder;
//!
//! let text = br#"{"Records":[{"eventTime":"2023-07-10T12:32:49Z","eventName":"DeleteBucket"}]}"#;
//! let mut builder = EventBatchBuilder::new();
//! assert_eq!(builder.append_log_file(text)?.events, 1);
//!
//! let batch = builder.finish();
//! assert_eq!(batch.columns.num_rows(), 1);
//! assert!(batch.columns.column_by_name("eventName").is_some());
//! # Ok::<(), towpath_event::DecodeError>(())
//! ```
//!
//! Three promises that everything above this crate leans on:
//!
//! * **Lossless.** An event is never dropped or altered because of its shape. [`event_texts`] gives
//!   its exact text back.
//! * **All or nothing.** A log file's events are all in the batch, or none is.
//! * **Identity.** [`EventIdentity`] says which events are one event delivered twice, and can be
//!   computed again from stored columns with [`event_identity`].

mod schema;

mod batch;
mod decode;
mod error;

mod kind;
mod selectors;

mod category;
mod event_text;
mod event_time;
mod identity;

mod bitmap;
mod column;
mod json;
mod layout;
mod map_column;
mod redact;
mod resources;
mod template;

pub use batch::{BATCH_TEXT_BYTES_MAX, EventBatch, EventBatchBuilder, LogFileSummary};
pub use error::{DecodeError, EventTextError, Place};
pub use event_text::event_texts;
pub use event_time::parse_event_time;
pub use identity::{EventIdentity, event_identity};
pub use kind::{EventKind, KindDecoder};
pub use redact::{EventField, EventFieldError, redact_text};
pub use schema::{
    Derived, EVENT_TEXT_PARTS, Field, Leaf, Shape, TABLE, TableColumn, data_file_schema, leaves,
};
pub use selectors::{EventSelectors, SELECTORS_TEXT_BYTES_MAX, SelectorError};
