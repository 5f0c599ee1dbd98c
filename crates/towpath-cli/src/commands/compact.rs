//! `towpath compact`: fewer data files, the same answers.

use anyhow::Result;
use arrow::array::RecordBatch;
use towpath::{CompactionPolicy, CompactionReport};

use super::store::{counts, strings, write_rows};
use super::{open_lake, stores_meant};
use crate::args::{CompactArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Compacts the store that is meant, or all that are not deleted, and prints a row for each.
pub(crate) async fn compact(config: &Config, args: CompactArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let mut done: Vec<(String, CompactionReport)> = Vec::new();
    for store in stores_meant(&lake, args.store.as_deref()).await? {
        let report = store.compact(&CompactionPolicy::THOROUGH).await?;
        if report.is_busy {
            tell(&format!("event data store `{}` is being compacted by another", store.name()));
        }
        done.push((store.name(), report));
    }
    if args.store.is_none() {
        lake.maintain_audit_store().await?;
    }
    let column = |of: fn(&CompactionReport) -> u64| counts(done.iter().map(|(_, one)| of(one)));
    let rows = RecordBatch::try_from_iter([
        ("store", strings(done.iter().map(|(name, _)| name.clone()))),
        ("files_before", column(|report| report.files_before)),
        ("files_after", column(|report| report.files_after)),
        ("events", column(|report| report.rows)),
        ("bytes_before", column(|report| report.bytes_before)),
        ("bytes_after", column(|report| report.bytes_after)),
    ])?;
    let mut stdout = Destination::stdout();
    write_rows(&rows, args.format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
