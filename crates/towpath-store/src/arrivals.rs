//! What arrived in a store between two of its versions.

use deltalake::kernel::Add;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use serde::Deserialize;

use crate::data_file::{DataFile, data_file};
use crate::error::{Error, Result};
use crate::layout;
use crate::snapshot::Snapshot;
use crate::store::EventDataStore;

/// Commits read at the same time, as for the index of log files.
const COMMITS_IN_FLIGHT_MAX: usize = 16;

#[derive(Deserialize)]
struct Line {
    add: Option<Add>,
}

impl EventDataStore {
    /// The data files that were appended after version `after` (from the first on, if `None`) up to
    /// and with version `through`, under the settings of now.
    ///
    /// Time has two sides here: an event belongs to a span because of when it was appended, however
    /// old it is. A compaction appends nothing, so it is passed over. The data files that it put
    /// together are named as they were, and can be read until they are removed.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if a commit is missing or cannot be read; those of
    /// [`EventDataStore::snapshot`].
    pub async fn appended(&self, after: Option<u64>, through: u64) -> Result<Snapshot> {
        let snapshot = self.snapshot().await?;
        let first = after.map_or(0, |after| after.saturating_add(1));
        let appended: Vec<Vec<DataFile>> = stream::iter(first..=through)
            .map(|version| Box::pin(self.appended_by(version)))
            .buffered(COMMITS_IN_FLIGHT_MAX)
            .try_collect()
            .await?;
        Ok(snapshot.with_data_files(appended.into_iter().flatten().collect()))
    }

    pub(crate) async fn appended_by(&self, version: u64) -> Result<Vec<DataFile>> {
        let path = layout::commit(self.id(), version);
        let damaged = |reason: String| Error::Damaged { path: path.clone(), reason };
        let text = self.files().read(&path).await?;
        let text = text.ok_or_else(|| damaged("the commit is missing".into()))?;
        let root = self.files().full_path(&layout::store(self.id()));
        let mut appended = Vec::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let line: Line =
                serde_json::from_slice(line).map_err(|err| damaged(err.to_string()))?;
            let Some(add) = line.add.filter(|add| add.data_change) else { continue };
            let within = Path::from_url_path(&add.path).map_err(|err| damaged(err.to_string()))?;
            let path: Path = root.parts().chain(within.parts()).collect();
            appended.push(data_file(path, &add).map_err(damaged)?);
        }
        Ok(appended)
    }
}
