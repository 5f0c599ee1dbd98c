//! Statements as they come in: from files, and line by line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Longest statement that is read, in bytes.
///
/// CloudTrail Lake takes 10,000 characters. What a person or a program writes stays far below
/// this, and a file that was named by mistake is not read to its end.
pub(crate) const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// The statement in the file `path`, or on stdin for `-`.
///
/// # Errors
///
/// If it cannot be read, is not UTF-8, or is longer than [`STATEMENT_BYTES_MAX`].
pub(crate) fn read_statement(path: &Path) -> Result<String> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { format!("file `{}`", path.display()) };
    let read = if is_stdin {
        read_bounded(io::stdin().lock())
    } else {
        File::open(path).and_then(read_bounded)
    };
    let bytes = read.with_context(|| format!("could not read {name}"))?;
    if bytes.len() > STATEMENT_BYTES_MAX {
        bail!(
            "{name} is longer than {STATEMENT_BYTES_MAX} bytes, which is more than a statement may have"
        );
    }
    let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8 text"))?;
    // Editors of some systems put a byte order mark in front.
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

/// Reads one byte more than is allowed, to tell what is too long.
fn read_bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(STATEMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Something that was typed to the shell, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A statement, without the `;` that ended it.
    Statement(String),
    /// A line that begins with `.` or `\`, without line break.
    Command(String),
    /// A statement of more than [`STATEMENT_BYTES_MAX`] bytes, which was not kept.
    TooLong,
}

/// Where in a statement the reading has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Plain,
    /// Inside `'text'` or `"name"`. A doubled quote closes and opens again, which comes to the same.
    Quoted(char),
    /// After `--`, to the end of the line.
    LineComment,
    /// Inside `/* */`, which does not nest.
    BlockComment,
}

/// Puts lines together to statements, which end with a `;` outside of quotes and comments.
#[derive(Debug, Default)]
pub(crate) struct StatementBuffer {
    text: String,
    place: Place,
    /// Whether there is anything but space and comments.
    has_content: bool,
    is_too_long: bool,
}

impl StatementBuffer {
    /// Whether a line that comes now begins something new.
    pub(crate) fn is_between_statements(&self) -> bool {
        !self.has_content && matches!(self.place, Place::Plain)
    }

    /// Takes one line, without its line break, and returns what it completes.
    pub(crate) fn push_line(&mut self, line: &str) -> Vec<Input> {
        if self.is_between_statements() && line.trim_start().starts_with(['.', '\\']) {
            return vec![Input::Command(line.trim_end().to_owned())];
        }
        let mut inputs = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if self.place == Place::Plain && c == ';' {
                inputs.extend(self.take());
                continue;
            }
            let pair = (c, chars.peek().copied());
            let is_pair = self.advance(pair);
            self.keep(c);
            if is_pair && let Some(second) = chars.next() {
                self.keep(second);
            }
        }
        if self.place == Place::LineComment {
            self.place = Place::Plain;
        }
        self.keep('\n');
        inputs
    }

    /// What stands there without a `;`, at the end of all lines.
    pub(crate) fn finish(&mut self) -> Option<Input> {
        self.take()
    }

    fn take(&mut self) -> Option<Input> {
        let StatementBuffer { text, has_content, is_too_long, .. } = std::mem::take(self);
        match (is_too_long, has_content) {
            (true, _) => Some(Input::TooLong),
            (false, true) => Some(Input::Statement(text.trim().to_owned())),
            (false, false) => None,
        }
    }

    /// Moves on over a character, with the one that follows it; says whether it took both.
    fn advance(&mut self, pair: (char, Option<char>)) -> bool {
        match (self.place, pair) {
            (Place::Plain, ('-', Some('-'))) => {
                self.place = Place::LineComment;
                return true;
            }
            (Place::Plain, ('/', Some('*'))) => {
                self.place = Place::BlockComment;
                return true;
            }
            (Place::BlockComment, ('*', Some('/'))) => {
                self.place = Place::Plain;
                return true;
            }
            (Place::Plain, (quote @ ('\'' | '"'), _)) => {
                self.place = Place::Quoted(quote);
                self.has_content = true;
            }
            (Place::Quoted(quote), (c, _)) if c == quote => self.place = Place::Plain,
            (Place::Plain, (c, _)) => self.has_content |= !c.is_whitespace(),
            (Place::Quoted(_) | Place::LineComment | Place::BlockComment, _) => {}
        }
        false
    }

    fn keep(&mut self, c: char) {
        if self.text.len() + c.len_utf8() > STATEMENT_BYTES_MAX {
            self.is_too_long = true;
            self.text.clear();
        }
        if !self.is_too_long {
            self.text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(text: &str) -> Vec<Input> {
        let mut buffer = StatementBuffer::default();
        let mut inputs: Vec<Input> = text.lines().flat_map(|line| buffer.push_line(line)).collect();
        inputs.extend(buffer.finish());
        inputs
    }

    fn statement(text: &str) -> Input {
        Input::Statement(text.to_owned())
    }

    #[test]
    fn statements_end_with_a_semicolon_wherever_it_stands() {
        assert_eq!(
            inputs("SELECT 1; SELECT\n 2 ;\n;;\nSELECT 3"),
            [statement("SELECT 1"), statement("SELECT\n 2"), statement("SELECT 3")]
        );
    }

    #[test]
    fn a_semicolon_in_quotes_or_comments_ends_nothing() {
        for text in [
            "SELECT ';'",
            "SELECT 'it''s; '",
            "SELECT \"a;b\"",
            "SELECT 1 -- no; not here\n, 2",
            "SELECT /* ; ' */ 1",
            "SELECT /* two\nlines; */ 1",
            "SELECT 'two\n.lines;'",
            "SELECT '--', ';'",
            "SELECT 1 - -1, 4 / 2 * 3",
        ] {
            assert_eq!(inputs(&format!("{text};")), [statement(text)], "{text}");
        }
    }

    #[test]
    fn a_comment_alone_is_no_statement() {
        assert_eq!(inputs("-- nothing\n/* at all */ ;\n  "), []);
    }

    #[test]
    fn a_line_that_begins_with_a_dot_or_a_backslash_is_a_command_between_statements_only() {
        assert_eq!(
            inputs("\\d x\n.print a; b\nSELECT userIdentity\n.arn;\n  .quit  "),
            [
                Input::Command("\\d x".to_owned()),
                Input::Command(".print a; b".to_owned()),
                statement("SELECT userIdentity\n.arn"),
                Input::Command("  .quit".to_owned()),
            ]
        );
    }

    #[test]
    fn a_statement_that_is_too_long_is_dropped_up_to_its_end() {
        let long = format!("SELECT '{}'; SELECT 2;", "x".repeat(STATEMENT_BYTES_MAX));
        assert_eq!(inputs(&long), [Input::TooLong, statement("SELECT 2")]);
    }
}
