//! Log files that were altered or are missing, recorded in the store without their events.

use chrono::{DateTime, Utc};
use towpath_store::{
    APPEND_SOURCES_MAX, Append, DigestMark, EventDataStore, Source as StoredSource,
};

use crate::{
    append::LEASE_WAIT_MAX, checkpoint::Checkpoint, digest::Proofs, error::Result, pipeline::Clock,
};

/// Records `altered` log files and those that `proofs` found missing, as far as `checkpoint` does
/// not have them yet.
///
/// # Errors
///
/// Those of the store.
pub(crate) async fn record(
    store: &EventDataStore,
    checkpoint: &Checkpoint,
    proofs: &Proofs,
    altered: Vec<StoredSource>,
    clock: &Clock,
) -> Result<()> {
    let missing = proofs.missing.named.iter().map(|url| StoredSource {
        key: url.clone(),
        digest: Some(DigestMark::Missing),
        ..StoredSource::default()
    });
    let mut new: Vec<StoredSource> = altered.into_iter().chain(missing).collect();
    new.retain(|source| checkpoint.mark(&source.key, source.size) != source.digest);
    for sources in new.chunks(APPEND_SOURCES_MAX) {
        let now: DateTime<Utc> = clock();
        let writer = Box::pin(store.writer(now, LEASE_WAIT_MAX)).await?;
        let append = Append { data_files: Vec::new(), sources: sources.to_vec() };
        Box::pin(writer.commit(append, clock())).await?;
    }
    Ok(())
}
