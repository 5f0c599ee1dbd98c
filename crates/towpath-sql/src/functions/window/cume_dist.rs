//! `cume_dist() OVER (…)`: the part of the rows that come before the row or are equal to it.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#cume_dist>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::cume_dist::cume_dist_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_nothing};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "cume_dist",
        parameters: "",
        matcher: match_nothing,
        returns: WindowReturns::Double,
        least: None,
        inner: cume_dist_udwf(),
    }
}
