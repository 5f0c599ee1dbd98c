//! The library as a service would use it.

#![expect(clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

mod audit;
mod batch_queries;
mod corpus;
mod equal_answers;
mod events;
mod examples;
mod explain;
mod index;
mod lab;
mod lakes;
mod limits;
mod maintenance;
mod names;
mod pruning;
mod queries;
mod redact;
mod retention;
mod saved_queries;
mod schedules;
mod schemas;
mod scopes;
mod summaries;
mod support;
