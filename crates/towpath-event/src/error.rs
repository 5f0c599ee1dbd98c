//! Why a text could not be decoded, and where.

use std::fmt;

/// Why the text of one log file was refused as a whole.
///
/// No variant holds anything of the text itself: events may be secret, errors are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text ends in the middle of a value, a record or the file.
    #[error("log file ends early{place}")]
    Truncated {
        /// Where the text ends.
        place: Place,
    },

    /// The text is not JSON.
    #[error("log file is not JSON: expected {expected}{place}")]
    Syntax {
        /// Where something else stands.
        place: Place,
        /// What would have been right there.
        expected: &'static str,
    },

    /// The text is not UTF-8.
    #[error("log file is not UTF-8{place}")]
    NotUtf8 {
        /// Where the first byte stands that cannot be there.
        place: Place,
    },

    /// The text is JSON, but not an object with an array `Records`. Digest files end here.
    #[error("log file has no `Records` array")]
    NoRecords,

    /// An element of `Records` is not an object.
    #[error("record is not an object{place}")]
    RecordNotObject {
        /// Where the element starts.
        place: Place,
    },

    /// A record has no `eventTime`: it cannot be placed in a store.
    #[error("record has no `eventTime`{place}")]
    NoEventTime {
        /// Where the record starts.
        place: Place,
    },

    /// The `eventTime` of a record is not a time; null is none either.
    #[error("`eventTime` of record is not a time such as 2023-07-10T12:00:00Z{place}")]
    EventTimeNotATime {
        /// Where the value of `eventTime` starts.
        place: Place,
    },

    /// The text is larger than any batch can hold.
    #[error(
        "log file has {text_bytes} bytes of text, and no more than {text_bytes_max} can be decoded"
    )]
    TooLarge {
        /// Size of the text.
        text_bytes: usize,
        /// Largest size that can be decoded:
        /// [`BATCH_TEXT_BYTES_MAX`](crate::BATCH_TEXT_BYTES_MAX).
        text_bytes_max: usize,
    },

    /// The text does not fit beside what the builder holds already. Finish the batch and append
    /// the log file again.
    #[error("batch is full: finish it and append the log file to the next one")]
    BatchFull,
}

impl DecodeError {
    /// Where in the text the reason stands, or `None` if it is the text as a whole.
    pub fn place(&self) -> Option<Place> {
        match *self {
            DecodeError::Truncated { place }
            | DecodeError::Syntax { place, .. }
            | DecodeError::NotUtf8 { place }
            | DecodeError::RecordNotObject { place }
            | DecodeError::NoEventTime { place }
            | DecodeError::EventTimeNotATime { place } => Some(place),
            DecodeError::NoRecords | DecodeError::TooLarge { .. } | DecodeError::BatchFull => None,
        }
    }

    /// How many records of the log file were seen: those read before the place, and the one the
    /// place is in. All of them are rejected with the log file.
    pub fn records_seen(&self) -> u64 {
        self.place().map_or(0, |place| place.record.unwrap_or(place.records_before))
    }
}

/// Why the text of an event could not be put together from its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventTextError {
    /// A physical column is missing, or has another type than its leaf.
    #[error("column `{column}` is not as events have it")]
    Column {
        /// The physical column.
        column: &'static str,
    },

    /// The template of a text asks for what the columns do not have. Decoding never makes such an
    /// event: another program has changed the data file, or it is damaged.
    #[error("the text of event {row} does not fit its columns: verify the store")]
    Template {
        /// The row, counting from 0.
        row: usize,
    },
}

/// A place in the text of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes of the text before it.
    pub offset: u64,
    /// Number of the record it is in, counting from 1, or `None` if it is in none.
    pub record: Option<u64>,
    /// How many whole records were read before it.
    pub records_before: u64,
}

/// Prints ` in record 3 at byte 1024`, to stand after what is wrong.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, " in record {record}")?;
        }
        write!(f, " at byte {}", self.offset)
    }
}
