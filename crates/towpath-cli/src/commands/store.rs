//! `towpath store`: create, change, delete and restore event data stores, and look at them.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array,
    UInt64Array,
};
use chrono::{DateTime, Utc};
use towpath::{
    EventKind, EventSelectors, Intake, Lake, NewStore, Retention, SELECTORS_TEXT_BYTES_MAX, Store,
    StoreChange, StoreStatus,
};

use super::hold::hold;
use super::open_lake;
use crate::args::{LimitArgs, StoreCommand, StoreCreateArgs, StoreShowArgs, StoreUpdateArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::{Destination, Format, row_writer, terminal_width};

/// Runs one of the subcommands.
pub(crate) async fn store(
    config: &Config,
    command: StoreCommand,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    match command {
        StoreCommand::Create(args) => create(config, args).await,
        StoreCommand::List(args) => {
            let lake = open_lake(config, LimitArgs::default()).await?;
            let mut stdout = Destination::stdout();
            write_rows(&store_rows(&lake).await?, args.format, &mut stdout)?;
            stdout.commit()?;
            Ok(Outcome::Done)
        }
        StoreCommand::Show(args) => show(config, args).await,
        StoreCommand::Update(args) => update(config, args).await,
        StoreCommand::Delete(args) => delete(config, &args.store).await,
        StoreCommand::Restore(args) => restore(config, &args.store).await,
        StoreCommand::Hold(command) => hold(config, command, now).await,
    }
}

async fn create(config: &Config, args: StoreCreateArgs) -> Result<Outcome> {
    let retention = Retention::days(args.retention_days).map_err(towpath::Error::from)?;
    let intake = match &args.selectors {
        Some(file) => Intake::selected(read_selectors(file)?),
        None => Intake::of_kind(EventKind::of_category(&args.category).unwrap_or_default()),
    };
    let url = config.lake()?;
    let lake = Lake::open_or_create(url, config.lake_options(LimitArgs::default())).await?;
    let new = NewStore {
        name: args.name,
        id: args.id,
        retention,
        termination_protection: args.termination_protection,
        intake,
    };
    let store = lake.create_store(new).await?;
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

/// Reads event selectors from a file.
fn read_selectors(file: &Path) -> Result<EventSelectors> {
    let failed = || format!("could not read selectors from `{}`", file.display());
    let mut text = String::new();
    // One more than is taken, so that what is too long is said to be so.
    let most = SELECTORS_TEXT_BYTES_MAX as u64 + 1;
    File::open(file)
        .and_then(|file| file.take(most).read_to_string(&mut text))
        .with_context(failed)?;
    EventSelectors::parse(&text).with_context(failed)
}

/// A row per store of `lake`.
pub(crate) async fn store_rows(lake: &Lake) -> Result<RecordBatch> {
    let stores = lake.stores().await?;
    Ok(RecordBatch::try_from_iter([
        ("name", strings(stores.iter().map(Store::name))),
        ("id", strings(stores.iter().map(|store| store.id().to_string()))),
        (
            "retention_days",
            Arc::new(UInt32Array::from_iter_values(
                stores.iter().map(|store| store.retention().as_days()),
            )) as ArrayRef,
        ),
        ("created_at", times(stores.iter().map(|store| Some(store.created_at())))),
        ("status", strings(stores.iter().map(|store| status(store).to_owned()))),
    ])?)
}

async fn show(config: &Config, args: StoreShowArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let store = lake.store(&args.store).await?;
    let (summary, intake) = (store.summary().await?, store.intake()?);
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
        ("status", strings([status(&store).to_owned()]), false),
        ("restorable_until", times([restorable_until(&store)]), true),
        ("termination_protection", flag(store.termination_protection()), false),
        ("category", strings([intake.kind().name().to_owned()]), false),
        ("selectors", text(intake.selectors().map(EventSelectors::to_json)), true),
        ("legal_holds", numbers(store.holds().len() as u64), false),
    ])?;
    let mut stdout = Destination::stdout();
    // One store is one object, not a list of one.
    let format = if args.format == Format::Json { Format::Ndjson } else { args.format };
    write_rows(&row, format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

async fn update(config: &Config, args: StoreUpdateArgs) -> Result<Outcome> {
    let retention = args.retention_days.map(Retention::days).transpose();
    let change = StoreChange {
        name: args.name,
        selectors: args.selectors.as_deref().map(read_selectors).transpose()?,
        retention: retention.map_err(towpath::Error::from)?,
        termination_protection: match (args.termination_protection, args.no_termination_protection)
        {
            (false, false) => None,
            (on, _) => Some(on),
        },
    };
    let lake = open_lake(config, LimitArgs::default()).await?;
    let store = lake.store(&args.store).await?;
    store.update(change).await?;
    let protection = if store.termination_protection() { "on" } else { "off" };
    tell(&format!(
        "updated event data store `{}`; it keeps events for {} days, termination protection is \
         {protection}",
        store.name(),
        store.retention().as_days()
    ));
    Ok(Outcome::Done)
}

async fn delete(config: &Config, store: &str) -> Result<Outcome> {
    let store = open_lake(config, LimitArgs::default()).await?.store(store).await?;
    store.delete().await?;
    let name = store.name();
    let until = restorable_until(&store).map(|until| until.format("%Y-%m-%d %H:%M UTC"));
    let until = until.map(|until| until.to_string()).unwrap_or_default();
    tell(&format!(
        "deleted event data store `{name}`; until {until}, `towpath store restore {name}` brings \
         it back"
    ));
    Ok(Outcome::Done)
}

async fn restore(config: &Config, store: &str) -> Result<Outcome> {
    let store = open_lake(config, LimitArgs::default()).await?.store(store).await?;
    store.restore().await?;
    tell(&format!("restored event data store `{}`", store.name()));
    Ok(Outcome::Done)
}

fn status(store: &Store) -> &'static str {
    match store.status() {
        StoreStatus::PendingDeletion { .. } => "PENDING_DELETION",
        _ => "ENABLED",
    }
}

fn restorable_until(store: &Store) -> Option<DateTime<Utc>> {
    match store.status() {
        StoreStatus::PendingDeletion { restorable_until, .. } => Some(restorable_until),
        _ => None,
    }
}

pub(super) fn write_rows(
    rows: &RecordBatch,
    format: Format,
    destination: &mut Destination,
) -> Result<()> {
    let mut writer = row_writer(format, rows.schema_ref(), destination, terminal_width())?;
    writer.batch(rows)?;
    writer.finish()
}

fn flag(value: bool) -> ArrayRef {
    Arc::new(BooleanArray::from(vec![value]))
}

pub(super) fn counts(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn text(value: Option<&str>) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

pub(super) fn strings(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(value: u64) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![value]))
}

pub(super) fn times(values: impl IntoIterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
    let millis = values.into_iter().map(|time| time.map(|time| time.timestamp_millis()));
    Arc::new(TimestampMillisecondArray::from_iter(millis))
}
