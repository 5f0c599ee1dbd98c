//! Java's regular expression syntax, written anew for the engine used here.
//!
//! Trino takes patterns as Java (and its own Joni) do. Most of the syntax is common property; what
//! differs is put into other words: `\Q…\E`, `\h`, `\R`, `\cX`, octal escapes, `\uXXXX`, names of
//! character properties, `{` that opens no count, and `$`, which in Java also matches before a
//! last line feed.

use std::fmt::Write as _;
use std::str::Chars;

use datafusion::common::Result;

use crate::functions::args::invalid;

/// Horizontal white space: what `\h` means, as the inside of a character class.
const HORIZONTAL: &str = r"\t\x20\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
/// Vertical white space: what `\v` means, as the inside of a character class.
const VERTICAL: &str = r"\n\x{0b}\x{0c}\r\x{85}\x{2028}\x{2029}";

/// A pattern in the engine's syntax.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translation {
    /// The pattern, in which `$` is the very end of the text.
    pub(super) plain: String,
    /// The pattern, in which `$` is the end or before a last line feed, if it has any `$`.
    pub(super) before_line_feed: Option<String>,
}

/// Writes `pattern` in the engine's syntax.
///
/// # Errors
///
/// `INVALID_FUNCTION_ARGUMENT` for escapes that Java does not have either. What else is wrong with
/// a pattern is found by the engine.
pub(super) fn translate(pattern: &str) -> Result<Translation> {
    let mut plain = Translator::new(pattern, r"\z");
    plain.run()?;
    let before_line_feed = if plain.has_dollar {
        let mut other = Translator::new(pattern, r"(?=\n?\z)");
        other.run()?;
        Some(other.out)
    } else {
        None
    };
    Ok(Translation { plain: plain.out, before_line_feed })
}

/// Flags in force inside a group.
#[derive(Clone, Copy, Default)]
struct Flags {
    multi_line: bool,
    comments: bool,
}

struct Translator<'a> {
    rest: Chars<'a>,
    out: String,
    dollar: &'static str,
    has_dollar: bool,
    flags: Flags,
    /// The flags outside each group that is open.
    outer: Vec<Flags>,
    /// How many character classes are open.
    classes: usize,
    /// The last character of a class, if it was written as it is.
    last: char,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str, dollar: &'static str) -> Translator<'a> {
        Translator {
            rest: pattern.chars(),
            out: String::with_capacity(pattern.len() + 16),
            dollar,
            has_dollar: false,
            flags: Flags::default(),
            outer: Vec::new(),
            classes: 0,
            last: ' ',
        }
    }

    fn run(&mut self) -> Result<()> {
        while let Some(character) = self.rest.next() {
            if character == '\\' {
                self.escape()?;
                self.last = ' ';
            } else if self.classes > 0 {
                self.in_class(character);
            } else {
                self.outside(character)?;
            }
        }
        Ok(())
    }

    fn in_class(&mut self, character: char) {
        let doubled = self.last == character;
        self.last = character;
        match character {
            '[' => self.open_class(),
            ']' => {
                self.classes -= 1;
                self.out.push(']');
            }
            // The engine would read `--` and `~~` as operations on sets.
            '-' | '~' if doubled => {
                self.out.push('\\');
                self.out.push(character);
                self.last = ' ';
            }
            _ => self.out.push(character),
        }
    }

    fn open_class(&mut self) {
        self.classes += 1;
        self.out.push('[');
        if self.take('^') {
            self.out.push('^');
        }
        if self.take(']') {
            self.out.push_str(r"\]");
        }
        self.last = ' ';
    }

    fn outside(&mut self, character: char) -> Result<()> {
        match character {
            '[' => self.open_class(),
            '(' => self.open_group()?,
            ')' => {
                self.flags = self.outer.pop().unwrap_or_default();
                self.out.push(')');
            }
            '$' if !self.flags.multi_line => {
                self.has_dollar = true;
                self.out.push_str(self.dollar);
            }
            '{' => self.brace(),
            '#' if self.flags.comments => {
                let after = self.rest.as_str();
                let end = after.find('\n').unwrap_or(after.len());
                self.skip_bytes(end);
            }
            _ => self.out.push(character),
        }
        Ok(())
    }

    /// A count such as `{2,5}`, or a brace that stands for itself.
    fn brace(&mut self) {
        let after = self.rest.as_str();
        let count = after.split_once('}').map(|(count, _)| count).filter(|count| {
            let (least, most) = count.split_once(',').unwrap_or((count, "0"));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            digits(least) && digits(most) && (!least.is_empty() || (count.len() > 1 && most != "0"))
        });
        match count {
            Some(count) if count.starts_with(',') => self.out.push_str("{0"),
            Some(_) => self.out.push('{'),
            None => self.out.push_str(r"\{"),
        }
    }

    fn open_group(&mut self) -> Result<()> {
        self.outer.push(self.flags);
        if !self.take('?') {
            self.out.push('(');
            return Ok(());
        }
        let after = self.rest.as_str();
        if after.starts_with('#') {
            let end = after.find(')').map_or(after.len(), |at| at + 1);
            self.skip_bytes(end);
            self.outer.pop();
            return Ok(());
        }
        let letters = after.len() - after.trim_start_matches(is_flag).len();
        let end = after.get(letters..).and_then(|rest| rest.chars().next());
        let Some(flags) = after.get(..letters).filter(|_| matches!(end, Some(')' | ':'))) else {
            self.out.push_str("(?");
            return Ok(());
        };
        self.skip_bytes(letters + 1);
        self.set_flags(flags)?;
        let flags = flags.replace('u', "");
        let flags = flags.strip_suffix('-').unwrap_or(&flags);
        if end == Some(':') {
            self.out.push_str("(?");
            self.out.push_str(flags);
            self.out.push(':');
            return Ok(());
        }
        // Flags in a group of their own hold until the group around it ends.
        self.outer.pop();
        if !flags.is_empty() {
            self.out.push_str("(?");
            self.out.push_str(flags);
            self.out.push(')');
        }
        Ok(())
    }

    fn set_flags(&mut self, flags: &str) -> Result<()> {
        let mut on = true;
        for flag in flags.chars() {
            match flag {
                '-' => on = false,
                'm' => self.flags.multi_line = on,
                'x' => self.flags.comments = on,
                'i' | 's' | 'u' => {}
                _ => return Err(invalid(format!("undefined group option: {flag}"))),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<()> {
        let Some(character) = self.rest.next() else {
            return Err(invalid("end pattern at escape"));
        };
        match character {
            'Q' => self.quotation(),
            'E' => {}
            'h' => self.class(HORIZONTAL, false),
            'H' => self.class(HORIZONTAL, true),
            'v' => self.class(VERTICAL, false),
            'V' => self.class(VERTICAL, true),
            'R' => {
                self.out.push_str(r"(?:\r\n|[");
                self.out.push_str(VERTICAL);
                self.out.push_str("])");
            }
            'Z' => {
                self.has_dollar = true;
                self.out.push_str(self.dollar);
            }
            'a' => self.literal('\u{7}'),
            'e' => self.literal('\u{1b}'),
            'c' => match self.rest.next().map(|next| u32::from(next) ^ 64).and_then(char::from_u32)
            {
                Some(control) => self.literal(control),
                None => return Err(invalid("too short control sequence")),
            },
            '0' => self.octal()?,
            'u' => self.unicode()?,
            'p' | 'P' => self.property(character == 'P')?,
            _ if character.is_ascii_alphanumeric() => {
                self.out.push('\\');
                self.out.push(character);
            }
            _ => self.literal(character),
        }
        Ok(())
    }

    fn quotation(&mut self) {
        let after = self.rest.as_str();
        let (quoted, used) = match after.split_once(r"\E") {
            Some((quoted, _)) => (quoted, quoted.len() + 2),
            None => (after, after.len()),
        };
        for character in quoted.chars() {
            self.literal(character);
        }
        self.skip_bytes(used);
    }

    /// A character that stands for itself.
    fn literal(&mut self, character: char) {
        if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
            self.out.push('\\');
            self.out.push(character);
        } else if character.is_ascii_graphic() || !character.is_ascii() {
            self.out.push(character);
        } else {
            self.code_point(u32::from(character));
        }
    }

    fn code_point(&mut self, code_point: u32) {
        // Writing to a string does not fail.
        let _infallible = write!(self.out, r"\x{{{code_point:x}}}");
    }

    fn class(&mut self, members: &str, negated: bool) {
        self.out.push_str(if negated { "[^" } else { "[" });
        self.out.push_str(members);
        self.out.push(']');
    }

    fn octal(&mut self) -> Result<()> {
        let digits: String =
            self.rest.clone().take(3).take_while(|digit| matches!(digit, '0'..='7')).collect();
        // Three digits only up to \0377.
        let kept = if digits.len() == 3 && !digits.starts_with(['0', '1', '2', '3']) {
            2
        } else {
            digits.len()
        };
        let value = digits.get(..kept).and_then(|digits| u32::from_str_radix(digits, 8).ok());
        let Some(value) = value else { return Err(invalid("invalid octal escape")) };
        self.skip_bytes(kept);
        self.code_point(value);
        Ok(())
    }

    fn unicode(&mut self) -> Result<()> {
        let Some(first) = self.four_digits() else {
            return Err(invalid("too short escape sequence"));
        };
        if !(0xd800..0xdc00).contains(&first) {
            self.code_point(first);
            return Ok(());
        }
        let low = if self.take('\\') && self.take('u') { self.four_digits() } else { None };
        match low {
            Some(low @ 0xdc00..=0xdfff) => {
                self.code_point(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00));
                Ok(())
            }
            _ => Err(invalid("invalid code point value")),
        }
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest.as_str().get(..4)?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.skip_bytes(4);
        Some(value)
    }

    fn property(&mut self, negated: bool) -> Result<()> {
        let after = self.rest.as_str();
        let (name, used) = if let Some(braced) = after.strip_prefix('{') {
            match braced.split_once('}') {
                Some((name, _)) => (name, name.len() + 2),
                None => return Err(invalid("invalid character property name {}")),
            }
        } else {
            match after.chars().next() {
                Some(letter) => (after.get(..letter.len_utf8()).unwrap_or(""), letter.len_utf8()),
                None => return Err(invalid("invalid character property name {p}")),
            }
        };
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, !negated),
            None => (name, negated),
        };
        match members(name) {
            Some(members) => self.class(members, negated),
            None => {
                let name = name.strip_prefix("Is").unwrap_or(name);
                self.out.push_str(if negated { r"\P{" } else { r"\p{" });
                self.out.push_str(name);
                self.out.push('}');
            }
        }
        self.skip_bytes(used);
        Ok(())
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest.as_str().starts_with(wanted);
        if found {
            self.rest.next();
        }
        found
    }

    /// Skips what ends at a byte offset that is known to be between two characters.
    fn skip_bytes(&mut self, bytes: usize) {
        self.rest = self.rest.as_str().get(bytes..).unwrap_or("").chars();
    }
}

fn is_flag(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '-'
}

/// The members of a property that Java has and Unicode has not, as the inside of a class.
fn members(name: &str) -> Option<&'static str> {
    Some(match name {
        "ASCII" => r"\x00-\x7f",
        "Alnum" | "IsAlnum" => r"\p{Alphabetic}\p{Nd}",
        "Blank" => r"\t\x20",
        "Graph" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Co}\p{Cf}",
        "Print" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Co}\p{Cf}\p{Zs}",
        "XDigit" => "0-9A-Fa-f",
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaWhitespace" => r"\s",
        "javaAlphabetic" => r"\p{Alphabetic}",
        "javaDigit" => r"\p{Nd}",
        "javaLetter" => r"\p{L}",
        "javaLetterOrDigit" => r"\p{L}\p{Nd}",
        "Word" => r"\w",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(pattern: &str, expected: &str) {
        assert_eq!(translate(pattern).unwrap().plain, expected);
    }

    #[test]
    fn what_differs_is_put_in_other_words() {
        is(r"^(List|Describe|Get)$", r"^(List|Describe|Get)\z");
        is(r"\Qa.b\Ec", r"a\.bc");
        is(r#"{"a": x{2,}"#, r#"\{"a": x{2,}"#);
        is("a{,3}", "a{0,3}");
        is(r"\<b\>", "<b>");
        is(r"[a--z]", r"[a-\-z]");
        is(r"[]a]", r"[\]a]");
        is(r"\u00e9\0101\cA\e", r"\x{e9}\x{41}\x{1}\x{1b}");
        is(r"\uD83D\uDE00", r"\x{1f600}");
        is(r"(?m)a$", r"(?m)a$");
        is(r"(?m:a$)$", r"(?m:a$)\z");
        is(r"(?u)a(?#note)b", "ab");
        is("(?x)a # $ note\nb$", "(?x)a \nb\\z");
        is(r"\p{IsLatin}\P{XDigit}[\p{Alnum}_]", r"\p{Latin}[^0-9A-Fa-f][[\p{Alphabetic}\p{Nd}]_]");
    }

    #[test]
    fn a_dollar_has_two_readings() {
        let both = translate("a$").unwrap();
        assert_eq!(both.before_line_feed.as_deref(), Some(r"a(?=\n?\z)"));
        assert_eq!(translate(r"a\$").unwrap().before_line_feed, None);
        assert_eq!(translate("[$]").unwrap().before_line_feed, None);
    }

    #[test]
    fn broken_escapes_are_refused() {
        for pattern in [r"\", r"\u12", r"\uD83D", r"\08", r"\p", r"\p{Alpha", r"\c", "(?d)a"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
