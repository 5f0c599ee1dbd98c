//! The public API.
#![allow(
    clippy::allow_attributes,
    clippy::only_used_in_recursion,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "test binaries share `support`, and each uses a part of it"
)]

#[path = "../support/mod.rs"]
mod support;

mod errors;
mod headings;
mod hostile;
mod names;
mod parameters;
mod plans;
