//! The shell's own commands: lines that begin with `.` or, for those who know psql, with `\`.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::error::Hinted;
use crate::output::Format;

/// A command as `.help` lists it and Tab completes it.
pub(super) struct Described {
    /// What it is called; the first name is the one to learn.
    pub(super) names: &'static [&'static str],
    argument: &'static str,
    does: &'static str,
}

/// Every command there is, as `.help` lists them.
pub(super) const COMMANDS: &[Described] = &[
    described(&[".chart"], "SQL", "draw the rows of SQL, or of the last statement again"),
    described(&[".examples"], "[WORD]", "questions to start from; one of them to run or change"),
    described(&[".explain"], "SQL", "the plan of SQL, or of the last statement"),
    described(&[".functions", "\\df"], "[WORD]", "functions whose name contains WORD"),
    described(&[".help", "\\?", "\\h"], "", "this text"),
    described(&[".mode", ".format"], "NAME", "print rows as NAME: table, csv, ndjson, chart …"),
    described(&[".output", "\\o"], "[FILE]", "write rows to FILE from now on; without, here again"),
    described(&[".pager"], "on|off", "whether results longer than the screen open in a pager"),
    described(&[".print", "\\echo"], "TEXT", "print TEXT"),
    described(&[".quit", ".exit", "\\q"], "", "leave; so does Ctrl-D"),
    described(&[".read", "\\i"], "FILE", "run the statements and commands in FILE"),
    described(&[".rows"], "N|all", "how many rows of a result are shown here"),
    described(&[".schema", "\\d"], "[STORE]", "the columns of a store"),
    described(&[".stores", "\\dt"], "", "the stores of the lake"),
    described(&[".timing", "\\timing"], "[on|off]", "tell after each statement what it cost"),
    described(&["\\x"], "", "one value per line, and back"),
];

const fn described(
    names: &'static [&'static str],
    argument: &'static str,
    does: &'static str,
) -> Described {
    Described { names, argument, does }
}

/// What `.help` prints.
pub(super) fn help() -> String {
    let heads: Vec<String> = COMMANDS
        .iter()
        .map(|command| {
            let name = command.names.first().copied().unwrap_or_default();
            format!("{name} {}", command.argument).trim_end().to_owned()
        })
        .collect();
    let width = heads.iter().map(|head| head.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (head, command) in heads.iter().zip(COMMANDS) {
        let missing = " ".repeat(width - head.chars().count());
        let others = command.names.get(1..).unwrap_or_default();
        let others =
            if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
        text.push_str(&format!("{head}{missing}  {}{others}\n", command.does));
    }
    text.push_str("A statement ends with `;` and may span lines.\n");
    text
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Of a statement, or of the last one.
    Chart(Option<String>),
    Examples(Option<String>),
    /// Of a statement, or of the last one.
    Explain(Option<String>),
    Functions(Option<String>),
    Help,
    Mode(Format),
    Output(Option<PathBuf>),
    Pager(bool),
    Print(String),
    Quit,
    Read(PathBuf),
    /// How many; `None` for all.
    Rows(Option<u64>),
    Schema(Option<String>),
    Stores,
    /// On, off, or the other of the two.
    Timing(Option<bool>),
    /// Between `line` and what was before.
    ToggleLine,
}

impl Command {
    /// Reads a line that begins with `.` or `\`.
    ///
    /// # Errors
    ///
    /// If there is no such command, or its argument is not one it takes.
    pub(super) fn parse(line: &str) -> Result<Command> {
        let line = line.trim_start();
        let (name, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = text.trim();
        let optional = (!argument.is_empty()).then(|| argument.to_owned());
        let statement = || {
            let statement = argument.trim_end_matches(';').trim_end();
            (!statement.is_empty()).then(|| statement.to_owned())
        };
        let bare = |command: Command| match argument {
            "" => Ok(command),
            _ => Err(anyhow!("`{name}` takes no argument")),
        };
        match name {
            ".chart" => Ok(Command::Chart(statement())),
            ".examples" => Ok(Command::Examples(optional)),
            ".explain" => Ok(Command::Explain(statement())),
            ".functions" | "\\df" => Ok(Command::Functions(optional)),
            ".help" | "\\?" | "\\h" => bare(Command::Help),
            ".mode" | ".format" => mode(argument),
            ".output" | "\\o" => Ok(Command::Output(optional.map(PathBuf::from))),
            ".pager" => on_or_off(name, argument).map(Command::Pager),
            // The text is not trimmed: it may mark a place in the output.
            ".print" | "\\echo" => Ok(Command::Print(text.to_owned())),
            ".quit" | ".exit" | "\\q" => bare(Command::Quit),
            ".read" | "\\i" => optional
                .map(|file| Command::Read(PathBuf::from(file)))
                .ok_or_else(|| anyhow!("`{name}` needs a file")),
            ".rows" => rows(argument),
            ".schema" | "\\d" => Ok(Command::Schema(optional)),
            ".stores" | "\\dt" => bare(Command::Stores),
            ".timing" | "\\timing" if argument.is_empty() => Ok(Command::Timing(None)),
            ".timing" | "\\timing" => {
                on_or_off(name, argument).map(|is_on| Command::Timing(Some(is_on)))
            }
            "\\x" => bare(Command::ToggleLine),
            _ => {
                Err(Hinted::new(anyhow!("there is no command `{name}`"), "`.help` lists them")
                    .into())
            }
        }
    }
}

fn mode(name: &str) -> Result<Command> {
    Format::named(name).map(Command::Mode).ok_or_else(|| {
        let hint = format!("{} are", Format::text_names().join(", "));
        Hinted::new(anyhow!("`{name}` is not a format"), hint).into()
    })
}

fn on_or_off(name: &str, argument: &str) -> Result<bool> {
    match argument {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(anyhow!("`{name}` is on or off, not `{argument}`")),
    }
}

fn rows(argument: &str) -> Result<Command> {
    if argument == "all" {
        return Ok(Command::Rows(None));
    }
    match argument.parse() {
        Ok(rows) if rows > 0 => Ok(Command::Rows(Some(rows))),
        _ => Err(anyhow!("`.rows` takes a number from 1 on, or all, not `{argument}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read() {
        for (line, expected) in [
            (".print a  b; c", Command::Print("a  b; c".to_owned())),
            (".print", Command::Print(String::new())),
            ("  .quit", Command::Quit),
            (".exit ", Command::Quit),
            ("\\q", Command::Quit),
            (".help", Command::Help),
            ("\\dt", Command::Stores),
            (".format NDJSON", Command::Mode(Format::Ndjson)),
            ("\\d org-trail", Command::Schema(Some("org-trail".to_owned()))),
            (".schema", Command::Schema(None)),
            (".chart SELECT 1, 2 ;", Command::Chart(Some("SELECT 1, 2".to_owned()))),
            (".explain", Command::Explain(None)),
            (".output", Command::Output(None)),
            ("\\o my file.csv", Command::Output(Some("my file.csv".into()))),
            ("\\timing", Command::Timing(None)),
            (".timing off", Command::Timing(Some(false))),
            (".rows all", Command::Rows(None)),
            (".rows 50", Command::Rows(Some(50))),
            (".read x.sql", Command::Read("x.sql".into())),
            ("\\x", Command::ToggleLine),
        ] {
            assert_eq!(Command::parse(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_command_is_named() {
        for (line, expected) in [
            (".tables x", "there is no command `.tables`"),
            (".", "there is no command `.`"),
            (".format", "`` is not a format"),
            (".quit now", "`.quit` takes no argument"),
            (".rows 0", "`.rows` takes a number from 1 on, or all, not `0`"),
            (".pager maybe", "`.pager` is on or off, not `maybe`"),
            (".read", "`.read` needs a file"),
        ] {
            assert_eq!(Command::parse(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn every_name_that_is_listed_is_a_command() {
        let needs_argument = |name: &str| match name {
            ".mode" | ".format" => " csv",
            ".pager" => " on",
            ".read" | "\\i" => " x",
            ".rows" => " 1",
            _ => "",
        };
        for name in COMMANDS.iter().flat_map(|command| command.names) {
            let line = format!("{name}{}", needs_argument(name));
            assert!(Command::parse(&line).is_ok(), "{line}");
            assert!(help().contains(name), "{name}");
        }
    }
}
