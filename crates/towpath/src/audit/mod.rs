//! A lake's own audit trail: who did what to it, and who asked what of it.
//!
//! Every operation is an event, shaped as CloudTrail's own, in an event data store of the lake,
//! [`AUDIT_STORE`], which is queried like any other. Nobody appends to it, changes it or deletes it
//! by the operations of the library.
//!
//! ```text
//! <lake>/audit/begun/<time>-<event id>.json.gz      a change that has begun: outcome unknown
//! <lake>/audit/pending/<time>-<event id>.json.gz    a record: a log file with one event
//! <lake>/audit/damaged/                             what lay in `pending` and is no record
//! <lake>/audit/setting.json                         whether there is a trail
//! ```
//!
//! A **change** is recorded before it begins and again when it has ended; the second record takes
//! the place of the first, under the same event id. So there is no change without a record: one
//! whose process was killed is found, after an hour, with the error code `OutcomeUnknown`. A
//! **query** is recorded once, when it is planned or refused and while it runs; no row is handed out
//! before. Its statement and the values of its parameters are recorded, its rows are not. Of a batch
//! query, the record is of who submitted it, and another of who reads the first page of its result.
//!
//! What lies in `pending` is ingested into the store when that is looked at, and by maintenance:
//! many records at once, each event once, and removed after the commit. Compaction is not recorded,
//! because it changes no answer; nor is what only lists or describes.

mod collect;
mod event;
mod principal;
mod setting;

pub use self::event::{AuditEvent, AuditOutcome};
pub use self::principal::Principal;
pub use self::setting::AuditMode;

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use towpath_sql::ParameterValues;
use towpath_store::Documents;
use tracing::warn;
use uuid::Uuid;

use self::setting::Setting;
use crate::error::{Error, Result};
use crate::lake::{Lake, LakeOptions};
use crate::parameters::KeptParameters;

/// The name of the store that an audit trail is kept in. No other store may have it.
pub const AUDIT_STORE: &str = "towpath-audit";

/// The id of that store, the same in every lake.
const AUDIT_STORE_ID: Uuid = Uuid::from_u128(0x746f_7770_6174_482d_a061_7564_6974_0001);

/// The folder of the lake that all of it is in.
const FOLDER: &str = "audit";

const BEGUN: &str = "begun";
const PENDING: &str = "pending";
const DAMAGED: &str = "damaged";

/// Whether `name`, a name, id or ARN, means the store of the audit trail.
pub(crate) fn is_audit_store(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.eq_ignore_ascii_case(AUDIT_STORE)
        || Uuid::try_parse(last).is_ok_and(|id| id == AUDIT_STORE_ID)
}

/// Refuses what nobody may do to the store of the audit trail.
pub(crate) fn check_not_audit(id: Uuid) -> Result<()> {
    if id == AUDIT_STORE_ID { Err(Error::AuditStore) } else { Ok(()) }
}

/// Refuses the name and the id of the audit trail's store for another one.
pub(crate) fn check_not_reserved(name: &str, id: Option<Uuid>) -> Result<()> {
    if name.eq_ignore_ascii_case(AUDIT_STORE) || id == Some(AUDIT_STORE_ID) {
        return Err(Error::AuditStore);
    }
    Ok(())
}

/// What writes the records of a lake, in the name of somebody.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    documents: Documents,
    options: Arc<LakeOptions>,
    principal: Arc<Principal>,
    /// Whether whoever calls the library records what they do themselves.
    is_by_caller: bool,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    setting: Setting,
    has_warned: AtomicBool,
}

/// A change that was recorded as begun.
#[derive(Debug)]
#[must_use = "a change that has begun must be recorded as ended"]
pub struct BegunChange {
    audit: Audit,
    /// None: nothing is recorded.
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    event: AuditEvent,
    id: Uuid,
    at: DateTime<Utc>,
}

impl Begun {
    fn new(event: AuditEvent, at: DateTime<Utc>) -> Begun {
        Begun { event, id: Uuid::new_v4(), at }
    }

    /// The name of its file: times in order, and no two alike.
    fn file(&self, folder: &str) -> String {
        format!("{folder}/{}-{}.json.gz", self.at.format("%Y%m%dT%H%M%S%3fZ"), self.id)
    }
}

impl Audit {
    pub(crate) fn new(documents: Documents, options: &Arc<LakeOptions>) -> Audit {
        Audit {
            documents,
            principal: Arc::new(options.principal.clone()),
            options: Arc::clone(options),
            is_by_caller: false,
            shared: Arc::default(),
        }
    }

    /// The folder of the audit trail, from the root of a lake.
    pub(crate) fn folder() -> &'static str {
        FOLDER
    }

    /// The ARN of a store, as events name it.
    pub(crate) fn arn(&self, store: Uuid) -> String {
        event::store_arn(store, &self.principal)
    }

    /// Does `work`, which is a change, and records it before and after. `told` says of what it
    /// gave what is recorded, as the response. Its type is forgotten: callers of many operations
    /// would carry along what each of them holds.
    pub(crate) async fn change<T>(
        &self,
        event: AuditEvent,
        work: BoxFuture<'_, Result<T>>,
        told: impl FnOnce(&T) -> Value,
    ) -> Result<T> {
        let begun = self.begin(event, false).await?;
        let result = work.await;
        begun.end(&outcome(&result, told)).await;
        result
    }

    pub(crate) async fn begin(&self, event: AuditEvent, always: bool) -> Result<BegunChange> {
        let (audit, now) = (self.clone(), (self.options.now)());
        if self.is_by_caller || (!always && self.mode().await == AuditMode::Off) {
            return Ok(BegunChange { audit, begun: None });
        }
        let begun = Begun::new(event, now);
        let text = "the operation has begun, and nothing says how it ended";
        let unknown = Err(("OutcomeUnknown".to_owned(), text.to_owned()));
        self.write(&begun, BEGUN, &unknown).await.map_err(not_recorded)?;
        Ok(BegunChange { audit, begun: Some(begun) })
    }

    /// Records what changes nothing, once it is known how it went. If that fails and the lake does
    /// not insist, a warning is logged.
    pub(crate) async fn record(&self, event: AuditEvent, outcome: &AuditOutcome) -> Result<()> {
        if self.is_by_caller {
            return Ok(());
        }
        let begun = Begun::new(event, (self.options.now)());
        let mode = self.mode().await;
        if mode == AuditMode::Off {
            return Ok(());
        }
        match self.write(&begun, PENDING, outcome).await {
            Err(error) if mode == AuditMode::Required => Err(not_recorded(error)),
            Err(error) => {
                // A lake that can only be read says so once, not with every query.
                if !self.shared.has_warned.swap(true, Ordering::Relaxed) {
                    warn!(error = &error as &dyn StdError, "queries are not recorded");
                }
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn write(&self, begun: &Begun, folder: &str, outcome: &AuditOutcome) -> Result<()> {
        let content = begun.event.log_file(begun.id, begun.at, &self.principal, outcome)?;
        self.documents.create(&begun.file(folder), content).await?;
        Ok(())
    }

    async fn mode(&self) -> AuditMode {
        self.shared.setting.mode(&self.documents).await
    }
}

impl BegunChange {
    /// Records how the change ended. If that cannot be recorded, the record that it has begun stays.
    pub async fn end(self, outcome: &AuditOutcome) {
        let BegunChange { audit, begun } = self;
        let Some(begun) = begun else { return };
        let ended = async {
            audit.write(&begun, PENDING, outcome).await?;
            Ok::<_, Error>(audit.documents.remove(&begun.file(BEGUN)).await?)
        };
        if let Err(error) = ended.await {
            warn!(error = &error as &dyn StdError, "the outcome of a change is not recorded");
        }
    }
}

/// What is recorded of an error.
pub(crate) fn refusal(error: &Error) -> AuditOutcome {
    Err((error.kind().code(), error.to_string()))
}

/// A statement and the values of its parameters, as the parameters of a request.
pub(crate) fn statement_parameters(statement: &str, values: &ParameterValues) -> Result<Value> {
    let mut request = json!({"queryStatement": statement});
    let kept = KeptParameters::keep(values)?;
    if !kept.is_empty() {
        request["queryParameters"] = serde_json::to_value(kept).unwrap_or_default();
    }
    Ok(request)
}

/// What is recorded of a result.
fn outcome<T>(result: &Result<T>, told: impl FnOnce(&T) -> Value) -> AuditOutcome {
    match result {
        Ok(value) => Ok(told(value)),
        Err(error) => refusal(error),
    }
}

fn not_recorded(error: Error) -> Error {
    Error::NotRecorded(Box::new(error))
}

impl Lake {
    /// The same lake, used by `principal`: the audit trail names them for what is done with it.
    #[must_use]
    pub fn acting_as(&self, principal: Principal) -> Lake {
        let audit = Audit { principal: Arc::new(principal), ..self.audit().clone() };
        self.with_audit(audit)
    }

    /// The same lake for a caller who records what is done with it, by [`Lake::begin_change`] and
    /// [`Lake::record`] of another: a server, whose requests are what an auditor asks about.
    #[must_use]
    pub fn recorded_by_caller(&self) -> Lake {
        self.with_audit(Audit { is_by_caller: true, ..self.audit().clone() })
    }

    /// Records that a change begins, before it does. [`BegunChange::end`] records how it ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) if it cannot be recorded; then it must not
    /// be begun.
    pub async fn begin_change(&self, event: AuditEvent) -> Result<BegunChange> {
        self.audit().begin(event, false).await
    }

    /// Records an operation that changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) if it cannot be recorded and the mode is
    /// [`AuditMode::Required`]; then its result must not be handed out.
    pub async fn record(&self, event: AuditEvent, outcome: &AuditOutcome) -> Result<()> {
        self.audit().record(event, outcome).await
    }

    /// What the lake does about its audit trail.
    pub async fn audit_mode(&self) -> AuditMode {
        self.audit().mode().await
    }

    /// Changes what the lake does about its audit trail. This is recorded, whatever the mode.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn set_audit_mode(&self, mode: AuditMode) -> Result<()> {
        let audit = self.audit();
        let event = AuditEvent::new("UpdateAuditMode")
            .of_towpath()
            .with_request(json!({"mode": mode, "modeBefore": audit.mode().await}));
        let begun = audit.begin(event, true).await?;
        let result = audit.shared.setting.set(&audit.documents, mode).await;
        begun.end(&outcome(&result, |()| Value::Null)).await;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_meant_by_name_id_and_arn() {
        for name in [
            "towpath-audit",
            "Towpath-Audit",
            &AUDIT_STORE_ID.to_string(),
            &format!("arn:aws:cloudtrail:eu-west-1:123456789012:eventdatastore/{AUDIT_STORE_ID}"),
        ] {
            assert!(is_audit_store(name), "{name}");
        }
        assert!(!is_audit_store("towpath-audit2") && !is_audit_store(""));
        assert!(check_not_reserved("TOWPATH-AUDIT", None).is_err());
        assert!(check_not_reserved("trail", Some(AUDIT_STORE_ID)).is_err());
    }
}
