//! `ntile(bigint) OVER (…)`: the number of the row's bucket, of n as equal as possible, from 1.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#ntile>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::ntile::ntile_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_buckets};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "ntile",
        parameters: "bigint",
        matcher: match_buckets,
        returns: WindowReturns::Bigint,
        least: Some((0, 1, "Buckets must be greater than 0")),
        inner: ntile_udwf(),
    }
}
