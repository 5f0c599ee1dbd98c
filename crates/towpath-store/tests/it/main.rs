//! What the store promises, held through its public API.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod append;
mod catalog;
mod chain;
mod compact;
mod conditional_put;
mod data_files;
mod expire;
mod faults;
mod faulty_changes;
mod faulty_store;
mod foreign;
mod index;
mod kill;
mod layout;
mod lease;
mod life_cycle;
mod redact;
mod repair;
mod retention;
mod s3;
mod saved_commits;
mod saved_snapshot;
mod settings;
mod sources;
mod support;
mod verify;
