//! Imports: `StartImport`, `GetImport`, `ListImports`, `ListImportFailures` and `StopImport`.
//!
//! An import is a document of the lake. The server that began it says every few seconds that it
//! still works on it; one whose server is gone is taken up by the next server that looks.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use towpath::{EventKind, IngestReport, Progress};
use uuid::Uuid;

use super::event_data_store::status as store_status;
use super::import_run::{check_source, spawn};
use super::input::{EpochSeconds, epoch_seconds, read, without_nulls};
use super::page::page;
use crate::api::{Call, ResourceKind, id_of};
use crate::state::Kind;
use crate::wire::ApiError;

/// How long an import is taken for alive after its server last said so.
const CLAIM_SECS: i64 = 60;

/// Failures that are kept of one import.
const FAILURES_MAX: usize = 10_000;

/// Where an import is in its life, under AWS's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ImportStatus {
    #[default]
    Initializing,
    InProgress,
    Failed,
    Stopped,
    Completed,
}

impl ImportStatus {
    pub(super) fn is_open(self) -> bool {
        matches!(self, ImportStatus::Initializing | ImportStatus::InProgress)
    }
}

/// What is kept of an import.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ImportState {
    pub(super) status: ImportStatus,
    pub(super) store: Uuid,
    /// As the request gave it.
    pub(super) source: Value,
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    /// Which run of the import has it: a server that lost it stops.
    pub(super) run: Uuid,
    pub(super) statistics: Statistics,
    pub(super) failures: Vec<Failure>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Statistics {
    prefixes_found: u64,
    prefixes_completed: u64,
    files_completed: u64,
    events_completed: u64,
    failed_entries: u64,
}

/// A log file that was not imported.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure {
    location: String,
    error_type: String,
    message: String,
    at: DateTime<Utc>,
}

impl ImportState {
    /// Notes how far the run is.
    pub(super) fn set_progress(&mut self, progress: &Progress) {
        self.statistics.prefixes_found = 1;
        self.statistics.files_completed = progress.log_files_done;
        self.statistics.events_completed = progress.events_stored;
    }

    /// Notes how the run ended.
    pub(super) fn set_report(&mut self, report: &IngestReport, now: DateTime<Utc>) {
        let files = &report.log_files;
        self.statistics = Statistics {
            prefixes_found: 1,
            prefixes_completed: 1,
            files_completed: files.ingested + files.already_ingested,
            events_completed: report.events.stored,
            failed_entries: files.rejected,
        };
        let failures = report.rejected.iter().take(FAILURES_MAX).map(|rejected| Failure {
            location: rejected.path.clone(),
            error_type: json!(rejected.reason).as_str().unwrap_or("unreadable").to_owned(),
            message: rejected.message.clone(),
            at: now,
        });
        self.failures = failures.collect();
        self.status = match files.rejected {
            0 => ImportStatus::Completed,
            _ => ImportStatus::Failed,
        };
    }

    /// Notes that the run ended before its end.
    pub(super) fn set_error(&mut self, message: String, now: DateTime<Utc>) {
        self.status = ImportStatus::Failed;
        self.statistics.failed_entries += 1;
        let location = self.source["S3"]["S3LocationUri"].as_str().unwrap_or_default().to_owned();
        let error_type = "InternalFailure".to_owned();
        self.failures.push(Failure { location, error_type, message, at: now });
    }

    /// Whether nobody works on it although it has not ended.
    pub(super) fn is_abandoned(&self, now: DateTime<Utc>) -> bool {
        self.status.is_open() && now - self.updated_at > TimeDelta::seconds(CLAIM_SECS)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartInput {
    destinations: Option<Vec<String>>,
    import_source: Option<Value>,
    start_event_time: Option<EpochSeconds>,
    end_event_time: Option<EpochSeconds>,
    import_id: Option<String>,
}

/// `StartImport`: a new import, or one that was stopped or failed once more.
pub(super) async fn start(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: StartInput = read(input)?;
    let (id, state) = match &input.import_id {
        Some(id) => {
            if input.destinations.is_some() || input.import_source.is_some() {
                let text = "ImportId stands alone: a retry is of the same source and destination";
                return Err(ApiError::invalid_parameter(text));
            }
            let before = find(call, id).await?;
            if matches!(before.status, ImportStatus::Completed) {
                let text = "The import is complete; start a new one";
                return Err(ApiError::invalid_parameter(text));
            }
            (id.clone(), before)
        }
        None => (Uuid::new_v4().to_string(), new_import(call, &input).await?),
    };
    check_none_open(call).await?;
    let now = call.api.now();
    let run = Uuid::new_v4();
    let begin = |kept: &mut ImportState| {
        *kept = ImportState {
            status: ImportStatus::Initializing,
            updated_at: now,
            run,
            failures: Vec::new(),
            statistics: Statistics::default(),
            ..state.clone()
        };
        Ok(())
    };
    let state = call.api.state.change(Kind::Import, &id, begin).await?;
    spawn(&call.api, id.clone(), run);
    Ok(description(call, &id, &state, false))
}

async fn new_import(call: &Call, input: &StartInput) -> Result<ImportState, ApiError> {
    let (Some(destinations), Some(source)) = (&input.destinations, &input.import_source) else {
        let text = "Give Destinations and ImportSource, or the ImportId of an import to retry";
        return Err(ApiError::invalid_parameter(text));
    };
    let destination = destinations.first().map(String::as_str).unwrap_or_default();
    let store = call.active_store(destination).await?;
    let state = call.store_state(&store).await?;
    if !matches!(store_status(&store, &state), "ENABLED" | "STOPPED_INGESTION") {
        return Err(ApiError::user(
            "InvalidEventDataStoreStatusException",
            "The event data store is not in a status that supports the operation.",
        ));
    }
    if store.intake()?.kind() != EventKind::CloudTrail {
        return Err(ApiError::user(
            "InvalidEventDataStoreCategoryException",
            "Imports are for event data stores of CloudTrail events.",
        ));
    }
    let uri = source["S3"]["S3LocationUri"].as_str().unwrap_or_default();
    check_source(&call.api, uri)?;
    let [from, to] = [input.start_event_time, input.end_event_time].map(|time| time.map(|t| t.0));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        let text = "StartEventTime must not be after EndEventTime";
        return Err(ApiError::invalid_parameter(text));
    }
    let now = call.api.now();
    let source = source.clone();
    let store = store.id();
    Ok(ImportState { store, source, from, to, created_at: now, ..ImportState::default() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdInput {
    import_id: String,
}

/// `GetImport`.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let IdInput { import_id } = read(input)?;
    let state = find(call, &import_id).await?;
    Ok(description(call, &import_id, &state, true))
}

/// `StopImport`. What is in the store stays there.
pub(super) async fn stop(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let IdInput { import_id } = read(input)?;
    find(call, &import_id).await?;
    let now = call.api.now();
    let stop = |state: &mut ImportState| {
        if !state.status.is_open() {
            let text = "The import has ended; there is nothing to stop";
            return Err(ApiError::invalid_parameter(text));
        }
        state.status = ImportStatus::Stopped;
        state.updated_at = now;
        Ok(())
    };
    let state = call.api.state.change(Kind::Import, &import_id, stop).await?;
    Ok(description(call, &import_id, &state, true))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    max_results: Option<usize>,
    destination: Option<String>,
    import_status: Option<ImportStatus>,
    next_token: Option<String>,
}

/// `ListImports`, the newest first.
pub(super) async fn list(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: ListInput = read(input)?;
    let store = match &input.destination {
        Some(destination) => {
            let id = id_of(ResourceKind::EventDataStore, destination)
                .and_then(|id| Uuid::try_parse(id).ok());
            let text = "Destination must be the ARN or ID of an event data store";
            Some(id.ok_or_else(|| ApiError::user("EventDataStoreARNInvalidException", text))?)
        }
        None => None,
    };
    let mut imports: Vec<(String, ImportState)> = call.api.state.all(Kind::Import).await?;
    imports.retain(|(_, state)| {
        call.key.visible(call.operation, "", &state.store.to_string()).is_some()
            && store.is_none_or(|store| state.store == store)
            && input.import_status.is_none_or(|status| state.status == status)
    });
    let key = |(id, state): &(String, ImportState)| {
        format!("{:020}-{id}", i64::MAX - state.created_at.timestamp_micros())
    };
    imports.sort_by_key(key);
    let parameters = format!("imports {store:?} {:?}", input.import_status);
    let (imports, next) =
        page(imports, key, &parameters, input.next_token.as_deref(), input.max_results)?;
    let imports: Vec<Value> = imports
        .iter()
        .map(|(id, state)| {
            json!({
                "ImportId": id,
                "ImportStatus": state.status,
                "Destinations": [call.api.arn(ResourceKind::EventDataStore, state.store)],
                "CreatedTimestamp": epoch_seconds(state.created_at),
                "UpdatedTimestamp": epoch_seconds(state.updated_at),
            })
        })
        .collect();
    Ok(without_nulls(json!({"Imports": imports, "NextToken": next})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FailuresInput {
    import_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// `ListImportFailures`.
pub(super) async fn list_failures(
    call: &Call,
    input: Map<String, Value>,
) -> Result<Value, ApiError> {
    let input: FailuresInput = read(input)?;
    let state = find(call, &input.import_id).await?;
    let failures: Vec<(usize, Failure)> = state.failures.into_iter().enumerate().collect();
    let key = |failure: &(usize, Failure)| format!("{:08}", failure.0);
    let parameters = format!("failures {}", input.import_id);
    let (failures, next) =
        page(failures, key, &parameters, input.next_token.as_deref(), input.max_results)?;
    let failures: Vec<Value> = failures
        .iter()
        .map(|(_, failure)| {
            json!({
                "Location": failure.location,
                "Status": "FAILED",
                "ErrorType": failure.error_type,
                "ErrorMessage": failure.message,
                "LastUpdatedTime": epoch_seconds(failure.at),
            })
        })
        .collect();
    Ok(without_nulls(json!({"Failures": failures, "NextToken": next})))
}

/// The import, if the caller may call the operation on its store.
async fn find(call: &Call, id: &str) -> Result<ImportState, ApiError> {
    let state: Option<ImportState> = call.api.state.get(Kind::Import, id).await?;
    let state = state.ok_or_else(|| {
        ApiError::user("ImportNotFoundException", "The specified import was not found.")
    })?;
    call.check_may_use(state.store).await?;
    Ok(state)
}

async fn open_imports(call: &Call) -> Result<Vec<ImportState>, ApiError> {
    let imports: Vec<(String, ImportState)> = call.api.state.all(Kind::Import).await?;
    Ok(imports.into_iter().map(|(_, state)| state).filter(|state| state.status.is_open()).collect())
}

async fn check_none_open(call: &Call) -> Result<(), ApiError> {
    if open_imports(call).await?.is_empty() {
        return Ok(());
    }
    let text = "An import is in progress; wait for it or stop it";
    Err(ApiError::user("AccountHasOngoingImportException", text))
}

/// Refuses while an import into the store is in progress.
pub(super) async fn check_no_import(call: &Call, store: Uuid) -> Result<(), ApiError> {
    if open_imports(call).await?.iter().any(|import| import.store == store) {
        let text = "An import into the event data store is in progress";
        return Err(ApiError::user("EventDataStoreHasOngoingImportException", text));
    }
    Ok(())
}

fn description(call: &Call, id: &str, state: &ImportState, has_statistics: bool) -> Value {
    without_nulls(json!({
        "ImportId": id,
        "Destinations": [call.api.arn(ResourceKind::EventDataStore, state.store)],
        "ImportSource": state.source,
        "StartEventTime": state.from.map(epoch_seconds),
        "EndEventTime": state.to.map(epoch_seconds),
        "ImportStatus": state.status,
        "CreatedTimestamp": epoch_seconds(state.created_at),
        "UpdatedTimestamp": epoch_seconds(state.updated_at),
        "ImportStatistics": has_statistics.then_some(state.statistics),
    }))
}
