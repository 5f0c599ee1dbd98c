//! What follows `towpath verify-digests`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::not_empty;
use crate::time::TimeArg;

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

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyDigestsArgs {
    /// Folders or URLs with digests and log files
    #[arg(required = true, value_name = "SOURCE", value_parser = not_empty)]
    pub(crate) sources: Vec<String>,

    /// JSON of `aws cloudtrail list-public-keys`
    #[arg(long, value_name = "FILE")]
    pub(crate) public_keys: PathBuf,

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
