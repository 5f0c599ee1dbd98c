//! The text of a large log file → the texts of small ones, with the same events.
//!
//! Decoding needs a text as a whole. So that a log file of a gigabyte does not take several, it is cut
//! between its events while it is being read: each part is `{"Records":[` some events `]}`, and what
//! is left, the *shell*, is the log file without its events, `{"Records":[]}`. Parts and shell are
//! then decoded like any log file, which finds whatever is wrong in them. Only what the cuts
//! remove, the commas between events, is checked here.
//!
//! The other kinds of events also come as an array, whose parts are arrays, and one after another,
//! whose parts are some of them as they stand: see [`Splitter::new`].

use std::{mem, ops::Range};

use towpath_event::EventKind;

/// Text of a part at which it ends, in bytes. Its columns take almost twice as much.
const PART_TEXT_BYTES: usize = 24 << 20;

/// Longest event of a large log file, in bytes. CloudTrail's own limit is 1 MiB.
const EVENT_BYTES_MAX: usize = 64 << 20;

/// Largest shell, in bytes. CloudTrail writes 14.
const SHELL_BYTES_MAX: usize = 1 << 20;

/// Bytes of a shell at which a text of values one after another gives it back as a part, if it is
/// whole: there may be any number of them.
const SHELL_PART_BYTES: usize = 64 << 10;

/// What stands around the events of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// They are the list of an object.
    Object,
    /// They are elements of an array. Unlike a value that stands alone, an element is an event
    /// whatever its keys are.
    Array,
    /// They stand one after another.
    Nothing,
    /// There are none: it is some of the shell.
    Shell,
}

impl Around {
    fn begin(self) -> &'static [u8] {
        match self {
            Around::Object => br#"{"Records":["#,
            Around::Array => b"[",
            Around::Nothing | Around::Shell => b"",
        }
    }

    fn end(self) -> &'static [u8] {
        match self {
            Around::Object => b"]}",
            Around::Array => b"]",
            Around::Nothing | Around::Shell => b"",
        }
    }
}

/// Why a text cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    /// There is no single comma between two events, or no `]` after the last.
    #[error("log file is not JSON: expected {expected} at byte {at}")]
    Separator { at: u64, expected: &'static str },

    #[error("log file has an event of more than {EVENT_BYTES_MAX} bytes")]
    EventTooLarge,

    #[error("log file has more than {SHELL_BYTES_MAX} bytes beside its events")]
    ShellTooLarge,

    /// Of which only the last would count, if the text were decoded as a whole.
    #[error("log file is large and has an object with two lists of events; split it")]
    TwoLists,
}

/// Some events of a large log file, as a log file of their own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: Vec<u8>,
    around: Around,
    /// Where its first event, or the space before it, stands in the whole text.
    offset: u64,
}

impl Part {
    fn begin(around: Around, offset: u64) -> Part {
        Part { text: around.begin().to_vec(), around, offset }
    }

    /// Whether it is some of the shell, of which places cannot be told.
    pub(crate) fn is_shell(&self) -> bool {
        self.around == Around::Shell
    }

    /// The offset in the whole text of what stands at `offset` in the part.
    pub(crate) fn whole_offset(&self, offset: u64) -> u64 {
        let begin = to_u64(self.around.begin().len());
        self.offset.saturating_add(offset.saturating_sub(begin))
    }
}

/// Where the reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside of lists of events: bytes go to the shell.
    Shell,
    /// In a list of events: bytes go to the part.
    Events,
    /// A part has just ended with an event: a comma or the end of the events has to come.
    AfterCut,
    /// And the comma has come: an event has to.
    AfterComma,
}

/// Cuts a text that comes piece by piece.
#[derive(Debug)]
pub(crate) struct Splitter {
    kind: EventKind,
    state: State,
    /// Brackets open in the whole text.
    depth: u64,
    /// Brackets open around the events of the list.
    list_depth: u64,
    in_string: bool,
    is_escaped: bool,
    /// Bytes of the whole text before the piece that is being looked at.
    before: u64,
    shell: Vec<u8>,
    /// Where in the shell the value begins that is not in any other, and whether it has a list.
    value: usize,
    has_list: bool,
    part: Part,
    ready: Vec<Part>,
    part_text_bytes: usize,
}

impl Splitter {
    /// Cuts the text of a log file of `kind`.
    ///
    /// CloudTrail's own are an object with the events in the array `Records`. Those of the other
    /// kinds are values one after another, each of which is an object with such an array, an array
    /// of events, or an event.
    pub(crate) fn new(kind: EventKind) -> Splitter {
        Splitter::with_parts_of(kind, PART_TEXT_BYTES)
    }

    fn with_parts_of(kind: EventKind, part_text_bytes: usize) -> Splitter {
        let is_object = kind == EventKind::CloudTrail;
        let around = if is_object { Around::Object } else { Around::Nothing };
        Splitter {
            kind,
            state: State::Shell,
            depth: 0,
            list_depth: 0,
            in_string: false,
            is_escaped: false,
            before: 0,
            shell: Vec::new(),
            value: 0,
            has_list: false,
            part: Part::begin(around, 0),
            ready: Vec::new(),
            part_text_bytes,
        }
    }

    /// Whether the text may also be an array of events, or values one after another.
    fn is_sequence(&self) -> bool {
        self.kind != EventKind::CloudTrail
    }

    /// Takes in the next piece of the text and returns the parts that it completes.
    ///
    /// # Errors
    ///
    /// [`SplitError`]; then the whole text is to be refused.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<Part>, SplitError> {
        // Bytes from `copied` on are still to be copied to where they belong.
        let (mut at, mut copied) = (0, 0);
        while let Some(byte) = piece.get(at) {
            if matches!(self.state, State::AfterCut | State::AfterComma) {
                (at, copied) = self.between_parts(*byte, at)?;
            } else if self.in_string {
                at = self.pass_string(piece, at);
            } else {
                at += 1;
                copied = self.structure(*byte, piece, copied..at)?;
            }
        }
        self.copy(piece, copied..piece.len());
        self.before += to_u64(piece.len());
        // A value without a list is an event, as far as is known.
        let is_event = self.is_sequence() && !self.has_list;
        let event = if is_event { self.shell.len().saturating_sub(self.value) } else { 0 };
        if self.shell.len() - event > SHELL_BYTES_MAX {
            return Err(SplitError::ShellTooLarge);
        }
        if event > EVENT_BYTES_MAX {
            return Err(SplitError::EventTooLarge);
        }
        if self.part.text.len() > self.part_text_bytes.saturating_add(EVENT_BYTES_MAX) {
            return Err(SplitError::EventTooLarge);
        }
        Ok(mem::take(&mut self.ready))
    }

    /// Says that the text has ended. Returns the last part if it is unfinished, and the shell, unless
    /// there is nothing in it.
    pub(crate) fn end(mut self) -> (Option<Part>, Option<Vec<u8>>) {
        // Neither is closed here: decoding is to find that it is cut short.
        if self.is_sequence() && self.state == State::Shell && !self.has_list {
            self.move_value();
        }
        let is_left =
            self.part.around == Around::Nothing && !self.part.text.trim_ascii().is_empty();
        let is_part = self.state == State::Events || is_left;
        let is_shell = !self.is_sequence() || !self.shell.trim_ascii().is_empty();
        (Some(self.part).filter(|_| is_part), Some(self.shell).filter(|_| is_shell))
    }

    /// Looks at a byte outside strings, the last one of `run`, all of which is still to be copied.
    /// Returns from where on bytes are to be copied after it.
    fn structure(
        &mut self,
        byte: u8,
        piece: &[u8],
        run: Range<usize>,
    ) -> Result<usize, SplitError> {
        match byte {
            b'"' => self.in_string = true,
            b'{' => self.depth += 1,
            b'[' => {
                self.depth += 1;
                let may_be_list = self.depth == 2 || (self.is_sequence() && self.depth == 1);
                if self.state == State::Shell && may_be_list {
                    self.copy(piece, run.clone());
                    self.open(self.before + to_u64(run.end))?;
                    return Ok(run.end);
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.state == State::Events {
                    return self.close(byte, piece, run);
                }
                if self.is_sequence() && self.depth == 0 {
                    self.copy(piece, run.clone());
                    self.end_value(self.before + to_u64(run.end));
                    return Ok(run.end);
                }
            }
            _ => {}
        }
        Ok(run.start)
    }

    /// Looks at the shell, which ends with an opening square bracket, after which `offset` is.
    fn open(&mut self, offset: u64) -> Result<(), SplitError> {
        if self.depth == 2 && !self.is_at_list() {
            return Ok(());
        }
        if self.is_sequence() {
            if mem::replace(&mut self.has_list, true) {
                return Err(SplitError::TwoLists);
            }
            if !self.part.text.is_empty() {
                self.finish_part();
            }
        }
        let around = if self.is_sequence() { Around::Array } else { Around::Object };
        (self.state, self.list_depth) = (State::Events, self.depth);
        self.part = Part::begin(around, offset);
        Ok(())
    }

    /// Ends a value that is in no other, after which `offset` is.
    fn end_value(&mut self, offset: u64) {
        if !mem::take(&mut self.has_list) {
            self.move_value();
            if self.part.text.len() >= self.part_text_bytes {
                self.finish_part();
                self.part.offset = offset;
            }
            return;
        }
        if self.shell.len() >= SHELL_PART_BYTES {
            let text = mem::take(&mut self.shell);
            self.ready.push(Part { text, around: Around::Shell, offset });
        }
        self.value = self.shell.len();
        self.part = Part::begin(Around::Nothing, offset);
    }

    /// Moves a value that has turned out to be an event to the part.
    fn move_value(&mut self) {
        let value = self.value.min(self.shell.len());
        self.part.text.extend(self.shell.drain(value..));
    }

    /// Looks at a closing bracket among events, as [`Splitter::structure`] does.
    fn close(&mut self, byte: u8, piece: &[u8], run: Range<usize>) -> Result<usize, SplitError> {
        let last = run.end - 1;
        match self.depth {
            depth if depth < self.list_depth && byte != b']' => {
                let at = self.before + to_u64(last);
                Err(SplitError::Separator { at, expected: "`]`" })
            }
            depth if depth < self.list_depth => {
                self.copy(piece, run.start..last);
                self.finish_part();
                Ok(self.close_list(last))
            }
            depth
                if depth == self.list_depth
                    && self.part.text.len() + run.len() >= self.part_text_bytes =>
            {
                self.copy(piece, run.clone());
                self.finish_part();
                self.state = State::AfterCut;
                Ok(run.end)
            }
            _ => Ok(run.start),
        }
    }

    /// Ends a list at the bracket `at`. Returns from where on bytes are to be copied.
    fn close_list(&mut self, at: usize) -> usize {
        self.state = State::Shell;
        if self.depth > 0 {
            return at;
        }
        // It is in no object, so a value ends with it.
        self.shell.push(b']');
        self.end_value(self.before + to_u64(at + 1));
        at + 1
    }

    /// Looks at a byte between two parts. Returns where to go on and from where on to copy.
    fn between_parts(&mut self, byte: u8, at: usize) -> Result<(usize, usize), SplitError> {
        let place = self.before + to_u64(at);
        match (self.state, byte) {
            (_, b' ' | b'\t' | b'\n' | b'\r') => {}
            (State::AfterCut, b',') => self.state = State::AfterComma,
            (State::AfterCut, b']') => {
                self.depth = self.depth.saturating_sub(1);
                return Ok((at + 1, self.close_list(at)));
            }
            (State::AfterCut, _) => {
                return Err(SplitError::Separator { at: place, expected: "`,` or `]`" });
            }
            (_, b',' | b']') => {
                return Err(SplitError::Separator { at: place, expected: "an event" });
            }
            _ => {
                self.state = State::Events;
                self.part.offset = place;
                return Ok((at, at));
            }
        }
        Ok((at + 1, at + 1))
    }

    /// Passes over a string, or over what the piece has of it.
    fn pass_string(&mut self, piece: &[u8], at: usize) -> usize {
        if mem::take(&mut self.is_escaped) {
            return at + 1;
        }
        let rest = piece.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else { return piece.len() };
        match rest.get(found) {
            Some(b'"') => self.in_string = false,
            _ => self.is_escaped = true,
        }
        at + found + 1
    }

    /// Whether the shell ends with the key of a list and `[`.
    fn is_at_list(&self) -> bool {
        let before_value = self.shell.strip_suffix(b"[").map(<[u8]>::trim_ascii_end);
        let before_colon =
            before_value.and_then(|text| text.strip_suffix(b":")).map(<[u8]>::trim_ascii_end);
        let in_quotes = before_colon.and_then(|text| text.strip_suffix(b"\""));
        let is_list = |list: &&str| {
            let before_key = in_quotes.and_then(|text| text.strip_suffix(list.as_bytes()));
            let before_key = before_key.and_then(|text| text.strip_suffix(b"\""));
            // A backslash would make the quote a part of a longer key.
            before_key.is_some_and(|text| !text.ends_with(b"\\"))
        };
        self.kind.lists().iter().any(is_list)
    }

    fn copy(&mut self, piece: &[u8], range: Range<usize>) {
        let bytes = piece.get(range).unwrap_or_default();
        match self.state {
            State::Shell => self.shell.extend_from_slice(bytes),
            State::Events => self.part.text.extend_from_slice(bytes),
            State::AfterCut | State::AfterComma => {}
        }
    }

    fn finish_part(&mut self) {
        let next = Part::begin(self.part.around, 0);
        let mut part = mem::replace(&mut self.part, next);
        part.text.extend_from_slice(part.around.end());
        self.ready.push(part);
    }
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: EventKind = EventKind::CloudTrail;

    /// The parts and the shell of a text that comes in pieces.
    fn split(text: &str, part: usize, piece: usize) -> Result<(Vec<String>, String), SplitError> {
        split_of(KIND, text, part, piece)
    }

    fn split_of(
        kind: EventKind,
        text: &str,
        part: usize,
        piece: usize,
    ) -> Result<(Vec<String>, String), SplitError> {
        let mut splitter = Splitter::with_parts_of(kind, part);
        let mut parts = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            parts.extend(splitter.push(piece)?);
        }
        let (unfinished, shell) = splitter.end();
        parts.extend(unfinished);
        for part in parts.iter().filter(|part| !part.is_shell()) {
            // What a part says of itself is true.
            let around = part.around.begin().len();
            let begin = usize::try_from(part.whole_offset(to_u64(around))).unwrap();
            let events = &part.text[around..];
            let events = events.strip_suffix(part.around.end()).unwrap_or(events);
            assert!(text.as_bytes()[begin..].starts_with(events));
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let shell = text(shell.unwrap_or_default());
        Ok((parts.into_iter().map(|part| text(part.text)).collect(), shell))
    }

    #[test]
    fn events_are_cut_apart_and_the_rest_is_the_shell() {
        let text =
            r#"{"a":[[1]],"Records" : [ {"x":[{}]} , {"y":"]}\"{"},{}], "b":{"Records":[2]}}"#;
        for piece in 1..text.len() {
            let (parts, shell) = split(text, 1, piece).unwrap();
            let expected = [
                r#"{"Records":[ {"x":[{}]}]}"#,
                r#"{"Records":[{"y":"]}\"{"}]}"#,
                r#"{"Records":[{}]}"#,
            ];
            assert_eq!(parts, expected, "pieces of {piece}");
            assert_eq!(shell, r#"{"a":[[1]],"Records" : [], "b":{"Records":[2]}}"#);
        }
    }

    #[test]
    fn parts_are_as_large_as_wanted() {
        let text = r#"{"Records":[{"n":1},{"n":2},{"n":3},{"n":4},{"n":5}]}"#;
        let (parts, shell) = split(text, Around::Object.begin().len() + 10, 5).unwrap();
        let expected = [
            r#"{"Records":[{"n":1},{"n":2}]}"#,
            r#"{"Records":[{"n":3},{"n":4}]}"#,
            r#"{"Records":[{"n":5}]}"#,
        ];
        assert_eq!(parts, expected);
        assert_eq!(shell, r#"{"Records":[]}"#);
    }

    #[test]
    fn what_the_cuts_remove_is_checked() {
        let wrong = |at, expected| Err(SplitError::Separator { at, expected });
        for (text, expected) in [
            (r#"{"Records":[{}{}]}"#, wrong(14, "`,` or `]`")),
            (r#"{"Records":[{},]}"#, wrong(15, "an event")),
            (r#"{"Records":[{},,{}]}"#, wrong(15, "an event")),
            (r#"{"Records":[{}}"#, wrong(14, "`,` or `]`")),
            (r#"{"Records":[}"#, wrong(12, "`]`")),
        ] {
            for piece in 1..text.len() {
                assert_eq!(split(text, 1, piece), expected, "{text}");
            }
        }
    }

    #[test]
    fn a_text_cut_short_stays_open() {
        let (parts, shell) = split(r#"{"Records":[{"a":"b"#, 1, 4).unwrap();
        assert_eq!(parts, [r#"{"Records":[{"a":"b"#]);
        assert_eq!(shell, r#"{"Records":["#);
        let (parts, shell) = split(r#"{"Records":[{}, "#, 1, 4).unwrap();
        assert_eq!((parts.len(), &*shell), (1, r#"{"Records":["#));
    }

    #[test]
    fn events_and_shells_without_end_are_refused() {
        let mut splitter = Splitter::with_parts_of(KIND, 1);
        splitter.push(br#"{"Records":[{"a":""#).unwrap();
        let piece = vec![b'x'; EVENT_BYTES_MAX / 2];
        assert!(splitter.push(&piece).is_ok());
        assert_eq!(splitter.push(&piece), Err(SplitError::EventTooLarge));
        let mut splitter = Splitter::new(KIND);
        assert_eq!(splitter.push(&piece), Err(SplitError::ShellTooLarge));
        let mut splitter = Splitter::new(EventKind::Evidence);
        assert!(splitter.push(&piece).is_ok());
        assert!(splitter.push(&piece).is_ok());
        assert_eq!(splitter.push(b"x"), Err(SplitError::EventTooLarge));
        let mut splitter = Splitter::new(EventKind::Evidence);
        assert!(splitter.push(br#"{"Records":[],"a":""#).is_ok());
        assert_eq!(splitter.push(&piece), Err(SplitError::ShellTooLarge));
    }

    #[test]
    fn other_kinds_are_cut_in_each_of_their_forms() {
        let kind = EventKind::ConfigurationItem;
        for (text, parts, shell) in [
            (r#"{"a":[1]}"#, &[r#"{"a":[1]}"#][..], ""),
            ("{\"a\":1}\n{\"Records\":2} ", &[r#"{"a":1}"#, "\n{\"Records\":2}"], ""),
            (r#"[{"Records":[1]} , {"b":"]"}]"#, &[r#"[{"Records":[1]}]"#, r#"[{"b":"]"}]"#], "[]"),
            (
                r#"{"v":[1],"configurationItems" :[ {"x":[{}]},{}],"w":{"Records":[2]}}"#,
                &[r#"[ {"x":[{}]}]"#, "[{}]"],
                r#"{"v":[1],"configurationItems" :[],"w":{"Records":[2]}}"#,
            ),
            (
                r#"{"n":1}{"Records":[{"n":2}]}[{"n":3}]{"n":4}"#,
                &[r#"{"n":1}"#, r#"[{"n":2}]"#, r#"[{"n":3}]"#, r#"{"n":4}"#],
                r#"{"Records":[]}[]"#,
            ),
            // What is wrong is left for the decoder to find.
            (r#"{"n":1},{"n":2}"#, &[r#"{"n":1}"#, r#",{"n":2}"#], ""),
            (r#"{"n":1}7"#, &[r#"{"n":1}"#, "7"], ""),
            (r#"{"n":1}{"n":"#, &[r#"{"n":1}"#, r#"{"n":"#], ""),
            (r#"[{"n":1},{"n":"#, &[r#"[{"n":1}]"#, r#"[{"n":"#], "["),
            (r#"{"Records":[{}],"n""#, &["[{}]"], r#"{"Records":[],"n""#),
        ] {
            for piece in 1..=text.len() {
                let found = split_of(kind, text, 1, piece).unwrap();
                let found: Vec<&str> =
                    found.0.iter().map(String::as_str).chain([&*found.1]).collect();
                // A list that was cut to its end is followed by an empty part.
                let found: Vec<&str> =
                    found.into_iter().filter(|part| *part != "[]" || shell == "[]").collect();
                assert_eq!(found, [parts, &[shell]].concat(), "{text} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn neighbours_share_a_part_and_two_lists_are_refused() {
        let text = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}";
        let (parts, shell) = split_of(EventKind::Evidence, text, 10, 3).unwrap();
        assert_eq!(parts, ["{\"n\":1}\n{\"n\":2}", "\n{\"n\":3}"]);
        assert_eq!(shell, "");
        let text = r#"{"Records":[{}],"Records":[{}]}"#;
        assert_eq!(split_of(EventKind::Evidence, text, 10, 3), Err(SplitError::TwoLists));
        assert!(split(text, 10, 3).is_ok());
        // Any number of small lists has a shell without end.
        let text = r#"{"Records":[{}]}"#.repeat(SHELL_PART_BYTES / 10);
        let (parts, shell) = split_of(EventKind::Evidence, &text, 10, 999).unwrap();
        let events: usize = parts.iter().filter(|part| *part == "[{}]").count();
        assert_eq!(events, SHELL_PART_BYTES / 10);
        let shells: String = parts.into_iter().filter(|part| part.contains("Rec")).collect();
        assert_eq!(shells + &shell, r#"{"Records":[]}"#.repeat(SHELL_PART_BYTES / 10));
    }
}
