//! What can be typed after `towpath compact`, `expire` and `doctor`.

use clap::Args as ClapArgs;

use crate::output::Format;

pub(super) const COMPACT_HELP: &str = "\
Small data files of one month become larger ones. No answer changes, and queries and ingests go on
meanwhile. The rows written are compared with those read before anything is committed. The old
files are removed by a later `towpath expire`.

Examples:
  towpath compact
  towpath compact --store org-trail";

pub(super) const EXPIRE_HELP: &str = "\
Queries never return an event that is past its store's retention. This gives the space back: data
files that hold nothing else are dropped from the store, and a later run, when no query can read
them any more, removes them. It also removes what killed ingests left behind, the files that were
compacted, and stores deleted more than seven days ago. What is under a legal hold stays.

Examples:
  towpath expire --dry-run
  towpath expire --store org-trail";

pub(super) const DOCTOR_HELP: &str = "\
A store whose newest commits are empty or cut, as a power loss leaves them on some storage, is
refused by every other command. This says what is wrong and what a repair would move aside; with
--repair it is done. Nothing is thrown away.

Exit codes: 0 all stores are whole, 1 one is not and was not repaired.";

#[derive(Debug, ClapArgs)]
pub(crate) struct CompactArgs {
    /// Only this store, by name or id [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) store: Option<String>,

    /// How to print what was done
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExpireArgs {
    /// Only this store, by name or id [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) store: Option<String>,

    /// Say what would be done and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// How to print what was done
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Do what is said, after saying it
    #[arg(long)]
    pub(crate) repair: bool,
}
