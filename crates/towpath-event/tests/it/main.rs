//! Tests of the public API.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod batches;
mod cells;
mod identities;
mod kinds;
mod odd_json;
mod real_logs;
mod reference;
mod refused;
mod rules;
mod schema;
mod selectors;
