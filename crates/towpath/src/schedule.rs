//! Schedules: statements that are run again and again, each time over what arrived since.
//!
//! The window of a run is of *arrival*, not of event time: CloudTrail delivers events late, and a
//! window of event times would lose those. It is kept as versions of the stores, so that one run
//! begins exactly where the last one ended, whatever the clocks say.
//!
//! A run is decided first, in the schedule's document, with the id that its batch query will have,
//! and then submitted under that id. A worker that dies in between leaves a decision that the next
//! one carries out; two workers that carry it out submit one query. So each window has one query.
//!
//! Windows that were missed are made up for, the last [`CATCH_UP_MAX`] of them one by one; what is
//! older than that is in the first of these.
//!
//! A data file that was compacted stays until every schedule has seen it, but for a week at most
//! ([`towpath_store::READERS_WAIT_MAX`]). The run of a longer window, or of a worker that was away
//! for longer, may find a data file gone; it then ends `FAILED` and says so.

use std::collections::BTreeMap;
use std::error::Error as StdError;

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use towpath_sql::{ParameterValue, ParameterValues, Statement};
use towpath_store::{Catalog, Documents, Location};
use tracing::{info, warn};
use uuid::Uuid;

use crate::arrivals::{Arrivals, CommitSpan};
use crate::audit::{self, AuditEvent};
use crate::batch_query::{Delivery, NewQuery, new_id};
use crate::error::{Error, ErrorKind, Result};
use crate::lake::Lake;
use crate::limits::QueryLimits;
use crate::parameters::KeptParameters;
use crate::readers::least;
use crate::saved_query::{decode, encode, file_name, moment};

/// What is kept, as errors name it.
const WHAT: &str = "schedule";

/// The lake's folder of schedules.
const FOLDER: &str = "schedules";

/// Missed windows that are made up for one by one: a day of hourly runs.
pub const CATCH_UP_MAX: u32 = 24;

/// The shortest and the longest time between two runs, in seconds: a minute, ten years.
const EVERY_SECS_MIN: u64 = 60;
const EVERY_SECS_MAX: u64 = 3_653 * 24 * 60 * 60;

/// Schedules of a lake, at most: what each look at them reads.
const SCHEDULES_MAX: usize = 1_000;

/// Steps that one look at a schedule takes, at most: two for each window that is made up for, and
/// as many again for other workers that are faster.
const STEPS_MAX: u32 = 4 * CATCH_UP_MAX;

/// Names of the parameters that are bound to the times of the window, where a statement has them.
const WINDOW_START: &str = "window_start";
const WINDOW_END: &str = "window_end";

/// When a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Every {
    /// At the times of a cron expression of five fields, in UTC.
    Cron(String),
    /// Every so many seconds, counted from when the schedule was made.
    Secs(u64),
}

/// A schedule to be made.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Its name, as that of a saved query.
    pub name: String,
    /// The statement. Parameters `:window_start` and `:window_end` are bound by each run.
    pub statement: String,
    /// The values of its other parameters.
    pub parameters: ParameterValues,
    /// When it runs.
    pub every: Every,
    /// What each run may cost.
    pub limits: QueryLimits,
    /// Where each result is delivered to.
    pub delivery: Option<Delivery>,
}

/// A schedule as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The statement.
    pub statement: String,
    /// When it runs.
    pub every: Every,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it runs next; none if its cron expression has no more times.
    pub next_at: Option<DateTime<Utc>>,
    /// Runs that were submitted.
    pub runs: u64,
    /// The batch query of the last run.
    pub last_query: Option<Uuid>,
    /// Why the last run could not be submitted. Its window is a part of the next one.
    pub error: Option<String>,
    /// Where each result is delivered to.
    pub delivery: Option<Delivery>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleDocument {
    name: String,
    statement: String,
    #[serde(default, skip_serializing_if = "KeptParameters::is_empty")]
    parameters: KeptParameters,
    every: Every,
    run_secs_max: u64,
    #[serde(default)]
    result_rows_max: Option<u64>,
    #[serde(default)]
    delivery: Option<Delivery>,
    created_at_millis: i64,
    /// The end of the next window.
    next_at_millis: Option<i64>,
    /// The end of the last window: the start of the next one.
    covered_to_millis: i64,
    /// The last version of each store that a window has had.
    covered: BTreeMap<Uuid, u64>,
    /// The run that is decided and perhaps not yet submitted.
    #[serde(default)]
    decided: Option<Decided>,
    #[serde(default)]
    runs: u64,
    #[serde(default)]
    last_query: Option<Uuid>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decided {
    query: Uuid,
    end_millis: i64,
    arrivals: Arrivals,
}

impl Every {
    /// Whether it can be kept to.
    fn check(&self, now: DateTime<Utc>) -> Result<()> {
        match self {
            Every::Secs(secs) if !(EVERY_SECS_MIN..=EVERY_SECS_MAX).contains(secs) => {
                Err(Error::InvalidArgument(format!(
                    "a schedule runs every {EVERY_SECS_MIN} to {EVERY_SECS_MAX} seconds, not {secs}"
                )))
            }
            Every::Secs(_) => Ok(()),
            Every::Cron(text) => {
                let invalid = |reason: &str| {
                    Error::InvalidArgument(format!("`{text}` is no cron expression: {reason}"))
                };
                let cron = cron(text).ok_or_else(|| {
                    invalid("give minute, hour, day of month, month and day of week")
                })?;
                let next = cron.find_next_occurrence(&now, false);
                next.map(drop).map_err(|_| invalid("there is no such time"))
            }
        }
    }

    /// The first time after `time`, counting from `start`.
    fn after(&self, time: DateTime<Utc>, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Every::Cron(text) => cron(text)?.find_next_occurrence(&time, false).ok(),
            Every::Secs(secs) => start.checked_add_signed(self.span(*secs, time, start, 1)?),
        }
    }

    /// The time that is `count` times before the last one up to `now`, that one included.
    fn back(&self, now: DateTime<Utc>, start: DateTime<Utc>, count: u32) -> Option<DateTime<Utc>> {
        match self {
            Every::Cron(text) => {
                let cron = cron(text)?;
                let mut time = cron.find_previous_occurrence(&now, true).ok()?;
                for _ in 0..count {
                    time = cron.find_previous_occurrence(&time, false).ok()?;
                }
                Some(time)
            }
            Every::Secs(secs) => {
                start.checked_add_signed(self.span(*secs, now, start, -i64::from(count))?)
            }
        }
    }

    /// The time from `start` to the step that is `steps` after the last one up to `time`.
    fn span(
        &self,
        secs: u64,
        time: DateTime<Utc>,
        start: DateTime<Utc>,
        steps: i64,
    ) -> Option<TimeDelta> {
        let step = i64::try_from(secs).ok()?.checked_mul(1_000)?;
        let done = (time - start).num_milliseconds().checked_div_euclid(step)?;
        TimeDelta::try_milliseconds(done.checked_add(steps)?.checked_mul(step)?)
    }
}

fn cron(text: &str) -> Option<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).ok()
}

impl Lake {
    /// Makes a schedule. Its first window begins now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidStatement`] and its like if the statement cannot be planned;
    /// [`ErrorKind::InvalidArgument`] for a name, a cron expression, a time or a delivery that
    /// cannot be used; [`ErrorKind::Exists`]; storage errors.
    pub async fn create_schedule(&self, new: NewSchedule) -> Result<Schedule> {
        let mut request = audit::statement_parameters(&new.statement, &new.parameters)?;
        request["name"] = json!(new.name);
        request["every"] = serde_json::to_value(&new.every).unwrap_or_default();
        request["deliveryS3Uri"] = json!(new.delivery.as_ref().map(|delivery| &delivery.url));
        let event = AuditEvent::new("CreateSchedule").of_towpath().with_request(request);
        let create = Box::pin(self.create_schedule_unrecorded(new));
        self.audit().change(event, create, |_| Value::Null).await
    }

    async fn create_schedule_unrecorded(&self, new: NewSchedule) -> Result<Schedule> {
        let (file, now) = (file_name(WHAT, &new.name)?, self.now());
        new.every.check(now)?;
        let mut delivery = new.delivery;
        if let Some(delivery) = &mut delivery {
            delivery.check()?;
            let location = Location::parse(&delivery.url, &self.options().storage_options)?;
            delivery.url = location.to_string();
        }
        let mut document = ScheduleDocument {
            next_at_millis: new.every.after(now, now).map(|next| next.timestamp_millis()),
            name: new.name,
            statement: new.statement,
            parameters: KeptParameters::keep(&new.parameters)?,
            every: new.every,
            run_secs_max: new.limits.run_secs_max,
            result_rows_max: new.limits.result_rows_max,
            delivery,
            created_at_millis: now.timestamp_millis(),
            covered_to_millis: now.timestamp_millis(),
            covered: BTreeMap::new(),
            decided: None,
            runs: 0,
            last_query: None,
            error: None,
        };
        let planned = document.query(now, Arrivals::default())?;
        self.plan_only(&planned.statement, &planned.parameters, new.limits).await?;
        for (id, store) in self.named_stores(&planned).await? {
            document.covered.insert(id, store.snapshot().await?.version());
        }
        let documents = self.schedule_documents();
        let exists = |name: String| Error::Exists { what: WHAT, name };
        // Creating what is there with the same content is no error of its own.
        if documents.read(&file).await?.is_some() {
            return Err(exists(document.name));
        }
        if documents.names("").await?.len() >= SCHEDULES_MAX {
            return Err(Error::InvalidArgument(format!("the lake has {SCHEDULES_MAX} schedules")));
        }
        match documents.create(&file, encode(&document)?).await? {
            true => Ok(document.describe()),
            false => Err(exists(document.name)),
        }
    }

    /// All schedules, by name.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        let documents = self.schedule_documents();
        let mut schedules = Vec::new();
        for file in documents.names("").await?.into_iter().take(SCHEDULES_MAX) {
            // One that is gone by now was deleted meanwhile.
            if let Some(found) = documents.read(&file).await? {
                let document: ScheduleDocument = decode(WHAT, &file, &found.content)?;
                schedules.push(document.describe());
            }
        }
        Ok(schedules)
    }

    /// Deletes a schedule. Batch queries that it has submitted stay.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; storage errors.
    pub async fn delete_schedule(&self, name: &str) -> Result<()> {
        let event = AuditEvent::new("DeleteSchedule").of_towpath();
        let event = event.with_request(json!({"name": name}));
        let delete = Box::pin(self.delete_schedule_unrecorded(name));
        self.audit().change(event, delete, |()| Value::Null).await
    }

    async fn delete_schedule_unrecorded(&self, name: &str) -> Result<()> {
        let not_found = || Error::NotFound { what: WHAT, name: name.to_owned() };
        let (documents, file) =
            (self.schedule_documents(), file_name(WHAT, name).map_err(|_| not_found())?);
        documents.read(&file).await?.ok_or_else(not_found)?;
        Ok(documents.remove(&file).await?)
    }

    /// Submits a batch query for every window that has ended.
    ///
    /// A worker does so by itself.
    ///
    /// # Errors
    ///
    /// Storage errors. What a schedule's own statement cannot do is kept in the schedule.
    pub async fn submit_due(&self) -> Result<()> {
        let documents = self.schedule_documents();
        for file in documents.names("").await?.into_iter().take(SCHEDULES_MAX) {
            match Box::pin(self.submit_due_of(&documents, &file)).await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Storage => return Err(error),
                Err(error) => {
                    warn!(schedule = file, error = &error as &dyn StdError, "schedule not run");
                }
            }
        }
        Ok(())
    }

    /// Carries out what is decided and decides what is due, until nothing is.
    async fn submit_due_of(&self, documents: &Documents, file: &str) -> Result<()> {
        for _ in 0..STEPS_MAX {
            let Some(read) = documents.read(file).await? else { break };
            let mut document: ScheduleDocument = decode(WHAT, file, &read.content)?;
            match document.decided.take() {
                Some(decided) => self.submit(&mut document, decided).await?,
                None if document.decide(self).await? => {}
                None => break,
            }
            // If another worker was faster, what it wrote is the next thing to look at.
            documents.replace(file, &read, encode(&document)?).await?;
        }
        Ok(())
    }

    /// Submits the run that was decided, unless another worker has.
    async fn submit(&self, document: &mut ScheduleDocument, decided: Decided) -> Result<()> {
        let end = moment(decided.end_millis);
        let query = document.query(end, decided.arrivals.clone())?;
        match Box::pin(self.start_query_as(decided.query, query)).await {
            Ok(()) => info!(schedule = document.name, query_id = %decided.query, "run submitted"),
            Err(_) if self.query_archive().find(decided.query).await?.is_some() => {}
            Err(error) if matches!(error.kind(), ErrorKind::Storage | ErrorKind::QueueFull) => {
                return Err(error);
            }
            Err(error) => {
                // Nothing is covered, so the next window begins where this one did.
                document.error = Some(error.to_string());
                return Ok(());
            }
        }
        let spans = decided.arrivals.stores;
        document.covered.extend(spans.into_iter().map(|(store, span)| (store, span.through)));
        document.covered_to_millis = decided.end_millis;
        document.runs += 1;
        document.last_query = Some(decided.query);
        document.error = None;
        Ok(())
    }

    /// The stores that a query names, by id.
    async fn named_stores(
        &self,
        query: &NewQuery,
    ) -> Result<Vec<(Uuid, towpath_store::EventDataStore)>> {
        let statement = Statement::parse(&query.statement)?.bind(&query.parameters)?;
        let mut stores = Vec::new();
        for name in statement.relation_names() {
            let store = self.catalog().store(&name.text).await?;
            stores.push((store.id(), store));
        }
        Ok(stores)
    }

    fn schedule_documents(&self) -> Documents {
        self.catalog().documents(FOLDER)
    }
}

/// The version of the store up to which every schedule that names it has seen what arrived; none if
/// no schedule does.
///
/// # Errors
///
/// Storage errors.
pub(crate) async fn seen_by_all(catalog: &Catalog, store: Uuid) -> Result<Option<u64>> {
    let documents = catalog.documents(FOLDER);
    let mut seen = None;
    for file in documents.names("").await?.into_iter().take(SCHEDULES_MAX) {
        let Some(read) = documents.read(&file).await? else { continue };
        match decode::<ScheduleDocument>(WHAT, &file, &read.content) {
            Ok(document) => {
                if let Some(version) = document.covered.get(&store) {
                    seen = least(seen, *version);
                }
            }
            Err(error) => {
                warn!(schedule = file, error = &error as &dyn StdError, "schedule not read");
            }
        }
    }
    Ok(seen)
}

impl ScheduleDocument {
    /// Decides the next run if a window has ended; says whether anything changed.
    async fn decide(&mut self, lake: &Lake) -> Result<bool> {
        let (now, start) = (lake.now(), moment(self.created_at_millis));
        let Some(due) = self.next_at_millis.map(moment).filter(|due| *due <= now) else {
            return Ok(false);
        };
        // What is older than the windows that are made up for is in the first of them.
        let end = self.every.back(now, start, CATCH_UP_MAX - 1).map_or(due, |first| first.max(due));
        self.next_at_millis = self.every.after(end, start).map(|next| next.timestamp_millis());
        let query = self.query(end, Arrivals::default())?;
        let stores = match lake.named_stores(&query).await {
            Ok(stores) => stores,
            Err(error) if error.kind() == ErrorKind::Storage => return Err(error),
            Err(error) => {
                self.error = Some(error.to_string());
                return Ok(true);
            }
        };
        let mut arrivals = Arrivals::default();
        for (id, store) in stores {
            let after = self.covered.get(&id).copied();
            arrivals.stores.insert(id, CommitSpan::until(&store, after, end, now).await?);
        }
        let end_millis = end.timestamp_millis();
        self.decided = Some(Decided { query: new_id(now), end_millis, arrivals });
        Ok(true)
    }

    /// The batch query for the window that ends at `end`.
    fn query(&self, end: DateTime<Utc>, arrivals: Arrivals) -> Result<NewQuery> {
        let limits =
            QueryLimits { run_secs_max: self.run_secs_max, result_rows_max: self.result_rows_max };
        let mut query = NewQuery::new(&self.statement, limits);
        query.parameters = self.parameters.values()?;
        let window = [(WINDOW_START, moment(self.covered_to_millis)), (WINDOW_END, end)];
        for name in Statement::parse(&self.statement)?.parameters().named {
            let bound = window.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            if let Some((_, time)) = bound {
                query.parameters.named.insert(name, ParameterValue::Timestamp(time.naive_utc()));
            }
        }
        query.submitter = Some(format!("schedule {}", self.name));
        query.delivery.clone_from(&self.delivery);
        query.arrivals = Some(arrivals);
        Ok(query)
    }

    fn describe(&self) -> Schedule {
        Schedule {
            name: self.name.clone(),
            statement: self.statement.clone(),
            every: self.every.clone(),
            created_at: moment(self.created_at_millis),
            next_at: self.next_at_millis.map(moment),
            runs: self.runs,
            last_query: self.last_query,
            error: self.error.clone(),
            delivery: self.delivery.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_follow_a_cron_expression_in_utc() {
        let every = Every::Cron("15 */6 * * *".into());
        let start = at("2024-01-01T00:00:00Z");
        assert_eq!(every.after(start, start), Some(at("2024-01-01T00:15:00Z")));
        let after = every.after(at("2024-01-01T18:15:00Z"), start);
        assert_eq!(after, Some(at("2024-01-02T00:15:00Z")));
        assert_eq!(
            every.back(at("2024-01-01T18:15:00Z"), start, 0),
            Some(at("2024-01-01T18:15:00Z"))
        );
        assert_eq!(
            every.back(at("2024-01-01T18:14:59Z"), start, 1),
            Some(at("2024-01-01T06:15:00Z"))
        );
    }

    #[test]
    fn times_of_a_step_are_counted_from_the_start() {
        let every = Every::Secs(3_600);
        let start = at("2024-01-01T00:10:00Z");
        assert_eq!(every.after(start, start), Some(at("2024-01-01T01:10:00Z")));
        assert_eq!(
            every.after(at("2024-01-01T01:09:59Z"), start),
            Some(at("2024-01-01T01:10:00Z"))
        );
        assert_eq!(
            every.back(at("2024-01-02T00:30:00Z"), start, 23),
            Some(at("2024-01-01T01:10:00Z"))
        );
    }

    #[test]
    fn what_cannot_be_kept_to_is_refused() {
        let now = at("2024-01-01T00:00:00Z");
        for every in [
            Every::Secs(0),
            Every::Secs(59),
            Every::Secs(u64::MAX),
            Every::Cron(String::new()),
            Every::Cron("* * * *".into()),
            Every::Cron("* * * * * *".into()),
            Every::Cron("61 * * * *".into()),
            Every::Cron("0 0 30 2 *".into()),
            Every::Cron("é".into()),
        ] {
            assert!(every.check(now).is_err(), "{every:?}");
        }
        for text in ["* * * * *", "0 9 * * MON-FRI", "@daily", "0 0 29 2 *"] {
            assert!(Every::Cron(text.into()).check(now).is_ok(), "{text}");
        }
    }
}
