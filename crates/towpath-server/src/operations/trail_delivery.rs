//! What trails deliver, beside the requests that ask about it.
//!
//! While a trail logs, whatever is put into the stores of the lake by anybody goes to its bucket as
//! log files, every few minutes, and every hour as digests that AWS's command finds valid. It is
//! taken from the commits of the stores, so nothing is missed while no server runs; how far a trail
//! is stands in a document that is kept before and after each step, and one server at a time works
//! on it. A trail that was stopped or deleted delivers what it has, and its last digests.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use towpath::{EventSelectors, Trail, TrailDelivery};
use tracing::{info, warn};

use super::trail::TrailState;
use crate::api::{Api, Call, chain};
use crate::state::Kind;
use crate::wire::ApiError;

/// Times that a trail is looked at in one go while there is more to deliver. Each delivers some
/// commits of every store.
const PASSES_MAX: usize = 64;

/// How long a trail that was stopped or deleted is tried for. Then what it has not delivered stays
/// in the lake alone.
const END_TRIED_MAX: TimeDelta = TimeDelta::days(1);

/// Longest time between two deliveries, in seconds: a day.
const SECS_MAX: i64 = 24 * 60 * 60;

/// What is kept of the delivery of a trail.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct DeliveryState {
    delivery: TrailDelivery,
    /// The trail as it was when it last was there.
    trail: TrailState,
    looked_at: Option<DateTime<Utc>>,
    /// Since when it is to end.
    ending_since: Option<DateTime<Utc>>,
}

/// What delivering log files and digests came to, if it was tried.
#[derive(Default)]
struct Tried {
    log_files: Option<Result<(), String>>,
    digests: Option<Result<(), String>>,
}

/// Begins the delivery of a trail that starts to log.
pub(super) async fn begin(call: &Call, name: &str, trail: &TrailState) -> Result<(), ApiError> {
    let now = call.api.now();
    let has_digests = trail.is(LOG_FILE_VALIDATION);
    let delivery = Box::pin(call.api.lake.begin_delivery(has_digests, now)).await?;
    let state = DeliveryState { delivery, trail: trail.clone(), ..DeliveryState::default() };
    // One that is there has not ended since the trail was stopped; then it goes on.
    call.api.state.create(Kind::Delivery, name, &state).await?;
    Ok(())
}

/// Delivers what every trail has to deliver now.
pub(crate) async fn deliver_trails(api: &Arc<Api>) -> Result<(), ApiError> {
    let all: Vec<(String, DeliveryState)> = api.state.all(Kind::Delivery).await?;
    for (name, _) in all {
        let now = api.now();
        let Some(lease) = api.state.lease(Kind::Delivery, &name, now).await? else { continue };
        let looked = Box::pin(look_at(api, &name, now)).await;
        lease.release().await;
        looked?;
    }
    Ok(())
}

/// Delivers what one trail has to deliver at `now`.
async fn look_at(api: &Api, name: &str, now: DateTime<Utc>) -> Result<(), ApiError> {
    // As it is now that nobody else works on it.
    let Some(mut state) = api.state.get::<DeliveryState>(Kind::Delivery, name).await? else {
        return Ok(());
    };
    let trail: Option<TrailState> = api.state.get(Kind::Trail, name).await?;
    let is_logging = trail.as_ref().is_some_and(|trail| trail.is_logging);
    if let Some(trail) = trail {
        state.trail = trail;
    }
    state.ending_since = (!is_logging).then(|| state.ending_since.unwrap_or(now));
    let options = &api.options.trails;
    let (log_files_every, digests_every) =
        (secs(options.log_files_secs), secs(options.digests_secs));
    let is_due = state.looked_at.is_none_or(|at| at + log_files_every <= now);
    if is_logging && !is_due && !state.delivery.is_digest_due(now, digests_every) {
        return Ok(());
    }
    state.looked_at = Some(now);
    state.delivery.set_digests(state.trail.is(LOG_FILE_VALIDATION), now);
    let trail = trail_of(api, name, &state.trail);
    let mut tried = Tried {
        log_files: Some(log_files(api, name, &mut state, &trail, now).await?),
        digests: None,
    };
    // A digest says what was delivered, so it waits while that fails.
    if let Some(Ok(())) = tried.log_files
        && (!is_logging || state.delivery.is_digest_due(now, digests_every))
    {
        let delivery = &mut state.delivery;
        let span = (now, digests_every);
        let done = Box::pin(api.lake.deliver_digests(delivery, &trail, span, !is_logging)).await;
        tried.digests = Some(done.map_err(|error| chain(&error)));
    }
    keep(api, name, &state).await?;
    note(api, name, &state, &tried, now).await?;
    if !is_logging {
        end(api, name, &state, &tried, now).await?;
    }
    Ok(())
}

const LOG_FILE_VALIDATION: &str = "LogFileValidationEnabled";

/// Delivers log files until there is no more to deliver. What fails is told, and tried again.
async fn log_files(
    api: &Api,
    name: &str,
    state: &mut DeliveryState,
    trail: &Trail,
    now: DateTime<Utc>,
) -> Result<Result<(), String>, ApiError> {
    for _ in 0..PASSES_MAX {
        if !Box::pin(api.lake.plan_delivery(&mut state.delivery, now)).await? {
            break;
        }
        keep(api, name, state).await?;
        let done = Box::pin(api.lake.carry_out_delivery(&mut state.delivery, trail)).await;
        if let Err(error) = done {
            let cause = chain(&error);
            warn!(trail = name, cause, "trail could not deliver log files");
            return Ok(Err(cause));
        }
        keep(api, name, state).await?;
    }
    Ok(Ok(()))
}

async fn keep(api: &Api, name: &str, state: &DeliveryState) -> Result<(), ApiError> {
    let set = |kept: &mut DeliveryState| {
        kept.clone_from(state);
        Ok(())
    };
    api.state.change(Kind::Delivery, name, set).await?;
    Ok(())
}

/// Notes on the trail how it went, unless it was deleted.
async fn note(
    api: &Api,
    name: &str,
    state: &DeliveryState,
    tried: &Tried,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    if api.state.get::<TrailState>(Kind::Trail, name).await?.is_none() {
        return Ok(());
    }
    let TrailDelivery { delivered_at, digested_at, data_files_lost, .. } = &state.delivery;
    let lost = (*data_files_lost > 0).then(|| {
        format!("{data_files_lost} data files were removed before they could be delivered")
    });
    let set = |trail: &mut TrailState| {
        if let Some(done) = &tried.log_files {
            trail.log_files.attempted_at = Some(now);
            trail.log_files.error = done.as_ref().err().cloned().or_else(|| lost.clone());
            trail.log_files.delivered_at = (*delivered_at).or(trail.log_files.delivered_at);
        }
        if let Some(done) = &tried.digests {
            trail.digests.attempted_at = Some(now);
            trail.digests.error = done.as_ref().err().cloned();
            trail.digests.delivered_at = (*digested_at).or(trail.digests.delivered_at);
        }
        Ok(())
    };
    api.state.change(Kind::Trail, name, set).await?;
    Ok(())
}

/// Forgets the delivery of a trail that logs no more, once all of it is delivered.
async fn end(
    api: &Api,
    name: &str,
    state: &DeliveryState,
    tried: &Tried,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let is_done = matches!(tried.digests, Some(Ok(())));
    let is_given_up = state.ending_since.is_some_and(|since| since + END_TRIED_MAX <= now);
    if !is_done && !is_given_up {
        return Ok(());
    }
    api.state.remove(Kind::Delivery, name).await?;
    if is_done {
        info!(trail = name, "trail delivered its last log files");
    } else {
        warn!(trail = name, "trail could not deliver its last log files");
    }
    Ok(())
}

/// The trail as the library knows it.
fn trail_of(api: &Api, name: &str, state: &TrailState) -> Trail {
    let bucket = state.text("S3BucketName").to_owned();
    let folder = api.options.trails.folder.as_ref().map(|folder| folder.join(&bucket));
    Trail {
        name: name.to_owned(),
        account: api.options.account_id.clone(),
        home_region: api.options.region.clone(),
        prefix: state.text("S3KeyPrefix").to_owned(),
        folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
        bucket,
        selectors: selectors(state),
        all_regions: state.is("IsMultiRegionTrail"),
        global_services: state.is("IncludeGlobalServiceEvents"),
    }
}

/// The selectors of a trail. They were checked when they were put.
fn selectors(state: &TrailState) -> Option<EventSelectors> {
    let given = [&state.advanced_event_selectors, &state.event_selectors];
    let given = given.into_iter().find(|selectors| matches!(selectors, Value::Array(_)))?;
    EventSelectors::parse(&given.to_string()).ok()
}

fn secs(secs: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(secs).unwrap_or(i64::MAX).clamp(1, SECS_MAX))
}
