//! Who has yet to read what arrived in a store, so that it is not removed before.
//!
//! A schedule, and a batch query that one has submitted, reads the data files as they were appended.
//! Where those were compacted in the meantime, they must stay until it has read them.

use std::error::Error as StdError;

use towpath_store::Catalog;
use tracing::warn;
use uuid::Uuid;

use crate::batch_query::QueryArchive;
use crate::error::{Error, Result};
use crate::schedule;

/// The version of the store up to which all who read its arrivals have read them; none if nobody
/// does. A schedule or a query that cannot be read keeps nothing: it will not read anything either.
///
/// # Errors
///
/// Storage errors.
pub(crate) async fn seen_by_all(catalog: &Catalog, store: Uuid) -> Result<Option<u64>> {
    let mut seen = schedule::seen_by_all(catalog, store).await?;
    let archive = QueryArchive::new(catalog);
    for id in archive.open().await? {
        let record = match archive.find(id).await {
            Ok(record) => record,
            Err(error @ Error::DamagedQuery { .. }) => {
                warn!(query_id = %id, error = &error as &dyn StdError, "batch query not read");
                continue;
            }
            Err(error) => return Err(error),
        };
        let span = record
            .and_then(|record| record.arrivals)
            .and_then(|arrivals| arrivals.stores.get(&store).copied());
        if let Some(span) = span {
            seen = least(seen, span.after.unwrap_or(0));
        }
    }
    Ok(seen)
}

/// The lesser of what was seen so far and `other`.
pub(crate) fn least(seen: Option<u64>, other: u64) -> Option<u64> {
    Some(seen.map_or(other, |seen| seen.min(other)))
}
