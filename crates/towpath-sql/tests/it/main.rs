//! The public API.

#[path = "../support/mod.rs"]
mod support;

mod errors;
mod headings;
mod names;
mod plans;
