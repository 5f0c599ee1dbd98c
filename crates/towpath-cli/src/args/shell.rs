//! What follows `towpath shell`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::LimitArgs;
use crate::output::Format;

pub(super) const HELP: &str = "\
Statements end with `;` and may span lines. A line that begins with `.` or `\\` is a command of the
shell; `.help` lists them all:

  .stores          the stores of the lake (\\dt)
  .schema STORE    its columns (\\d STORE)
  .examples        questions to start from
  .mode NAME       change the output format (\\x for one value per line)
  .chart SQL       draw counts by time or by name
  .quit            leave (\\q)

On a terminal, Tab completes stores, columns, keys, functions and keywords, Ctrl-C stops a
statement, and results longer than the screen open in a pager. Commands in ~/.towpathrc run first.

From a pipe, results go to stdout after each statement; an error goes to stderr and the next
statement runs. The exit code is then 1 if no statement ran, and 3 if only some did.

Examples:
  towpath shell
  towpath shell --format ndjson < statements.sql";

#[derive(Debug, Default, ClapArgs)]
pub(crate) struct ShellArgs {
    /// How to print rows [default: as configured, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Run the statements and commands in this file first, instead of those in ~/.towpathrc
    #[arg(long, value_name = "FILE")]
    pub(crate) init: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}
