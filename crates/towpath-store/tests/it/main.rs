//! What the store promises, held through its public API.

#![expect(clippy::unwrap_used, reason = "tests")]

mod append;
mod catalog;
mod conditional_put;
mod data_files;
mod faults;
mod layout;
mod lease;
mod repair;
mod settings;
mod sources;
mod support;
