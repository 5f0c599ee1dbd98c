//! `towpath job`: batch queries that outlive the command.

mod list;
mod results;
mod submit;
mod verify;
mod worker;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use towpath::{Delivery, Lake, ParameterValues};

use super::{open_lake, until_interrupted};
use crate::args::{DeliveryArgs, JobCommand, JobIdArgs, LimitArgs, StatementArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::parameters;
use crate::statement::read_statement;

/// Runs one of the subcommands.
pub(crate) async fn job(
    config: &Config,
    command: JobCommand,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    match command {
        JobCommand::Submit(args) => until_interrupted(submit::submit(config, args)).await,
        JobCommand::List(args) => until_interrupted(list::list(config, args, now)).await,
        JobCommand::Status(args) => until_interrupted(list::status(config, args)).await,
        JobCommand::Results(args) => until_interrupted(results::results(config, args)).await,
        JobCommand::Cancel(args) => until_interrupted(cancel(config, args)).await,
        JobCommand::Run(args) => worker::run(config, args).await,
        JobCommand::Verify(args) => until_interrupted(verify::verify(config, args)).await,
        JobCommand::Keys(args) => until_interrupted(verify::keys(config, args)).await,
    }
}

async fn cancel(config: &Config, args: JobIdArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let query = lake.cancel_query(args.id).await?;
    tell(&format!("batch query `{}` is {}", query.id, query.status));
    Ok(Outcome::Done)
}

/// The statement that is meant, and the values of its parameters.
pub(super) async fn statement(
    lake: &Lake,
    args: &StatementArgs,
) -> Result<(String, ParameterValues)> {
    let statement = match (&args.statement, &args.file, &args.saved) {
        (Some(statement), _, _) => statement.clone(),
        (_, Some(path), _) => read_statement(path)?,
        (_, _, Some(name)) => lake.saved_query(name).await?.statement,
        _ => bail!("no statement is given"),
    };
    Ok((statement, parameters::values(&args.param)?))
}

pub(super) fn delivery(args: &DeliveryArgs) -> Option<Delivery> {
    let url = args.deliver.clone()?;
    Some(Delivery { url, account: args.account.clone(), region: args.region.clone() })
}
