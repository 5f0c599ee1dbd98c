//! Legal holds: events that nothing takes away while somebody says so.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::time::TimeRange;

/// Holds on one store, at most. Each is read with every snapshot and tried for every data file.
pub const HOLDS_MAX: usize = 256;

/// The longest reason and the longest name of who placed a hold, in bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// A legal hold on the events of a span of time.
///
/// While it lasts, the events that had not expired when it was placed stay in the store and in the
/// answers of queries, whatever the retention, and the store can be neither deleted nor removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Names the hold, so that it can be released.
    pub id: Uuid,
    /// The event times that are held.
    pub range: TimeRange,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When.
    pub placed_at: DateTime<Utc>,
    /// The first event time that had not expired when it was placed.
    kept_from: i64,
}

/// A hold to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHold {
    /// The event times to hold; [`TimeRange::ALL`] for the whole store, also for what is to come.
    pub range: TimeRange,
    /// Why: a case number, a name. 1 to 1024 bytes.
    pub reason: String,
    /// Who places it. 1 to 1024 bytes.
    pub placed_by: String,
}

/// A hold as the table's properties have it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    /// None for an open end.
    from_micros: Option<i64>,
    to_micros: Option<i64>,
    reason: String,
    placed_by: String,
    placed_at: DateTime<Utc>,
    kept_from_micros: i64,
}

impl Hold {
    /// Places `new` at `now`, when everything before `kept_from` had expired.
    pub(crate) fn place(new: NewHold, kept_from: i64, now: DateTime<Utc>) -> Hold {
        let NewHold { range, reason, placed_by } = new;
        Hold { id: Uuid::new_v4(), range, reason, placed_by, placed_at: now, kept_from }
    }

    /// The event times that it keeps; `None` if they had all expired before.
    pub(crate) fn kept(&self) -> Option<TimeRange> {
        TimeRange::new(self.range.start().max(self.kept_from), self.range.end())
    }

    pub(crate) fn to_json(&self) -> Value {
        json!(Record {
            from_micros: Some(self.range.start()).filter(|start| *start > i64::MIN),
            to_micros: Some(self.range.end()).filter(|end| *end < i64::MAX),
            reason: self.reason.clone(),
            placed_by: self.placed_by.clone(),
            placed_at: self.placed_at,
            kept_from_micros: self.kept_from,
        })
    }

    pub(crate) fn from_json(id: &str, text: &str) -> Option<Hold> {
        let record: Record = serde_json::from_str(text).ok()?;
        let start = record.from_micros.unwrap_or(i64::MIN);
        Some(Hold {
            id: Uuid::try_parse(id).ok()?,
            range: TimeRange::new(start, record.to_micros.unwrap_or(i64::MAX))?,
            reason: record.reason,
            placed_by: record.placed_by,
            placed_at: record.placed_at,
            kept_from: record.kept_from_micros,
        })
    }
}

/// Refuses a hold that says too little or too much.
pub(crate) fn check_new(new: &NewHold, holds: usize) -> Result<()> {
    let invalid = |reason: String| Err(Error::InvalidHold { reason });
    for (what, text) in [("reason", &new.reason), ("name of who places it", &new.placed_by)] {
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            return invalid(format!("its {what} must have 1 to {TEXT_BYTES_MAX} bytes"));
        }
    }
    if holds >= HOLDS_MAX {
        return invalid(format!("a store has at most {HOLDS_MAX}; release one first"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Hold, NewHold};
    use crate::time::TimeRange;
    use chrono::DateTime;

    #[test]
    fn hold_is_read_as_it_was_written() {
        for (start, end) in [(i64::MIN, i64::MAX), (5, 10), (5, i64::MAX), (i64::MIN, 10)] {
            let range = TimeRange::new(start, end).unwrap();
            let new = NewHold { range, reason: "case \"7\"".into(), placed_by: "ä".into() };
            let hold = Hold::place(new, 3, DateTime::from_timestamp_micros(1_234_567).unwrap());
            let text = hold.to_json().to_string();
            assert_eq!(Hold::from_json(&hold.id.to_string(), &text), Some(hold));
        }
    }

    #[test]
    fn hold_keeps_nothing_that_had_expired() {
        let new = |start, end| NewHold {
            range: TimeRange::new(start, end).unwrap(),
            reason: "r".into(),
            placed_by: "w".into(),
        };
        let kept = |start, end| Hold::place(new(start, end), 100, DateTime::UNIX_EPOCH).kept();
        assert_eq!(kept(0, 100), None);
        assert_eq!(kept(0, 101), TimeRange::new(100, 101));
        assert_eq!(kept(150, 200), TimeRange::new(150, 200));
    }
}
