//! `towpath saved`: statements under names, kept in the lake.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use towpath::{Lake, SavedQuery, statement_parameters};

use super::open_lake;
use super::store::{strings, write_rows};
use crate::answer::{Question, answer};
use crate::args::{LimitArgs, SavedAddArgs, SavedCommand, SavedRunArgs};
use crate::config::Config;
use crate::error::{InStatement, Outcome, tell};
use crate::output::{Destination, Format, Style, terminal_width};
use crate::parameters;
use crate::progress::QueryLine;
use crate::statement::read_statement;

/// Runs one of the subcommands.
pub(crate) async fn saved(config: &Config, command: SavedCommand) -> Result<Outcome> {
    if let SavedCommand::Run(args) = command {
        return run(config, args).await;
    }
    let lake = open_lake(config, LimitArgs::default()).await?;
    match command {
        SavedCommand::Add(args) => add(&lake, args).await,
        SavedCommand::List(args) => list(&lake, args.format).await,
        SavedCommand::Show(args) => {
            let query = lake.saved_query(&args.name).await?;
            let mut stdout = Destination::stdout();
            writeln!(stdout, "{}", query.statement).context("could not write to stdout")?;
            stdout.commit()?;
            Ok(Outcome::Done)
        }
        SavedCommand::Delete(args) => {
            lake.delete_saved_query(&args.name).await?;
            tell(&format!("deleted saved query `{}`", args.name));
            Ok(Outcome::Done)
        }
        SavedCommand::Run(args) => run(config, args).await,
    }
}

async fn add(lake: &Lake, args: SavedAddArgs) -> Result<Outcome> {
    let statement = match (args.statement, args.file) {
        (Some(statement), _) => statement,
        (None, Some(path)) => read_statement(&path)?,
        (None, None) => bail!("no statement is given"),
    };
    let query = SavedQuery { name: args.name, statement, description: args.description };
    lake.save_query(&query, args.replace)
        .await
        .map_err(|error| InStatement::new(error, &query.statement))?;
    tell(&format!("saved query `{}`; `towpath saved run {0}` runs it", query.name));
    Ok(Outcome::Done)
}

async fn list(lake: &Lake, format: Format) -> Result<Outcome> {
    let queries = lake.saved_queries().await?;
    let parameters = queries.iter().map(|query| {
        // What was saved is a statement; a newer program's may be one that this one cannot read.
        let (positional, named) = statement_parameters(&query.statement).unwrap_or_default();
        let marks = std::iter::repeat_n("?".to_owned(), positional);
        let names = named.into_iter().map(|name| format!(":{name}"));
        marks.chain(names).collect::<Vec<_>>().join(" ")
    });
    let descriptions = queries.iter().map(|query| query.description.clone());
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("name", strings(queries.iter().map(|query| query.name.clone())), false),
        ("parameters", strings(parameters), false),
        ("description", Arc::new(StringArray::from_iter(descriptions)) as ArrayRef, true),
        ("statement", strings(queries.iter().map(|query| query.statement.clone())), false),
    ])?;
    let mut stdout = Destination::stdout();
    write_rows(&rows, format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

async fn run(config: &Config, args: SavedRunArgs) -> Result<Outcome> {
    let lake = open_lake(config, args.limits).await?;
    let query = lake.saved_query(&args.name).await?;
    let values = parameters::values(&args.param)?;
    let question = Question {
        parameters: Some(&values),
        ..Question::new(&query.statement, config.limits(args.limits))
    };
    let width = terminal_width();
    let style = Style::new(args.format.unwrap_or_else(|| config.format()), width);
    let mut stdout = Destination::stdout();
    let mut line = QueryLine::new(width.is_some());
    answer(&lake, question, style, &mut stdout, &mut line).await?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
