//! `towpath query`: one statement, or one per file.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures::StreamExt;
use towpath::{Lake, QueryLimits};

use super::open_lake;
use crate::args::{Args, LimitArgs, QueryArgs};
use crate::config::Config;
use crate::error::{self, InStatement, Outcome, tell};
use crate::output::{Destination, Format, row_writer, terminal_width};
use crate::progress::grouped;
use crate::statement::read_statement;

/// Runs the statements and writes their rows.
///
/// Of several files, one that fails is named on stderr and the others run.
pub(crate) async fn query(config: &Config, args: QueryArgs) -> Result<Outcome> {
    let statements = statements(&args)?;
    let format = format(&args);
    let is_file = args.output.as_deref().is_some_and(|path| path != Path::new("-"));
    check_output(format, is_file, statements.len())?;
    let mut destination = match &args.output {
        Some(path) => Destination::create(path)?,
        None => Destination::stdout(),
    };
    let lake = open_lake(config, args.limits).await?;
    let only = statements.len() == 1;
    let (mut done, mut failed) = (0_u64, 0_u64);
    for (name, statement) in statements {
        let ran = run_statement(&lake, &statement, args.limits, format, &mut destination).await;
        let ran = match name {
            Some(name) => {
                ran.with_context(|| format!("could not run the statement in `{}`", name.display()))
            }
            None => ran,
        };
        match ran {
            Ok(()) => done += 1,
            Err(error) if only || error::is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                destination.flush()?;
                error::report(&error);
                failed += 1;
            }
        }
    }
    destination.commit()?;
    Ok(match (done, failed) {
        (_, 0) => Outcome::Done,
        (0, _) => Outcome::NotDone,
        _ => Outcome::DoneInPart,
    })
}

/// Runs one statement and writes its rows to `destination`.
///
/// # Errors
///
/// Those of the statement, and those of writing. Rows that were written before are not the whole
/// result then.
pub(crate) async fn run_statement(
    lake: &Lake,
    statement: &str,
    limits: LimitArgs,
    format: Format,
    destination: &mut Destination,
) -> Result<()> {
    let limits = QueryLimits { run_secs_max: limits.run_secs_max, result_rows_max: None };
    let in_statement = |error| InStatement::new(error, statement);
    let mut rows = lake.query(statement, limits).await.map_err(in_statement)?;
    let is_stdout = matches!(destination, Destination::Stdout(_));
    let width = if is_stdout { terminal_width() } else { None };
    let mut writer = row_writer(format, &rows.schema(), &mut *destination, width)?;
    let mut count = 0_u64;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(in_statement)?;
        count += batch.num_rows() as u64;
        writer.batch(&batch)?;
    }
    writer.finish()?;
    if width.is_some() && format == Format::Table {
        destination.flush().context("could not write to stdout")?;
        tell(&format!("{} row{}", grouped(count), if count == 1 { "" } else { "s" }));
    }
    Ok(())
}

/// The statements to run, each with the file it came from.
fn statements(args: &QueryArgs) -> Result<Vec<(Option<PathBuf>, String)>> {
    if let Some(statement) = &args.statement {
        return Ok(vec![(None, statement.clone())]);
    }
    args.file.iter().map(|path| Ok((Some(path.clone()), read_statement(path)?))).collect()
}

/// The format that was asked for, else the one that the name of the file says.
fn format(args: &QueryArgs) -> Format {
    let extension = args.output.as_deref().and_then(Path::extension).and_then(OsStr::to_str);
    let by_name = match extension {
        Some("csv") => Format::Csv,
        Some("tsv") => Format::Tsv,
        Some("json") => Format::Json,
        Some("ndjson" | "jsonl") => Format::Ndjson,
        Some("md") => Format::Markdown,
        Some("parquet") => Format::Parquet,
        Some("arrow" | "feather") => Format::Arrow,
        _ => Format::Table,
    };
    args.format.unwrap_or(by_name)
}

fn check_output(format: Format, is_file: bool, statements: usize) -> Result<()> {
    if is_file && statements > 1 {
        return Err(Args::usage_error(
            "a file given with --output holds one result; name one --file",
        )
        .into());
    }
    if format.is_binary() && statements > 1 {
        return Err(
            Args::usage_error("a Parquet or Arrow file holds one result; name one --file").into()
        );
    }
    if format.is_binary() && !is_file && io::stdout().is_terminal() {
        return Err(Args::usage_error(
            "the output would not be readable on a terminal; give --output FILE",
        )
        .into());
    }
    Ok(())
}
