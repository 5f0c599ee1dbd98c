//! What can be typed: every subcommand, argument and flag.
//!
//! These structs hold what was typed, checked only one value at a time. [`crate::config`] joins
//! them with the environment and `towpath.toml` into what is meant.

mod audit;
mod config;
mod connect;
mod digests;
mod generate;
mod job;
mod limits;
mod maintenance;
mod parameter;
mod query;
mod redact;
mod serve;
mod shell;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{
    ArgAction, ArgGroup, Args as ClapArgs, CommandFactory, Parser, Subcommand, value_parser,
};
use towpath::EventKind;
use uuid::Uuid;

pub(crate) use self::audit::AuditArgs;
pub(crate) use self::config::ConfigArgs;
pub(crate) use self::connect::{ConnectArgs, ToolArg};
pub(crate) use self::digests::{CoverageArgs, KeyArgs, VerifyDigestsArgs};
pub(crate) use self::generate::{CompletionsArgs, ManArgs};
pub(crate) use self::job::{
    DeliveryArgs, JobCommand, JobIdArgs, JobKeysArgs, JobListArgs, JobResultsArgs, JobRunArgs,
    JobStatusArgs, JobSubmitArgs, JobVerifyArgs, SavedAddArgs, SavedCommand, SavedRunArgs,
    ScheduleAddArgs, ScheduleCommand, StatementArgs,
};
pub(crate) use self::limits::{LimitArgs, MEMORY_MIB, ROWS_OR_BYTES, RUN_SECS};
pub(crate) use self::maintenance::{CompactArgs, DoctorArgs, ExpireArgs};
pub(crate) use self::parameter::ParameterArg;
pub(crate) use self::query::QueryArgs;
pub(crate) use self::redact::RedactArgs;
pub(crate) use self::serve::ServeArgs;
pub(crate) use self::shell::ShellArgs;
pub(crate) use self::verify::{ReportFormat, VerifyArgs};
use crate::output::Format;
use crate::time::TimeArg;

/// Retention of a new store, in days: seven years, as for a seven-year store of CloudTrail Lake.
const RETENTION_DAYS_DEFAULT: u32 = 2557;

/// Seconds between two looks of a watch: with a commit, what arrives is visible within ten.
const LOOK_SECS_DEFAULT: u64 = 5;

/// Longest time between two looks that can be asked for, in seconds: a day.
const LOOK_SECS_MAX: u64 = 24 * 60 * 60;

const ABOUT: &str =
    "Keep CloudTrail events for years and query them in SQL, as CloudTrail Lake did";

const AFTER_HELP: &str = "\
Examples:
  towpath demo                                      see it work on bundled logs
  towpath store create org-trail                    a store, in the default lake
  towpath ingest s3://my-trail/AWSLogs --store org-trail
  towpath query \"SELECT eventName, count(*) FROM org-trail GROUP BY 1 ORDER BY 2 DESC LIMIT 10\"
  towpath                                           the shell, on a terminal

A lake is a folder or a prefix of a bucket (s3://, gs://, az://) that holds event data stores.
It is named by --lake, else by TOWPATH_LAKE, else by `lake` in towpath.toml, else it is
`towpath/lake` in your data folder; `towpath config` shows what holds and where it comes from.
Buckets are reached with the usual AWS_*, AZURE_* and GOOGLE_* variables. TOWPATH_LOG filters what
is logged, by module: TOWPATH_LOG=towpath_ingest=debug.

Exit codes: 0 done, 1 not done, 2 wrong usage, 3 done in part.";

const STORE_CREATE_HELP: &str = "\
Prints the id of the new store on stdout. The lake is made if there is none yet.

Examples:
  towpath store create org-trail
  towpath store create org-trail --retention-days 365
  towpath store create old-lake --id 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10
  towpath store create s3-reads --selectors selectors.yaml
  towpath store create config --category ConfigurationItem";

const STORE_UPDATE_HELP: &str = "\
A change acts on the next query. A shorter retention hides older events at once; a longer one does
not bring back what had expired.

Examples:
  towpath store update org-trail --retention-days 365
  towpath store update org-trail --name all-accounts --termination-protection";

const STORE_DELETE_HELP: &str = "\
A deleted store takes no events and answers no queries. For seven days `towpath store restore`
brings it back; then `towpath expire` removes its files. A store with termination protection or
under a legal hold is not deleted.";

const HOLD_ADD_HELP: &str = "\
Prints the id of the hold on stdout. While it lasts, the events that it covers and that have not
expired stay, in queries too, whatever the retention; and the store is neither deleted nor removed.
Without --from and --to it covers the whole store.

Examples:
  towpath store hold add org-trail --reason 'case 2024-17' --by 'J. Doe, legal'
  towpath store hold add org-trail --reason breach --by jdoe --from 2024-01-01 --to 2024-04-01";

const INGEST_HELP: &str = "\
A source is a log file, a folder or a URL (s3://, gs://, az://); folders and prefixes are searched
for *.json.gz and *.json. Digest, Insights and foreign files are left alone. Each event is stored
once, however often it was delivered and however often you ingest it: run the command again after
an interruption, or every hour from cron.

A log file is taken whole or not at all. One that cannot be read is named on stderr and in the
report, all others are taken, and the exit code is 3.

With --from and --to, only events of that time are stored, and in folders and buckets with
CloudTrail's layout only those days are looked at.

With --watch, the command goes on and takes in what arrives, within ten seconds, until Ctrl-C or
SIGTERM; it then ends the running commit and exits with 0. A file in a folder is taken when nobody
writes to it any more. What fails is named and tried again. --report appends one JSON object per
line for all that happens. For a bucket with many accounts, --notifications names an SQS queue that
S3, SNS, EventBridge or CloudTrail tells of new log files; its messages are deleted once the log
files are in the store.

With --verify-digests, the digest files that CloudTrail signed are asked first, and every log file is
compared with them as it is read. One that has been altered is not taken. In the store and in the
report, log files are then covered, unverified (no digest yet), planted (digests cover its time, and
none names it), altered or missing; `towpath coverage` shows them. The public keys come from
--public-keys or --keys-region once; they are kept in the lake. The exit code is 3 if a log file is
altered, missing or planted, or a digest is missing or invalid. With --require-digest, what no digest
names is not taken: what was delivered in the last hours is left for the next time.

Examples:
  towpath ingest ./AWSLogs --store org-trail
  towpath ingest s3://my-trail --store org-trail --verify-digests --keys-region us-east-1
  towpath ingest s3://my-trail/AWSLogs --store org-trail --from -7d
  towpath ingest ./AWSLogs --store org-trail --from 2024-01-01 --to 2024-02-01 --report report.json
  towpath ingest s3://my-trail/AWSLogs --store org-trail --watch";

const DEMO_HELP: &str = "\
Makes a lake, ingests the bundled log files into a store called my-event-data-store, and runs
queries/delete-bucket.sql. Without --lake the lake is temporary and removed at the end.

Examples:
  towpath demo
  towpath --lake ./demo-lake demo        keep the lake and go on with `towpath --lake ./demo-lake`";

/// The `towpath` command.
#[derive(Debug, Parser)]
#[command(name = "towpath", version, about = ABOUT, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every subcommand takes, before or after its name.
#[derive(Debug, ClapArgs)]
pub(crate) struct GlobalArgs {
    /// The lake: a folder or a URL (s3://, gs://, az://)
    #[arg(long, global = true, value_name = "URL", value_parser = not_empty)]
    #[arg(help_heading = "Global options")]
    pub(crate) lake: Option<String>,

    /// Read settings from this file instead of your own towpath.toml
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,

    /// Log more on stderr; twice for debugging
    #[arg(short, long, global = true, action = ArgAction::Count)]
    #[arg(help_heading = "Global options")]
    pub(crate) verbose: u8,
}

/// Every subcommand there is.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the main job on bundled data, from log files to an answer
    #[command(after_help = DEMO_HELP)]
    Demo(DemoArgs),

    /// Create and look at event data stores
    #[command(subcommand)]
    Store(StoreCommand),

    /// Take log files into a store, each event once
    #[command(after_help = INGEST_HELP)]
    Ingest(IngestArgs),

    /// Make small data files fewer
    #[command(after_help = maintenance::COMPACT_HELP)]
    Compact(CompactArgs),

    /// Drop what is past retention and remove what no query can read any more
    #[command(after_help = maintenance::EXPIRE_HELP)]
    Expire(ExpireArgs),

    /// Take fields out of events for good, on the record
    #[command(after_help = redact::HELP)]
    Redact(RedactArgs),

    /// Look for stores that a power loss damaged, and repair them
    #[command(after_help = maintenance::DOCTOR_HELP)]
    Doctor(DoctorArgs),

    /// Say whether the lake records who does what to it, or change that
    #[command(after_help = audit::HELP)]
    Audit(AuditArgs),

    /// Prove that a store is what was committed, and that nothing else changed it
    #[command(after_help = verify::HELP)]
    Verify(VerifyArgs),

    /// Check log files against the digests that CloudTrail signed
    #[command(after_help = digests::HELP)]
    VerifyDigests(VerifyDigestsArgs),

    /// Compare what digests say was delivered with what was ingested, hour by hour
    #[command(after_help = digests::COVERAGE_HELP)]
    Coverage(CoverageArgs),

    /// Run a statement and print its rows
    #[command(after_help = query::HELP)]
    Query(QueryArgs),

    /// Run statements as you type them, or from a pipe
    #[command(after_help = shell::HELP)]
    Shell(ShellArgs),

    /// Answer AWS's own clients over HTTP, as CloudTrail Lake did
    #[command(after_help = serve::HELP)]
    Serve(ServeArgs),

    /// Run batch queries, which outlive the command
    #[command(subcommand)]
    Job(JobCommand),

    /// Keep statements under names
    #[command(subcommand)]
    Saved(SavedCommand),

    /// Run statements again and again, over what arrived since
    #[command(subcommand)]
    Schedule(ScheduleCommand),

    /// Print how another tool reads a store
    #[command(after_help = connect::HELP)]
    Connect(ConnectArgs),

    /// Show every setting that holds, and where it comes from
    #[command(after_help = config::HELP)]
    Config(ConfigArgs),

    /// Print a script that completes commands and flags in your shell
    #[command(after_help = generate::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),

    /// Print the manual page, or write all of them
    #[command(after_help = generate::MAN_HELP)]
    Man(ManArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Folder of log files to use instead of the bundled ones
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Create a store
    #[command(after_help = STORE_CREATE_HELP)]
    Create(StoreCreateArgs),

    /// List all stores of the lake
    List(StoreListArgs),

    /// Show one store and what it holds
    Show(StoreShowArgs),

    /// Change the name, the retention, the selectors or the termination protection of a store
    #[command(after_help = STORE_UPDATE_HELP)]
    Update(StoreUpdateArgs),

    /// Delete a store; for seven days it can be restored
    #[command(after_help = STORE_DELETE_HELP)]
    Delete(StoreNameArgs),

    /// Take the deletion of a store back
    Restore(StoreNameArgs),

    /// Place, release and list legal holds on a store
    #[command(subcommand)]
    Hold(HoldCommand),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StoreNameArgs {
    /// Name or id of the store
    pub(crate) store: String,
}

#[derive(Debug, ClapArgs)]
#[group(skip)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub(crate) struct StoreUpdateArgs {
    /// Name or id of the store
    pub(crate) store: String,

    /// The name from now on
    #[arg(long, value_name = "NAME", group = "change")]
    pub(crate) name: Option<String>,

    /// Days that events are kept from now on: 7 to 3653
    #[arg(long, value_name = "N", group = "change")]
    #[arg(value_parser = value_parser!(u32).range(7..=3653))]
    pub(crate) retention_days: Option<u32>,

    /// Refuse to delete the store from now on
    #[arg(long, group = "change", conflicts_with = "no_termination_protection")]
    pub(crate) termination_protection: bool,

    /// Let the store be deleted from now on
    #[arg(long, group = "change")]
    pub(crate) no_termination_protection: bool,

    /// Take only what these event selectors choose from now on: JSON or YAML
    #[arg(long, value_name = "FILE", group = "change")]
    pub(crate) selectors: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Place a hold: what it covers stays, above retention and deletion
    #[command(after_help = HOLD_ADD_HELP)]
    Add(HoldAddArgs),

    /// Release a hold
    Release(HoldReleaseArgs),

    /// List the holds on a store
    List(HoldListArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct HoldAddArgs {
    /// Name or id of the store
    pub(crate) store: String,

    /// Why: a case number, a name
    #[arg(long, value_name = "TEXT", value_parser = not_empty)]
    pub(crate) reason: String,

    /// Who places it
    #[arg(long, value_name = "WHO", value_parser = not_empty)]
    pub(crate) by: String,

    /// Only events at or after this time: a date, RFC 3339, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<TimeArg>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<TimeArg>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct HoldReleaseArgs {
    /// Name or id of the store
    pub(crate) store: String,

    /// Id of the hold
    #[arg(value_name = "HOLD")]
    pub(crate) hold: Uuid,

    /// Who releases it
    #[arg(long, value_name = "WHO", value_parser = not_empty)]
    pub(crate) by: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct HoldListArgs {
    /// Name or id of the store
    pub(crate) store: String,

    /// How to print the holds
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StoreCreateArgs {
    /// 3 to 128 letters, digits, `.`, `_` or `-`
    pub(crate) name: String,

    /// Keep the id of a store that lived in CloudTrail Lake, so that old queries run unchanged
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<Uuid>,

    /// Days that events are kept, by their event time: 7 to 3653
    #[arg(long, value_name = "N", default_value_t = RETENTION_DAYS_DEFAULT)]
    #[arg(value_parser = value_parser!(u32).range(7..=3653))]
    pub(crate) retention_days: u32,

    /// Refuse to delete the store until `store update --no-termination-protection`
    #[arg(long)]
    pub(crate) termination_protection: bool,

    /// Take only what these event selectors choose: JSON or YAML, also a CloudFormation template
    #[arg(long, value_name = "FILE", conflicts_with = "category")]
    pub(crate) selectors: Option<PathBuf>,

    /// The kind of events, which gives the store its columns
    #[arg(long, value_name = "NAME", default_value = "CloudTrail")]
    #[arg(value_parser = PossibleValuesParser::new(EventKind::ALL.map(EventKind::name)))]
    pub(crate) category: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StoreListArgs {
    /// How to print the stores
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StoreShowArgs {
    /// Name or id of the store
    pub(crate) store: String,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Line)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct IngestArgs {
    /// Log files, folders or URLs (s3://, gs://, az://)
    #[arg(required = true, value_name = "SOURCE", value_parser = not_empty)]
    pub(crate) sources: Vec<String>,

    /// Name or id of the store that takes the events
    #[arg(long, value_name = "NAME")]
    pub(crate) store: String,

    /// Only events at or after this time: a date, RFC 3339, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<TimeArg>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<TimeArg>,

    /// Take only what the store's event selectors choose, as --watch always does; without it,
    /// history is taken whole
    #[arg(long)]
    pub(crate) apply_selectors: bool,

    /// Ask the digests in the sources about every log file: an altered one is not taken, and what
    /// is known of the others stands with them in the store
    #[arg(long, conflicts_with = "watch")]
    pub(crate) verify_digests: bool,

    /// Take only log files that a valid digest names
    #[arg(long, requires = "verify_digests")]
    pub(crate) require_digest: bool,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    /// Go on and ingest what arrives, until Ctrl-C or SIGTERM
    #[arg(long)]
    pub(crate) watch: bool,

    /// Seconds between two looks at the sources
    #[arg(long, value_name = "N", default_value_t = LOOK_SECS_DEFAULT, requires = "watch")]
    #[arg(value_parser = value_parser!(u64).range(1..=LOOK_SECS_MAX))]
    pub(crate) every: u64,

    /// URL of an SQS queue that is told what is written to the bucket, instead of looking
    #[arg(long, value_name = "URL", requires = "watch", value_parser = not_empty)]
    pub(crate) notifications: Option<String>,

    /// Write a JSON report with all counts and every log file that was not taken; - for stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

impl Args {
    /// Reads the command line `words`, the program's name first.
    ///
    /// # Errors
    ///
    /// Clap's error, which also stands for `--help` and `--version`.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
        Args::try_parse_from(words)
    }

    /// An error of usage, worded and printed like clap's own.
    pub(crate) fn usage_error(message: impl std::fmt::Display) -> clap::Error {
        Args::command().error(ErrorKind::ValueValidation, message)
    }
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_subcommand() {
        for words in [["towpath", "--lake", "x", "shell"], ["towpath", "shell", "--lake", "x"]] {
            let args = Args::read(words.map(OsString::from)).unwrap();
            assert_eq!(args.global.lake.as_deref(), Some("x"));
        }
    }
}
