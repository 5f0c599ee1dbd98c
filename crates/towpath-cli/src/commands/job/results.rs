//! `towpath job results`.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use towpath::{Lake, PAGE_ROWS_MAX, QueryStatus};
use uuid::Uuid;

use super::submit::check_ended_well;
use crate::args::{Args, JobResultsArgs, LimitArgs};
use crate::commands::open_lake;
use crate::commands::query::format_of_file;
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::{Destination, Format, row_writer, terminal_width};

pub(super) async fn results(config: &Config, args: JobResultsArgs) -> Result<Outcome> {
    let by_name = args.output.as_deref().and_then(format_of_file);
    let format = args.format.or(by_name).unwrap_or_else(|| config.format());
    let is_file = args.output.as_deref().is_some_and(|path| path != Path::new("-"));
    if format.is_binary() && !is_file && io::stdout().is_terminal() {
        return Err(Args::usage_error(
            "the output would not be readable on a terminal; give --output FILE",
        )
        .into());
    }
    let mut destination = match &args.output {
        Some(path) => Destination::create(path)?,
        None => Destination::stdout(),
    };
    let lake = open_lake(config, LimitArgs::default()).await?;
    match args.page_rows {
        None => write_results(&lake, args.id, format, &mut destination).await?,
        Some(rows_max) => {
            let next = write_page(&lake, &args, rows_max, format, &mut destination).await?;
            destination.flush().context("could not write the rows")?;
            tell(&match next {
                Some(next) => format!("next page: --page {next}"),
                None => "this is the last page".to_owned(),
            });
        }
    }
    destination.commit()?;
    Ok(Outcome::Done)
}

/// Writes all rows of the query, page by page.
///
/// # Errors
///
/// If it has no rows to read: it has not ended, it failed, or it was cancelled.
pub(super) async fn write_results(
    lake: &Lake,
    id: Uuid,
    format: Format,
    destination: &mut Destination,
) -> Result<()> {
    let mut page = lake.query_results(id, None, PAGE_ROWS_MAX).await?;
    let Some(schema) = &page.schema else { return check_ended_well(&page.query) };
    let width = width(destination);
    let mut writer = row_writer(format, schema, &mut *destination, width)?;
    loop {
        for batch in &page.batches {
            writer.batch(batch)?;
        }
        let Some(token) = &page.next_token else { break };
        page = lake.query_results(id, Some(token), PAGE_ROWS_MAX).await?;
    }
    writer.finish()?;
    if page.query.status == QueryStatus::TimedOut {
        destination.flush().context("could not write the rows")?;
        tell("the query ran too long; these are the rows until then");
    }
    Ok(())
}

/// Writes one page and returns the token of the next one.
async fn write_page(
    lake: &Lake,
    args: &JobResultsArgs,
    rows_max: u32,
    format: Format,
    destination: &mut Destination,
) -> Result<Option<String>> {
    let page = lake.query_results(args.id, args.page.as_deref(), rows_max).await?;
    let Some(schema) = &page.schema else {
        check_ended_well(&page.query)?;
        return Ok(None);
    };
    let width = width(destination);
    let mut writer = row_writer(format, schema, destination, width)?;
    for batch in &page.batches {
        writer.batch(batch)?;
    }
    writer.finish()?;
    Ok(page.next_token)
}

fn width(destination: &Destination) -> Option<usize> {
    matches!(destination, Destination::Stdout(_)).then(terminal_width).flatten()
}
