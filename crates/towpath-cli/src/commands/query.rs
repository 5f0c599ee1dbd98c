//! `towpath query`: one statement, or one per file.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use towpath::Lake;

use super::open_lake;
use crate::answer::{Answer, Question, answer};
use crate::args::{Args, ParameterArg, QueryArgs};
use crate::config::Config;
use crate::error::{self, Outcome, tell};
use crate::output::{Destination, Format, Style, terminal_width};
use crate::progress::{QueryLine, grouped, size};
use crate::statement::read_statement;

/// Files that one pattern may name. A pattern such as `/**` is a slip, and each file is read.
const FILES_PER_PATTERN_MAX: usize = 10_000;

/// Runs the statements and writes their rows.
///
/// Of several files, one that fails is named on stderr and the others run.
pub(crate) async fn query(config: &Config, args: QueryArgs) -> Result<Outcome> {
    let statements = statements(&args)?;
    let format = format(&args, config);
    let is_file = args.output.as_deref().is_some_and(|path| path != Path::new("-"));
    check_output(format, is_file, statements.len())?;
    let mut destination = match &args.output {
        Some(path) => Destination::create(path)?,
        None => Destination::stdout(),
    };
    let parameters = ParameterArg::values(&args.parameters).map_err(Args::usage_error)?;
    let lake = open_lake(config, args.limits).await?;
    let only = statements.len() == 1;
    let (mut done, mut failed) = (0_u64, 0_u64);
    for (name, statement) in statements {
        let question = Question {
            parameters: Some(&parameters),
            is_explained: args.explain,
            ..Question::new(&statement, config.limits(args.limits))
        };
        let ran = run(&lake, question, format, &args, &mut destination).await;
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

/// Runs one statement, writes its rows, and says on stderr what a person wants to know of it.
async fn run(
    lake: &Lake,
    question: Question<'_>,
    format: Format,
    args: &QueryArgs,
    destination: &mut Destination,
) -> Result<()> {
    let is_stdout = matches!(destination, Destination::Stdout(_));
    let width = if is_stdout { terminal_width() } else { None };
    let style = Style { is_spreadsheet_safe: args.spreadsheet_safe, ..Style::new(format, width) };
    let mut line = QueryLine::new(width.is_some());
    let answer = answer(lake, question, style, &mut *destination, &mut line).await?;
    let is_read_here = width.is_some() && format == Format::Table && !args.explain;
    if is_read_here || args.stats {
        destination.flush().context("could not write to stdout")?;
    }
    if args.stats {
        tell(&statistics(&answer));
    } else if is_read_here {
        tell(&row_count(&answer));
    }
    Ok(())
}

/// How many rows there are, for a person.
pub(crate) fn row_count(answer: &Answer) -> String {
    let rows = answer.rows;
    let count = format!("{} row{}", grouped(rows), if rows == 1 { "" } else { "s" });
    if answer.shown < rows { format!("{count} ({} shown)", grouped(answer.shown)) } else { count }
}

/// What the statement cost, in a line.
pub(crate) fn statistics(answer: &Answer) -> String {
    let cost = &answer.statistics;
    format!(
        "{}, {:.3} s; {} of {} read, {} events scanned, {} of {} data files",
        row_count(answer),
        cost.elapsed.as_secs_f64(),
        size(cost.bytes_scanned),
        size(cost.data_file_bytes),
        grouped(cost.events_scanned),
        grouped(cost.data_files_chosen),
        grouped(cost.data_files),
    )
}

/// The statements to run, each with the file it came from.
fn statements(args: &QueryArgs) -> Result<Vec<(Option<PathBuf>, String)>> {
    if let Some(statement) = args.statement.as_ref().or(args.command.as_ref()) {
        return Ok(vec![(None, statement.clone())]);
    }
    let mut statements = Vec::new();
    for name in &args.file {
        for path in matching(name)? {
            let statement = read_statement(&path)?;
            statements.push((Some(path), statement));
        }
    }
    Ok(statements)
}

/// The files that `name` means: itself, or those that it matches if it is a pattern.
fn matching(name: &Path) -> Result<Vec<PathBuf>> {
    let pattern = name.to_str().filter(|name| name.contains(['*', '?', '[']));
    let is_pattern = pattern.is_some() && !name.try_exists().unwrap_or(false);
    let Some(pattern) = pattern.filter(|_| is_pattern) else {
        return Ok(vec![name.to_path_buf()]);
    };
    let found = glob::glob(pattern)
        .map_err(|error| Args::usage_error(format!("`{pattern}` is no pattern: {error}")))?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.with_context(|| format!("could not look for `{pattern}`"))?;
        if path.is_file() {
            paths.push(path);
        }
        if paths.len() > FILES_PER_PATTERN_MAX {
            bail!("`{pattern}` names more than {FILES_PER_PATTERN_MAX} files");
        }
    }
    if paths.is_empty() {
        bail!("there is no file `{pattern}`");
    }
    Ok(paths)
}

/// The format that was asked for, else the one that the name of the file says, else the usual one.
fn format(args: &QueryArgs, config: &Config) -> Format {
    let by_name = args.output.as_deref().and_then(format_of_file);
    args.format.or(by_name).unwrap_or_else(|| config.format())
}

/// The format that the name of a file says.
pub(super) fn format_of_file(path: &Path) -> Option<Format> {
    match path.extension().and_then(OsStr::to_str) {
        Some("csv") => Some(Format::Csv),
        Some("tsv") => Some(Format::Tsv),
        Some("json") => Some(Format::Json),
        Some("ndjson" | "jsonl") => Some(Format::Ndjson),
        Some("md") => Some(Format::Markdown),
        Some("parquet") => Some(Format::Parquet),
        Some("arrow" | "feather") => Some(Format::Arrow),
        _ => None,
    }
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
