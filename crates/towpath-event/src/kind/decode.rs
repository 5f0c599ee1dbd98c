//! The text of one log file to columns, for the kinds of events that are not CloudTrail's own.
//!
//! A text is read twice. First its events are found, and everything that can be wrong with it is;
//! then their values go into the columns, which cannot fail. So a log file is in whole or not at
//! all. These stores are small beside those of CloudTrail's own events: what counts here is that
//! one decoder serves every table.

use std::{mem, str};

use arrow::array::{Array, AsArray, RecordBatch, StructArray};

use super::columns::{ColumnBuilder, text as varchar, time};
use super::forms::Form;
use super::keys::{each_member, lower_case};
use super::{EventKind, Other};
use crate::batch::{BATCH_TEXT_BYTES_MAX, EventBatch, LogFileSummary};
use crate::error::{DecodeError, Place};
use crate::identity::{EventIdentity, event_identity};
use crate::json::{JsonString, Nesting, Scanner, Value};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes log files into the columns of one batch.
#[derive(Debug)]
pub(super) struct OtherBuilder {
    other: &'static Other,
    columns: Vec<ColumnBuilder>,
    identities: Vec<EventIdentity>,
    text_bytes: usize,
    places: Places,
}

/// Positions of the physical columns that every kind has.
#[derive(Debug)]
struct Places {
    event_category: Option<usize>,
    event_type: Option<usize>,
    event_id: Option<usize>,
    event_time: Option<usize>,
    account: Option<usize>,
    event_json: Option<usize>,
}

/// An event that was found in a text.
struct Found<'t> {
    form: &'static Form,
    text: &'t [u8],
    /// The value that places it, which is a time.
    event_time: Value<'t>,
    micros: i64,
}

impl OtherBuilder {
    pub(super) fn new(other: &'static Other) -> OtherBuilder {
        let place = |name: &str| other.leaves.iter().position(|leaf| leaf.column == name);
        OtherBuilder {
            other,
            columns: other.leaves.iter().map(|leaf| ColumnBuilder::new(leaf.shape)).collect(),
            identities: Vec::new(),
            text_bytes: 0,
            places: Places {
                event_category: place("eventCategory"),
                event_type: place("eventType"),
                event_id: place("eventID"),
                event_time: place("eventTime"),
                account: place("recipientAccountId"),
                event_json: place("eventJson"),
            },
        }
    }

    pub(super) fn events(&self) -> usize {
        self.identities.len()
    }

    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    pub(super) fn append_log_file(&mut self, text: &[u8]) -> Result<LogFileSummary, DecodeError> {
        if text.len() > BATCH_TEXT_BYTES_MAX {
            let (text_bytes, text_bytes_max) = (text.len(), BATCH_TEXT_BYTES_MAX);
            return Err(DecodeError::TooLarge { text_bytes, text_bytes_max });
        }
        if text.len() > BATCH_TEXT_BYTES_MAX - self.text_bytes {
            return Err(DecodeError::BatchFull);
        }
        let found = find(self.other, text)?;
        let mut summary = LogFileSummary::default();
        for event in &found {
            self.push(event);
            let (first, last) = summary.event_times.unwrap_or((event.micros, event.micros));
            summary.event_times = Some((first.min(event.micros), last.max(event.micros)));
        }
        summary.events = found.len() as u64;
        Ok(summary)
    }

    fn push(&mut self, event: &Found<'_>) {
        let mut values = vec![None; self.columns.len()];
        event.form.keys.read(event.text, &mut values);
        set(&mut values, self.places.event_json, Value::Nested(event.text));
        set(&mut values, self.places.event_time, event.event_time);
        if get(&values, self.places.event_category).is_none() && self.is_of_kind(&values) {
            let category = JsonString { raw: self.other.kind.name().as_bytes(), escaped: false };
            set(&mut values, self.places.event_category, Value::String(category));
        }
        let account = get(&values, self.places.account).and_then(|value| varchar(&value));
        let event_id = get(&values, self.places.event_id).and_then(|value| varchar(&value));
        let event_json = str::from_utf8(event.text).unwrap_or_default();
        let identity = event_identity(account.as_deref(), event_id.as_deref(), event_json);
        self.identities.push(identity);
        self.text_bytes += event.text.len();
        for (column, value) in self.columns.iter_mut().zip(&values) {
            column.push(value.as_ref());
        }
    }

    /// Whether an event without a category is of this kind: its type does not say otherwise.
    fn is_of_kind(&self, values: &[Option<Value<'_>>]) -> bool {
        let said = get(values, self.places.event_type).and_then(|value| varchar(&value));
        said.is_none_or(|said| Some(said.as_str()) == self.other.kind.event_type())
    }

    pub(super) fn finish(&mut self) -> EventBatch {
        self.text_bytes = 0;
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let rows = StructArray::new(self.other.schema.fields().clone(), arrays, None);
        let identities = mem::take(&mut self.identities);
        EventBatch { columns: RecordBatch::from(rows), identities }
    }
}

fn get<'t>(values: &[Option<Value<'t>>], at: Option<usize>) -> Option<Value<'t>> {
    values.get(at?).copied().flatten()
}

fn set<'t>(values: &mut [Option<Value<'t>>], at: Option<usize>, value: Value<'t>) {
    if let Some(slot) = at.and_then(|at| values.get_mut(at)) {
        *slot = Some(value);
    }
}

/// The events of `text`, in order.
fn find<'t>(other: &'static Other, text: &'t [u8]) -> Result<Vec<Found<'t>>, DecodeError> {
    let (valid, invalid) = match str::from_utf8(text) {
        Ok(_) => (text, None),
        Err(err) => (text.get(..err.valid_up_to()).unwrap_or_default(), Some(err.valid_up_to())),
    };
    let start = if valid.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let scanner = Scanner::new(valid, start);
    let mut finder =
        Finder { other, text: valid, scanner, nesting: Nesting::default(), found: Vec::new() };
    let end = finder.file();
    match (end, invalid) {
        (Ok(()), None) => Ok(finder.found),
        // The text before the byte is whole, or was cut by it.
        (Ok(()) | Err(DecodeError::Truncated { .. }), Some(at)) => {
            Err(DecodeError::NotUtf8 { place: finder.place(at, false) })
        }
        (Err(err), _) => Err(err),
    }
}

struct Finder<'t> {
    other: &'static Other,
    text: &'t [u8],
    scanner: Scanner<'t>,
    nesting: Nesting,
    found: Vec<Found<'t>>,
}

impl<'t> Finder<'t> {
    /// Reads values one after another: lists of events, objects with such a list, or events.
    fn file(&mut self) -> Result<(), DecodeError> {
        let mut values = 0;
        while let Some(first) = self.scanner.peek_token() {
            values += 1;
            let start = self.scanner.at();
            match first {
                b'[' => self.list()?,
                b'{' => match self.list_in_object(start)? {
                    Some(list) => {
                        let end = self.scanner.at();
                        self.scanner = Scanner::new(self.text, list);
                        self.list()?;
                        self.scanner = Scanner::new(self.text, end);
                    }
                    None => {
                        self.scanner = Scanner::new(self.text, start);
                        self.event()?;
                    }
                },
                _ => {
                    self.value()?;
                    return Err(DecodeError::NoRecords);
                }
            }
        }
        if values == 0 { Err(DecodeError::NoRecords) } else { Ok(()) }
    }

    /// Steps over the object at `start`; returns where the list of events in it begins, if it has
    /// one. Of several, the last.
    fn list_in_object(&mut self, start: usize) -> Result<Option<usize>, DecodeError> {
        let lists = self.other.kind.lists();
        let mut list = None;
        self.scanner = Scanner::new(self.text, start);
        let mut another = self.scanner.enter_object();
        while another {
            let key = self.scanner.key().map_err(|_fault| self.fault())?;
            let is_list = self.scanner.peek_token() == Some(b'[')
                && lists.iter().any(|name| key.characters().as_ref() == name.as_bytes());
            if is_list {
                list = Some(self.scanner.at());
            }
            self.value()?;
            another = self.scanner.another_key().map_err(|_fault| self.fault())?;
        }
        Ok(list)
    }

    /// Reads the list of events at whose opening bracket the scanner stands.
    fn list(&mut self) -> Result<(), DecodeError> {
        let mut another = self.scanner.enter_array();
        while another {
            if self.scanner.peek_token() != Some(b'{') {
                let place = self.place(self.scanner.at(), true);
                self.value()?;
                return Err(DecodeError::RecordNotObject { place });
            }
            self.event()?;
            another = self.scanner.another_element().map_err(|_fault| self.fault())?;
        }
        Ok(())
    }

    /// Reads the event at whose opening brace the scanner stands.
    fn event(&mut self) -> Result<(), DecodeError> {
        let start = self.scanner.at();
        let Value::Nested(text) = self.value()? else { return Ok(()) };
        let place = self.place(start, true);
        let form = self.form(text).ok_or(DecodeError::NoRecords)?;
        let mut event_time = None;
        each_member(text, &mut |key, value| {
            if lower_case(&key) == form.time {
                event_time = Some(value);
            }
        });
        let event_time = event_time.ok_or(DecodeError::NoEventTime { place })?;
        let micros = time(&event_time).ok_or(DecodeError::EventTimeNotATime { place })?;
        self.found.push(Found { form, text, event_time, micros });
        Ok(())
    }

    /// The form of the event `text`: the first whose mark it has.
    fn form(&self, text: &[u8]) -> Option<&'static Form> {
        let mut marks = vec![false; self.other.forms.len()];
        let mut is_whole = false;
        each_member(text, &mut |key, _| {
            let key = lower_case(&key);
            is_whole |= key == "eventdata";
            for (form, has) in self.other.forms.iter().zip(&mut marks) {
                *has |= form.mark.as_deref() == Some(key.as_str());
            }
        });
        let mut forms = self.other.forms.iter().zip(marks);
        let marked = forms.find(|(form, has)| form.mark.is_none() || (*has && !is_whole));
        marked.map(|(form, _)| form)
    }

    fn value(&mut self) -> Result<Value<'t>, DecodeError> {
        self.scanner.value(&mut self.nesting).map_err(|_fault| self.fault())
    }

    /// The error of standing where the scanner stands.
    fn fault(&self) -> DecodeError {
        let place = self.place(self.scanner.at(), false);
        match self.scanner.expected() {
            None => DecodeError::Truncated { place },
            Some(expected) => DecodeError::Syntax { place, expected },
        }
    }

    fn place(&self, offset: usize, in_record: bool) -> Place {
        let records_before = self.found.len() as u64;
        let record = in_record.then_some(records_before + 1);
        Place { offset: offset as u64, record, records_before }
    }
}

impl EventKind {
    /// For each row of a batch, whether its event is of this kind: those of other categories can
    /// stand in the same file.
    pub fn has_rows(self, columns: &RecordBatch) -> Vec<bool> {
        let category = columns.column_by_name("eventCategory");
        let category = category.and_then(|column| column.as_string_opt::<i32>());
        let is_own = |row: usize| {
            let category = category.filter(|column| column.is_valid(row));
            category.is_some_and(|column| column.value(row) == self.name())
        };
        (0..columns.num_rows()).map(|row| self == EventKind::CloudTrail || is_own(row)).collect()
    }
}
