//! What can be typed after `towpath redact`.

use clap::Args as ClapArgs;

use super::not_empty;
use crate::output::Format;
use crate::time::TimeArg;

pub(super) const HELP: &str = "\
The fields are NULL in every later query and null in eventJson; all else of the events stays, and so
do all other events, which is proved before anything is committed. The store's log records who asked
for it, why, which events they are and the SHA-256 of each before; `towpath verify` shows it. Taking
the same log files in again does not bring the fields back. Events under a legal hold are refused.

The old data files are removed by `towpath expire`, when no query can read them any more and they
are a day old. Results that were kept or delivered before, and the log files that CloudTrail
delivered, stay as they are.

A field is named by its keys from the outside in, a key with a dot in it in double quotes. Case does
not count; of an array, the field of each element is meant. What tells which event it is cannot be
taken out: eventID, eventTime, eventSource, eventName, recipientAccountId, eventCategory.

Examples:
  towpath redact --store org-trail --event-id 7ec7f858-9f3d-4c1e-8d4a-0f6f6cbd3f20 \\
    --field userIdentity.userName --field sourceIPAddress \\
    --reason 'erasure request 2026-114' --by 'J. Doe, privacy' --dry-run
  towpath redact --store org-trail --event-id ID --field 'requestParameters.\"x.y\"' \\
    --reason 'erasure request 2026-115' --by jdoe";

#[derive(Debug, ClapArgs)]
pub(crate) struct RedactArgs {
    /// Name or id of the store
    #[arg(long, value_name = "NAME")]
    pub(crate) store: String,

    /// eventID of an event; may be given several times
    #[arg(long = "event-id", value_name = "ID", required = true, value_parser = not_empty)]
    pub(crate) event_ids: Vec<String>,

    /// A field to take out, such as userIdentity.userName; may be given several times
    #[arg(long = "field", value_name = "PATH", required = true, value_parser = not_empty)]
    pub(crate) fields: Vec<String>,

    /// Why: a case number, a law
    #[arg(long, value_name = "TEXT", value_parser = not_empty)]
    pub(crate) reason: String,

    /// Who asks for it
    #[arg(long, value_name = "WHO", value_parser = not_empty)]
    pub(crate) by: String,

    /// Only events at or after this time, to read fewer data files: a date, RFC 3339, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<TimeArg>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<TimeArg>,

    /// Say what would be done and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// How to print the events that were redacted
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}
