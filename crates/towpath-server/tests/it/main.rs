//! The server over real HTTP on loopback, with requests signed as AWS's clients sign them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod audit;
mod dashboards;
mod http;
mod imports;
mod limits;
mod lookup;
mod queries;
mod resources;
mod stores;
mod support;
mod survival;
mod trails;
