//! `towpath`: CloudTrail events for years, and the answers to questions about them.
//!
//! This crate is the command: what can be typed ([`args`]), what is meant ([`config`]), one module
//! per subcommand ([`commands`], [`shell`]), and how results and errors are shown ([`output`],
//! [`error`]). Everything else is the library `towpath`. Only this crate prints, reads the
//! environment and the clock, and installs a logger.

mod answer;
mod args;
mod commands;
mod config;
mod error;
mod logging;
mod output;
mod parameters;
mod progress;
mod shell;
mod statement;
mod time;

use std::env::args_os;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use mimalloc::MiMalloc;
use tokio::runtime::Builder;

use crate::args::{Args, Command, ShellArgs};
use crate::commands::until_interrupted;
use crate::config::{Config, Environment};
use crate::error::Outcome;

/// The system's allocator keeps what one thread frees from the others: an ingest, whose threads hand
/// each other buffers of a hundred megabytes, would take more than twice the memory it uses.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long a thread that reads and writes files is kept without work.
///
/// What it allocated and another one freed, a data file say, is given back when it allocates much
/// more or ends. Starting one takes some hundredths of a millisecond.
const IDLE_MAX: Duration = Duration::from_millis(5);

/// Stack of the threads that plan and run statements, in bytes.
///
/// Planning recurses over the statement; the library bounds the depth, and its bounds are meant
/// for a stack of this size.
const THREAD_STACK_BYTES: usize = 8 * 1024 * 1024;

/// Threads beyond those that a statement keeps busy.
///
/// A part of a statement that computes for long without a pause must not keep timers and signals
/// from being served: limits on time and Ctrl-C rest on them.
const THREADS_SPARE: usize = 1;

fn main() -> ExitCode {
    match start() {
        Ok(outcome) => outcome.into(),
        Err(error) => error::conclude(&error),
    }
}

/// Reads the command line and runs the command in a runtime of its own.
fn start() -> Result<Outcome> {
    let args = Args::read(args_os())?;
    let mut config = Config::read(&args.global, &Environment::read())?;
    // Of a server, people want to know what it does without asking.
    if matches!(args.command, Some(Command::Serve(_))) {
        config.verbose = config.verbose.max(1);
    }
    logging::init(&config);
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads + THREADS_SPARE)
        .thread_stack_size(THREAD_STACK_BYTES)
        .thread_keep_alive(IDLE_MAX)
        .enable_all()
        .build()
        .context("could not start threads")?;
    let outcome = runtime.block_on(run(args.command, &config));
    // A thread that waits for a line of stdin must not keep the program alive.
    runtime.shutdown_background();
    outcome
}

/// Runs one command. Every command that this program has is a line of this function.
async fn run(command: Option<Command>, config: &Config) -> Result<Outcome> {
    let now = Utc::now();
    match command {
        Some(Command::Demo(args)) => until_interrupted(commands::demo(config, args)).await,
        Some(Command::Store(args)) => until_interrupted(commands::store(config, args, now)).await,
        Some(Command::Ingest(args)) if args.watch => commands::watch(config, args, now).await,
        Some(Command::Ingest(args)) => until_interrupted(commands::ingest(config, args, now)).await,
        Some(Command::Compact(args)) => until_interrupted(commands::compact(config, args)).await,
        Some(Command::Expire(args)) => until_interrupted(commands::expire(config, args)).await,
        Some(Command::Redact(args)) => until_interrupted(commands::redact(config, args, now)).await,
        Some(Command::Doctor(args)) => until_interrupted(commands::doctor(config, args)).await,
        Some(Command::Audit(args)) => until_interrupted(commands::audit(config, args)).await,
        Some(Command::Verify(args)) => until_interrupted(commands::verify(config, args, now)).await,
        Some(Command::VerifyDigests(args)) => {
            until_interrupted(commands::verify_digests(config, args, now)).await
        }
        Some(Command::Coverage(args)) => {
            until_interrupted(commands::coverage(config, args, now)).await
        }
        Some(Command::Query(args)) => until_interrupted(commands::query(config, args)).await,
        Some(Command::Shell(args)) => shell::run(config, args).await,
        Some(Command::Serve(args)) => commands::serve(config, args).await,
        Some(Command::Job(args)) => commands::job(config, args, now).await,
        Some(Command::Saved(args)) => until_interrupted(commands::saved(config, args)).await,
        Some(Command::Schedule(args)) => until_interrupted(commands::schedule(config, args)).await,
        Some(Command::Connect(args)) => until_interrupted(commands::connect(config, args)).await,
        Some(Command::Config(args)) => commands::config(config, &args),
        Some(Command::Completions(args)) => commands::completions(&args),
        Some(Command::Man(args)) => commands::man(&args),
        None if io::stdin().is_terminal() && io::stdout().is_terminal() => {
            shell::run(config, ShellArgs::default()).await
        }
        None => Err(Args::usage_error("a subcommand is missing").into()),
    }
}
