//! What follows `towpath verify-digests` and `towpath coverage`, and where public keys come from.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};

use super::not_empty;
use crate::output::Format;
use crate::time::TimeArg;

pub(super) const COVERAGE_HELP: &str = "\
Prints a row for every account, region and hour of delivery: seconds that digests cover, log files
that digests name, log files that were ingested, those of the one that are not of the other, events,
and how long after an event its log file was delivered and its event was in the store (the least
and the most). Then, on stderr, the time that no digest covers. --report has all of it as JSON.

Without --source, digests are not looked at, and only what was ingested is told. Public keys are
those that an ingest kept, and those of --public-keys or --keys-region; without any, digests are
believed without a look at their signatures, which is said.

The exit code is 0 if all that digests name was ingested, and nothing else, and none is missing; 1
if not.

Examples:
  towpath coverage --store org-trail
  towpath coverage --store org-trail --source s3://my-trail/AWSLogs --from -7d
  towpath coverage --store org-trail --source ./AWSLogs --format csv --report coverage.json";

pub(super) const HELP: &str = "\
Prints what `aws cloudtrail validate-logs` prints, for every trail, account and region in the
sources, and then what that command does not say: hours for which no valid digest is there, because
the newest or all were deleted, and log files that no digest names. -v names what is valid too.

The public keys are what `aws cloudtrail list-public-keys` prints for the time in question, in the
home region of the trail; AWS gives them out for some time only, so keep them with the log files.
A source is a bucket, or a folder with a copy of one. A copy has no signatures beside its files;
that of a digest is in the digest after it, and that of the newest is taken from a file beside it,
NAME.json.gz.metadata.json, with what `aws s3api head-object` prints.

The exit code is 0 if every log file is as it was delivered, none is missing and none was added, and
1 if not.

Examples:
  aws cloudtrail list-public-keys --start-time 2024-01-01 > keys.json
  towpath verify-digests s3://my-trail/ --public-keys keys.json --from 2024-01-01 --to 2024-02-01
  towpath verify-digests ./copy-of-my-trail --public-keys keys.json --report digests.ndjson";

/// Where the public keys of CloudTrail come from.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct KeyArgs {
    /// JSON of `aws cloudtrail list-public-keys`
    #[arg(long, value_name = "FILE")]
    pub(crate) public_keys: Option<PathBuf>,

    /// Ask CloudTrail in this region, the trail's home region, for its public keys; where, says
    /// `AWS_ENDPOINT_URL_CLOUDTRAIL`
    #[arg(long, value_name = "REGION", value_parser = not_empty)]
    pub(crate) keys_region: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CoverageArgs {
    /// Name or id of the store
    #[arg(long, value_name = "NAME")]
    pub(crate) store: String,

    /// Folder or URL with the digests and log files; may be given several times
    #[arg(long, value_name = "SOURCE", value_parser = not_empty)]
    pub(crate) source: Vec<String>,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    /// Log files delivered at or after this time: a date, RFC 3339, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<TimeArg>,

    /// Log files delivered before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<TimeArg>,

    /// How to print the hours
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    /// Write everything as one JSON object; - for stdout, instead of the hours
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[group(skip)]
#[command(group(ArgGroup::new("where_from").required(true).multiple(true).args(["public_keys", "keys_region"])))]
pub(crate) struct VerifyDigestsArgs {
    /// Folders or URLs with digests and log files
    #[arg(required = true, value_name = "SOURCE", value_parser = not_empty)]
    pub(crate) sources: Vec<String>,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    /// Log files delivered at or after this time: a date, RFC 3339, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<TimeArg>,

    /// Log files delivered before this time; all of it up to then must be covered by digests
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<TimeArg>,

    /// Write a line of JSON for everything that is found, and a last one with all counts
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}
