//! `towpath completions`: what a shell needs to complete commands and flags.

use std::io::Write;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::error::Outcome;
use crate::output::Destination;

/// Prints the script for one shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "towpath", &mut script);
    let mut stdout = Destination::stdout();
    stdout.write_all(&script).context("could not write to stdout")?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
