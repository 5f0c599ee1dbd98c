//! [`Lake`]: all event data stores under one root, and the engine that queries them.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::execute_stream;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use towpath_ingest::Intake;
use towpath_sql::{
    ExplainKind, ExtraRules, Interrupt, ParameterValues, RelationError, RelationName, Relations,
    Statement, physical_plan, session_state,
};
use towpath_store::{Catalog, Documents, Location, RemovedStore, RepairPlan};
use uuid::Uuid;

use crate::arrivals::{Arrivals, ArrivedIn, CommitSpan};
use crate::audit::{
    Audit, AuditEvent, Principal, check_not_audit, check_not_reserved, is_audit_store, refusal,
    statement_parameters,
};
use crate::error::{Error, Result};
use crate::explain::{self, Explained, PlanFormat, explain, explain_analyze};
use crate::extremes::ExtremesOfStoredTime;
use crate::limits::QueryLimits;
use crate::rows::{Rows, Started};
use crate::scope::{Scope, Visible};
use crate::statistics::{Measured, ScanLog};
use crate::store::{CHANGE_WAIT_MAX, NewStore, Store};
use crate::summaries::CountFromSummaries;
use crate::table::event_table;
use crate::yielding::cooperative;

/// The name under which the engine knows the lake's object store. Each lake has a runtime of its
/// own, so that several lakes in one process do not meet.
const OBJECT_STORE_URL: &str = "lake://data";

/// Most bytes that the footers and page indexes of data files may take in memory.
///
/// Those of 4,000 daily files, about 60 KiB each, fit.
const FOOTER_CACHE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How a lake is opened and what its engine may use.
#[derive(Clone)]
pub struct LakeOptions {
    /// What time it is, for retention and for `now()`. `chrono::Utc::now`, or a clock of a test.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,

    /// Options of the object stores, of the lake's and of the sources', under `object_store`'s own
    /// keys (`aws_endpoint`, `aws_access_key_id`, …). Nothing is read from the environment.
    pub storage_options: HashMap<String, String>,

    /// Most bytes that all running queries of this lake may hold together before they spill.
    pub memory_bytes_max: usize,

    /// Most bytes that running queries may spill to disk.
    pub spill_bytes_max: u64,

    /// Where queries spill to. `None`: the system's folder for temporary files.
    pub spill_dir: Option<PathBuf>,

    /// What private signing keys are sealed with. A lake in a bucket keeps none without it.
    pub key_passphrase: Option<String>,

    /// How many threads' worth of work one query is split into.
    pub threads: NonZeroUsize,

    /// Who uses the lake, as its audit trail names them.
    pub principal: Principal,
}

impl LakeOptions {
    /// Options for one user on one machine: a gigabyte of memory, 16 of spill, all its threads, no
    /// storage options, in the name of an application that has none. A service sets its own.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> LakeOptions {
        LakeOptions {
            now: Arc::new(now),
            storage_options: HashMap::new(),
            memory_bytes_max: 1 << 30,
            spill_bytes_max: 16 << 30,
            spill_dir: None,
            key_passphrase: None,
            threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            principal: Principal::application("unnamed"),
        }
    }
}

impl fmt::Debug for LakeOptions {
    /// Names the storage options and leaves their values out: some are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut storage_options: Vec<&String> = self.storage_options.keys().collect();
        storage_options.sort();
        f.debug_struct("LakeOptions")
            .field("storage_options", &storage_options)
            .field("memory_bytes_max", &self.memory_bytes_max)
            .field("spill_bytes_max", &self.spill_bytes_max)
            .field("spill_dir", &self.spill_dir)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// All event data stores under one root URL. Cheap to clone; clones share the engine.
#[derive(Clone, Debug)]
pub struct Lake {
    catalog: Catalog,
    options: Arc<LakeOptions>,
    audit: Audit,
    runtime: Arc<RuntimeEnv>,
    object_store_url: ObjectStoreUrl,
    /// Wakes the workers of this process when a batch query is submitted in it.
    query_wake: Arc<Notify>,
    /// What queries see; none: everything.
    pub(crate) scope: Option<Arc<Scope>>,
}

impl Lake {
    /// Opens the lake at `url`: a folder, or `s3://`, `gs://`, `az://` and a prefix.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotALake`](crate::ErrorKind::NotALake) if nothing there says that it is one,
    /// or a storage error.
    pub async fn open(url: &str, options: LakeOptions) -> Result<Lake> {
        let location = Location::parse(url, &options.storage_options)?;
        let catalog = Catalog::open(location.clone()).await?;
        Lake::new(catalog, &location, options)
    }

    /// Opens the lake at `url`, or makes one where there is nothing yet.
    ///
    /// # Errors
    ///
    /// As [`Lake::open`]; a folder that holds other things is not made into a lake.
    pub async fn open_or_create(url: &str, options: LakeOptions) -> Result<Lake> {
        let location = Location::parse(url, &options.storage_options)?;
        let catalog = Catalog::create(location.clone(), (options.now)()).await?;
        Lake::new(catalog, &location, options)
    }

    fn new(catalog: Catalog, location: &Location, options: LakeOptions) -> Result<Lake> {
        let mut disk =
            DiskManagerBuilder::default().with_max_temp_directory_size(options.spill_bytes_max);
        if let Some(dir) = &options.spill_dir {
            disk.set_mode(DiskManagerMode::Directories(vec![dir.clone()]));
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_bytes_max)))
            .with_disk_manager_builder(disk)
            .with_metadata_cache_limit(FOOTER_CACHE_BYTES_MAX)
            .build_arc()?;
        let object_store_url = ObjectStoreUrl::parse(OBJECT_STORE_URL)?;
        runtime.register_object_store(object_store_url.as_ref(), Arc::clone(location.store()));
        let query_wake = Arc::default();
        let options = Arc::new(options);
        let audit = Audit::new(catalog.documents(Audit::folder()), &options);
        let scope = None;
        Ok(Lake { catalog, options, audit, runtime, object_store_url, query_wake, scope })
    }

    /// Creates an event data store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreExists`](crate::ErrorKind::StoreExists) if the lake has a store of that
    /// name, whatever its case, or id; [`ErrorKind::InvalidArgument`](crate::ErrorKind) for a name
    /// that no store may have.
    pub async fn create_store(&self, new: NewStore) -> Result<Store> {
        let mut event = AuditEvent::new("CreateEventDataStore").with_request(new.parameters());
        if let Some(id) = new.id {
            event = event.about(id);
        }
        let created = |store: &Store| json!({"eventDataStoreArn": self.audit.arn(store.id())});
        self.audit.change(event, Box::pin(self.create_store_unrecorded(new)), created).await
    }

    async fn create_store_unrecorded(&self, new: NewStore) -> Result<Store> {
        let now = (self.options.now)();
        let NewStore { name, id, retention, termination_protection, intake } = new;
        check_not_reserved(&name, id)?;
        let attributes = intake.attributes().into_iter();
        let new = towpath_store::NewStore {
            name,
            id,
            retention,
            schema: intake.kind().data_file_schema(),
            attributes: attributes.filter_map(|(name, value)| Some((name, value?))).collect(),
            termination_protection,
        };
        Ok(self.as_store(self.catalog.create_store(new, now).await?))
    }

    /// All stores, by name, but for that of the audit trail, [`AUDIT_STORE`](crate::AUDIT_STORE).
    ///
    /// # Errors
    ///
    /// Storage errors, and the error of any store that cannot be opened.
    pub async fn stores(&self) -> Result<Vec<Store>> {
        let stores = self.catalog.stores().await?;
        let made = stores.into_iter().filter(|store| check_not_audit(store.id()).is_ok());
        Ok(made.map(|store| self.as_store(store)).collect())
    }

    /// The store with this name, id or ARN.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreNotFound`](crate::ErrorKind::StoreNotFound), with the nearest name as its
    /// [hint](Error::hint).
    pub async fn store(&self, name_or_id: &str) -> Result<Store> {
        if is_audit_store(name_or_id) {
            return self.audit_store().await;
        }
        Ok(self.as_store(self.catalog.store(name_or_id).await?))
    }

    /// The deleted stores that [`Lake::remove_deleted_stores`] would remove now.
    ///
    /// # Errors
    ///
    /// As [`Lake::stores`].
    pub async fn removable_stores(&self) -> Result<Vec<RemovedStore>> {
        Ok(self.catalog.removable((self.options.now)()).await?)
    }

    /// Removes for good the deleted stores that can no longer be restored and are not on hold.
    ///
    /// # Errors
    ///
    /// As [`Lake::stores`].
    pub async fn remove_deleted_stores(&self) -> Result<Vec<RemovedStore>> {
        let remove =
            async { Ok(self.catalog.remove_deleted((self.options.now)(), CHANGE_WAIT_MAX).await?) };
        let removable = self.removable_stores().await?;
        if removable.is_empty() {
            return remove.await;
        }
        let names: Vec<&str> = removable.iter().map(|store| store.name.as_str()).collect();
        let event = AuditEvent::new("RemoveEventDataStores").of_towpath();
        let event = event.with_request(json!({"names": names}));
        let event = removable.iter().fold(event, |event, store| event.about(store.id));
        self.audit
            .change(event, Box::pin(remove), |removed| json!({"removed": removed.len()}))
            .await
    }

    /// What a repair of each store would do, also of those that cannot be opened. Changes nothing.
    ///
    /// # Errors
    ///
    /// A store that is damaged beyond what a power loss explains; storage errors.
    pub async fn repair_plans(&self) -> Result<Vec<RepairPlan>> {
        let mut plans = Vec::new();
        for id in self.catalog.store_ids().await? {
            plans.push(self.catalog.repair_plan(id).await?);
        }
        Ok(plans)
    }

    /// Repairs a store as planned: moves aside the commits that are not whole.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) while somebody writes to the store;
    /// storage errors.
    pub async fn repair(&self, plan: &RepairPlan) -> Result<()> {
        let event = AuditEvent::new("RepairEventDataStore").of_towpath().about(plan.store);
        let event = event.with_request(json!({
            "filesMovedAside": plan.steps.len(),
            "versionAfter": plan.version_after,
        }));
        let repair =
            async { Ok(self.catalog.repair(plan, (self.options.now)(), CHANGE_WAIT_MAX).await?) };
        self.audit.change(event, Box::pin(repair), |()| Value::Null).await
    }

    /// Runs one statement of Trino SQL, a `SELECT`, `WITH`, `VALUES` or `EXPLAIN`, and returns its
    /// rows as they come.
    ///
    /// The query sees each store as it was when the statement was planned; what is ingested,
    /// compacted or expired meanwhile changes none of its rows. That it was asked is recorded in
    /// the lake's audit trail, before the first row is handed out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidStatement`](crate::ErrorKind::InvalidStatement) with line and column,
    /// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded), or a storage error. The
    /// stream of rows can fail with the last two and with errors of evaluation.
    pub async fn query(&self, statement: &str, limits: QueryLimits) -> Result<Rows> {
        self.query_with(statement, &ParameterValues::default(), limits).await
    }

    /// As [`Lake::query`], with values for the parameters of the statement: `?`, by place, and
    /// `:name`. A value becomes a literal of its own type and is never read as SQL.
    ///
    /// # Errors
    ///
    /// As [`Lake::query`]; a value that is missing, unknown or of no use where it stands is an
    /// [`ErrorKind::InvalidStatement`](crate::ErrorKind::InvalidStatement).
    pub async fn query_with(
        &self,
        statement: &str,
        parameters: &ParameterValues,
        limits: QueryLimits,
    ) -> Result<Rows> {
        let asked = Asked { statement, parameters, arrivals: None };
        Box::pin(self.ask_recorded(asked, limits)).await
    }

    /// Asks, and records that it was asked.
    pub(crate) async fn ask_recorded(&self, asked: Asked<'_>, limits: QueryLimits) -> Result<Rows> {
        let event = asked.event()?;
        match self.ask(asked, limits).await {
            Ok(rows) => {
                let (lake, statement) = (self.clone(), asked.statement.to_owned());
                // While the query runs: its rows wait for the record, its work does not.
                Ok(rows.recorded_by(tokio::spawn(async move {
                    let stores = lake.named_in(&statement).await;
                    let event = stores.into_iter().fold(event, AuditEvent::about);
                    lake.audit.record(event, &Ok(Value::Null)).await
                })))
            }
            Err(error) => {
                self.audit.record(event, &refusal(&error)).await?;
                Err(error)
            }
        }
    }

    /// The ids of the stores that a statement names, as far as there are such stores.
    async fn named_in(&self, statement: &str) -> Vec<Uuid> {
        let mut ids = Vec::new();
        let Ok(statement) = Statement::parse(statement) else { return ids };
        for name in statement.relation_names() {
            if let Ok(store) = self.catalog.store(&name.text).await {
                ids.push(store.id());
            }
        }
        ids
    }

    pub(crate) async fn ask(&self, asked: Asked<'_>, limits: QueryLimits) -> Result<Rows> {
        let started = Instant::now();
        let deadline = started + limits.run_max();
        // Its type is forgotten here: it holds the whole engine, and callers would carry it along.
        let starting: BoxFuture<'_, Result<Started>> = Box::pin(self.start(asked, deadline));
        match timeout_at(deadline, starting).await {
            Ok(Ok(query)) => Ok(Rows::new(query, started, &limits)),
            // Planning that was stopped fails in its own words.
            Ok(Err(error)) if Instant::now() < deadline => Err(error),
            _ => Err(Error::too_long(limits.run_max())),
        }
    }

    /// Plans a statement, until `deadline`, and starts it.
    async fn start(&self, asked: Asked<'_>, deadline: Instant) -> Result<Started> {
        let started = Instant::now();
        let log = Arc::new(ScanLog::default());
        let session = self.session(Arc::clone(&log), deadline);
        let statement = asked.bound()?;
        let planned = match asked.arrivals {
            Some(arrivals) => statement.plan(&session, &ArrivedIn { lake: self, arrivals }).await?,
            None => statement.plan(&session, self).await?,
        };
        self.check_may_explain(planned.explain)?;
        let plan = cooperative(physical_plan(&session, &planned).await?)?;
        let task = session.task_ctx();
        let measured = Measured { log: Arc::clone(&log), plan: Some(Arc::clone(&plan)) };
        let Some(kind) = planned.explain else {
            let schema = under_headings(&plan.schema(), &planned.headings);
            return Ok(Started { schema, batches: execute_stream(plan, task)?, measured });
        };
        let query = Explained { plan, headings: &planned.headings, log: &log };
        let batches = match kind {
            ExplainKind::Analyze => explain_analyze(&query, task, started.elapsed()).await?,
            ExplainKind::Validate => explain::valid()?,
            ExplainKind::PlanJson => explain(&query, PlanFormat::Json).await?,
            _ => explain(&query, PlanFormat::Text).await?,
        };
        Ok(Started { schema: batches.schema(), batches, measured })
    }

    /// Plans a statement and runs nothing; returns the ids of the stores that it names.
    pub(crate) async fn plan_only(
        &self,
        statement: &str,
        parameters: &ParameterValues,
        limits: QueryLimits,
    ) -> Result<Vec<Uuid>> {
        let deadline = Instant::now() + limits.run_max();
        let planning: BoxFuture<'_, Result<Vec<Uuid>>> = Box::pin(async {
            let session = self.session(Arc::default(), deadline);
            let statement = Asked { statement, parameters, arrivals: None }.bound()?;
            let planned = statement.plan(&session, self).await?;
            self.check_may_explain(planned.explain)?;
            physical_plan(&session, &planned).await?;
            let mut stores = Vec::new();
            for name in statement.relation_names() {
                stores.push(self.catalog.store(&name.text).await?.id());
            }
            Ok(stores)
        });
        match timeout_at(deadline, planning).await {
            Ok(planned) if planned.is_ok() || Instant::now() < deadline => planned,
            _ => Err(Error::too_long(limits.run_max())),
        }
    }

    /// Plans tell how many events there are, and of which times.
    fn check_may_explain(&self, explain: Option<ExplainKind>) -> Result<()> {
        match &self.scope {
            Some(scope) if explain.is_some() && scope.hides_events() => {
                Err(Error::InvalidArgument("EXPLAIN needs the right to see all events".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// The ids of the stores that a statement names. The statement is planned and not run.
    ///
    /// # Errors
    ///
    /// Those of [`Lake::query`] until there would be rows.
    pub async fn stores_of(&self, statement: &str, limits: QueryLimits) -> Result<Vec<Uuid>> {
        Box::pin(self.plan_only(statement, &ParameterValues::default(), limits)).await
    }

    /// Small documents that a server keeps in a folder of the lake, a name that the lake uses for
    /// nothing else.
    #[must_use]
    pub fn documents(&self, folder: &str) -> Documents {
        self.catalog.documents(folder)
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The same lake with another audit trail's writer.
    pub(crate) fn with_audit(&self, audit: Audit) -> Lake {
        Lake { audit, ..self.clone() }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn options(&self) -> &LakeOptions {
        &self.options
    }

    pub(crate) fn query_wake(&self) -> &Notify {
        &self.query_wake
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.options.now)()
    }

    /// A session whose planning stops at `deadline`: it never waits, so no timer can stop it.
    pub(crate) fn session(&self, log: Arc<ScanLog>, deadline: Instant) -> SessionState {
        let interrupt = Interrupt::new(move || Instant::now() >= deadline);
        let mut config = SessionConfig::new()
            .with_target_partitions(self.options.threads.get())
            .with_extension(log)
            .with_extension(Arc::new(interrupt))
            .with_extension(Arc::new(ExtraRules(vec![
                Arc::new(ExtremesOfStoredTime),
                Arc::new(CountFromSummaries),
            ])));
        // Measured: without it, the rows of every column are read before the filter runs.
        config.options_mut().execution.parquet.pushdown_filters = true;
        session_state(config, Arc::clone(&self.runtime), (self.options.now)())
    }
}

#[async_trait]
impl Relations for Lake {
    async fn resolve(&self, name: &RelationName) -> Result<Arc<dyn TableProvider>, RelationError> {
        self.relation(name, None).await
    }
}

impl Lake {
    pub(crate) fn as_store(&self, store: towpath_store::EventDataStore) -> Store {
        let (catalog, options) = (self.catalog.clone(), Arc::clone(&self.options));
        Store { store, catalog, options, audit: self.audit.clone() }
    }

    /// The store called `name` as a table, with everything in it or with what arrived.
    pub(crate) async fn relation(
        &self,
        name: &RelationName,
        arrivals: Option<&Arrivals>,
    ) -> Result<Arc<dyn TableProvider>, RelationError> {
        if is_audit_store(&name.text) && self.scope.is_none() {
            let collected = self.audit_store().await;
            collected.map_err(|error| RelationError::Other(Box::new(error)))?;
        }
        let store = match self.catalog.store(&name.text).await {
            Ok(store) => store,
            Err(towpath_store::Error::StoreNotFound { near, .. }) => {
                // The nearest name may be of a store that must not be known.
                let near = near.filter(|_| self.scope.is_none());
                return Err(RelationError::NotFound { near });
            }
            Err(error) => return Err(RelationError::Other(Box::new(error))),
        };
        let visible = match &self.scope {
            None => &Visible::All,
            Some(scope) => scope.of(store.id()).ok_or(RelationError::NotFound { near: None })?,
        };
        let snapshot =
            store.snapshot().await.map_err(|error| RelationError::Other(Box::new(error)))?;
        snapshot.check_readable().map_err(|error| RelationError::Other(Box::new(error)))?;
        let snapshot = match arrivals {
            None => snapshot,
            Some(arrivals) => {
                let none = CommitSpan { after: Some(0), through: 0 };
                let span = arrivals.stores.get(&store.id()).copied().unwrap_or(none);
                let appended = store.appended(span.after, span.through).await;
                Arc::new(appended.map_err(|error| RelationError::Other(Box::new(error)))?)
            }
        };
        let intake = Intake::of(snapshot.settings())
            .map_err(|error| RelationError::Other(Box::new(error)))?;
        let index = store.index(&snapshot).await;
        let (of, now) = ((&snapshot, &index), (self.options.now)());
        event_table(of, intake.kind(), visible, &self.object_store_url, now)
            .map_err(|error| RelationError::Other(Box::new(error)))
    }
}

/// A statement, its parameters, and what it sees.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) statement: &'a str,
    pub(crate) parameters: &'a ParameterValues,
    /// None: everything.
    pub(crate) arrivals: Option<&'a Arrivals>,
}

impl Asked<'_> {
    /// The event that it is asked.
    fn event(&self) -> Result<AuditEvent> {
        let event = AuditEvent::new("StartQuery").read_only();
        Ok(event.with_request(statement_parameters(self.statement, self.parameters)?))
    }

    fn bound(&self) -> Result<Statement> {
        let ParameterValues { positional, named, quoted_marks } = self.parameters;
        let statement = Statement::parse(self.statement)?;
        if positional.is_empty() && named.is_empty() && !quoted_marks {
            // One that has parameters all the same is refused when it is planned.
            return Ok(statement);
        }
        Ok(statement.bind(self.parameters)?)
    }
}

/// `schema` with the headings as the names of its fields; the engine's own names mean nothing.
fn under_headings(schema: &Schema, headings: &[String]) -> SchemaRef {
    let named = schema.fields().iter().zip(headings);
    let fields: Vec<Field> =
        named.map(|(field, heading)| field.as_ref().clone().with_name(heading)).collect();
    Arc::new(Schema::new(fields))
}
