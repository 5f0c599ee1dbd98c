//! The text of a large log file → the texts of small ones, with the same events.
//!
//! Decoding needs a text as a whole. So that a log file of a gigabyte does not take several, it is cut
//! between its events while it is being read: each part is `{"Records":[` some events `]}`, and what
//! is left, the *shell*, is the log file without its events, `{"Records":[]}`. Parts and shell are
//! then decoded like any log file, which finds whatever is wrong in them. Only what the cuts
//! remove, the commas between events, is checked here.

use std::{mem, ops::Range};

/// Text of a part at which it ends, in bytes. Its columns take almost twice as much.
const PART_TEXT_BYTES: usize = 24 << 20;

/// Longest event of a large log file, in bytes. CloudTrail's own limit is 1 MiB.
const EVENT_BYTES_MAX: usize = 64 << 20;

/// Largest shell, in bytes. CloudTrail writes 14.
const SHELL_BYTES_MAX: usize = 1 << 20;

const PART_BEGIN: &[u8] = br#"{"Records":["#;
const PART_END: &[u8] = b"]}";

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
}

/// Some events of a large log file, as a log file of their own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: Vec<u8>,
    /// Where its first event, or the space before it, stands in the whole text.
    offset: u64,
}

impl Part {
    fn begin(offset: u64) -> Part {
        Part { text: PART_BEGIN.to_vec(), offset }
    }

    /// The offset in the whole text of what stands at `offset` in the part.
    pub(crate) fn whole_offset(&self, offset: u64) -> u64 {
        let begin = u64::try_from(PART_BEGIN.len()).unwrap_or_default();
        self.offset.saturating_add(offset.saturating_sub(begin))
    }
}

/// Where the reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside the events: bytes go to the shell.
    Shell,
    /// Among events: bytes go to the part.
    Events,
    /// A part has just ended with an event: a comma or the end of the events has to come.
    AfterCut,
    /// And the comma has come: an event has to.
    AfterComma,
}

/// Cuts a text that comes piece by piece.
#[derive(Debug)]
pub(crate) struct Splitter {
    state: State,
    /// Brackets open in the whole text.
    depth: u64,
    in_string: bool,
    is_escaped: bool,
    /// Bytes of the whole text before the piece that is being looked at.
    before: u64,
    shell: Vec<u8>,
    part: Part,
    ready: Vec<Part>,
    part_text_bytes: usize,
}

impl Splitter {
    pub(crate) fn new() -> Splitter {
        Splitter::with_parts_of(PART_TEXT_BYTES)
    }

    fn with_parts_of(part_text_bytes: usize) -> Splitter {
        Splitter {
            state: State::Shell,
            depth: 0,
            in_string: false,
            is_escaped: false,
            before: 0,
            shell: Vec::new(),
            part: Part::begin(0),
            ready: Vec::new(),
            part_text_bytes,
        }
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
        if self.shell.len() > SHELL_BYTES_MAX {
            return Err(SplitError::ShellTooLarge);
        }
        if self.part.text.len() > self.part_text_bytes.saturating_add(EVENT_BYTES_MAX) {
            return Err(SplitError::EventTooLarge);
        }
        Ok(mem::take(&mut self.ready))
    }

    /// Says that the text has ended. Returns the last part if it is unfinished, and the shell.
    pub(crate) fn end(self) -> (Option<Part>, Vec<u8>) {
        // Not closed here: decoding is to find that it is cut short.
        (Some(self.part).filter(|_| self.state == State::Events), self.shell)
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
                if self.state == State::Shell && self.depth == 2 {
                    self.copy(piece, run.clone());
                    if self.is_at_events() {
                        self.state = State::Events;
                        self.part = Part::begin(self.before + to_u64(run.end));
                    }
                    return Ok(run.end);
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.state == State::Events {
                    return self.close(byte, piece, run);
                }
            }
            _ => {}
        }
        Ok(run.start)
    }

    /// Looks at a closing bracket among events, as [`Splitter::structure`] does.
    fn close(&mut self, byte: u8, piece: &[u8], run: Range<usize>) -> Result<usize, SplitError> {
        let last = run.end - 1;
        match self.depth {
            0 | 1 if byte != b']' => {
                let at = self.before + to_u64(last);
                Err(SplitError::Separator { at, expected: "`]`" })
            }
            0 | 1 => {
                self.copy(piece, run.start..last);
                self.finish_part();
                self.state = State::Shell;
                Ok(last)
            }
            2 if self.part.text.len() + run.len() >= self.part_text_bytes => {
                self.copy(piece, run.clone());
                self.finish_part();
                self.state = State::AfterCut;
                Ok(run.end)
            }
            _ => Ok(run.start),
        }
    }

    /// Looks at a byte between two parts. Returns where to go on and from where on to copy.
    fn between_parts(&mut self, byte: u8, at: usize) -> Result<(usize, usize), SplitError> {
        let place = self.before + to_u64(at);
        match (self.state, byte) {
            (_, b' ' | b'\t' | b'\n' | b'\r') => {}
            (State::AfterCut, b',') => self.state = State::AfterComma,
            (State::AfterCut, b']') => {
                self.depth = self.depth.saturating_sub(1);
                self.state = State::Shell;
                return Ok((at + 1, at));
            }
            (State::AfterCut, _) => {
                return Err(SplitError::Separator { at: place, expected: "`,` or `]`" });
            }
            (_, b',' | b']') => {
                return Err(SplitError::Separator { at: place, expected: "an event" });
            }
            _ => {
                self.state = State::Events;
                self.part = Part::begin(place);
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

    /// Whether the shell ends with `"Records":[`.
    fn is_at_events(&self) -> bool {
        let before_value = self.shell.strip_suffix(b"[").map(<[u8]>::trim_ascii_end);
        let before_colon =
            before_value.and_then(|text| text.strip_suffix(b":")).map(<[u8]>::trim_ascii_end);
        let before_key = before_colon.and_then(|text| text.strip_suffix(br#""Records""#));
        // A backslash would make the quote a part of a longer key.
        before_key.is_some_and(|text| !text.ends_with(b"\\"))
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
        let mut part = mem::replace(&mut self.part, Part::begin(0));
        part.text.extend_from_slice(PART_END);
        self.ready.push(part);
    }
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts and the shell of a text that comes in pieces.
    fn split(text: &str, part: usize, piece: usize) -> Result<(Vec<String>, String), SplitError> {
        let mut splitter = Splitter::with_parts_of(part);
        let mut parts = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            parts.extend(splitter.push(piece)?);
        }
        let (unfinished, shell) = splitter.end();
        parts.extend(unfinished);
        for part in &parts {
            // What a part says of itself is true.
            let begin = usize::try_from(part.whole_offset(to_u64(PART_BEGIN.len()))).unwrap();
            let events = &part.text[PART_BEGIN.len()..];
            let events = events.strip_suffix(PART_END).unwrap_or(events);
            assert!(text.as_bytes()[begin..].starts_with(events));
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ok((parts.into_iter().map(|part| text(part.text)).collect(), text(shell)))
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
        let (parts, shell) = split(text, PART_BEGIN.len() + 10, 5).unwrap();
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
        let mut splitter = Splitter::with_parts_of(1);
        splitter.push(br#"{"Records":[{"a":""#).unwrap();
        let piece = vec![b'x'; EVENT_BYTES_MAX / 2];
        assert!(splitter.push(&piece).is_ok());
        assert_eq!(splitter.push(&piece), Err(SplitError::EventTooLarge));
        let mut splitter = Splitter::new();
        assert_eq!(splitter.push(&piece), Err(SplitError::ShellTooLarge));
    }
}
