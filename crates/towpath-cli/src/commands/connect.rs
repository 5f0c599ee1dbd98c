//! `towpath connect`: how another tool reads a store.

use std::io::Write;

use anyhow::{Context, Result};
use towpath::Tool;

use super::open_lake;
use crate::args::{ConnectArgs, LimitArgs, ToolArg};
use crate::config::Config;
use crate::error::Outcome;
use crate::output::Destination;

/// Prints the text that is to be pasted into the tool.
pub(crate) async fn connect(config: &Config, args: ConnectArgs) -> Result<Outcome> {
    let tool = match args.tool {
        ToolArg::Duckdb => Tool::DuckDb,
        ToolArg::Polars => Tool::Polars,
        ToolArg::Spark => Tool::Spark,
        ToolArg::Trino => Tool::Trino,
    };
    let lake = open_lake(config, LimitArgs::default()).await?;
    let text = lake.store(&args.store).await?.connection(tool, args.files).await?;
    let mut stdout = Destination::stdout();
    stdout.write_all(text.as_bytes()).context("could not write to stdout")?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
