//! What the user is told when something is not done, and the exit code that says so.
//!
//! `error: ` and what could not be done, then a line per cause, then `hint: ` and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind as IoErrorKind, Write};
use std::process::ExitCode;

use towpath::{Error, ErrorKind};

use crate::config::Misconfigured;
use crate::output::printable::many_lines;

/// Causes shown of one error. Chains are a handful long; the limit is against one that loops.
const CAUSES_MAX: usize = 16;

/// How a command ended, other than by an error that stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything that was asked for.
    Done,
    /// Nothing of what was asked for; the user has been told why.
    NotDone,
    /// A part; the user has been told which part is missing.
    DoneInPart,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Done => 0,
            Outcome::NotDone => 1,
            Outcome::DoneInPart => IN_PART,
        })
    }
}

/// Exit code of a command that was done in part; 2 is taken by usage.
const IN_PART: u8 = 3;

/// Exit code of a command that was not understood.
const USAGE: u8 = 2;

/// An error with what to do about it.
#[derive(Debug)]
pub(crate) struct Hinted {
    error: anyhow::Error,
    hint: String,
}

impl Hinted {
    pub(crate) fn new(error: anyhow::Error, hint: impl Into<String>) -> Hinted {
        Hinted { error, hint: hint.into() }
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Hinted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// An error of the library on a statement, with the place in it.
#[derive(Debug)]
pub(crate) struct InStatement {
    error: Error,
    caret: Option<String>,
}

impl InStatement {
    pub(crate) fn new(error: Error, statement: &str) -> InStatement {
        let caret = error.caret(statement);
        InStatement { error, caret }
    }
}

impl fmt::Display for InStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for InStatement {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// Tells the user about the `error` that stopped a command, and returns the exit code that says so.
pub(crate) fn conclude(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        return print_usage(error);
    }
    report(error);
    if error.downcast_ref::<Misconfigured>().is_some() {
        return ExitCode::from(USAGE);
    }
    match library_error(error).map(Error::kind) {
        Some(ErrorKind::InvalidArgument) => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

/// Prints what clap has to say in clap's own form: errors, which begin with `error: ` too, on
/// stderr, and what `--help` and `--version` ask for on stdout.
fn print_usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        _ if error.use_stderr() => ExitCode::from(USAGE),
        Err(error) if error.kind() != IoErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Whether `error` only means that nobody reads stdout any more, as after `| head`.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| cause.kind() == IoErrorKind::BrokenPipe)
    })
}

/// Tells the user about `error`, on stderr.
pub(crate) fn report(error: &anyhow::Error) {
    tell(&describe(error));
}

/// Writes `text` to stderr. If that cannot be done, there is nowhere left to say so.
pub(crate) fn tell(text: &str) {
    let mut stderr = io::stderr().lock();
    let written = stderr.write_all(many_lines(text).as_bytes());
    drop(written.and_then(|()| stderr.write_all(b"\n")));
}

/// The text for `error`: itself, the place in the statement, its causes, a hint.
fn describe(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1).take(CAUSES_MAX) {
        let cause = cause.to_string();
        // A transparent error repeats its source; once is enough.
        if cause != last {
            text.push_str("\n  caused by: ");
            text.push_str(&cause.replace('\n', "\n    "));
        }
        last = cause;
    }
    let in_statement = error.chain().find_map(|cause| cause.downcast_ref::<InStatement>());
    let caret = in_statement.and_then(|error| error.caret.as_deref());
    for line in caret.into_iter().flat_map(str::lines) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if let Some(hint) = hint(error) {
        text.push_str("\nhint: ");
        text.push_str(&hint);
    }
    text
}

/// What to do about `error`: the command's own hint, else the library's.
fn hint(error: &anyhow::Error) -> Option<String> {
    let own = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>());
    match own {
        Some(own) => Some(own.hint.clone()),
        None => library_error(error).and_then(library_hint),
    }
}

/// The library's error in the chain of `error`.
fn library_error(error: &anyhow::Error) -> Option<&Error> {
    error.chain().find_map(|cause| {
        let in_statement = cause.downcast_ref::<InStatement>().map(|cause| &cause.error);
        in_statement.or_else(|| cause.downcast_ref::<Error>())
    })
}

fn library_hint(error: &Error) -> Option<String> {
    let own = match error.kind() {
        ErrorKind::NotALake => "`towpath store create NAME` makes a lake and a store in it",
        ErrorKind::StoreNotFound => "`towpath store list` lists the stores",
        ErrorKind::StoreInactive => "`towpath store restore NAME` brings the store back",
        ErrorKind::TerminationProtected => {
            "`towpath store update NAME --no-termination-protection` turns it off"
        }
        ErrorKind::OnHold => "`towpath store hold list NAME` lists the holds",
        ErrorKind::LimitExceeded => {
            "`--run-secs-max`, `--memory-mib-max` and `--result-rows-max` raise limits"
        }
        _ => return error.hint(),
    };
    Some(error.hint().unwrap_or_else(|| own.to_owned()))
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_a_hint() {
        let error: anyhow::Error = Hinted::new(anyhow!("connection refused"), "start it").into();
        let error = error.context("could not reach `s3://x`");
        assert_eq!(
            describe(&error),
            "error: could not reach `s3://x`\n  caused by: connection refused\nhint: start it"
        );
    }

    #[test]
    fn a_cause_that_repeats_the_error_is_told_once() {
        let error = Err::<(), _>(anyhow!("x")).context("x").unwrap_err();
        assert_eq!(describe(&error), "error: x");
    }

    #[test]
    fn a_broken_pipe_is_found_below_other_errors() {
        let pipe = io::Error::from(IoErrorKind::BrokenPipe);
        let error = Err::<(), _>(pipe).context("could not write to stdout").unwrap_err();
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow!("other")));
    }
}
