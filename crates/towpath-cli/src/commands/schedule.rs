//! `towpath schedule`: statements that run again and again, over what arrived since.

use std::sync::Arc;

use anyhow::{Result, bail};
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use towpath::{Every, Lake, NewSchedule};

use super::job::{delivery, statement};
use super::open_lake;
use super::store::{strings, times, write_rows};
use crate::args::{Args, LimitArgs, ScheduleAddArgs, ScheduleCommand};
use crate::config::Config;
use crate::error::{InStatement, Outcome, tell};
use crate::output::{Destination, Format};
use crate::time::TimeArg;

/// Runs one of the subcommands.
pub(crate) async fn schedule(config: &Config, command: ScheduleCommand) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    match command {
        ScheduleCommand::Add(args) => add(config, &lake, *args).await,
        ScheduleCommand::List(args) => list(&lake, args.format).await,
        ScheduleCommand::Delete(args) => {
            lake.delete_schedule(&args.name).await?;
            tell(&format!("deleted schedule `{}`", args.name));
            Ok(Outcome::Done)
        }
    }
}

async fn add(config: &Config, lake: &Lake, args: ScheduleAddArgs) -> Result<Outcome> {
    let every = match (&args.every, args.cron) {
        (Some(span), _) => Every::Secs(secs(span)?),
        (None, Some(cron)) => Every::Cron(cron),
        (None, None) => bail!("no time is given"),
    };
    let (statement, parameters) = statement(lake, &args.statement).await?;
    let new = NewSchedule {
        name: args.name,
        statement: statement.clone(),
        parameters,
        every,
        limits: config.limits(args.limits).of_query(),
        delivery: delivery(&args.delivery),
    };
    let created = lake.create_schedule(new).await;
    let schedule = created.map_err(|error| InStatement::new(error, &statement))?;
    let next = schedule.next_at.map_or_else(|| "never".to_owned(), |next| next.to_rfc3339());
    tell(&format!("schedule `{}` runs next at {next}", schedule.name));
    tell("a worker must run then: `towpath job run` or `towpath serve`");
    Ok(Outcome::Done)
}

/// The seconds of a span such as `90m`.
fn secs(span: &str) -> Result<u64> {
    // A span before now, as other flags have it, without its sign.
    let seconds = match format!("-{span}").parse() {
        Ok(TimeArg::Before(span)) => u64::try_from(span.num_seconds()).ok(),
        _ => None,
    };
    let wrong =
        || Args::usage_error(format!("`{span}` is no span; give a number and m, h, d or w"));
    Ok(seconds.ok_or_else(wrong)?)
}

async fn list(lake: &Lake, format: Format) -> Result<Outcome> {
    let schedules = lake.schedules().await?;
    let every = schedules.iter().map(|schedule| match &schedule.every {
        Every::Cron(text) => text.clone(),
        Every::Secs(secs) => format!("{secs} s"),
        _ => String::new(),
    });
    let runs = UInt64Array::from_iter_values(schedules.iter().map(|schedule| schedule.runs));
    let optional = |texts: Vec<Option<String>>| Arc::new(StringArray::from_iter(texts)) as ArrayRef;
    let last = schedules.iter().map(|one| one.last_query.map(|id| id.to_string())).collect();
    let errors = schedules.iter().map(|one| one.error.clone()).collect();
    let delivery = schedules.iter().map(|one| Some(one.delivery.as_ref()?.url.clone())).collect();
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("name", strings(schedules.iter().map(|schedule| schedule.name.clone())), false),
        ("every", strings(every), false),
        ("next_at", times(schedules.iter().map(|schedule| schedule.next_at)), true),
        ("runs", Arc::new(runs) as ArrayRef, false),
        ("last_query", optional(last), true),
        ("delivery", optional(delivery), true),
        ("error", optional(errors), true),
        ("statement", strings(schedules.iter().map(|one| one.statement.clone())), false),
    ])?;
    let mut stdout = Destination::stdout();
    write_rows(&rows, format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
