//! `towpath store`: create event data stores and look at them.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{
    ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array, UInt64Array,
};
use chrono::{DateTime, Utc};
use towpath::{Lake, NewStore, Retention, Store};

use super::open_lake;
use crate::args::{LimitArgs, StoreCommand, StoreCreateArgs, StoreShowArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::{Destination, Format, row_writer, terminal_width};

/// Runs one of the subcommands.
pub(crate) async fn store(config: &Config, command: StoreCommand) -> Result<Outcome> {
    match command {
        StoreCommand::Create(args) => create(config, args).await,
        StoreCommand::List(args) => {
            let lake = open_lake(config, LimitArgs::default()).await?;
            let mut stdout = Destination::stdout();
            list_stores(&lake, args.format, &mut stdout).await?;
            stdout.commit()?;
            Ok(Outcome::Done)
        }
        StoreCommand::Show(args) => show(config, args).await,
    }
}

async fn create(config: &Config, args: StoreCreateArgs) -> Result<Outcome> {
    let retention = Retention::days(args.retention_days).map_err(towpath::Error::from)?;
    let url = config.lake()?;
    let lake = Lake::open_or_create(url, config.lake_options(LimitArgs::default())).await?;
    let store = lake.create_store(NewStore { name: args.name, id: args.id, retention }).await?;
    tell(&format!(
        "created event data store `{}` in lake `{url}`; it keeps events for {} days",
        store.name(),
        store.retention().as_days()
    ));
    let mut stdout = Destination::stdout();
    writeln!(stdout, "{}", store.id()).context("could not write to stdout")?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

/// Writes a row per store of `lake`.
pub(crate) async fn list_stores(
    lake: &Lake,
    format: Format,
    destination: &mut Destination,
) -> Result<()> {
    let stores = lake.stores().await?;
    let rows = RecordBatch::try_from_iter([
        ("name", strings(stores.iter().map(Store::name))),
        ("id", strings(stores.iter().map(|store| store.id().to_string()))),
        (
            "retention_days",
            Arc::new(UInt32Array::from_iter_values(
                stores.iter().map(|store| store.retention().as_days()),
            )) as ArrayRef,
        ),
        ("created_at", times(stores.iter().map(|store| Some(store.created_at())))),
    ])?;
    write_rows(&rows, format, destination)
}

async fn show(config: &Config, args: StoreShowArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let store = lake.store(&args.store).await?;
    let summary = store.summary().await?;
    let (oldest, newest) = summary.event_times.unzip();
    let row = RecordBatch::try_from_iter_with_nullable([
        ("name", strings([store.name()]), false),
        ("id", strings([store.id().to_string()]), false),
        ("retention_days", numbers(u64::from(store.retention().as_days())), false),
        ("created_at", times([Some(store.created_at())]), false),
        ("events", numbers(summary.events), false),
        ("oldest_event_time", times([oldest]), true),
        ("newest_event_time", times([newest]), true),
        ("data_files", numbers(summary.data_files), false),
        ("bytes", numbers(summary.bytes), false),
        ("version", numbers(summary.version), false),
    ])?;
    let mut stdout = Destination::stdout();
    // One store is one object, not a list of one.
    let format = if args.format == Format::Json { Format::Ndjson } else { args.format };
    write_rows(&row, format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

fn write_rows(rows: &RecordBatch, format: Format, destination: &mut Destination) -> Result<()> {
    let mut writer = row_writer(format, rows.schema_ref(), destination, terminal_width())?;
    writer.batch(rows)?;
    writer.finish()
}

fn strings(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(value: u64) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![value]))
}

fn times(values: impl IntoIterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
    let millis = values.into_iter().map(|time| time.map(|time| time.timestamp_millis()));
    Arc::new(TimestampMillisecondArray::from_iter(millis))
}
