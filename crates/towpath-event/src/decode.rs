//! The text of one log file to columns.
//!
//! One pass over the text, no document tree, no recursion, and no allocation per event once the
//! columns have grown. See [`EventBatchBuilder::append_log_file`] for the rules.

use std::str;

use crate::batch::{EVENT_JSON, EVENT_JSON_REST, EventBatchBuilder, LogFileSummary};
use crate::category::derived_category;
use crate::column::Column;
use crate::error::{DecodeError, Place};
use crate::identity::{EventIdentity, identity_of_bytes};
use crate::json::{Fault, Nesting, Scanner, Value};
use crate::layout::{EVENT, LAYOUT, Layout, STRAYS, Target};
use crate::schema::leaf_index;
use crate::template::{Draft, Kept};

const EVENT_TIME: usize = leaf_index("eventTime");
const EVENT_ID: usize = leaf_index("eventID");
const EVENT_CATEGORY: usize = leaf_index("eventCategory");
const RECIPIENT_ACCOUNT_ID: usize = leaf_index("recipientAccountId");

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What decoding needs besides the columns, kept between log files for its memory.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    nesting: Nesting,
    /// Where the scanner goes on after the row of the table that it is in, and after those around
    /// it. No more than the table nests.
    outer: Vec<Position>,
    guesses: KeyGuesses,
    draft: Draft,
}

/// A place in a row of the table: the last key of it that was read.
#[derive(Clone, Copy, Debug)]
struct Position {
    table_row: usize,
    key: usize,
}

/// Which key of a row comes after which. CloudTrail writes the keys of an event in nearly the same
/// order each time, and comparing the text with one key is cheaper than finding the end of the key
/// and looking it up.
#[derive(Debug)]
struct KeyGuesses {
    /// By row of the table, then by key; after the keys one for the start of the row.
    next: Vec<Vec<usize>>,
}

impl Default for KeyGuesses {
    fn default() -> KeyGuesses {
        KeyGuesses { next: LAYOUT.rows.iter().map(|row| vec![0; row.keys.len() + 1]).collect() }
    }
}

/// Appends the events of `text`, and returns how many bytes of it are theirs. On an error the
/// builder holds some of them, and part of one.
pub(crate) fn append_log_file(
    builder: &mut EventBatchBuilder,
    text: &[u8],
) -> Result<(LogFileSummary, usize), DecodeError> {
    let Err(invalid) = str::from_utf8(text) else {
        let mut decoder = Decoder::new(builder, text);
        let summary = decoder.log_file().map_err(|refusal| decoder.error(&refusal))?;
        return Ok((summary, decoder.event_bytes));
    };
    // What stands before the invalid byte is decoded, only to tell which record the byte is in.
    let valid = text.get(..invalid.valid_up_to()).unwrap_or_default();
    let mut decoder = Decoder::new(builder, valid);
    let place = match decoder.log_file().map_err(|refusal| decoder.error(&refusal)) {
        Ok(_) | Err(DecodeError::Truncated { .. }) => decoder.place(valid.len()),
        Err(earlier) => return Err(earlier),
    };
    Err(DecodeError::NotUtf8 { place })
}

/// Why a text is refused, before its place is told.
#[derive(Debug)]
enum Refusal {
    Json,
    NoRecords,
    RecordNotObject { offset: usize },
    NoEventTime { offset: usize },
    EventTimeNotATime { offset: usize },
}

impl From<Fault> for Refusal {
    fn from(Fault: Fault) -> Refusal {
        Refusal::Json
    }
}

/// A field that may stand in either of two places of one event; `None` also for null.
#[derive(Clone, Copy, Debug, Default)]
struct StrayValue<'t> {
    own: Option<Value<'t>>,
    nested: Option<Value<'t>>,
}

/// What is known of the event that is being read and is not in the columns.
#[derive(Debug, Default)]
struct EventState<'t> {
    /// One bit for each row of the table that the event has had so far.
    rows_seen: u32,
    strays: [StrayValue<'t>; STRAYS],
    has_strays: bool,
    /// Where the value of `eventTime` stands.
    event_time_at: Option<usize>,
}

#[derive(Debug)]
struct Decoder<'b, 't> {
    columns: &'b mut [Column],
    identities: &'b mut Vec<EventIdentity>,
    scratch: &'b mut Scratch,
    layout: &'static Layout,
    scanner: Scanner<'t>,
    /// Bytes of the texts of the events so far.
    event_bytes: usize,
    first_row: usize,
    in_record: bool,
    summary: LogFileSummary,
    event: EventState<'t>,
}

impl<'b, 't> Decoder<'b, 't> {
    fn new(builder: &'b mut EventBatchBuilder, text: &'t [u8]) -> Decoder<'b, 't> {
        let start = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Decoder {
            first_row: builder.events(),
            columns: &mut builder.columns,
            identities: &mut builder.identities,
            scratch: &mut builder.scratch,
            layout: &LAYOUT,
            scanner: Scanner::new(text, start),
            event_bytes: 0,
            in_record: false,
            summary: LogFileSummary::default(),
            event: EventState::default(),
        }
    }

    /// The row of the event that is being read.
    #[inline]
    fn row(&self) -> usize {
        self.identities.len()
    }

    /// Decodes the whole text.
    fn log_file(&mut self) -> Result<LogFileSummary, Refusal> {
        let mut has_records = false;
        if self.scanner.peek_token() == Some(b'{') {
            let mut another = self.scanner.enter_object();
            while another {
                let key = self.scanner.key()?;
                if key.characters().as_ref() == b"Records"
                    && self.scanner.peek_token() == Some(b'[')
                {
                    has_records = true;
                    self.records()?;
                } else {
                    self.scanner.value(&mut self.scratch.nesting)?;
                }
                another = self.scanner.another_key()?;
            }
        } else {
            self.scanner.value(&mut self.scratch.nesting)?;
        }
        if self.scanner.peek_token().is_some() {
            return Err(self.scanner.fault("nothing more").into());
        }
        if has_records { Ok(self.summary) } else { Err(Refusal::NoRecords) }
    }

    /// Decodes the array of records at whose opening bracket the scanner stands.
    fn records(&mut self) -> Result<(), Refusal> {
        let mut another = self.scanner.enter_array();
        while another {
            let first = self.scanner.peek_token();
            let offset = self.scanner.at();
            self.in_record = true;
            if first != Some(b'{') {
                self.scanner.value(&mut self.scratch.nesting)?;
                return Err(Refusal::RecordNotObject { offset });
            }
            self.event = EventState::default();
            self.scratch.draft.begin(offset);
            self.fields()?;
            self.finish_event(offset)?;
            self.in_record = false;
            another = self.scanner.another_element()?;
        }
        Ok(())
    }

    /// Reads the record at whose opening brace the scanner stands, and the rows in it, to its end.
    fn fields(&mut self) -> Result<(), Fault> {
        self.scratch.outer.clear();
        let mut position = self.start_of(EVENT);
        let mut another = self.scanner.enter_object();
        loop {
            while !another {
                let Some(outer) = self.scratch.outer.pop() else { return Ok(()) };
                position = outer;
                another = self.scanner.another_key()?;
            }
            match self.key(&mut position)? {
                Some(Target::Leaf(leaf)) => self.leaf(leaf)?,
                Some(Target::Row(inner)) => {
                    if self.open_row(inner)? {
                        self.scratch.outer.push(position);
                        position = self.start_of(inner);
                        another = self.scanner.enter_object();
                        continue;
                    }
                }
                Some(Target::Stray(stray)) => {
                    self.event.strays[stray].own = self.stray(stray)?;
                }
                Some(Target::NestedStray(stray)) => {
                    self.event.strays[stray].nested = self.stray(stray)?;
                }
                None => self.skip_value()?,
            }
            another = self.scanner.another_key()?;
        }
    }

    /// The position before the first key of a row of the table.
    #[inline]
    fn start_of(&self, table_row: usize) -> Position {
        Position { table_row, key: self.layout.rows[table_row].keys.len() }
    }

    /// Reads the next key of a row of the table, and tells what it leads to.
    #[inline]
    fn key(&mut self, position: &mut Position) -> Result<Option<Target>, Fault> {
        let row = &self.layout.rows[position.table_row];
        let guess = &mut self.scratch.guesses.next[position.table_row][position.key];
        let guessed = &row.keys[*guess];
        if self.scanner.eat_text(&guessed.quoted) {
            position.key = *guess;
            return Ok(Some(guessed.target));
        }
        let key = self.scanner.key()?;
        let found = if key.escaped { row.find(&key.characters()) } else { row.find(key.raw) };
        let Some(found) = found else { return Ok(None) };
        *guess = found;
        position.key = found;
        Ok(Some(row.keys[found].target))
    }

    /// Reads the value of a physical column.
    #[inline]
    fn leaf(&mut self, leaf: usize) -> Result<(), Fault> {
        let row = self.row();
        let Scratch { nesting, draft, .. } = &mut *self.scratch;
        draft.see_leaf(leaf);
        let token = self.scanner.peek_token();
        let start = self.scanner.at();
        match (&mut self.columns[leaf], token) {
            (Column::Map(map), Some(b'{')) => map.read(row, &mut self.scanner, nesting, draft),
            (Column::Resources(resources), Some(b'[')) => {
                resources.read(row, &mut self.scanner, nesting, draft)
            }
            // By far the most values are strings for varchar columns: no detour over a `Value`.
            (Column::Text(column), Some(b'"')) => {
                let string = self.scanner.string()?;
                column.set_string(row, &string);
                draft.value(&self.scanner, start, Kept::of_string(&string));
                Ok(())
            }
            (column, _) => {
                if leaf == EVENT_TIME {
                    self.event.event_time_at = Some(start);
                }
                let kept = column.set(row, &self.scanner.value(nesting)?);
                draft.value(&self.scanner, start, kept);
                Ok(())
            }
        }
    }

    /// Steps over a value that no column is for.
    fn skip_value(&mut self) -> Result<(), Fault> {
        let start = self.scanner.peek_token_at();
        let value = self.scanner.value(&mut self.scratch.nesting)?;
        self.scratch.draft.value(&self.scanner, start, Kept::by_none(&value));
        Ok(())
    }

    /// Reads a value whose place in the columns is known only when the event ends.
    fn stray(&mut self, stray: usize) -> Result<Option<Value<'t>>, Fault> {
        self.event.has_strays = true;
        let start = self.scanner.peek_token_at();
        let value = self.scanner.value(&mut self.scratch.nesting)?;
        self.scratch.draft.see_leaf(self.layout.strays[stray].leaf);
        self.scratch.draft.value(&self.scanner, start, Kept::by_varchar(&value));
        Ok(Some(value).filter(|value| *value != Value::Null))
    }

    /// At the value of a row of the table: returns whether it is an object, which then is to be
    /// read. What an earlier value of the same key has left in the columns is forgotten.
    fn open_row(&mut self, table_row: usize) -> Result<bool, Fault> {
        let bit = 1 << table_row;
        if self.event.rows_seen & bit != 0 {
            self.forget_row(table_row);
            self.scratch.draft.see_repeated_key();
        }
        self.event.rows_seen |= bit;
        if self.scanner.peek_token() == Some(b'{') {
            return Ok(true);
        }
        self.skip_value()?;
        Ok(false)
    }

    /// Makes all columns of a row of the table null for this event.
    fn forget_row(&mut self, table_row: usize) {
        let row = self.row();
        let leaves = self.layout.rows[table_row].leaves.clone();
        for column in &mut self.columns[leaves.clone()] {
            column.truncate(row);
        }
        for (stray, value) in self.layout.strays.iter().zip(&mut self.event.strays) {
            if leaves.contains(&stray.leaf) {
                *value = StrayValue::default();
            } else if table_row == stray.nested_row {
                value.nested = None;
            }
        }
    }

    /// Completes the event whose record started at `offset` and ends here.
    fn finish_event(&mut self, offset: usize) -> Result<(), Refusal> {
        let row = self.row();
        let event_json = self.scanner.since(offset);
        self.track_event_time(row, offset)?;
        if self.event.has_strays {
            self.place_strays(row);
        }
        if self.columns[EVENT_CATEGORY].text(row).is_none() {
            let category = derived_category(self.columns, row);
            self.set_bytes(EVENT_CATEGORY, row, category);
        }
        self.set_event_text(row, event_json);
        let account = self.columns[RECIPIENT_ACCOUNT_ID].text(row);
        let event_id = self.columns[EVENT_ID].text(row);
        self.identities.push(identity_of_bytes(account, event_id, event_json));
        self.summary.events += 1;
        self.event_bytes += event_json.len();
        Ok(())
    }

    /// Stores the text of the event that ends here.
    fn set_event_text(&mut self, row: usize, event_json: &[u8]) {
        let [Column::Repeated(templates), Column::Text(rests)] =
            &mut self.columns[EVENT_JSON..=EVENT_JSON_REST]
        else {
            return;
        };
        match self.scratch.draft.finish(&self.scanner) {
            None => rests.set_bytes(row, event_json),
            Some((template, rest)) => {
                templates.set_bytes(row, template);
                if !rest.is_empty() {
                    rests.set_bytes(row, rest);
                }
            }
        }
    }

    /// Checks that the event has a time, and notes it.
    fn track_event_time(&mut self, row: usize, offset: usize) -> Result<(), Refusal> {
        let event_time = match &self.columns[EVENT_TIME] {
            Column::Timestamp(event_times) => event_times.get(row),
            _ => None,
        };
        let Some(time) = event_time else {
            return Err(match self.event.event_time_at {
                None => Refusal::NoEventTime { offset },
                Some(offset) => Refusal::EventTimeNotATime { offset },
            });
        };
        let (first, last) = self.summary.event_times.unwrap_or((time, time));
        self.summary.event_times = Some((first.min(time), last.max(time)));
        Ok(())
    }

    /// Puts the strays into their columns: what stands in their own row, else what is nested.
    fn place_strays(&mut self, row: usize) {
        for (stray, value) in self.layout.strays.iter().zip(&self.event.strays) {
            if let Some(value) = value.own.or(value.nested) {
                self.columns[stray.leaf].set(row, &value);
            }
        }
    }

    fn set_bytes(&mut self, leaf: usize, row: usize, text: &[u8]) {
        if let Column::Text(column) = &mut self.columns[leaf] {
            column.set_bytes(row, text);
        }
    }

    /// The place of the byte at `offset`, as far as decoding has come.
    fn place(&self, offset: usize) -> Place {
        let records_before = (self.row() - self.first_row) as u64;
        let record = self.in_record.then_some(records_before + 1);
        Place { offset: offset as u64, record, records_before }
    }

    fn error(&self, refusal: &Refusal) -> DecodeError {
        match *refusal {
            Refusal::NoRecords => DecodeError::NoRecords,
            Refusal::Json => {
                let place = self.place(self.scanner.at());
                match self.scanner.expected() {
                    None => DecodeError::Truncated { place },
                    Some(expected) => DecodeError::Syntax { place, expected },
                }
            }
            Refusal::RecordNotObject { offset } => {
                DecodeError::RecordNotObject { place: self.place(offset) }
            }
            Refusal::NoEventTime { offset } => {
                DecodeError::NoEventTime { place: self.place(offset) }
            }
            Refusal::EventTimeNotATime { offset } => {
                DecodeError::EventTimeNotATime { place: self.place(offset) }
            }
        }
    }
}
