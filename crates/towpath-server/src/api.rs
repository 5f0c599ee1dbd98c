//! [`Api`]: what all operations work on, and [`Call`]: one of them being called.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use towpath::{BatchQuery, Lake, Principal, QueryLimits, Scope, Store, Visible, WorkerOptions};
use tracing::error;
use uuid::Uuid;

use crate::access::AccessKey;
use crate::operations::{deliver_trails, policy_of, refresh_due, resume_abandoned};
use crate::options::ServerOptions;
use crate::policy::{ALLOWED_BY_POLICIES, Asking, Verdict};
use crate::state::State;
use crate::wire::{ApiError, Operation};

/// Pause before queries are run again after the storage did not answer.
const WORKER_PAUSE: Duration = Duration::from_secs(5);

/// How often a server looks for dashboards that are to be refreshed: schedules are of minutes.
const DASHBOARDS_PAUSE: Duration = Duration::from_secs(5);

/// How often a server looks for imports whose server is gone.
const IMPORTS_PAUSE: Duration = Duration::from_secs(20);

/// How often a server looks what its trails have to do, at most and at least.
const TRAILS_PAUSE_SECS: (u64, u64) = (1, 30);

/// What all operations work on.
pub(crate) struct Api {
    /// The lake as requests use it, which are recorded themselves.
    pub(crate) lake: Lake,
    /// The lake as the server uses it on its own account, and with which requests are recorded.
    pub(crate) own_lake: Lake,
    pub(crate) state: State,
    pub(crate) options: ServerOptions,
}

/// Kinds of resources that have an ARN, as ARNs name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    EventDataStore,
    Channel,
    Dashboard,
    Trail,
}

impl ResourceKind {
    const ALL: [ResourceKind; 4] = [
        ResourceKind::EventDataStore,
        ResourceKind::Channel,
        ResourceKind::Dashboard,
        ResourceKind::Trail,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            ResourceKind::EventDataStore => "eventdatastore",
            ResourceKind::Channel => "channel",
            ResourceKind::Dashboard => "dashboard",
            ResourceKind::Trail => "trail",
        }
    }

    /// The kind and the id of the resource of an ARN.
    pub(crate) fn of_arn(arn: &str) -> Option<(ResourceKind, &str)> {
        let kinds = ResourceKind::ALL.iter().filter(|_| arn.starts_with("arn:"));
        kinds.copied().find_map(|kind| Some((kind, id_of(kind, arn)?)))
    }
}

impl Api {
    pub(crate) fn new(lake: &Lake, options: ServerOptions) -> Api {
        let server = Principal::application("towpath serve");
        let own_lake = lake.acting_as(server.in_account(&options.account_id, &options.region));
        Api { state: State::new(lake), lake: lake.recorded_by_caller(), own_lake, options }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.options.now)()
    }

    /// The ARN of a resource of this server's account and Region.
    pub(crate) fn arn(&self, kind: ResourceKind, id: impl fmt::Display) -> String {
        let ServerOptions { region, account_id, .. } = &self.options;
        format!("arn:aws:cloudtrail:{region}:{account_id}:{}/{id}", kind.name())
    }

    /// Starts what the server does by itself until `stopped` says so: it runs queries, goes on with
    /// imports, refreshes dashboards, and delivers what trails take.
    pub(crate) fn start_background(
        api: &Arc<Api>,
        mut stopped: watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let lake = api.own_lake.clone();
        let until_stopped = stopped.clone();
        let mut options = WorkerOptions::default();
        options.concurrent_max = api.options.limits.queries_max.max(1);
        let queries = tokio::spawn(async move {
            while !*stopped.borrow() {
                let mut until = stopped.clone();
                let stop = async move {
                    // An error says that the server is gone, which is a stop too.
                    drop(until.wait_for(|stopped| *stopped).await);
                };
                if let Err(error) = Box::pin(lake.run_queries(&options, stop)).await {
                    error!(error = chain(&error), "queries are not run");
                    drop(timeout(WORKER_PAUSE, stopped.wait_for(|stopped| *stopped)).await);
                }
            }
        });
        let dashboards = tokio::spawn(keep_refreshing(Arc::clone(api), until_stopped.clone()));
        let trails = tokio::spawn(keep_delivering(Arc::clone(api), until_stopped.clone()));
        let (api, mut stopped) = (Arc::clone(api), until_stopped);
        let imports = tokio::spawn(async move {
            loop {
                if let Err(ApiError { message, internal, .. }) = resume_abandoned(&api).await {
                    let cause = internal.unwrap_or(message);
                    error!(cause, "imports are not taken up");
                }
                if timeout(IMPORTS_PAUSE, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
                    break;
                }
            }
        });
        vec![queries, imports, dashboards, trails]
    }
}

/// Delivers what trails take, until `stopped` says so.
async fn keep_delivering(api: Arc<Api>, mut stopped: watch::Receiver<bool>) {
    let (least, most) = TRAILS_PAUSE_SECS;
    let pause = Duration::from_secs(api.options.trails.log_files_secs.clamp(least, most));
    loop {
        if let Err(ApiError { message, internal, .. }) = deliver_trails(&api).await {
            let cause = internal.unwrap_or(message);
            error!(cause, "trails do not deliver");
        }
        if timeout(pause, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            break;
        }
    }
}

/// Refreshes dashboards when it is time, until `stopped` says so.
async fn keep_refreshing(api: Arc<Api>, mut stopped: watch::Receiver<bool>) {
    loop {
        if let Err(ApiError { message, internal, .. }) = refresh_due(&api).await {
            let cause = internal.unwrap_or(message);
            error!(cause, "dashboards are not refreshed");
        }
        if timeout(DASHBOARDS_PAUSE, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            break;
        }
    }
}

impl Api {
    /// What one query may cost.
    pub(crate) fn query_limits(&self) -> QueryLimits {
        QueryLimits { run_secs_max: self.options.limits.query_secs_max, result_rows_max: None }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("options", &self.options).finish_non_exhaustive()
    }
}

/// One operation being called by someone.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) api: Arc<Api>,
    pub(crate) key: Arc<AccessKey>,
    pub(crate) operation: &'static str,
}

impl Call {
    /// Checks that the caller may call the operation on some store at least, or that the policy of
    /// a store could let it.
    pub(crate) fn check_may_call(&self) -> Result<(), ApiError> {
        let is_by_policy = ALLOWED_BY_POLICIES.contains(&self.operation);
        if is_by_policy || self.key.may_call(self.operation) {
            return Ok(());
        }
        Err(self.denied())
    }

    /// Checks that the caller may call the operation whatever it is on.
    pub(crate) fn check_may_call_on_all(&self) -> Result<(), ApiError> {
        if self.key.may_call_on_all(self.operation) { Ok(()) } else { Err(self.denied()) }
    }

    /// Checks that the caller may call the operation on a store, which may be gone.
    pub(crate) async fn check_may_use(&self, id: Uuid) -> Result<(), ApiError> {
        match self.visible(id).await? {
            Some(_) => Ok(()),
            None => Err(self.denied()),
        }
    }

    /// Whether the caller may see all that `query` saw.
    pub(crate) async fn may_see(&self, query: &BatchQuery) -> Result<bool, ApiError> {
        let mut scope = Scope::default();
        for id in &query.stores {
            if let Some(visible) = self.visible(*id).await? {
                scope.set(*id, visible);
            }
        }
        // A query of no store is for whoever has a grant at all.
        let is_known = !query.stores.is_empty() || self.key.may_call(self.operation);
        Ok(is_known && scope.covers(query))
    }

    /// What the caller may see with the operation, of all stores; none: everything.
    pub(crate) async fn scope(&self) -> Result<Option<Scope>, ApiError> {
        let mut scope = Scope::default();
        let mut is_limited = !self.key.may_call_on_all(self.operation);
        let mut sees_some = self.key.may_call(self.operation);
        for store in self.api.lake.stores().await? {
            let visible = self.visible_of(store.id(), &store.name()).await?;
            is_limited |= visible != Some(Visible::All);
            if let Some(visible) = visible {
                sees_some = true;
                scope.set(store.id(), visible);
            }
        }
        if !sees_some {
            return Err(self.denied());
        }
        Ok(is_limited.then_some(scope))
    }

    /// The lake, with queries that see what the caller may see.
    pub(crate) fn lake_within(&self, scope: Option<&Scope>) -> Lake {
        match scope {
            None => self.api.lake.clone(),
            Some(scope) => self.api.lake.within(scope.clone()),
        }
    }

    async fn visible(&self, id: Uuid) -> Result<Option<Visible>, ApiError> {
        let name = match self.api.lake.store(&id.to_string()).await {
            Ok(store) => store.name(),
            // Of a store that is gone, the id is left.
            Err(_) => String::new(),
        };
        self.visible_of(id, &name).await
    }

    /// What the caller may see with the operation of one store, by grants and by its policy.
    async fn visible_of(&self, id: Uuid, name: &str) -> Result<Option<Visible>, ApiError> {
        let id = id.to_string();
        let granted = self.key.visible(self.operation, name, &id);
        let verdict = self.verdict(ResourceKind::EventDataStore, &id).await?;
        Ok(match verdict {
            Verdict::Denied => None,
            Verdict::Allowed if ALLOWED_BY_POLICIES.contains(&self.operation) => Some(Visible::All),
            _ => granted,
        })
    }

    /// What the policy of a resource says of the call.
    pub(crate) async fn verdict(&self, kind: ResourceKind, id: &str) -> Result<Verdict, ApiError> {
        // Whoever may mend a policy must not be locked out by it.
        if self.operation.ends_with("ResourcePolicy") {
            return Ok(Verdict::Silent);
        }
        let Some(policy) = policy_of(&self.api, kind, id).await? else {
            return Ok(Verdict::Silent);
        };
        let service = match self.operation {
            "PutAuditEvents" => "cloudtrail-data",
            _ => "cloudtrail",
        };
        Ok(policy.verdict(Asking {
            account_id: &self.api.options.account_id,
            principal: &self.key.principal,
            action: &format!("{service}:{}", self.operation),
            resource_arn: &self.api.arn(kind, id),
        }))
    }

    /// Whether AWS declares the error `code` for the operation.
    pub(crate) fn declares(&self, code: &str) -> bool {
        Operation::named(self.operation).is_some_and(|operation| operation.declares(code))
    }

    /// Whether the caller may call the operation on `store`.
    pub(crate) async fn may_use(&self, store: &Store) -> Result<bool, ApiError> {
        Ok(self.visible_of(store.id(), &store.name()).await?.is_some())
    }

    /// The store with this ARN or id, if the caller may call the operation on it.
    pub(crate) async fn store(&self, arn_or_id: &str) -> Result<Store, ApiError> {
        let invalid = || {
            ApiError::user(
                "EventDataStoreARNInvalidException",
                "The event data store must be named by its ARN or by the ID at its end.",
            )
        };
        let id = match id_of(ResourceKind::EventDataStore, arn_or_id) {
            Some(id) => Uuid::try_parse(id).map_err(|_| invalid())?,
            None => return Err(invalid()),
        };
        match self.api.lake.store(&id.to_string()).await {
            Ok(store) if self.may_use(&store).await? => Ok(store),
            Ok(_) => Err(self.denied()),
            // Whether a store exists is no business of who may use none of that kind.
            Err(_) if !self.key.may_call_on_all(self.operation) => Err(self.denied()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn denied(&self) -> ApiError {
        let Call { key, operation, .. } = self;
        ApiError::user(
            "AccessDeniedException",
            format!(
                "{} is not authorized to perform: cloudtrail:{operation} on this resource",
                key.principal
            ),
        )
    }
}

/// The id in `text`, which is an ARN of a resource of this `kind` or the id itself.
///
/// Accounts and Regions in ARNs are not compared: what moved here from elsewhere keeps its ARN.
pub(crate) fn id_of(kind: ResourceKind, text: &str) -> Option<&str> {
    let Some(rest) = text.strip_prefix("arn:") else {
        return (!text.contains(['/', ':'])).then_some(text);
    };
    let (_, resource) = rest.split_once(":cloudtrail:")?;
    let (found, id) = resource.rsplit(':').next()?.split_once('/')?;
    (found == kind.name() && !id.is_empty()).then_some(id)
}

impl From<towpath::Error> for ApiError {
    fn from(error: towpath::Error) -> ApiError {
        let Some(code) = error.kind().aws_code() else {
            return ApiError::failure(chain(&error));
        };
        ApiError::user(code, error.to_string())
    }
}

/// `error` and its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).take(CAUSES_MAX);
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Causes told of one error. Chains are a handful long; the limit is against one that loops.
const CAUSES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_named_by_its_arn_or_its_id() {
        let kind = ResourceKind::EventDataStore;
        for (text, id) in [
            ("a1b2", Some("a1b2")),
            ("arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/a1b2", Some("a1b2")),
            ("arn:aws-us-gov:cloudtrail:x:1:eventdatastore/a1b2", Some("a1b2")),
            ("arn:aws:cloudtrail:us-east-1:123456789012:trail/a1b2", None),
            ("arn:aws:s3:us-east-1:123456789012:eventdatastore/a1b2", None),
            ("arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/", None),
            ("trail/a1b2", None),
            ("arn:", None),
        ] {
            assert_eq!(id_of(kind, text), id, "{text}");
        }
    }
}
