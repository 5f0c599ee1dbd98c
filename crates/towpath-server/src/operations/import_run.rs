//! The work of an import, beside the requests that ask about it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;
use towpath::{IngestOptions, Progress};
use tracing::{info, warn};
use uuid::Uuid;

use super::folder::allowed_folder;
use super::import::{ImportState, ImportStatus};
use crate::api::{Api, chain};
use crate::state::Kind;
use crate::wire::ApiError;

/// How often a run says how far it is, and looks whether it is to stop.
const TICK: Duration = Duration::from_secs(1);

/// Checks that imports may read from `uri`.
///
/// # Errors
///
/// `InvalidImportSourceException` for what is neither a bucket nor in a folder that the server was
/// given for imports.
pub(super) fn check_source(api: &Api, uri: &str) -> Result<(), ApiError> {
    if location(api, uri).is_some() {
        return Ok(());
    }
    Err(ApiError::user(
        "InvalidImportSourceException",
        "S3LocationUri must begin with s3:// and the name of a bucket, or with file:// and a folder \
         that the server was started with as an import folder",
    ))
}

/// Where the log files are, as the library names it.
fn location(api: &Api, uri: &str) -> Option<String> {
    if let Some(bucket) = uri.strip_prefix("s3://") {
        return (!bucket.is_empty() && !bucket.starts_with('/')).then(|| uri.to_owned());
    }
    allowed_folder(uri, &api.options.import_folders)
}

/// Starts the run of an import in a task of its own.
pub(super) fn spawn(api: &Arc<Api>, id: String, run: Uuid) {
    let api = Arc::clone(api);
    tokio::spawn(async move {
        if let Err(error) = work(&api, &id, run).await {
            let cause = error.internal.unwrap_or(error.message);
            warn!(import = id, cause, "import is not recorded");
        }
    });
}

/// Takes up the imports that nobody works on any more.
pub(crate) async fn resume_abandoned(api: &Arc<Api>) -> Result<(), ApiError> {
    let imports: Vec<(String, ImportState)> = api.state.all(Kind::Import).await?;
    for (id, state) in imports {
        let (now, run) = (api.now(), Uuid::new_v4());
        if !state.is_abandoned(now) {
            continue;
        }
        let take = |state: &mut ImportState| {
            if state.is_abandoned(now) {
                state.run = run;
                state.updated_at = now;
            }
            Ok(())
        };
        if api.state.change(Kind::Import, &id, take).await?.run == run {
            spawn(api, id, run);
        }
    }
    Ok(())
}

/// Runs the import to its end, or until it is stopped or another run has it.
async fn work(api: &Arc<Api>, id: &str, run: Uuid) -> Result<(), ApiError> {
    let Some(state) = change(api, id, run, |state| state.status = ImportStatus::InProgress).await?
    else {
        return Ok(());
    };
    let progress = Mutex::new(None::<Progress>);
    let ended = tokio::select! {
        ended = ingest(api, &state, &progress) => ended,
        told = tell(api, id, run, &progress) => return told,
    };
    let now = api.now();
    let end = |state: &mut ImportState| match &ended {
        Ok(report) => state.set_report(report, now),
        Err(error) => state.set_error(error.to_string(), now),
    };
    if let Err(error) = &ended {
        warn!(import = id, error = chain(error), "import failed");
    }
    if let Some(state) = change(api, id, run, end).await? {
        info!(import = id, store = %state.store, status = ?state.status, "import ended");
    }
    Ok(())
}

async fn ingest(
    api: &Api,
    state: &ImportState,
    progress: &Mutex<Option<Progress>>,
) -> towpath::Result<towpath::IngestReport> {
    let uri = state.source["S3"]["S3LocationUri"].as_str().unwrap_or_default();
    // What was a source when the import began may not be one any more; then it is not found.
    let source = location(api, uri).unwrap_or_else(|| uri.to_owned());
    let store = api.lake.store(&state.store.to_string()).await?;
    let options = IngestOptions {
        from: state.from,
        // AWS's end is a part of the span, ours is not.
        to: state.to.map(|to| to + TimeDelta::microseconds(1)),
        ..IngestOptions::default()
    };
    let note = |now: &Progress| {
        *progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(*now);
    };
    Box::pin(store.ingest(&[source], &options, &note)).await
}

/// Says how far the run is, until it is to stop.
async fn tell(
    api: &Api,
    id: &str,
    run: Uuid,
    progress: &Mutex<Option<Progress>>,
) -> Result<(), ApiError> {
    loop {
        sleep(TICK).await;
        let now = api.now();
        let seen = *progress.lock().unwrap_or_else(PoisonError::into_inner);
        let note = |state: &mut ImportState| {
            if let Some(progress) = &seen {
                state.set_progress(progress);
            }
            state.updated_at = now;
        };
        if change(api, id, run, note).await?.is_none() {
            return Ok(());
        }
    }
}

/// Changes the import if it is open and `run` still has it.
async fn change(
    api: &Api,
    id: &str,
    run: Uuid,
    mut change: impl FnMut(&mut ImportState),
) -> Result<Option<ImportState>, ApiError> {
    let mut is_ours = false;
    let now = api.now();
    let state = api
        .state
        .change(Kind::Import, id, |state: &mut ImportState| {
            is_ours = state.run == run && state.status.is_open();
            if is_ours {
                change(state);
                state.updated_at = now;
            }
            Ok(())
        })
        .await?;
    Ok(is_ours.then_some(state))
}
