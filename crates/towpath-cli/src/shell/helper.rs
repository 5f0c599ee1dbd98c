//! What the line editor asks about the text that is typed: is it complete, what could follow, how
//! is it coloured.

use std::borrow::Cow;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::complete::complete;
use super::keywords::is_keyword;
use super::scan::{Kind, tokens};
use super::vocabulary::Vocabulary;
use crate::statement::StatementBuffer;

/// Words that newcomers type to leave or to find help; they stand alone, without a `;`.
const BARE_COMMANDS: [(&str, &str); 3] = [("quit", ".quit"), ("exit", ".quit"), ("help", ".help")];

const BOLD: &str = "\u{1b}[1m";
const BLUE: &str = "\u{1b}[1;34m";
const GREEN: &str = "\u{1b}[32m";
const CYAN: &str = "\u{1b}[36m";
const YELLOW: &str = "\u{1b}[33m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Our side of the line editor.
pub(super) struct ShellHelper {
    vocabulary: Vocabulary,
    /// The functions that can be called, sorted.
    functions: Vec<String>,
    has_colours: bool,
}

impl ShellHelper {
    /// A helper that knows the lake by `vocabulary`.
    pub(super) fn new(vocabulary: Vocabulary, has_colours: bool) -> ShellHelper {
        ShellHelper { vocabulary, functions: towpath::function_names(), has_colours }
    }
}

/// The command that a bare word such as `quit` stands for.
pub(super) fn bare_command(text: &str) -> Option<&'static str> {
    let word = text.trim().trim_end_matches(';').trim_end();
    let known = BARE_COMMANDS.iter().find(|(bare, _)| bare.eq_ignore_ascii_case(word));
    known.map(|(_, command)| *command)
}

/// Whether `text` is one or more whole statements and commands, or nothing at all.
pub(super) fn is_complete(text: &str) -> bool {
    if bare_command(text).is_some() {
        return true;
    }
    let mut buffer = StatementBuffer::default();
    for line in text.lines() {
        buffer.push_line(line);
    }
    buffer.is_between_statements()
}

impl Helper for ShellHelper {}

impl Hinter for ShellHelper {
    type Hint = String;
}

impl Validator for ShellHelper {
    fn validate(
        &self,
        context: &mut ValidationContext<'_>,
    ) -> Result<ValidationResult, ReadlineError> {
        Ok(if is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Completer for ShellHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _context: &Context<'_>,
    ) -> Result<(usize, Vec<String>), ReadlineError> {
        let completion = complete(line, at, &self.vocabulary, &self.functions);
        Ok((completion.start, completion.words))
    }
}

impl Highlighter for ShellHelper {
    fn highlight<'l>(&self, line: &'l str, _at: usize) -> Cow<'l, str> {
        if self.has_colours { Cow::Owned(coloured(line, &self.functions)) } else { line.into() }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.has_colours { format!("{BOLD}{prompt}{RESET}").into() } else { prompt.into() }
    }

    fn highlight_char(&self, _line: &str, _at: usize, kind: CmdKind) -> bool {
        self.has_colours && kind != CmdKind::MoveCursor
    }
}

/// `line` with colours; without its escape sequences it is the same text.
fn coloured(line: &str, functions: &[String]) -> String {
    if line.trim_start().starts_with(['.', '\\']) {
        return format!("{BOLD}{line}{RESET}");
    }
    let mut out = String::with_capacity(line.len() * 2);
    let scanned = tokens(line);
    for (index, token) in scanned.iter().enumerate() {
        let is_called = || scanned.get(index + 1).is_some_and(|next| next.text == "(");
        let is_function = || {
            let name = token.text.to_ascii_lowercase();
            functions.binary_search(&name).is_ok()
        };
        let colour = match token.kind {
            Kind::Word if is_called() && is_function() => YELLOW,
            Kind::Word if is_keyword(token.text) => BLUE,
            Kind::Number => CYAN,
            Kind::Text => GREEN,
            Kind::Comment => DIM,
            _ => {
                out.push_str(token.text);
                continue;
            }
        };
        out.extend([colour, token.text, RESET]);
    }
    out
}

#[cfg(test)]
mod tests {
    use console::strip_ansi_codes;

    use super::*;

    #[test]
    fn a_statement_is_complete_with_its_semicolon() {
        for text in
            ["", "  ", "SELECT 1;", "SELECT\n1;\n", ".help", "\\dt", "-- a", "quit", "Exit;"]
        {
            assert!(is_complete(text), "{text:?}");
        }
        for text in ["SELECT 1", "SELECT ';", "SELECT 1; SELECT", "/* ;", "quit now"] {
            assert!(!is_complete(text), "{text:?}");
        }
    }

    #[test]
    fn colours_change_no_text() {
        let functions = ["count".to_owned()];
        for text in ["SELECT count(*), 'a' -- b\nFROM x", ".mode csv", "'é", "count", ""] {
            assert_eq!(strip_ansi_codes(&coloured(text, &functions)), text);
        }
        let text = coloured("SELECT count(1), 'a' --c", &functions);
        assert_eq!(
            text,
            format!(
                "{BLUE}SELECT{RESET} {YELLOW}count{RESET}({CYAN}1{RESET}), {GREEN}'a'{RESET} \
                 {DIM}--c{RESET}"
            )
        );
    }
}
