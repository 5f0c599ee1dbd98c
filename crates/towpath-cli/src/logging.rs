//! Log lines, for finding out what the program is doing. On stderr, and only there.
//!
//! What a user must see is output and never a log line.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::error::tell;

/// Starts logging: warnings, or what `-v` and `TOWPATH_LOG` ask for.
pub(crate) fn init(config: &Config) {
    let filter = match config.log_filter.as_deref().map(EnvFilter::try_new) {
        Some(Ok(filter)) => filter,
        Some(Err(error)) => {
            tell(&format!("warning: TOWPATH_LOG is not a filter and is ignored: {error}"));
            EnvFilter::new(default_filter(config.verbose))
        }
        None => EnvFilter::new(default_filter(config.verbose)),
    };
    let has_colours = io::stderr().is_terminal() && !config.no_color;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(has_colours)
        .init();
}

/// What is logged unless `TOWPATH_LOG` says otherwise. Libraries below ours stay quiet longer.
fn default_filter(verbose: u8) -> &'static str {
    match verbose {
        // The command itself names every log file that an ingest rejects. Delta's library logs as
        // errors what it returns too, and what is none: a store that another process is making.
        0 => "warn,towpath_ingest=error,buoyant_kernel=off",
        1 => {
            "warn,towpath=info,towpath_store=info,towpath_ingest=info,towpath_sql=info,towpath_server=info"
        }
        2 => {
            "info,towpath=debug,towpath_store=debug,towpath_ingest=debug,towpath_sql=debug,towpath_server=debug"
        }
        _ => {
            "debug,towpath=trace,towpath_store=trace,towpath_ingest=trace,towpath_sql=trace,towpath_server=trace"
        }
    }
}
