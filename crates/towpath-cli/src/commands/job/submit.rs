//! `towpath job submit`.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::time::sleep;
use towpath::{BatchQuery, Lake, NewQuery, QueryStatus};
use uuid::Uuid;

use super::results::write_results;
use super::worker::start_in_background;
use super::{delivery, statement};
use crate::args::JobSubmitArgs;
use crate::commands::open_lake;
use crate::config::Config;
use crate::error::{Hinted, InStatement, Outcome, tell};
use crate::output::Destination;

/// How often the end of a query is looked for: at first, and after it has run for a while.
const WAIT_MILLIS_FIRST: u64 = 50;
const WAIT_MILLIS_MAX: u64 = 1_000;

pub(super) async fn submit(config: &Config, args: JobSubmitArgs) -> Result<Outcome> {
    let lake = open_lake(config, args.limits).await?;
    let (statement, parameters) = statement(&lake, &args.statement).await?;
    let mut new = NewQuery::new(&statement, config.limits(args.limits).of_query());
    new.parameters = parameters;
    new.submitter = Some("towpath job submit".into());
    new.delivery = delivery(&args.delivery);
    let id = lake.start_query(new).await.map_err(|error| InStatement::new(error, &statement))?;
    if args.no_worker {
        tell("the batch query waits for `towpath job run` or `towpath serve`");
    } else {
        start_in_background(config, args.limits.memory_mib_max)
            .with_context(|| format!("batch query `{id}` waits: no worker could be started"))?;
    }
    let mut stdout = Destination::stdout();
    if !args.wait {
        writeln!(stdout, "{id}").context("could not write to stdout")?;
        stdout.commit()?;
        return Ok(Outcome::Done);
    }
    tell(&format!("batch query `{id}`"));
    let query = end(&lake, id).await?;
    check_ended_well(&query)?;
    let format = args.format.unwrap_or_else(|| config.format());
    write_results(&lake, id, format, &mut stdout).await?;
    stdout.commit()?;
    if let Some(delivery) = delivered(&lake, id).await? {
        tell(&format!("delivered to `{delivery}`"));
    }
    Ok(Outcome::Done)
}

/// Waits for the end of the query, for as long as it takes.
async fn end(lake: &Lake, id: Uuid) -> Result<BatchQuery> {
    let mut pause = WAIT_MILLIS_FIRST;
    loop {
        let query = lake.describe_query(id).await?;
        if query.status.is_ended() {
            return Ok(query);
        }
        sleep(Duration::from_millis(pause)).await;
        pause = (pause * 2).min(WAIT_MILLIS_MAX);
    }
}

/// Waits for the delivery, if there is one, and returns where its files are.
async fn delivered(lake: &Lake, id: Uuid) -> Result<Option<String>> {
    loop {
        let Some(delivery) = lake.describe_query(id).await?.delivery else { return Ok(None) };
        match (delivery.status.is_ended(), delivery.folder) {
            (false, _) => sleep(Duration::from_millis(WAIT_MILLIS_FIRST)).await,
            (true, Some(folder)) => return Ok(Some(folder)),
            (true, None) => {
                let reason = delivery.error.unwrap_or_default();
                return Err(anyhow!(reason)
                    .context(format!("the result was not delivered: {}", delivery.status)));
            }
        }
    }
}

/// The error that a query which has not finished ended in.
pub(super) fn check_ended_well(query: &BatchQuery) -> Result<()> {
    if query.status == QueryStatus::Finished {
        return Ok(());
    }
    let error = query.error.clone().unwrap_or_else(|| query.status.to_string());
    let error = anyhow!(error).context(format!("batch query `{}` is {}", query.id, query.status));
    let hint = match query.status {
        QueryStatus::TimedOut => {
            "`towpath job results` prints the rows until then; `--run-secs-max` raises the limit"
        }
        QueryStatus::Queued | QueryStatus::Running => {
            "`towpath job status` shows how far it is; a worker must run: `towpath job run`"
        }
        _ => return Err(error),
    };
    Err(Hinted::new(error, hint).into())
}
