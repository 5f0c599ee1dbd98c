//! Tests of the public interface of `towpath-ingest`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod signed_trail;
mod support;
mod trail;
mod watched_store;

mod bad_input;
mod counting;
mod coverage;
mod deliver;
mod digest_cases;
mod digests;
mod duplicates;
mod finding;
mod interrupted;
mod large;
mod memory;
mod real_logs;
mod remote;
mod verified;
mod watch;
