//! Log files in, one batch of events out.

use std::mem;

use arrow::array::{RecordBatch, StructArray};

use crate::column::Column;
use crate::decode;
use crate::error::DecodeError;
use crate::identity::EventIdentity;
use crate::schema::{EVENT_TEXT_PARTS, batch_schema, leaf_index, leaves};

/// Most bytes of log files' text in one batch.
///
/// Arrow counts the bytes of a varchar column with 31 bits, and no column can take more bytes than
/// the text it is read from.
pub const BATCH_TEXT_BYTES_MAX: usize = i32::MAX as usize;

/// Events as Arrow columns, with what identifies each.
#[derive(Clone, Debug)]
pub struct EventBatch {
    /// One row per event, in the order of their log files, with the columns of
    /// [`data_file_schema`](crate::data_file_schema), but for their [`Leaf::batch_type`](crate::Leaf::batch_type).
    pub columns: RecordBatch,
    /// One per row of `columns`.
    pub identities: Vec<EventIdentity>,
}

/// What one log file added to the builder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFileSummary {
    /// Events in the log file; none is a legal number.
    pub events: u64,
    /// The smallest and the largest `eventTime`, in microseconds since 1970; `None` if there are
    /// no events.
    pub event_times: Option<(i64, i64)>,
}

/// Decodes log files into the columns of one [`EventBatch`].
#[derive(Debug)]
pub struct EventBatchBuilder {
    pub(crate) columns: Vec<Column>,
    pub(crate) identities: Vec<EventIdentity>,
    pub(crate) scratch: decode::Scratch,
    text_bytes: usize,
}

/// Positions of the two parts of the event's text.
pub(crate) const EVENT_JSON: usize = leaf_index("eventJson");
pub(crate) const EVENT_JSON_REST: usize = EVENT_JSON + EVENT_TEXT_PARTS.len() - 1;

impl EventBatchBuilder {
    /// Starts an empty batch.
    pub fn new() -> EventBatchBuilder {
        EventBatchBuilder {
            columns: leaves().map(Column::new).collect(),
            identities: Vec::new(),
            scratch: decode::Scratch::default(),
            text_bytes: 0,
        }
    }

    /// Number of events in the batch so far.
    pub fn events(&self) -> usize {
        self.identities.len()
    }

    /// Bytes of JSON text of the events in the batch so far.
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Decodes the text of one log file, `{"Records":[...]}`, and adds its events to the batch.
    ///
    /// All events of the log file are added, or on an error none of them. No event is left out or
    /// altered because of its shape: what does not fit the columns is in the two columns of
    /// `eventJson`, from which [`event_texts`](crate::event_texts) gives each event's exact text.
    ///
    /// * Unknown fields are skipped. Of repeated keys the last wins in the columns. Keys match
    ///   exactly, but `eventId`, `requestId` and, in resources, `arn` and `ARN` both count.
    /// * A varchar column takes a number, boolean, object or array as its exact text. A lone
    ///   surrogate escape becomes U+FFFD there.
    /// * What is no object where a row or map is expected, or no array for `resources`, is null.
    /// * `eventCategory` is derived where it is missing. Nothing else is made up.
    /// * A byte order mark, any nesting, numbers and strings of any length, and raw control
    ///   characters in strings are accepted. If `Records` is repeated, the events of all count.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BatchFull`] if the text and those appended before may exceed
    /// [`BATCH_TEXT_BYTES_MAX`]; the log file may be appended to the next batch. With every other
    /// error it is refused for good: broken JSON anywhere, a record that is not an object or has
    /// no `eventTime` that can be read, no `Records`, not UTF-8, too large.
    pub fn append_log_file(&mut self, text: &[u8]) -> Result<LogFileSummary, DecodeError> {
        if text.len() > BATCH_TEXT_BYTES_MAX {
            let (text_bytes, text_bytes_max) = (text.len(), BATCH_TEXT_BYTES_MAX);
            return Err(DecodeError::TooLarge { text_bytes, text_bytes_max });
        }
        if text.len() > BATCH_TEXT_BYTES_MAX - self.text_bytes() {
            return Err(DecodeError::BatchFull);
        }
        let events_before = self.events();
        let result = decode::append_log_file(self, text);
        match result {
            Ok((summary, text_bytes)) => {
                self.text_bytes += text_bytes;
                Ok(summary)
            }
            Err(err) => {
                self.truncate(events_before);
                Err(err)
            }
        }
    }

    /// Forgets all events from the one at `row` on, and what an unfinished one has left.
    fn truncate(&mut self, row: usize) {
        self.identities.truncate(row);
        for column in &mut self.columns {
            column.truncate(row);
        }
    }

    /// Returns the events appended so far. The builder is empty afterwards and can be used again.
    pub fn finish(&mut self) -> EventBatch {
        let identities = mem::take(&mut self.identities);
        self.text_bytes = 0;
        let rows = identities.len();
        let schema = batch_schema();
        let arrays = self.columns.iter_mut().map(|column| column.take_array(rows)).collect();
        let rows_of_fields = StructArray::new(schema.fields().clone(), arrays, None);
        EventBatch { columns: RecordBatch::from(rows_of_fields), identities }
    }
}

impl Default for EventBatchBuilder {
    fn default() -> EventBatchBuilder {
        EventBatchBuilder::new()
    }
}
