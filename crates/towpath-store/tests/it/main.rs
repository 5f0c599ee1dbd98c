//! What the store promises, held through its public API.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod append;
mod catalog;
mod conditional_put;
mod data_files;
mod faults;
mod foreign;
mod kill;
mod layout;
mod lease;
mod life_cycle;
mod repair;
mod retention;
mod s3;
mod settings;
mod sources;
mod support;
