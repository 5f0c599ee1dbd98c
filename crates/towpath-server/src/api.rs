//! [`Api`]: what all operations work on, and [`Call`]: one of them being called.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use towpath::{ErrorKind, Lake, QueryLimits, Store, WorkerOptions};
use tracing::error;
use uuid::Uuid;

use crate::access::AccessKey;
use crate::operations::resume_abandoned;
use crate::options::ServerOptions;
use crate::state::State;
use crate::wire::{ApiError, Operation};

/// Pause before queries are run again after the storage did not answer.
const WORKER_PAUSE: Duration = Duration::from_secs(5);

/// How often a server looks for imports whose server is gone.
const IMPORTS_PAUSE: Duration = Duration::from_secs(20);

/// What all operations work on.
pub(crate) struct Api {
    pub(crate) lake: Lake,
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
    pub(crate) fn new(lake: Lake, options: ServerOptions) -> Api {
        Api { state: State::new(&lake), lake, options }
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

    /// Starts what the server does by itself until `stopped` says so: it runs queries and
    /// goes on with imports.
    pub(crate) fn start_background(
        api: &Arc<Api>,
        mut stopped: watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let lake = api.lake.clone();
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
        vec![queries, imports]
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
    /// Checks that the caller may call the operation on some store at least.
    pub(crate) fn check_may_call(&self) -> Result<(), ApiError> {
        if self.key.may_call(self.operation) { Ok(()) } else { Err(self.denied()) }
    }

    /// Checks that the caller may call the operation whatever it is on.
    pub(crate) fn check_may_call_on_all(&self) -> Result<(), ApiError> {
        if self.key.may_call_on_all(self.operation) { Ok(()) } else { Err(self.denied()) }
    }

    /// Checks that the caller may call the operation on each store of `ids`.
    pub(crate) async fn check_may_use(&self, ids: &[Uuid]) -> Result<(), ApiError> {
        if self.key.may_call_on_all(self.operation) {
            return Ok(());
        }
        for id in ids {
            self.store(&id.to_string()).await?;
        }
        Ok(())
    }

    /// Whether AWS declares the error `code` for the operation.
    pub(crate) fn declares(&self, code: &str) -> bool {
        Operation::named(self.operation).is_some_and(|operation| operation.declares(code))
    }

    /// Whether the caller may call the operation on `store`.
    pub(crate) fn may_use(&self, store: &Store) -> bool {
        self.key.may_call_on(self.operation, &store.name(), &store.id().to_string())
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
            Ok(store) if self.may_use(&store) => Ok(store),
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
    /// The one place where kinds of errors become AWS's codes.
    fn from(error: towpath::Error) -> ApiError {
        let code = match error.kind() {
            ErrorKind::InvalidStatement | ErrorKind::LimitExceeded => {
                "InvalidQueryStatementException"
            }
            ErrorKind::Evaluation | ErrorKind::InvalidArgument => "InvalidParameterException",
            ErrorKind::StoreNotFound => "EventDataStoreNotFoundException",
            ErrorKind::StoreExists => "EventDataStoreAlreadyExistsException",
            ErrorKind::StoreInactive => "InactiveEventDataStoreException",
            ErrorKind::TerminationProtected => "EventDataStoreTerminationProtectedException",
            ErrorKind::NotRestorable => "InvalidEventDataStoreStatusException",
            ErrorKind::OnHold | ErrorKind::Conflict => "ConflictException",
            ErrorKind::QueryNotFound => "QueryIdNotFoundException",
            ErrorKind::QueryEnded => "InactiveQueryException",
            ErrorKind::QueueFull => "MaxConcurrentQueriesException",
            ErrorKind::InvalidPageToken => "InvalidNextTokenException",
            _ => return ApiError::failure(chain(&error)),
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
