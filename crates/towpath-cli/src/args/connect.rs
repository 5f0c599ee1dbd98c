//! What follows `towpath connect`.

use clap::{Args as ClapArgs, ValueEnum};

pub(super) const HELP: &str = "\
Prints what to paste into the tool. It then reads the store's files itself, with rows nested as
towpath nests them and without what is past retention. eventJson is not among the columns: only
towpath can put an event's text together.

A tool that knows Delta tables sees what is ingested later. With --files it is given the data files
by name and sees the store as it is now.

Examples:
  towpath connect duckdb --store org-trail
  towpath connect duckdb --store org-trail --files | duckdb -init /dev/stdin
  towpath connect polars --store org-trail > org_trail.py";

#[derive(Debug, ClapArgs)]
pub(crate) struct ConnectArgs {
    /// The tool that is to read
    pub(crate) tool: ToolArg,

    /// Name or id of the store
    #[arg(long, value_name = "STORE")]
    pub(crate) store: String,

    /// Name the data files one by one instead of the table
    #[arg(long)]
    pub(crate) files: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ToolArg {
    /// SQL of `DuckDB`
    Duckdb,
    /// Python with Polars
    Polars,
    /// Spark SQL with Delta Lake
    Spark,
    /// Trino with the connector `delta_lake`
    Trino,
}
