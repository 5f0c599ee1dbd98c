//! `lead(T, bigint, T) OVER (…)`: the value an offset (by default 1) after the row, or a default (NULL).
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#lead>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::lead_lag::lead_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_offset};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "lead",
        parameters: "T, bigint, T",
        matcher: match_offset,
        returns: WindowReturns::First,
        least: Some((1, 0, "Offset must be at least 0")),
        inner: lead_udwf(),
    }
}
