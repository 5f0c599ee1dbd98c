//! Makes lakes with years of history and times the command on them:
//!
//!     cargo run --release -p towpath-benches --bin history -- make LAKE 400x1440x500
//!     cargo run --release -p towpath-benches --bin history -- time LAKE 400x1440x500 15
//!
//! The plan is log files x minutes of each x events of each; the last number says how often each
//! question is asked. Needs the `towpath` command beside it:
//! `cargo build --release --workspace --bins` builds both. Another one can be named at the end.

#![expect(clippy::print_stdout, reason = "a command says what it found")]

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use tokio::runtime::Builder;
use towpath_benches::history::{Timing, make, time};

const USAGE: &str = "usage: history make LAKE PLAN | history time LAKE PLAN RUNS [TOWPATH]";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["make", lake, plan] => {
            let (lake, plan) = (PathBuf::from(lake), plan.parse()?);
            let runtime = Builder::new_multi_thread().enable_all().build()?;
            let told = |files| println!("{files} log files");
            runtime.block_on(async { Box::pin(make(&lake, plan, now(), &told)).await })
        }
        ["time", lake, plan, runs, rest @ ..] => {
            let towpath = match rest {
                [] => env::current_exe()?.with_file_name("towpath"),
                [towpath] => PathBuf::from(towpath),
                _ => return Err(USAGE.into()),
            };
            let lake = PathBuf::from(lake);
            for timing in time(&towpath, &lake, plan.parse()?, runs.parse()?, now())? {
                println!("{}", told(&timing));
            }
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

/// Name, rows, and milliseconds: median (least to greatest) to the first byte and to the end.
fn told(timing: &Timing) -> String {
    let spread = |times: &[Duration]| {
        let millis = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
        let last = times.len().saturating_sub(1);
        format!("{:.1} ({:.1} to {:.1})", millis(times.len() / 2), millis(0), millis(last))
    };
    let Timing { name, first, whole, rows } = timing;
    format!("{name} | {rows} rows | first row {} ms | end {} ms", spread(first), spread(whole))
}

#[expect(clippy::disallowed_methods, reason = "a command reads the clock")]
fn now() -> DateTime<Utc> {
    let since_1970 = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let secs = i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(secs, 0).unwrap_or_default()
}
