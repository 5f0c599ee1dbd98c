//! `towpath redact`: fields out of events, on the record.

use std::collections::BTreeSet;

use anyhow::Result;
use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use towpath::{RedactedEvent, Redaction, RedactionReport, TimeRange};

use super::open_lake;
use super::store::{counts, strings, times, write_rows};
use crate::args::{Args, LimitArgs, RedactArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;
use crate::progress::grouped;
use crate::time::TimeArg;

/// Redacts the events, or says which would be, and prints a row for each.
pub(crate) async fn redact(
    config: &Config,
    args: RedactArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let range = range(&args, now)?;
    let store = open_lake(config, LimitArgs::default()).await?.store(&args.store).await?;
    let redaction = Redaction {
        event_ids: args.event_ids,
        fields: args.fields,
        reason: args.reason,
        by: args.by,
        range,
        is_plan: args.dry_run,
    };
    let report = store.redact(&redaction).await?;
    let mut stdout = Destination::stdout();
    write_rows(&rows(&report.events)?, args.format, &mut stdout)?;
    stdout.commit()?;
    tell(&summary(&report, args.dry_run));
    let redacted: BTreeSet<&str> =
        report.events.iter().map(|event| event.event_id.as_str()).collect();
    let mut is_whole = true;
    for id in &redaction.event_ids {
        if !redacted.contains(id.as_str()) {
            tell(&format!("error: event `{id}` is not in the store, or has none of the fields"));
            is_whole = false;
        }
    }
    Ok(match (is_whole, redacted.is_empty()) {
        (true, _) => Outcome::Done,
        (false, true) => Outcome::NotDone,
        (false, false) => Outcome::DoneInPart,
    })
}

/// The event times that are meant.
fn range(args: &RedactArgs, now: DateTime<Utc>) -> Result<Option<TimeRange>> {
    if args.from.is_none() && args.to.is_none() {
        return Ok(None);
    }
    let micros = |name: &str, time: Option<TimeArg>, open: i64| {
        time.map_or(Ok(open), |time| time.resolve(now).map(|time| time.timestamp_micros()))
            .map_err(|error| Args::usage_error(format!("{name}: {error}")))
    };
    let from = micros("--from", args.from, i64::MIN)?;
    let to = micros("--to", args.to, i64::MAX)?;
    let empty = || Args::usage_error("--from must be before --to, or no event is meant");
    Ok(Some(TimeRange::new(from, to).ok_or_else(empty)?))
}

fn summary(report: &RedactionReport, is_plan: bool) -> String {
    let what = match (report.version, is_plan) {
        (Some(version), _) => format!("redacted in version {version}"),
        (None, true) => "would be redacted".to_owned(),
        (None, false) => "redacted".to_owned(),
    };
    format!(
        "{} events {what}, in {} data files with {} other events",
        grouped(report.events.len() as u64),
        grouped(report.data_files),
        grouped(report.other_rows),
    )
}

fn rows(events: &[RedactedEvent]) -> Result<RecordBatch> {
    let column = |text: fn(&RedactedEvent) -> String| strings(events.iter().map(text));
    let at = |event: &RedactedEvent| DateTime::from_timestamp_micros(event.event_time_micros);
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("event_id", column(|event| event.event_id.clone()), false),
        ("event_time", times(events.iter().map(at)), true),
        ("values", counts(events.iter().map(|event| event.values)), false),
        ("sha256_before", column(|event| event.sha256_before.clone()), false),
        ("sha256_after", column(|event| event.sha256_after.clone()), false),
    ])?)
}
