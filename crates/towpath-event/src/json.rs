//! JSON as spans of the text: one pass, no document tree, no recursion.
//!
//! [`Scanner`] walks over a text and tells where values begin and end. It checks the whole grammar
//! of RFC 8259, with one leniency: raw control characters may stand in strings, since some
//! producers forget to escape them and nothing is ambiguous. Numbers are never converted, so they
//! may have any length and size, and nesting costs one bit per level, so it may have any depth.
//!
//! The text must be valid UTF-8; nothing here checks it.

use std::borrow::Cow;

/// The text is not JSON. The scanner stands where that shows, and knows what it expected there.
///
/// Holds nothing itself: every value that is read comes with the possibility of a fault, and has
/// to be moved about with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault;

/// A value, as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'t> {
    Null,
    True,
    False,
    /// The number's exact text.
    Number(&'t [u8]),
    String(JsonString<'t>),
    /// An object or array: its exact text.
    Nested(&'t [u8]),
}

impl Value<'_> {
    /// Appends the value to `out` as a varchar holds it, or returns false for null.
    ///
    /// A string is its characters, every other value its exact text. Never appends more bytes
    /// than the value takes in its text.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Value::Null => return false,
            Value::True => out.extend_from_slice(b"true"),
            Value::False => out.extend_from_slice(b"false"),
            Value::Number(text) | Value::Nested(text) => out.extend_from_slice(text),
            Value::String(string) => string.append_to(out),
        }
        true
    }
}

/// A string between its quotes, as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonString<'t> {
    /// The text between the quotes.
    pub(crate) raw: &'t [u8],
    /// Whether `raw` holds a backslash.
    pub(crate) escaped: bool,
}

impl JsonString<'_> {
    /// Appends the string's characters to `out`. A lone surrogate becomes U+FFFD.
    #[inline]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        if self.escaped {
            unescape(self.raw, out);
        } else {
            out.extend_from_slice(self.raw);
        }
    }
}

impl<'t> JsonString<'t> {
    /// The string's characters.
    #[inline]
    pub(crate) fn characters(&self) -> Cow<'t, [u8]> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut characters = Vec::with_capacity(self.raw.len());
        unescape(self.raw, &mut characters);
        Cow::Owned(characters)
    }
}

/// A place in a text, moving forward.
#[derive(Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    expected: &'static str,
}

impl<'t> Scanner<'t> {
    /// Starts at the byte `at` of `text`.
    pub(crate) fn new(text: &'t [u8], at: usize) -> Scanner<'t> {
        Scanner { text, at, expected: "" }
    }

    /// The offset of the next byte.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` up to the next byte.
    #[inline]
    pub(crate) fn since(&self, start: usize) -> &'t [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The text from `start` up to `end`.
    #[inline]
    pub(crate) fn between(&self, start: usize, end: usize) -> &'t [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Steps over the next byte, if there is one.
    #[inline]
    pub(crate) fn skip_byte(&mut self) {
        self.at = self.text.len().min(self.at + 1);
    }

    /// The next byte, or `None` at the end.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over white space and returns the next byte, or `None` at the end.
    #[inline]
    pub(crate) fn peek_token(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Steps over white space and returns the offset of the next byte.
    #[inline]
    pub(crate) fn peek_token_at(&mut self) -> usize {
        self.peek_token();
        self.at
    }

    /// Steps over white space and then over `byte`, if that is what follows.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek_token() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The fault of standing here and not at what is `expected`.
    #[cold]
    pub(crate) fn fault(&mut self, expected: &'static str) -> Fault {
        self.expected = expected;
        Fault
    }

    /// The fault that the text ends where more must follow.
    #[cold]
    fn truncated(&mut self) -> Fault {
        self.at = self.text.len();
        Fault
    }

    /// After a fault: what should have stood where the scanner stands, or `None` if it stands at
    /// the end of the text and any end of it would have been too early.
    pub(crate) fn expected(&self) -> Option<&'static str> {
        (self.at < self.text.len()).then_some(self.expected)
    }

    /// Steps into an object; returns whether it has a first key, which then follows.
    #[inline]
    pub(crate) fn enter_object(&mut self) -> bool {
        self.at += 1;
        !self.eat(b'}')
    }

    /// Steps into an array; returns whether it has a first element, which then follows.
    #[inline]
    pub(crate) fn enter_array(&mut self) -> bool {
        self.at += 1;
        !self.eat(b']')
    }

    /// Steps over a key and its colon to where the value starts.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<JsonString<'t>, Fault> {
        if self.peek_token() != Some(b'"') {
            return Err(self.fault("a key in double quotes"));
        }
        let key = self.string()?;
        if !self.eat(b':') {
            return Err(self.fault("a colon"));
        }
        Ok(key)
    }

    /// Steps over `text`, if exactly that follows.
    #[inline]
    pub(crate) fn eat_text(&mut self, text: &str) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = rest.starts_with(text.as_bytes());
        if found {
            self.at += text.len();
        }
        found
    }

    /// After a value of an object: returns whether another key follows, or else leaves the object.
    #[inline]
    pub(crate) fn another_key(&mut self) -> Result<bool, Fault> {
        match self.peek_token() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.fault("a comma or `}`")),
        }
    }

    /// After an element of an array: returns whether another follows, or else leaves the array.
    #[inline]
    pub(crate) fn another_element(&mut self) -> Result<bool, Fault> {
        match self.peek_token() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b']') => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.fault("a comma or `]`")),
        }
    }

    /// Steps over any value, however deep it nests, and returns it.
    #[inline]
    pub(crate) fn value(&mut self, nesting: &mut Nesting) -> Result<Value<'t>, Fault> {
        match self.peek_token() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{' | b'[') => {
                let start = self.at;
                self.skip_nested(nesting)?;
                Ok(Value::Nested(self.since(start)))
            }
            _ => self.literal(),
        }
    }

    /// Steps over a string; the scanner stands at its opening quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<JsonString<'t>, Fault> {
        let start = self.at + 1;
        let end = string_stop(self.text, start).ok_or_else(|| self.truncated())?;
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(JsonString {
                raw: self.text.get(start..end).unwrap_or_default(),
                escaped: false,
            });
        }
        self.escaped_string(start, end)
    }

    /// Goes on with a string that started at `start` and has its first backslash at `stop`.
    fn escaped_string(&mut self, start: usize, stop: usize) -> Result<JsonString<'t>, Fault> {
        let mut stop = stop;
        while self.text.get(stop) == Some(&b'\\') {
            self.at = stop + 1;
            let after = match self.peek() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at + 1,
                Some(b'u') => self.end_of_hex_digits()?,
                _ => return Err(self.fault("one of the escapes of JSON")),
            };
            stop = string_stop(self.text, after).ok_or_else(|| self.truncated())?;
        }
        self.at = stop + 1;
        Ok(JsonString { raw: self.text.get(start..stop).unwrap_or_default(), escaped: true })
    }

    /// At the `u` of an escape: where the four hexadecimal digits after it end.
    fn end_of_hex_digits(&mut self) -> Result<usize, Fault> {
        for _ in 0..4 {
            self.at += 1;
            if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                return Err(self.fault("four hexadecimal digits"));
            }
        }
        Ok(self.at + 1)
    }

    /// Steps over a number, a boolean or null.
    #[inline]
    fn literal(&mut self) -> Result<Value<'t>, Fault> {
        match self.peek() {
            Some(b't') => self.word(b"true", Value::True),
            Some(b'f') => self.word(b"false", Value::False),
            Some(b'n') => self.word(b"null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.fault("a value")),
        }
    }

    #[inline]
    fn word(&mut self, word: &'static [u8], value: Value<'t>) -> Result<Value<'t>, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        // `tru` at the end of the text is a text that was cut, `trux` is not.
        Err(if word.starts_with(rest) { self.truncated() } else { self.fault("a value") })
    }

    fn number(&mut self) -> Result<Value<'t>, Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Value::Number(self.since(start)))
    }

    /// Steps over one digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.fault("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    /// Steps over an object or array; the scanner stands at its opening bracket.
    fn skip_nested(&mut self, nesting: &mut Nesting) -> Result<(), Fault> {
        nesting.clear();
        loop {
            match self.peek_token() {
                Some(b'{') if self.enter_object() => {
                    nesting.push(Container::Object);
                    self.key()?;
                    continue;
                }
                Some(b'[') if self.enter_array() => {
                    nesting.push(Container::Array);
                    continue;
                }
                // An empty object or array is behind us already.
                Some(b'{' | b'[') => {}
                Some(b'"') => {
                    self.string()?;
                }
                _ => {
                    self.literal()?;
                }
            }
            if !self.leave_finished(nesting)? {
                return Ok(());
            }
        }
    }

    /// After a value inside `nesting`: leaves every container that ends here. Returns whether
    /// another value follows, or else all containers have ended.
    #[inline]
    fn leave_finished(&mut self, nesting: &mut Nesting) -> Result<bool, Fault> {
        loop {
            let another = match nesting.innermost() {
                None => return Ok(false),
                Some(Container::Object) => {
                    let another = self.another_key()?;
                    if another {
                        self.key()?;
                    }
                    another
                }
                Some(Container::Array) => self.another_element()?,
            };
            if another {
                return Ok(true);
            }
            nesting.pop();
        }
    }
}

/// Which containers a value stands in, one bit for each. Kept between values for its memory.
///
/// Holds at most one bit per byte of the text, which is its limit.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    /// The innermost up to 64 containers, the innermost in the lowest bit.
    low: u64,
    /// Full words of 64 containers around those of `low`.
    high: Vec<u64>,
    depth: usize,
}

/// What a [`Nesting`] level is. The discriminant is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Array = 0,
    Object = 1,
}

impl Nesting {
    fn clear(&mut self) {
        self.low = 0;
        self.high.clear();
        self.depth = 0;
    }

    #[inline]
    fn push(&mut self, container: Container) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.high.push(self.low);
        }
        self.low = self.low << 1 | container as u64;
        self.depth += 1;
    }

    #[inline]
    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.low >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.low = self.high.pop().unwrap_or_default();
        }
    }

    #[inline]
    fn innermost(&self) -> Option<Container> {
        match (self.depth, self.low & 1) {
            (0, _) => None,
            (_, 0) => Some(Container::Array),
            _ => Some(Container::Object),
        }
    }
}

/// Strings up to this long are searched word by word; the rest of a longer one by `memchr`, whose
/// set-up costs more than short strings take.
const SHORT_STRING_BYTES: usize = 64;

/// Offset of the first quote or backslash of `text` at or after `from`.
#[inline]
fn string_stop(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let short = rest.get(..SHORT_STRING_BYTES).unwrap_or(rest);
    let mut at = from;
    let (words, _) = short.as_chunks::<8>();
    for word in words {
        let stops = stops_in_word(u64::from_le_bytes(*word));
        if stops != 0 {
            return Some(at + (stops.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr::memchr2(b'"', b'\\', text.get(at..)?).map(|distance| at + distance)
}

/// Marks the quotes and backslashes among the eight bytes of `word`: the lowest bit set is the
/// highest bit of the first such byte. (Higher bits may be wrong.)
#[inline]
fn stops_in_word(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let zero_in_quote = quote.wrapping_sub(ONES) & !quote;
    let zero_in_backslash = backslash.wrapping_sub(ONES) & !backslash;
    (zero_in_quote | zero_in_backslash) & HIGHS
}

/// Appends the characters of a string whose escapes the scanner has checked.
fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(distance) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(distance);
        out.extend_from_slice(plain);
        let taken = match escape.get(1) {
            Some(b'u') => unescape_unicode(escape, out),
            Some(&letter) => {
                out.push(unescape_letter(letter));
                2
            }
            None => 1,
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// The character of a one-letter escape.
fn unescape_letter(letter: u8) -> u8 {
    match letter {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        itself => itself,
    }
}

/// Appends the character of the `\uXXXX`, or pair of them, at the start of `escape`. Returns how
/// many bytes it took.
fn unescape_unicode(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(first) = code_unit(escape) else { return escape.len() };
    let pair = match first {
        0xd800..=0xdbff => escape
            .get(6..)
            .and_then(code_unit)
            .filter(|second| (0xdc00..=0xdfff).contains(second))
            .map(|second| 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)),
        _ => None,
    };
    // `from_u32` refuses exactly the surrogates, here the lone ones.
    let character = char::from_u32(pair.unwrap_or(first)).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    if pair.is_some() { 12 } else { 6 }
}

/// The number of a `\uXXXX` at the start of `escape`, if that is what stands there.
fn code_unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}
