//! The lake over HTTP, in the words of AWS CloudTrail Lake's API: unmodified AWS clients work
//! against it.
//!
//! A [`Server`] answers AWS JSON 1.1 at `/` and `PutAuditEvents` of `cloudtrail-data`, checks every
//! request's Signature Version 4 and every limit of AWS's published model, and does the work with
//! the library `towpath`. It reads neither the clock nor the environment, and prints nothing.
//!
//! The life of a request: head (`service`) → claim and key (`sigv4`, `access`) → body →
//! signature → replay and rate → model (`wire`) → operation (`operations`) → answer.

mod access;
mod api;
mod audit;
mod error;
mod metrics;
mod operations;
mod options;
mod policy;
mod server;
mod service;
mod sigv4;
mod state;
mod throttle;
mod tls;
mod wire;

pub use crate::access::{AccessKey, Grant};
pub use crate::error::{Error, Result};
pub use crate::options::{ServerLimits, ServerOptions, TlsOptions, TrailOptions};
pub use crate::server::Server;
