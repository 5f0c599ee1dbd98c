//! Dashboards that refresh themselves: when, and who asks.
//!
//! A refresh that is due is claimed in the dashboard's document, so that of several servers one
//! does it. It runs with the rights of the key that last made or changed the dashboard, as they are
//! now. Refreshes that no server was there for are made up for by one.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use tracing::{info, warn};

use super::dashboard::{DashboardState, refresh_now};
use crate::access::AccessKey;
use crate::api::{Api, Call};
use crate::audit::Audited;
use crate::state::Kind;
use crate::wire::ApiError;

/// Characters of the reason that is kept of a refresh that failed.
const REASON_CHARS_MAX: usize = 256;

/// How widgets name the times of a refresh in SQL.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// When a dashboard refreshes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefreshSchedule {
    is_enabled: bool,
    every_hours: i64,
    unit: &'static str,
    minute_of_day: i64,
}

impl RefreshSchedule {
    /// Reads `RefreshSchedule` of a request.
    ///
    /// # Errors
    ///
    /// `InvalidParameterException` for a frequency that AWS does not have, or no time of day.
    pub(super) fn read(value: &Value) -> Result<RefreshSchedule, ApiError> {
        let wrong = |text: &str| Err(ApiError::invalid_parameter(text));
        let is_enabled = value["Status"].as_str() != Some("DISABLED");
        let frequency = &value["Frequency"];
        let (every_hours, unit) = match (frequency["Unit"].as_str(), frequency["Value"].as_i64()) {
            (Some("HOURS"), Some(hours @ (1 | 6 | 12 | 24))) => (hours, "hour"),
            (Some("DAYS"), Some(1)) => (24, "day"),
            (None, None) if !is_enabled => (24, "day"),
            _ => {
                return wrong(
                    "The Frequency of a RefreshSchedule is 1, 6, 12 or 24 HOURS or 1 DAYS",
                );
            }
        };
        let minute_of_day = match value["TimeOfDay"].as_str() {
            None => Some(0),
            Some(text) => minute_of_day(text),
        };
        let Some(minute_of_day) = minute_of_day else {
            return wrong("The TimeOfDay of a RefreshSchedule is HH:MM, from 00:00 to 23:59");
        };
        Ok(RefreshSchedule { is_enabled, every_hours, unit, minute_of_day })
    }

    /// The last time at or before `now` at which a refresh was due.
    fn last_due(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Every frequency divides a day, so the days of 1970 are as good an anchor as any.
        let every = self.every_hours * 3_600;
        let anchor = self.minute_of_day * 60;
        let periods = (now.timestamp() - anchor).div_euclid(every);
        DateTime::from_timestamp(anchor + periods * every, 0)
    }

    /// The values that the refresh of `due` gives the parameters of widgets: of the time since the
    /// one before.
    fn parameters(self, due: DateTime<Utc>) -> Map<String, Value> {
        let start = due - TimeDelta::hours(self.every_hours);
        [
            ("$StartTime$", start.format(TIME_FORMAT).to_string()),
            ("$EndTime$", due.format(TIME_FORMAT).to_string()),
            ("$Period$", self.unit.to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
    }
}

fn minute_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, max: i64| text.parse().ok().filter(|n| (0..=max).contains(n));
    Some(number(hour, 23)? * 60 + number(minute, 59)?)
}

/// The time of the refresh that is due and not claimed.
fn due(state: &DashboardState, now: DateTime<Utc>) -> Option<(RefreshSchedule, DateTime<Utc>)> {
    let schedule =
        RefreshSchedule::read(&state.refresh_schedule).ok().filter(|it| it.is_enabled)?;
    let due = schedule.last_due(now)?;
    // A schedule begins when the dashboard is made or changed; what was due before is not its own.
    let since = state.last_due_at.map_or(state.updated_at, |last| last.max(state.updated_at));
    (!state.refresh_schedule.is_null() && due > since).then_some((schedule, due))
}

/// Refreshes the dashboards for which it is time.
pub(crate) async fn refresh_due(api: &Arc<Api>) -> Result<(), ApiError> {
    let dashboards: Vec<(String, DashboardState)> = api.state.all(Kind::Dashboard).await?;
    for (name, state) in dashboards {
        let now = api.now();
        let Some((schedule, time)) = due(&state, now) else { continue };
        let mut is_ours = false;
        let claim = |state: &mut DashboardState| {
            is_ours = due(state, now).is_some_and(|(_, found)| found == time);
            if is_ours {
                state.last_due_at = Some(time);
            }
            Ok(())
        };
        let state = api.state.change(Kind::Dashboard, &name, claim).await?;
        if !is_ours {
            continue;
        }
        let refreshed = match owner(api, &state) {
            Some(key) => {
                let audited = Audited::scheduled_refresh(api, &key, &name);
                let call = Call { api: Arc::clone(api), key, operation: "StartDashboardRefresh" };
                let parameters = schedule.parameters(time);
                let refresh = async {
                    refresh_now(&call, &name, &state, &parameters)
                        .await
                        .map(|id| json!({"refreshId": id}))
                };
                Box::pin(audited.change(refresh)).await
            }
            None => Err(ApiError::invalid_parameter(
                "The access key that the dashboard was made with is no key of this server",
            )),
        };
        let reason = refreshed.err().map(|error| {
            warn!(dashboard = name, code = %error.code.name, "dashboard not refreshed");
            error.message.chars().take(REASON_CHARS_MAX).collect()
        });
        if reason.is_none() {
            info!(dashboard = name, "dashboard refreshed");
        }
        let note = |state: &mut DashboardState| {
            state.last_refresh_failure.clone_from(&reason);
            Ok(())
        };
        api.state.change(Kind::Dashboard, &name, note).await?;
    }
    Ok(())
}

/// The key that the refreshes of a dashboard run with.
fn owner(api: &Api, state: &DashboardState) -> Option<Arc<AccessKey>> {
    if api.options.keys.is_empty() {
        return Some(Arc::new(AccessKey::anonymous()));
    }
    let keys = &api.options.keys;
    keys.iter().find(|key| key.access_key_id == state.owner).cloned().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(unit: &str, value: i64, time: &str) -> Result<RefreshSchedule, ApiError> {
        RefreshSchedule::read(&json!({
            "Frequency": {"Unit": unit, "Value": value}, "Status": "ENABLED", "TimeOfDay": time,
        }))
    }

    #[test]
    fn refreshes_are_due_at_their_time_of_day() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        for (unit, value, time, now, expected) in [
            ("HOURS", 1, "07:30", "2026-03-01T05:29:59Z", "2026-03-01T04:30:00Z"),
            ("HOURS", 1, "07:30", "2026-03-01T05:30:00Z", "2026-03-01T05:30:00Z"),
            ("HOURS", 6, "01:00", "2026-03-01T00:59:00Z", "2026-02-28T19:00:00Z"),
            ("HOURS", 12, "13:00", "2026-03-01T12:00:00Z", "2026-03-01T01:00:00Z"),
            ("DAYS", 1, "23:59", "2026-03-01T12:00:00Z", "2026-02-28T23:59:00Z"),
        ] {
            let due = schedule(unit, value, time).unwrap().last_due(at(now)).unwrap();
            assert_eq!(due, at(expected), "{unit} {value} {time} {now}");
        }
    }

    #[test]
    fn frequencies_are_those_of_aws() {
        for (unit, value, time) in
            [("HOURS", 2, "00:00"), ("DAYS", 2, "00:00"), ("DAYS", 1, "24:00"), ("DAYS", 1, "1:60")]
        {
            assert!(schedule(unit, value, time).is_err(), "{unit} {value} {time}");
        }
        assert!(RefreshSchedule::read(&json!({"Status": "DISABLED"})).is_ok());
        assert!(RefreshSchedule::read(&json!({"Status": "ENABLED"})).is_err());
    }
}
