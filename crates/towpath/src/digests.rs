//! [`verify_digests`]: whether a trail's log files are as CloudTrail signed them.

use std::collections::HashMap;

use towpath_ingest::{DigestEvent, DigestOptions, DigestReport};
use towpath_store::Location;

use crate::error::Result;

/// Checks the digests in `sources`, folders or buckets of CloudTrail's layout, and the log files
/// that they name; finds the hours without a valid digest, and the log files that none names.
///
/// It needs no lake. `storage_options` are those of [`LakeOptions`](crate::LakeOptions). `tell` is
/// called for everything that is found, in the order of the check.
///
/// # Errors
///
/// A source that is not there or cannot be read. What is wrong with a log file is no error.
pub async fn verify_digests<S: AsRef<str> + Sync>(
    sources: &[S],
    storage_options: &HashMap<String, String>,
    options: &DigestOptions,
    tell: &(dyn Fn(&DigestEvent) + Sync),
) -> Result<DigestReport> {
    let locations = sources
        .iter()
        .map(|source| Location::parse(source.as_ref(), storage_options))
        .collect::<std::result::Result<Vec<Location>, _>>()?;
    Ok(towpath_ingest::verify_digests(&locations, options, tell).await?)
}
