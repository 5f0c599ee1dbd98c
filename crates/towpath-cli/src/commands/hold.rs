//! `towpath store hold`: place, release and list legal holds.

use std::io::Write;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use towpath::{Hold, NewHold, TimeRange};

use super::open_lake;
use super::store::{strings, times, write_rows};
use crate::args::{Args, HoldAddArgs, HoldCommand, HoldListArgs, HoldReleaseArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;
use crate::time::TimeArg;

/// Runs one of the subcommands.
pub(super) async fn hold(
    config: &Config,
    command: HoldCommand,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    match command {
        HoldCommand::Add(args) => add(config, args, now).await,
        HoldCommand::Release(args) => release(config, args).await,
        HoldCommand::List(args) => list(config, args).await,
    }
}

async fn add(config: &Config, args: HoldAddArgs, now: DateTime<Utc>) -> Result<Outcome> {
    let range = range(&args, now)?;
    let store = open_lake(config, LimitArgs::default()).await?.store(&args.store).await?;
    let new = NewHold { range, reason: args.reason, placed_by: args.by };
    let hold = store.place_hold(new).await?;
    tell(&format!("placed a legal hold on event data store `{}`", store.name()));
    let mut stdout = Destination::stdout();
    writeln!(stdout, "{}", hold.id).context("could not write to stdout")?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

/// The event times that are meant.
fn range(args: &HoldAddArgs, now: DateTime<Utc>) -> Result<TimeRange> {
    let micros = |name: &str, time: Option<TimeArg>, open: i64| {
        time.map_or(Ok(open), |time| time.resolve(now).map(|time| time.timestamp_micros()))
            .map_err(|error| Args::usage_error(format!("{name}: {error}")))
    };
    let from = micros("--from", args.from, i64::MIN)?;
    let to = micros("--to", args.to, i64::MAX)?;
    let empty = || Args::usage_error("--from must be before --to, or no event is held");
    Ok(TimeRange::new(from, to).ok_or_else(empty)?)
}

async fn release(config: &Config, args: HoldReleaseArgs) -> Result<Outcome> {
    let store = open_lake(config, LimitArgs::default()).await?.store(&args.store).await?;
    store.release_hold(args.hold, &args.by).await?;
    tell(&format!("released legal hold {} on event data store `{}`", args.hold, store.name()));
    Ok(Outcome::Done)
}

async fn list(config: &Config, args: HoldListArgs) -> Result<Outcome> {
    let store = open_lake(config, LimitArgs::default()).await?.store(&args.store).await?;
    let holds = store.holds();
    let at = |micros: i64| DateTime::from_timestamp_micros(micros);
    let column = |text: fn(&Hold) -> String| strings(holds.iter().map(text));
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("id", column(|hold| hold.id.to_string()), false),
        ("from", times(holds.iter().map(|hold| at(hold.range.start()))), true),
        ("to", times(holds.iter().map(|hold| at(hold.range.end()))), true),
        ("reason", column(|hold| hold.reason.clone()), false),
        ("placed_by", column(|hold| hold.placed_by.clone()), false),
        ("placed_at", times(holds.iter().map(|hold| Some(hold.placed_at))), false),
    ])?;
    let mut stdout = Destination::stdout();
    write_rows(&rows, args.format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
