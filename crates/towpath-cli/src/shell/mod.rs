//! `towpath shell`: statements as they are typed, or from a pipe.
//!
//! Statements end with `;`. A line that begins with `.` is a command of the shell itself. Results
//! go to stdout and are flushed after each statement; an error goes to stderr and the next
//! statement runs.

mod editor;
mod meta;
mod pipe;

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result, anyhow};
use towpath::Lake;

use self::meta::Meta;
use crate::answer::{Question, answer};
use crate::args::{Args, ShellArgs};
use crate::commands::{list_stores, open_lake};
use crate::config::{Config, Limits};
use crate::error::{self, Outcome};
use crate::output::{Destination, Format, Style, terminal_width};
use crate::progress::QueryLine;
use crate::statement::{Input, STATEMENT_BYTES_MAX};

/// Runs the shell until its input ends.
pub(crate) async fn run(config: &Config, args: ShellArgs) -> Result<Outcome> {
    let format = args.format.unwrap_or_else(|| config.format());
    if format.is_binary() {
        return Err(Args::usage_error(ONLY_TEXT).into());
    }
    let lake = open_lake(config, args.limits).await?;
    let shell = Shell::new(lake, config.limits(args.limits), format);
    if io::stdin().is_terminal() {
        editor::run(shell, config).await
    } else {
        pipe::run(shell).await
    }
}

/// Why the shell has no binary formats: a stream cannot hold several files.
const ONLY_TEXT: &str = "the shell prints text; `towpath query -o FILE` writes Parquet and Arrow";

/// What comes after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Quit,
}

/// A lake to ask, and how the asking went so far.
struct Shell {
    lake: Lake,
    limits: Limits,
    format: Format,
    stdout: Destination,
    done: u64,
    failed: u64,
}

impl Shell {
    fn new(lake: Lake, limits: Limits, format: Format) -> Shell {
        Shell { lake, limits, format, stdout: Destination::stdout(), done: 0, failed: 0 }
    }

    /// Does what `input` says and flushes stdout.
    ///
    /// What goes wrong is told on stderr and counted; only an error of stdout ends the shell.
    async fn take(&mut self, input: Input) -> Result<Next> {
        let did = match input {
            Input::Statement(statement) => {
                self.run_statement(&statement).await.map(|()| Next::GoOn)
            }
            Input::Command(line) => self.run_command(&line).await,
            Input::TooLong => {
                Err(anyhow!("a statement is longer than {STATEMENT_BYTES_MAX} bytes"))
            }
        };
        if let Err(error) = &did
            && error::is_broken_pipe(error)
        {
            return did;
        }
        self.stdout.flush().context("could not write to stdout")?;
        match did {
            Ok(next) => {
                self.done += 1;
                Ok(next)
            }
            Err(error) => {
                error::report(&error);
                self.failed += 1;
                Ok(Next::GoOn)
            }
        }
    }

    async fn run_statement(&mut self, statement: &str) -> Result<()> {
        let question = Question::new(statement, self.limits);
        let style = Style::new(self.format, terminal_width());
        let mut line = QueryLine::new(true, true);
        answer(&self.lake, question, style, &mut self.stdout, &mut line).await?;
        Ok(())
    }

    async fn run_command(&mut self, line: &str) -> Result<Next> {
        match Meta::parse(line)? {
            Meta::Print(text) => writeln!(self.stdout, "{text}")?,
            Meta::Help => write!(self.stdout, "{}", meta::HELP)?,
            Meta::Format(format) if format.is_binary() => return Err(anyhow!(ONLY_TEXT)),
            Meta::Format(format) => self.format = format,
            Meta::Stores => list_stores(&self.lake, self.format, &mut self.stdout).await?,
            Meta::Quit => return Ok(Next::Quit),
        }
        Ok(Next::GoOn)
    }

    /// How it went, for the exit code.
    fn outcome(&self) -> Outcome {
        match (self.done, self.failed) {
            (_, 0) => Outcome::Done,
            (0, _) => Outcome::NotDone,
            _ => Outcome::DoneInPart,
        }
    }
}
