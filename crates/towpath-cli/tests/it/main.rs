//! The `towpath` command as a user meets it: the real binary, each test in a folder of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

/// The arrows between our crates.
mod architecture;
mod audit;
/// `towpath config`, `completions` and `man`.
mod config;
/// `towpath demo`.
mod demo;
/// `towpath verify-digests`.
mod digests;
/// Exit codes, and what is said on stderr.
mod errors;
/// How rows are written.
mod formats;
/// A folder, a lake in it, and commands to run there.
mod harness;
/// `towpath ingest`.
mod ingest;
/// `towpath job`, `towpath saved` and `towpath schedule`.
mod job;
mod life_cycle;
/// The catalogue of questions.
mod maintenance;
mod many_writers;
mod queries;
/// `towpath query`.
mod query;
/// `towpath shell`.
mod selectors;
mod shell;
/// `towpath store`.
mod store;
/// The shell in a terminal.
#[cfg(unix)]
mod terminal;
/// `towpath verify` and `towpath redact`.
mod verify;
/// `towpath ingest --watch`.
mod watch;
