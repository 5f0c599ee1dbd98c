//! `towpath job run`: the worker, in the foreground and in the background.

use std::env::current_exe;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use towpath::WorkerOptions;

use crate::args::{JobRunArgs, LimitArgs};
use crate::commands::{interruption, open_lake};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::progress::grouped;

pub(super) async fn run(config: &Config, args: JobRunArgs) -> Result<Outcome> {
    let limits = LimitArgs { memory_mib_max: args.memory_mib_max, ..LimitArgs::default() };
    let lake = open_lake(config, limits).await?;
    let mut options = WorkerOptions::default();
    options.concurrent_max = usize::from(args.concurrent_max);
    options.until_idle = args.until_idle;
    options.alone = args.alone;
    let interrupted = async { drop(interruption().await) };
    let ended = lake.run_queries(&options, interrupted).await?;
    tell(&format!("{} batch quer{} ended", grouped(ended), if ended == 1 { "y" } else { "ies" }));
    Ok(Outcome::Done)
}

/// Starts a worker that goes on when this command has ended, and ends when nothing is left to do
/// or another one of its kind is at work.
pub(super) fn start_in_background(config: &Config, memory_mib_max: Option<u64>) -> Result<()> {
    let mut command = Command::new(current_exe().context("this program's file is not known")?);
    command.args(["--lake", config.lake()?]);
    if let Some(path) = config.typed_file() {
        command.arg("--config").arg(path);
    }
    command.args(["job", "run", "--until-idle", "--alone"]);
    if let Some(mib) = memory_mib_max {
        command.args(["--memory-mib-max", &mib.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Of a group of its own, so that Ctrl-C on this command does not reach it.
        command.process_group(0);
    }
    command.spawn().context("could not start it")?;
    Ok(())
}
