//! `towpath expire`: gives the space of what has expired back.

use anyhow::Result;
use arrow::array::RecordBatch;
use towpath::Expiry;

use super::store::{counts, strings, write_rows};
use super::{open_lake, stores_meant};
use crate::args::{ExpireArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Expires the store that is meant, or all of them and those that are deleted for long enough, and
/// prints a row for each.
pub(crate) async fn expire(config: &Config, args: ExpireArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let mut done: Vec<(String, Expiry)> = Vec::new();
    for store in stores_meant(&lake, args.store.as_deref()).await? {
        let plan = args.dry_run;
        let expiry = if plan { store.plan_expiry().await? } else { store.expire().await? };
        done.push((store.name(), expiry));
    }
    if args.store.is_none() {
        let (what, removed) = match args.dry_run {
            true => ("would remove", lake.removable_stores().await?),
            false => ("removed", lake.remove_deleted_stores().await?),
        };
        for store in removed {
            tell(&format!("{what} event data store `{}` ({}) for good", store.name, store.id));
        }
        if !args.dry_run {
            lake.maintain_audit_store().await?;
        }
    }
    let mut stdout = Destination::stdout();
    write_rows(&rows(&done)?, args.format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

fn rows(done: &[(String, Expiry)]) -> Result<RecordBatch> {
    let column = |of: fn(&Expiry) -> u64| counts(done.iter().map(|(_, expiry)| of(expiry)));
    Ok(RecordBatch::try_from_iter([
        ("store", strings(done.iter().map(|(name, _)| name.clone()))),
        ("files_dropped", column(|expiry| expiry.dropped.len() as u64)),
        ("events_dropped", column(|expiry| expiry.dropped.iter().map(|file| file.rows).sum())),
        ("bytes_dropped", column(|expiry| expiry.dropped.iter().map(|file| file.size_bytes).sum())),
        ("files_held", column(|expiry| expiry.held)),
        ("files_removed", column(|expiry| expiry.removed.len() as u64)),
        ("bytes_removed", column(|expiry| expiry.removed.iter().map(|file| file.size_bytes).sum())),
    ])?)
}
