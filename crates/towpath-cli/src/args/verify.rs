//! What can be typed after `towpath verify`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

pub(super) const HELP: &str = "\
Reads every commit of the store and compares it with what later ones say of it, and every data file
with the size and SHA-256 that was committed. Found are altered, missing, exchanged and added files,
data files that another program took out, and files removed before their time. Compaction, expiry,
redaction and appends by other programs are in order. Nothing is changed, and the store can be used
meanwhile.

With --checkpoint, a sound store is signed with the lake's key: a small file that says what the
store is now. Keep it where those who can write to the lake cannot, and give it back with --anchor:
only so can be seen that the newest commits were taken away, or that somebody with the storage and
the key made all of it anew. `ingest --watch` and `serve` sign once a day by themselves, into the
store.

Examples:
  towpath verify --store org-trail
  towpath verify --store org-trail --checkpoint 2026-11-22.json
  towpath verify --store org-trail --anchor 2026-11-22.json --format json
  towpath verify --store org-trail --since 2026-11-22.json     only what came after it
  towpath verify --store org-trail --sample 1                  one data file of a hundred

Exit codes: 0 the store is sound, 1 it is not, or could not be looked at.";

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// Name or id of the store, which need not be possible to open
    #[arg(long, value_name = "NAME")]
    pub(crate) store: String,

    /// Read only so many of a hundred data files, others each time
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) sample: Option<f64>,

    /// Go on from this signed checkpoint: read only what came after it
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Option<PathBuf>,

    /// Compare with this signed checkpoint; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Vec<PathBuf>,

    /// If the store is sound, write a signed checkpoint of it to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}

fn percent(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent),
        _ => Err("it must be a number above 0 and at most 100"),
    }
}
