//! Whether a lake keeps an audit trail: a small document of the lake, read again now and then.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use towpath_store::Documents;

use crate::error::Result;
use crate::saved_query::{decode, encode};

/// The document.
const NAME: &str = "setting.json";

/// For how long what was read counts. On an object store, reading it is a request.
const AGE_MAX: Duration = Duration::from_secs(10);

/// What a lake does about its audit trail. A change is known to other processes within 10 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum AuditMode {
    /// Everything is recorded. A query whose record cannot be written is answered all the same, with
    /// a warning in the log; a change that cannot be recorded is not begun.
    #[default]
    On,
    /// Everything is recorded, and what cannot be recorded is not done: a query gives no row.
    Required,
    /// Nothing is recorded but the change of this mode.
    Off,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingDocument {
    mode: AuditMode,
}

/// The mode of a lake, as it was read last.
#[derive(Debug, Default)]
pub(super) struct Setting {
    read: Mutex<Option<(Instant, AuditMode)>>,
}

impl Setting {
    /// The mode. What cannot be read is taken for [`AuditMode::Required`]: nobody turns the trail
    /// off by damaging a file.
    pub(super) async fn mode(&self, documents: &Documents) -> AuditMode {
        // Nothing in there can panic half-way.
        let known = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, mode)) = known.filter(|(at, _)| at.elapsed() < AGE_MAX) {
            return mode;
        }
        let mode = read(documents).await.unwrap_or(AuditMode::Required);
        self.keep(mode);
        mode
    }

    pub(super) async fn set(&self, documents: &Documents, mode: AuditMode) -> Result<()> {
        documents.write(NAME, encode(&SettingDocument { mode })?).await?;
        self.keep(mode);
        Ok(())
    }

    fn keep(&self, mode: AuditMode) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read = Some((Instant::now(), mode));
    }
}

async fn read(documents: &Documents) -> Result<AuditMode> {
    let Some(found) = documents.read(NAME).await? else { return Ok(AuditMode::default()) };
    let SettingDocument { mode } = decode("setting of the audit trail", NAME, &found.content)?;
    Ok(mode)
}
