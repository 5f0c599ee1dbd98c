//! Taking fields out of events for the law's sake.
//!
//! The text of an event is changed, and the event is decoded from it anew: so its columns and its
//! `eventJson` agree, as they do for every event. An event whose columns are not what its text
//! decodes to is refused rather than changed in more than what was asked for.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray};
use arrow::compute::{cast, filter_record_batch, interleave};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use serde_json::json;
use towpath_event::{EventField, EventKind, KindDecoder, Leaf, Shape, event_texts, redact_text};
use towpath_store::{
    IndexPolicy, NewRedaction, RedactedEvent, RedactedRows, RedactionReport, Redactor, TimeRange,
    sha256_hex,
};

use crate::audit::check_not_audit;
use crate::error::{Error, Result};
use crate::store::{CHANGE_WAIT_MAX, Store};

/// Fields to be taken out of events.
#[derive(Clone, Debug)]
pub struct Redaction {
    /// The ids of the events. An id that several events have means all of them.
    pub event_ids: Vec<String>,

    /// The fields, by their keys from the outside in: `userIdentity.userName`,
    /// `requestParameters`, `resources.ARN`. Case does not count; of an array, the field of each
    /// element is meant; a key with a dot in it stands in double quotes.
    pub fields: Vec<String>,

    /// Why. It is recorded.
    pub reason: String,

    /// Who asks for it. It is recorded.
    pub by: String,

    /// Only events of these times, to save reading the data files of others. `None`: all.
    pub range: Option<TimeRange>,

    /// Whether only to say what would be done.
    pub is_plan: bool,
}

impl Store {
    /// Takes fields out of events: they are NULL in every later query, and `null` in `eventJson`.
    ///
    /// The store's log records who asked for it, why, which events, and the SHA-256 of each one's
    /// text before; verification shows it. Taking the same log files in again does not bring the
    /// fields back. The old data files are removed by [`Store::expire`] when no query can read
    /// them any more, after a day at the latest; results that were kept or delivered before stay as
    /// they are.
    ///
    /// An event that is not there, or has none of the fields, is not in the report, and is no
    /// error: doing it again does nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for fields that tell which
    /// event it is, if it does not say who and why, and if an event is under a legal hold; storage
    /// errors. Nothing was changed then.
    pub async fn redact(&self, redaction: &Redaction) -> Result<RedactionReport> {
        if redaction.is_plan {
            return self.redact_unrecorded(redaction).await;
        }
        let request = json!({
            "eventIds": redaction.event_ids,
            "fields": redaction.fields,
            "reason": redaction.reason,
            "requestedBy": redaction.by,
        });
        let done = |report: &RedactionReport| json!({"events": report.events.len()});
        let event = self.event("RedactEvents", request).of_towpath();
        let report =
            self.audit.change(event, Box::pin(self.redact_unrecorded(redaction)), done).await?;
        // An index made before knows the values that were taken out.
        self.update_index(&IndexPolicy::THOROUGH).await;
        Ok(report)
    }

    async fn redact_unrecorded(&self, redaction: &Redaction) -> Result<RedactionReport> {
        check_not_audit(self.id())?;
        let fields = redaction.fields.iter().map(|field| EventField::parse(field));
        let fields: Vec<EventField> = fields
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::InvalidArgument(error.to_string()))?;
        let new = NewRedaction {
            event_ids: redaction.event_ids.iter().cloned().collect(),
            range: redaction.range.unwrap_or(TimeRange::ALL),
            fields: redaction.fields.clone(),
            reason: redaction.reason.clone(),
            by: redaction.by.clone(),
            is_plan: redaction.is_plan,
        };
        let kind = self.intake()?.kind();
        let ids = new.event_ids.clone();
        let redactor: Arc<dyn Redactor> = Arc::new(EventRedactor { kind, ids, fields });
        let redacted = self.store.redact(&new, &redactor, self.now(), CHANGE_WAIT_MAX);
        Ok(Box::pin(redacted).await?)
    }
}

/// Takes the fields out of the events with these ids.
#[derive(Debug)]
struct EventRedactor {
    kind: EventKind,
    ids: HashSet<String>,
    fields: Vec<EventField>,
}

/// What cannot be redacted, and why.
type Refusal = String;

/// The text of an event without the fields, and how many values it had of them.
type RedactedText = (String, u64);

impl Redactor for EventRedactor {
    fn redact(&self, rows: &RecordBatch) -> std::result::Result<Option<RedactedRows>, Refusal> {
        let ids = texts_of(rows, "eventID")?;
        let is_meant = |id: Option<&str>| Some(id.is_some_and(|id| self.ids.contains(id)));
        let is_meant: BooleanArray = ids.as_string::<i32>().iter().map(is_meant).collect();
        if is_meant.true_count() == 0 {
            return Ok(None);
        }
        let before = filter_record_batch(rows, &is_meant).map_err(|err| err.to_string())?;
        let texts = self.texts(&before)?;
        let (decoded, keys) = self.decode(texts.iter().map(Option::unwrap_or_default), &before)?;
        if decoded.columns() != before.columns() {
            return Err("the columns of an event are not what its text decodes to".to_owned());
        }
        let (redacted, events) = self.redacted(&before, &texts, &keys)?;
        if events.is_empty() {
            return Ok(None);
        }
        let after = redacted.iter().map(|(text, _)| text.as_str());
        let (after, _) = self.decode(after, &before)?;
        let written = self.texts(&after)?;
        let is_as_meant = written.iter().eq(redacted.iter().map(|(text, _)| Some(text.as_str())));
        if !is_as_meant {
            return Err("an event cannot be stored without its fields".to_owned());
        }
        let is_changed: Vec<bool> = redacted.iter().map(|(_, values)| *values > 0).collect();
        let (rows, is_redacted) = merged(rows, &is_meant, &after, &is_changed)?;
        Ok(Some(RedactedRows { rows, is_redacted, events }))
    }
}

impl EventRedactor {
    /// The exact texts of events.
    fn texts(&self, rows: &RecordBatch) -> std::result::Result<StringViewArray, Refusal> {
        let texts = if self.has_templates() {
            let column = |leaf: &Leaf| rows.column_by_name(&leaf.column).cloned();
            let columns: Option<Vec<ArrayRef>> = self.kind.leaves().iter().map(column).collect();
            let columns =
                columns.ok_or("a data file does not have all columns; compact it first")?;
            event_texts(&columns).map_err(|err| err.to_string())?
        } else {
            StringViewArray::from(texts_of(rows, "eventJson")?.as_string::<i32>())
        };
        match texts.null_count() {
            0 => Ok(texts),
            _ => Err("an event has no text".to_owned()),
        }
    }

    /// Whether the text of an event is stored as a template and the rest.
    fn has_templates(&self) -> bool {
        self.kind.table().iter().any(|column| column.shape == Shape::EventText)
    }

    /// The texts without the fields, how many values each had of them, and what to record.
    fn redacted(
        &self,
        before: &RecordBatch,
        texts: &StringViewArray,
        keys: &[u128],
    ) -> std::result::Result<(Vec<RedactedText>, Vec<RedactedEvent>), Refusal> {
        let ids = texts_of(before, "eventID")?;
        let times = before.column_by_name("eventTime");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let times = times.ok_or("a data file has no event times")?;
        let (mut redacted, mut events) = (Vec::with_capacity(texts.len()), Vec::new());
        let rows = texts.iter().zip(ids.as_string::<i32>()).zip(times).zip(keys);
        for (((text, id), time), key) in rows {
            let text = text.unwrap_or_default();
            let (after, values) = redact_text(text, &self.fields).ok_or("an event is no object")?;
            if values > 0 {
                events.push(RedactedEvent {
                    event_id: id.unwrap_or_default().to_owned(),
                    event_time_micros: time.unwrap_or_default(),
                    key: RedactedEvent::key_text(*key),
                    values,
                    sha256_before: sha256_hex(text.as_bytes()),
                    sha256_after: sha256_hex(after.as_bytes()),
                });
            }
            redacted.push((after, values));
        }
        Ok((redacted, events))
    }

    /// Decodes events to the columns of `like`, and their keys.
    fn decode<'t>(
        &self,
        texts: impl Iterator<Item = &'t str>,
        like: &RecordBatch,
    ) -> std::result::Result<(RecordBatch, Vec<u128>), Refusal> {
        let texts: Vec<&str> = texts.collect();
        let log_file = format!(r#"{{"Records":[{}]}}"#, texts.join(","));
        let mut decoder = KindDecoder::new(self.kind);
        // Not the error itself: it may quote the event.
        let failed = |_| "the text of an event cannot be decoded".to_owned();
        decoder.append_log_file(log_file.as_bytes()).map_err(failed)?;
        let decoded = decoder.finish();
        let keys = decoded.identities.iter().map(|identity| identity.key).collect();
        if decoded.columns.num_rows() != like.num_rows() {
            return Err("the text of an event decodes to several".to_owned());
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(like.num_columns());
        for field in like.schema_ref().fields() {
            let column = decoded.columns.column_by_name(field.name());
            let column = column.ok_or_else(|| format!("column `{}` is unknown", field.name()))?;
            columns.push(cast(column, field.data_type()).map_err(|err| err.to_string())?);
        }
        let rows = RecordBatch::try_new(like.schema(), columns).map_err(|err| err.to_string())?;
        Ok((rows, keys))
    }
}

/// `rows` with those that are meant and changed from `after`, which has a row for each one meant;
/// and which rows these are.
fn merged(
    rows: &RecordBatch,
    is_meant: &BooleanArray,
    after: &RecordBatch,
    is_changed: &[bool],
) -> std::result::Result<(RecordBatch, Vec<bool>), Refusal> {
    let mut meant = is_changed.iter().enumerate();
    let mut places = Vec::with_capacity(rows.num_rows());
    for (row, is_meant) in is_meant.values().iter().enumerate() {
        let changed =
            if is_meant { meant.next().filter(|(_, is_changed)| **is_changed) } else { None };
        places.push(changed.map_or((0, row), |(after, _)| (1, after)));
    }
    let column = |(before, after): (&ArrayRef, &ArrayRef)| {
        interleave(&[before.as_ref(), after.as_ref()], &places)
    };
    let columns = rows.columns().iter().zip(after.columns()).map(column);
    let columns = columns.collect::<std::result::Result<Vec<ArrayRef>, _>>();
    let columns = columns.map_err(|err| err.to_string())?;
    let merged = RecordBatch::try_new(rows.schema(), columns).map_err(|err| err.to_string())?;
    Ok((merged, places.iter().map(|(source, _)| *source == 1).collect()))
}

/// A column of strings, in whatever form it is.
fn texts_of(rows: &RecordBatch, name: &str) -> std::result::Result<ArrayRef, Refusal> {
    let column = rows.column_by_name(name).ok_or_else(|| format!("there is no column `{name}`"))?;
    cast(column, &DataType::Utf8).map_err(|err| err.to_string())
}
