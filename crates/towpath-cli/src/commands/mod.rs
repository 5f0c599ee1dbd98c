//! One module per subcommand.

mod audit;
mod compact;
mod completions;
mod config;
mod connect;
mod coverage;
mod demo;
mod doctor;
mod expire;
mod hold;
mod ingest;
mod job;
mod keys;
mod man;
mod query;
mod redact;
mod saved;
mod schedule;
mod serve;
mod store;
mod verify;
mod verify_digests;
mod watch;

use anyhow::{Context, Result, bail};
use tokio::signal;
use towpath::{Lake, Store};

pub(crate) use self::audit::audit;
pub(crate) use self::compact::compact;
pub(crate) use self::completions::completions;
pub(crate) use self::config::config;
pub(crate) use self::connect::connect;
pub(crate) use self::coverage::coverage;
pub(crate) use self::demo::demo;
pub(crate) use self::doctor::doctor;
pub(crate) use self::expire::expire;
pub(crate) use self::ingest::ingest;
pub(crate) use self::job::job;
pub(crate) use self::man::man;
pub(crate) use self::query::{query, row_count, statistics};
pub(crate) use self::redact::redact;
pub(crate) use self::saved::saved;
pub(crate) use self::schedule::schedule;
pub(crate) use self::serve::serve;
pub(crate) use self::store::{store, store_rows};
pub(crate) use self::verify::verify;
pub(crate) use self::verify_digests::verify_digests;
pub(crate) use self::watch::watch;
use crate::args::LimitArgs;
use crate::config::Config;
use crate::error::Outcome;

/// Runs `command` until it ends or the user interrupts it. Dropping a command takes its temporary
/// files away; what it committed to a store stays.
pub(crate) async fn until_interrupted(
    command: impl Future<Output = Result<Outcome>>,
) -> Result<Outcome> {
    tokio::select! {
        outcome = command => outcome,
        signal = interruption() => {
            signal.context("could not listen for signals")?;
            bail!("interrupted")
        }
    }
}

/// Completes when the user or the system asks the program to end.
pub(crate) async fn interruption() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            signal = signal::ctrl_c() => signal,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}

/// Opens the lake that is meant, to query it within `limits`.
pub(crate) async fn open_lake(config: &Config, limits: LimitArgs) -> Result<Lake> {
    Ok(Lake::open(config.lake()?, config.lake_options(limits)).await?)
}

/// The store that is meant, or all of `lake`.
async fn stores_meant(lake: &Lake, store: Option<&str>) -> Result<Vec<Store>> {
    match store {
        Some(store) => Ok(vec![lake.store(store).await?]),
        None => Ok(lake.stores().await?),
    }
}
