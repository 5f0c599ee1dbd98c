//! What follows `towpath query`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};

use super::{LimitArgs, ParameterArg};
use crate::output::Format;

pub(super) const HELP: &str = "\
The SQL is Trino's, as in CloudTrail Lake. A store is named by its name, its id or its ARN, without
quotes: FROM org-trail. Strings stand in single quotes, so put double quotes around the statement.

Values of parameters are bound, never pasted: -p VALUE is for the next `?`, -p NAME=VALUE for :NAME.
They are text, or of a type that is named: -p n:bigint=5, -p :date=2024-01-31. A text with a `=` in
it is meant whole by -p =TEXT.

A limit that a result passes is an error, exit code 1; no result is ever cut silently.

Examples:
  towpath query \"SELECT eventTime, userIdentity.arn FROM org-trail WHERE eventName = 'DeleteBucket'\"
  towpath query -f queries/delete-bucket.sql
  towpath query \"SELECT count(*) FROM org-trail WHERE userIdentity.userName = :who\" -p who=alice
  towpath query -f 'queries/*.sql' --format ndjson
  towpath query -f report.sql --format csv -o report.csv
  towpath query --format chart \"SELECT date_trunc('day', eventTime), count(*) FROM org-trail GROUP BY 1 ORDER BY 1\"
  echo 'SELECT count(*) FROM org-trail' | towpath query -f -";

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("what").args(["statement", "command", "file"]).required(true))]
pub(crate) struct QueryArgs {
    /// The statement
    #[arg(value_name = "SQL")]
    pub(crate) statement: Option<String>,

    /// The statement, for those who know psql
    #[arg(short, long, value_name = "SQL")]
    pub(crate) command: Option<String>,

    /// Read one statement from each of these files; - for stdin, patterns such as '*.sql' are found
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    pub(crate) file: Vec<PathBuf>,

    /// A value for a parameter of the statement: VALUE for `?`, NAME=VALUE for :NAME
    #[arg(short, long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) parameters: Vec<ParameterArg>,

    /// How to print the rows [default: by the name of --output, else as configured, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Write the rows to this file, which appears when they are complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Print the plan and do not run the statement
    #[arg(long)]
    pub(crate) explain: bool,

    /// Say on stderr what the statement read and how long it took
    #[arg(long)]
    pub(crate) stats: bool,

    /// In csv and tsv, put a ' before text that a spreadsheet would run as a formula
    #[arg(long)]
    pub(crate) spreadsheet_safe: bool,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}
