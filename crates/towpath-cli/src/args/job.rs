//! What follows `towpath job`, `towpath saved` and `towpath schedule`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand, value_parser};
use uuid::Uuid;

use super::LimitArgs;
use crate::output::Format;
use crate::parameters::Parameter;
use crate::time::TimeArg;

/// Queries that `job list` shows unless it is told otherwise.
const LIST_DEFAULT: usize = 100;

const SUBMIT_HELP: &str = "\
Prints the id of the batch query on stdout. The query is kept in the lake and runs on when this
command has ended: unless one is running already, a worker is started in the background, which ends
when nothing is left to do. With --no-worker the query waits for `towpath job run` or `towpath serve`.
Queries and their rows are kept for seven days.

--deliver writes the rows as CSV to a folder or bucket, signed as CloudTrail Lake signs them; `aws
cloudtrail verify-query-results` and `towpath job verify` check them. In a bucket, the lake keeps its
signing keys under a passphrase: set TOWPATH_KEY_PASSPHRASE, always to the same.

Examples:
  towpath job submit \"SELECT eventName, count(*) FROM org-trail GROUP BY 1\"
  towpath job submit -f report.sql --wait --format csv
  towpath job submit --saved root-use -p days:bigint=7
  towpath job submit -f report.sql --deliver s3://reports/lake";

const RESULTS_HELP: &str = "\
Prints all rows, or one page of them with --page-rows; what follows is then named on stderr and given
with --page. Of a query that ran too long, the rows until then can be read.

Examples:
  towpath job results 0193a5e8-0000-7000-8000-000000000000
  towpath job results ID --format parquet -o result.parquet
  towpath job results ID --format ndjson --page-rows 1000";

const RUN_HELP: &str = "\
Runs batch queries and schedules as they come, until it is interrupted; what runs then goes back to
the queue. Several of them, on one machine or on many, share the work: each query runs once. The
query of a worker that died is begun anew by another one, once.

Examples:
  towpath job run
  towpath job run --until-idle           run what waits and end";

const VERIFY_HELP: &str = "\
Checks the files that `towpath job submit --deliver` or CloudTrail Lake wrote: that each is as it was
signed, and that the signature is right. The key is looked for in the lake, by its fingerprint, or
given with --public-key: as PKCS#1 in DER, or that in base64, as `towpath job keys` and `aws
cloudtrail list-public-keys` print it.

Examples:
  towpath job verify ./AWSLogs/111122223333/CloudTrail-Lake/Query/2026/11/22/ID
  towpath job verify s3://reports/lake/AWSLogs/111122223333/CloudTrail-Lake/Query/2026/11/22/ID
  towpath job verify ./results --public-key key.der";

/// `towpath job …`.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Submit a batch query, which outlives the command
    #[command(after_help = SUBMIT_HELP)]
    Submit(JobSubmitArgs),

    /// List batch queries, the newest first
    List(JobListArgs),

    /// Show one batch query
    Status(JobStatusArgs),

    /// Print the rows of a batch query
    #[command(after_help = RESULTS_HELP)]
    Results(JobResultsArgs),

    /// Cancel a batch query that waits or runs
    Cancel(JobIdArgs),

    /// Run batch queries and schedules: be a worker
    #[command(after_help = RUN_HELP)]
    Run(JobRunArgs),

    /// Check delivered results against their signature
    #[command(after_help = VERIFY_HELP)]
    Verify(JobVerifyArgs),

    /// List the public keys that results are signed with
    Keys(JobKeysArgs),
}

/// A statement, where it comes from and what goes into it.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("what").args(["statement", "file", "saved"]).required(true))]
pub(crate) struct StatementArgs {
    /// The statement
    #[arg(value_name = "SQL")]
    pub(crate) statement: Option<String>,

    /// Read the statement from this file; - for stdin
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Take the saved query of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) saved: Option<String>,

    /// A value for the next `?`, or NAME=VALUE for `:NAME`; text, or NAME:bigint=7 and the like
    #[arg(short, long = "param", value_name = "VALUE")]
    pub(crate) param: Vec<Parameter>,
}

/// Where results are delivered to.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct DeliveryArgs {
    /// Deliver the result to this folder or URL, as signed CSV
    #[arg(long, value_name = "URL")]
    pub(crate) deliver: Option<String>,

    /// The account in the path of what is delivered
    #[arg(long, value_name = "ID", default_value = "000000000000", requires = "deliver")]
    pub(crate) account: String,

    /// The Region in the sign file
    #[arg(long, value_name = "NAME", default_value = "us-east-1", requires = "deliver")]
    pub(crate) region: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobSubmitArgs {
    #[command(flatten)]
    pub(crate) statement: StatementArgs,

    /// Wait for the end and print the rows
    #[arg(long)]
    pub(crate) wait: bool,

    /// How to print the rows [default: as configured, else table]
    #[arg(long, value_enum, requires = "wait")]
    pub(crate) format: Option<Format>,

    /// Start no worker
    #[arg(long)]
    pub(crate) no_worker: bool,

    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobListArgs {
    /// Only those of this status: queued, running, finished, failed, cancelled, `timed_out`
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,

    /// Only those that name this store
    #[arg(long, value_name = "NAME")]
    pub(crate) store: Option<String>,

    /// Only those submitted at or after this time: a date, RFC 3339, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<TimeArg>,

    /// Only those submitted before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<TimeArg>,

    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = LIST_DEFAULT)]
    pub(crate) max: usize,

    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobStatusArgs {
    /// Id of the batch query
    pub(crate) id: Uuid,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Line)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobIdArgs {
    /// Id of the batch query
    pub(crate) id: Uuid,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobResultsArgs {
    /// Id of the batch query
    pub(crate) id: Uuid,

    /// Print one page of so many rows
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1000))]
    pub(crate) page_rows: Option<u32>,

    /// The page to print, as the last one named it
    #[arg(long, value_name = "TOKEN", requires = "page_rows")]
    pub(crate) page: Option<String>,

    /// How to print the rows [default: by the name of --output, else as configured, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Write the rows to this file, which appears when they are complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobRunArgs {
    /// End when nothing is queued or running
    #[arg(long)]
    pub(crate) until_idle: bool,

    /// End at once if another worker of this kind has the lake
    #[arg(long, hide = true)]
    pub(crate) alone: bool,

    /// Queries that run at once
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = value_parser!(u16).range(1..=100))]
    pub(crate) concurrent_max: u16,

    /// MiB of memory that queries may use together before they spill to disk [default: 1024]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(super::MEMORY_MIB))]
    pub(crate) memory_mib_max: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobVerifyArgs {
    /// The folder or URL that holds `result_sign.json`
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: String,

    /// The public key, instead of the lake's
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobKeysArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// `towpath saved …`.
#[derive(Debug, Subcommand)]
pub(crate) enum SavedCommand {
    /// Save a statement under a name, for everyone who uses the lake
    Add(SavedAddArgs),

    /// List all saved queries
    List(SavedListArgs),

    /// Print the statement of a saved query
    Show(SavedNameArgs),

    /// Run a saved query and print its rows
    Run(SavedRunArgs),

    /// Delete a saved query
    Delete(SavedNameArgs),
}

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("what").args(["statement", "file"]).required(true))]
pub(crate) struct SavedAddArgs {
    /// A letter, then letters, digits, `.`, `_` or `-`
    pub(crate) name: String,

    /// The statement; its parameters are `?` and `:NAME`
    #[arg(value_name = "SQL")]
    pub(crate) statement: Option<String>,

    /// Read the statement from this file; - for stdin
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// Replace the one of this name
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SavedListArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SavedNameArgs {
    /// Its name
    pub(crate) name: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SavedRunArgs {
    /// Its name
    pub(crate) name: String,

    /// A value for the next `?`, or NAME=VALUE for `:NAME`; text, or NAME:bigint=7 and the like
    #[arg(short, long = "param", value_name = "VALUE")]
    pub(crate) param: Vec<Parameter>,

    /// How to print the rows [default: as configured, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

pub(super) const SCHEDULE_HELP: &str = "\
A schedule runs a statement again and again, each time over the events that arrived in the lake since
the last time, however late they are: a run never sees an event that an earlier one saw, and none is
left out. Where the statement has parameters :window_start and :window_end, they are the times of
the window. Runs are batch queries: `towpath job list` shows them, `towpath job run` or `towpath
serve` runs them. Windows that were missed are made up for.

Examples:
  towpath schedule add root-use --every 1h \"SELECT * FROM org-trail WHERE userIdentity.type = 'Root'\"
  towpath schedule add daily --cron '0 6 * * *' --saved report --deliver s3://reports/lake";

/// `towpath schedule …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Run a statement again and again, over what arrived since
    #[command(after_help = SCHEDULE_HELP)]
    Add(Box<ScheduleAddArgs>),

    /// List all schedules
    List(SavedListArgs),

    /// Delete a schedule
    Delete(SavedNameArgs),
}

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("when").args(["every", "cron"]).required(true))]
pub(crate) struct ScheduleAddArgs {
    /// A letter, then letters, digits, `.`, `_` or `-`
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) statement: StatementArgs,

    /// Run every so often: a number and m, h, d or w
    #[arg(long, value_name = "SPAN")]
    pub(crate) every: Option<String>,

    /// Run at the times of a cron expression of five fields, in UTC
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) cron: Option<String>,

    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}
